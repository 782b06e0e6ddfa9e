"""What a message of LibreChat says: its blocks, else its text; and its files."""

from collections.abc import Iterator, Mapping, Sequence

from chatcore.formats.pieces import inline_file
from chatcore.formats.values import fields, first_ident, ident, integer, json_text, listed, rest, text_in
from chatcore.incoming import IncomingFile, IncomingPart
from chatcore.messages import Reasoning, Text, ToolCall, ToolResult

__all__ = ["parts_of"]

_KNOWN_FILE = frozenset({"file_id", "filename", "type", "bytes", "filepath", "source"})
_KNOWN_CALL = frozenset({"id", "name", "args", "arguments", "output", "type"})


def parts_of(message: Mapping[str, object], raw: dict[str, object]) -> tuple[IncomingPart, ...]:
    """The parts of a message; what is in none of them is put into `raw` under its own name."""
    parts: list[IncomingPart] = []
    left: list[object] = []
    content = message.get("content")
    for number, block in enumerate(listed(content)):
        found, more = _block(block, f"{ident(message.get('messageId')) or 'message'}.{number}")
        parts.extend(found)
        if more:
            left.append({"block": number, **more})
    if left:
        raw["content"] = left
    if isinstance(content, str) and content:
        parts.append(Text(content))
    text = text_in(message.get("text"))
    said = "\n".join(part.text for part in parts if isinstance(part, Text))
    if not said.strip():
        parts.extend([Text(text)] if text else [])
    elif text.strip() and text.strip() != said.strip() and not _repeats(text, parts):
        raw["text"] = text
    parts.extend(_files(message, raw))
    return tuple(parts)


def _repeats(text: str, parts: list[IncomingPart]) -> bool:
    """Whether a text has nothing that the blocks do not have: it may join them with other marks between."""
    words = "".join("".join(part.text.split()) for part in parts if isinstance(part, Text))
    return "".join(text.split()) in words


def _block(block: object, place: str) -> tuple[Sequence[IncomingPart], Mapping[str, object]]:
    """A block's parts, and what is left of it."""
    if not isinstance(block, dict):
        return _text(block), {}
    match block.get("type"):
        case "think":
            thought = text_in(block.get("think"))
            return [Reasoning(thought)] if thought else [], rest(block, frozenset({"type", "think"}))
        case "tool_call":
            call = fields(block.get("tool_call"))
            return list(_call(call, place)), rest(call, _KNOWN_CALL)
        case "image_url":
            url = fields(block.get("image_url")).get("url", block.get("image_url"))
            known = frozenset({"type", "image_url"} if isinstance(url, str) else ())
            return _picture(url), rest(block, known)
        case "image_file":
            stored = fields(block.get("image_file"))
            return [_file(stored)] if stored else [], rest(stored, _KNOWN_FILE)
        case "text":  # perhaps an object with the words under `value`
            return _text(block.get("text")), rest(block, frozenset({"type", "text"}))
        case _:
            words = block.get("text")
            if isinstance(words, str):
                return _text(words), rest(block, frozenset({"text"}))
            return [], rest(block, frozenset())


def _text(value: object) -> Sequence[IncomingPart]:
    text = text_in(value)
    return [Text(text)] if text else []


def _picture(url: object) -> Sequence[IncomingPart]:
    if not isinstance(url, str):
        return []
    return [inline_file(url, "image") or IncomingFile(name="image", pointer=url[:2000])]


def _call(call: Mapping[str, object], place: str) -> Iterator[IncomingPart]:
    call_id = ident(call.get("id")) or place
    function = fields(call.get("function"))  # as assistants had it
    arguments = next(
        (
            found
            for found in (call.get("args"), call.get("arguments"), function.get("arguments"))
            if found is not None
        ),
        "{}",
    )
    name = text_in(call.get("name")) or text_in(function.get("name")) or text_in(call.get("type")) or "tool"
    yield ToolCall(call_id, name, json_text(arguments))
    output = call.get("output", function.get("output"))
    if output is not None:
        yield ToolResult(call_id, text_in(output))


def _files(message: Mapping[str, object], raw: dict[str, object]) -> Iterator[IncomingPart]:
    seen: set[str] = set()
    for name in ("files", "attachments"):
        left = []
        for value in listed(message.get(name)):
            file = fields(value)
            if first_ident(file, "file_id", "filename", "filepath") is None:
                left += [rest(file, frozenset())] if file else []  # a search's sources, not a file
                continue
            file_id = ident(file.get("file_id"))
            if file_id is not None and file_id in seen:
                continue
            seen.update([file_id] if file_id is not None else ())
            yield _file(file)
            if more := rest(file, _KNOWN_FILE):
                left.append({"file_id": file_id, **more})
        if left:
            raw[name] = left


def _file(file: Mapping[str, object]) -> IncomingFile:
    kind = ident(file.get("type"))
    pointer = first_ident(file, "filepath", "file_id")
    return IncomingFile(
        name=text_in(file.get("filename")) or ident(file.get("file_id")) or "file",
        media_type=kind if kind is not None and "/" in kind else None,
        size_bytes=integer(file.get("bytes")),
        pointer=None if pointer is None else pointer[:2000],
    )
