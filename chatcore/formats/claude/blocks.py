"""What a message of Claude says: its blocks, its text where they say nothing, and its files."""

from collections.abc import Callable, Iterator, Mapping, Set

from msgspec import Struct

from chatcore.formats.pieces import file_of_text, inline_file
from chatcore.formats.values import fields, first_ident, ident, integer, json_text, listed, rest, text_in
from chatcore.incoming import IncomingFile, IncomingPart
from chatcore.messages import Reasoning, Text, ToolCall, ToolResult

__all__ = ["parts_of"]

_LEFT_OUT = "This block is not supported on your current device yet."
"""What `text` says in place of a block that is not text."""

_KNOWN_ATTACHMENT = frozenset({"id", "file_name", "file_type", "file_size", "extracted_content"})
_KNOWN_FILE = frozenset({"file_name", "file_uuid", "uuid", "file_size", "size_bytes", "file_type"})
_KNOWN_RESULT = frozenset({"type", "text"})
_KNOWN_RESULT_FILE = _KNOWN_FILE | {"type", "name", "mime_type", "media_type", "file_path", "url", "source"}


def parts_of(message: Mapping[str, object], raw: dict[str, object]) -> tuple[IncomingPart, ...]:
    """The parts of a message; what is in none of them is put into `raw` under its own name."""
    parts = _said(message, raw)
    parts.extend(_attachments(message, raw))
    parts.extend(_files(message, raw))
    return tuple(parts)


def _said(message: Mapping[str, object], raw: dict[str, object]) -> list[IncomingPart]:
    """The blocks. The message's own text repeats them, so it counts only where they have none."""
    content = message.get("content")
    parts: list[IncomingPart] = []
    left: list[object] = []
    for number, block in enumerate(listed(content)):
        more = _block(block, number, message, parts)
        if more:
            left.append({"block": number, **more})
    if left:
        raw["content"] = left
    if isinstance(content, str) and content:
        parts.append(Text(content))
    elif isinstance(content, dict):
        raw["content"] = rest(content, frozenset())
    text = text_in(message.get("text"))
    said = [part.text.strip() for part in parts if isinstance(part, Text)]
    if not any(said):
        if text.strip() and _LEFT_OUT not in text:
            parts.append(Text(text))
    elif not all(words in text for words in said) and text.strip() not in "\n".join(said):
        raw["text"] = text
    return parts


def _block(
    block: object, number: int, message: Mapping[str, object], parts: list[IncomingPart]
) -> dict[str, object]:
    """Adds what a block says; gives what is left of it."""
    if not isinstance(block, dict):
        if text := text_in(block):
            parts.append(Text(text))
        return {}
    name = block.get("type")
    reader = BLOCKS.get(name) if isinstance(name, str) else None
    if reader is None:
        words = block.get("text")
        if isinstance(words, str):
            parts.extend([Text(words)] if words else [])
            return rest(block, frozenset({"text"}))
        return rest(block, frozenset())
    parts.extend(reader.read(block, f"{ident(message.get('uuid')) or 'message'}.{number}"))
    return rest(block, reader.known)


# --- kinds of blocks


class Reader(Struct, frozen=True):
    """Reads one kind of block.

    Attributes:
        read: Gives its parts; the second argument is an id for a tool call that has none.
        known: The fields that are in these parts.
    """

    read: Callable[[Mapping[str, object], str], Iterator[IncomingPart]]
    known: Set[str]


def _text(block: Mapping[str, object], _place: str) -> Iterator[IncomingPart]:
    if text := text_in(block.get("text")):
        yield Text(text)


def _thinking(block: Mapping[str, object], _place: str) -> Iterator[IncomingPart]:
    if text := text_in(block.get("thinking")) or text_in(block.get("summaries")):
        yield Reasoning(text)


def _tool_use(block: Mapping[str, object], place: str) -> Iterator[IncomingPart]:
    arguments = block.get("input")
    yield ToolCall(
        ident(block.get("id")) or place,
        text_in(block.get("name")) or "tool",
        "{}" if arguments is None else json_text(arguments),
    )


