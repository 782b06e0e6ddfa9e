"""What a message of Open WebUI says: items of `output`, its `content`, and its files."""

from collections.abc import Callable, Iterator, Mapping, Set

from msgspec import Struct

from chatcore.formats.openwebui.details import parts_of_text
from chatcore.formats.pieces import file_of_text, inline_file
from chatcore.formats.values import fields, first_ident, ident, integer, json_text, listed, rest, text_in
from chatcore.incoming import IncomingFile, IncomingPart
from chatcore.messages import Reasoning, Role, Text, ToolCall, ToolResult

__all__ = ["parts_of"]

_KNOWN_FILE = frozenset({"content_type", "file", "id", "itemId", "name", "size", "status", "type", "url"})
_NO_FILES: Set[object] = frozenset({"collection", "web_search", "note", "chat", "folder", "text"})
"""Of entries in `files`: what is no file but says where the answer may look."""


def parts_of(message: Mapping[str, object], role: Role, raw: dict[str, object]) -> tuple[IncomingPart, ...]:
    """The parts of a message; what is in none of them is put into `raw` under its own name."""
    place = ident(message.get("id")) or "message"
    parts = _output(message, place, raw) if role == "assistant" else []
    written = _content(message.get("content"), role, place, raw)
    words = "".join(part.text for part in written if isinstance(part, Text)).strip()
    said = "".join(part.text for part in parts if isinstance(part, Text)).strip()
    if not parts:
        parts = written
    elif not said:  # reasoning and tools are in both, the words in one
        parts += [part for part in written if isinstance(part, Text | IncomingFile)]
    else:
        parts += [part for part in written if isinstance(part, IncomingFile)]
        if words and words != said and "".join(words.split()) != "".join(said.split()):
            raw["content"] = message.get("content")
    parts.extend(_files(message, raw))
    return tuple(parts)


def _content(content: object, role: Role, place: str, raw: dict[str, object]) -> list[IncomingPart]:
    if isinstance(content, str):
        if role == "assistant":
            return parts_of_text(content, place)
        if role == "tool":
            return [ToolResult(place, content)]
        return [Text(content)] if content else []
    parts: list[IncomingPart] = []
    for item in listed(content):
        part = fields(item)
        url = fields(part.get("image_url")).get("url", part.get("image_url"))
        if isinstance(item, str) or isinstance(part.get("text"), str):
            parts.append(Text(text_in(item)))
        elif isinstance(url, str):
            parts.append(inline_file(url, "image") or IncomingFile(name="image", pointer=url[:2000]))
        elif item is not None:
            raw["content"] = content
    if isinstance(content, dict) and (text := text_in(content)):
        parts.append(Text(text))
    return parts


# --- output


class Reader(Struct, frozen=True):
    """Reads one kind of item of `output`: its parts, and the fields that are in these."""

    read: Callable[[Mapping[str, object], str], Iterator[IncomingPart]]
    known: Set[str]


def _output(message: Mapping[str, object], place: str, raw: dict[str, object]) -> list[IncomingPart]:
    parts: list[IncomingPart] = []
    left: list[object] = []
    for number, value in enumerate(listed(message.get("output"))):
        item = fields(value)
        kind = ident(item.get("type")) or ""
        reader = ITEMS.get(kind.rpartition(":")[2])
        if reader is not None:
            parts.extend(reader.read(item, f"{place}.{number}"))
        known = reader.known if reader is not None else frozenset[str]()
        if more := rest(item, known, {"status": "completed"}):
            left.append({"item": number, **more})
    if left:
        raw["output"] = left
    return parts


def _thought(item: Mapping[str, object], _place: str) -> Iterator[IncomingPart]:
    if text := text_in(item.get("content")) or text_in(item.get("summary")):
        yield Reasoning(text)


def _call(item: Mapping[str, object], place: str) -> Iterator[IncomingPart]:
    arguments = item.get("arguments")
    yield ToolCall(
        first_ident(item, "call_id", "id") or place,
        text_in(item.get("name")) or "tool",
        "{}" if arguments is None else json_text(arguments),
    )


def _result(item: Mapping[str, object], place: str) -> Iterator[IncomingPart]:
    yield ToolResult(ident(item.get("call_id")) or place, text_in(item.get("output")))


def _words(item: Mapping[str, object], _place: str) -> Iterator[IncomingPart]:
    if text := text_in(item.get("content")):
        yield Text(text)


def _code(item: Mapping[str, object], place: str) -> Iterator[IncomingPart]:
    yield ToolCall(place, "code_interpreter", text_in(item.get("code")))
    if item.get("output") is not None:
        yield ToolResult(place, text_in(item["output"]))


ITEMS: Mapping[str, Reader] = {
    "reasoning": Reader(_thought, frozenset({"type", "content", "summary"})),
    "function_call": Reader(_call, frozenset({"type", "call_id", "name", "arguments"})),
    "function_call_output": Reader(_result, frozenset({"type", "call_id", "output"})),
    "message": Reader(_words, frozenset({"type", "role", "content"})),
    "code_interpreter": Reader(_code, frozenset({"type", "code", "output"})),
}


# --- files


def _files(message: Mapping[str, object], raw: dict[str, object]) -> Iterator[IncomingPart]:
    left = []
    for value in listed(message.get("files")):
        entry = fields(value)
        if not entry or ident(entry.get("type")) in _NO_FILES:
            left += [rest(entry, frozenset())] if entry else []
            continue
        stored = fields(entry.get("file"))
        about = fields(stored.get("meta"))
        name = next((text for text in map(text_in, _names(entry, stored, about)) if text), "file")
        pointer = first_ident(entry, "id", "url")
        text = fields(stored.get("data")).get("content")
        kind = ident(entry.get("content_type")) or ident(about.get("content_type"))
        sizes = (integer(entry.get("size")), integer(about.get("size")))
        if isinstance(text, str) and text:
            yield file_of_text(name, text, pointer)
        else:
            yield inline_file(entry.get("url"), name, media_type=kind) or IncomingFile(
                name=name,
                media_type=kind if kind is not None and "/" in kind else None,
                size_bytes=next((size for size in sizes if size is not None), None),
                pointer=None if pointer is None else pointer[:2000],
            )
        more = rest(entry, _KNOWN_FILE)
        if about := rest(stored, frozenset({"data", "filename", "id"})):
            more["file"] = about
        if more:
            left.append({"name": name, **more})
    if left:
        raw["files"] = left


def _names(*places: Mapping[str, object]) -> Iterator[object]:
    for place in places:
        yield place.get("name")
        yield place.get("filename")