def _tool_result(block: Mapping[str, object], place: str) -> Iterator[IncomingPart]:
    content = block.get("content")
    words = []
    files: list[IncomingPart] = []
    for item in listed(content):
        found = fields(item)
        file = fields(found.get("source")) or found
        if ident(found.get("type")) in {"image", "local_resource"}:
            name = text_in(found.get("name")) or text_in(file.get("file_name")) or str(found["type"])
            pointer = first_ident(file, "file_uuid", "uuid", "file_path", "url")
            kind = file.get("media_type") or found.get("mime_type")
            media_type = kind if isinstance(kind, str) else None
            inline = inline_file(f"data:{media_type or ''};base64,{text_in(file.get('data'))}", name)
            named = IncomingFile(name=name, media_type=media_type, pointer=pointer)
            files.append(inline if inline is not None and inline.content else named)
            if more := rest(found, _KNOWN_RESULT_FILE):
                words.append(json_text(more))
        elif item is not None:
            plain = isinstance(found.get("text"), str) and found.keys() <= _KNOWN_RESULT
            # of knowledge and references all that they say
            words.append(text_in(found["text"]) if plain else json_text(item))
    if not isinstance(content, list):
        words.append(text_in(content))
    yield ToolResult(
        first_ident(block, "tool_use_id") or place, "\n".join(words), block.get("is_error") is True
    )
    yield from files


def _voice_note(block: Mapping[str, object], _place: str) -> Iterator[IncomingPart]:
    if text := "\n".join(filter(None, (text_in(block.get("title")), text_in(block.get("text"))))):
        yield Text(text)


_TIMES = {"start_timestamp", "stop_timestamp"}

BLOCKS: Mapping[str, Reader] = {
    "text": Reader(_text, frozenset({"type", "text", *_TIMES})),
    "thinking": Reader(_thinking, frozenset({"type", "thinking"})),
    "tool_use": Reader(_tool_use, frozenset({"type", "id", "name", "input"})),
    "tool_result": Reader(_tool_result, frozenset({"type", "tool_use_id", "content", "is_error"})),
    "voice_note": Reader(_voice_note, frozenset({"type", "title", "text"})),
}


# --- files


def _attachments(message: Mapping[str, object], raw: dict[str, object]) -> Iterator[IncomingPart]:
    left = []
    for item in listed(message.get("attachments")):
        attachment = fields(item)
        if not attachment:
            continue
        name = text_in(attachment.get("file_name")) or "pasted.txt"
        pointer = ident(attachment.get("id"))
        text = attachment.get("extracted_content")
        kind = ident(attachment.get("file_type"))
        if isinstance(text, str) and text:
            yield file_of_text(name, text, pointer)
            more = {"file_type": kind, "file_size": attachment.get("file_size")}
            more |= rest(attachment, _KNOWN_ATTACHMENT)
        else:
            yield IncomingFile(
                name=name,
                media_type=kind if kind is not None and "/" in kind else None,
                size_bytes=integer(attachment.get("file_size")),
                pointer=pointer,
            )
            more = rest(attachment, _KNOWN_ATTACHMENT)
        if more:
            left.append({"file_name": name, **more})
    if left:
        raw["attachments"] = left


def _files(message: Mapping[str, object], raw: dict[str, object]) -> Iterator[IncomingPart]:
    """`files` and, of `files_v2`, what is not among them. The export never has their bytes."""
    seen: set[str] = set()
    left = []
    for item in (*listed(message.get("files")), *listed(message.get("files_v2"))):
        file = fields(item)
        pointer = first_ident(file, "file_uuid", "uuid")
        if not file or (pointer is not None and pointer in seen):
            continue
        seen.update([pointer] if pointer is not None else ())
        size = integer(file.get("size_bytes"))
        kind = ident(file.get("file_type"))
        yield IncomingFile(
            name=text_in(file.get("file_name")) or pointer or "file",
            media_type=kind if kind is not None and "/" in kind else None,
            size_bytes=size if size is not None else integer(file.get("file_size")),
            pointer=pointer,
        )
        if more := rest(file, _KNOWN_FILE):
            left.append({"file_uuid": pointer, **more})
    if left:
        raw["files"] = left
