"""What a message of ChatGPT says, by its `content_type`.

The types and their fields: convoviz, ``docs/dev/chatgpt-spec.md``; pionxzh/chatgpt-exporter, ``src/api.ts``.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Literal

from msgspec import Struct

from chatcore.formats.chatgpt.export import Export
from chatcore.formats.values import fields, first_ident, ident, integer, listed, rest, text_in
from chatcore.incoming import IncomingFile, IncomingPart
from chatcore.messages import Reasoning, Text, ToolCall, ToolResult

__all__ = ["CONTEXTS", "Saying", "said"]


class Kind(Struct, frozen=True):
    """How a content type is read.

    Attributes:
        becomes: What its words are, unless a tool says them or is asked by them.
        names: The fields that hold its words, in order; `parts` come after them.
    """

    becomes: Literal["text", "code", "result", "reasoning"]
    names: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
    "text": Kind("text", ("text",)),
    "multimodal_text": Kind("text"),
    "code": Kind("code", ("text",)),
    "execution_output": Kind("result", ("text",)),
    "computer_output": Kind("result", ("state",)),
    "citable_code_output": Kind("result", ("output_str",)),
    "system_error": Kind("result", ("name", "text")),
    "tether_quote": Kind("result", ("title", "url", "text")),
    "tether_browsing_display": Kind("result", ("result", "summary")),
    "sonic_webpage": Kind("result", ("title", "url", "text")),
    "user_editable_context": Kind("text", ("user_profile", "user_instructions")),
    "model_editable_context": Kind("text", ("model_set_context",)),
    "thoughts": Kind("reasoning", ("content",)),
    "reasoning_recap": Kind("reasoning", ("content",)),
}

CONTEXTS: Set[str] = frozenset({"user_editable_context", "model_editable_context"})
"""What is said in nobody's name: instructions that are not shown, even where their role is `user`."""

_UNKNOWN = Kind("text", ("text", "result", "content", "output"))
_ALWAYS = frozenset({"content_type", "parts", "thoughts", "screenshot"})
_KNOWN_FILE = frozenset({"asset_pointer", "size_bytes", "format"})
_KNOWN_ATTACHMENT = frozenset({"id", "name", "mime_type", "mimeType", "size", "file_id"})


class Saying(Struct, kw_only=True):
    """Who says something, and where.

    Attributes:
        call_id: Of the tool call that this is, or to which it answers.
        tool: Name of the tool that is asked; None: it is said to people.
        by_tool: Whether a tool says it.
        attachments: The files that come with it; those that the content places are taken out.
        export: Where their bytes may be.
        left: What of the content is not in the parts.
        left_parts: Likewise of its own parts, one by one.
        left_attachments: What the attachments say that is not in the files.
    """

    call_id: str
    tool: str | None = None
    by_tool: bool = False
    attachments: list[Mapping[str, object]] = []
    export: Export | None = None
    left: dict[str, object] = {}
    left_parts: list[Mapping[str, object]] = []
    left_attachments: list[Mapping[str, object]] = []


def said(content: object, saying: Saying) -> tuple[IncomingPart, ...]:
    """The parts that a message's content is; what is not in them is put into ``saying.left``."""
    if (plain := _plain(content, saying)) is not None:
        return (Text(plain),) if plain else ()
    if isinstance(content, dict):
        name = content.get("content_type")
        kind = KINDS.get(name) if isinstance(name, str) else None
        if kind is None:
            saying.left = rest(content, frozenset())  # all of it: nobody knows what it means
            pieces = list(_pieces(content, _UNKNOWN, saying))
        else:
            saying.left = rest(content, _ALWAYS.union(kind.names, {"language"} if name == "code" else ()))
            pieces = list(_pieces(content, kind, saying))
            if left := [one for one in saying.left_parts if one]:
                saying.left["parts"] = left
        parts = _parts(pieces, kind or _UNKNOWN, content, saying)
    else:
        parts = _parts([text_in(content)], _UNKNOWN, {}, saying)
    for attachment in saying.attachments:
        parts.append(_file(first_ident(attachment, "id", "file_id"), attachment, saying))
    return tuple(parts)


def _plain(content: object, saying: Saying) -> str | None:
    """The text of a message that is nothing but one text, as nearly all are."""
    if saying.by_tool or saying.tool is not None or saying.attachments or not isinstance(content, dict):
        return None
    parts = content.get("parts")
    if len(content) != 2 or content.get("content_type") != "text" or not isinstance(parts, list):
        return None
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else None


def _parts(
    pieces: Sequence[str | IncomingFile], kind: Kind, content: Mapping[str, object], saying: Saying
) -> list[IncomingPart]:
    files = [piece for piece in pieces if isinstance(piece, IncomingFile)]
    gap = "\n\n" if kind.becomes == "reasoning" else "\n"
    words = gap.join(piece for piece in pieces if isinstance(piece, str))
    if kind.becomes == "reasoning":
        return [*([Reasoning(words)] if words else []), *files]
    if saying.by_tool or kind.becomes == "result":
        is_error = content.get("content_type") == "system_error"
        return [ToolResult(saying.call_id, words, is_error), *files]
    if saying.tool is not None:
        return [ToolCall(saying.call_id, saying.tool, words), *files]
    if kind.becomes == "code":
        return [Text(_fenced(words, content.get("language")))] if words else []
    return list(_in_order(pieces))


def _in_order(pieces: Sequence[str | IncomingFile]) -> Iterator[IncomingPart]:
    words: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            words.append(piece)
            continue
        if text := "\n".join(words):
            yield Text(text)
        words = []
        yield piece
    if text := "\n".join(words):
        yield Text(text)


def _pieces(content: Mapping[str, object], kind: Kind, saying: Saying) -> Iterator[str | IncomingFile]:
    earlier: list[str] = []
    for name in kind.names:
        if (text := text_in(content.get(name))) and text not in earlier:
            earlier.append(text)
            yield text
    for thought in listed(content.get("thoughts")):
        yield from _thought(thought)
    if screenshot := fields(content.get("screenshot")):
        yield from _piece(screenshot, saying)
    parts = content.get("parts")
    if isinstance(parts, str):
        yield parts
    for part in listed(parts):
        yield from _piece(part, saying)


def _thought(thought: object) -> Iterator[str]:
    """Its headline and its words; pieces only where it has no words otherwise."""
    if not isinstance(thought, dict):
        if text := text_in(thought):
            yield text
        return
    for name in ("summary", "content"):
        if text := text_in(thought.get(name)):
            yield text
    if not thought.get("content") and (chunks := text_in(thought.get("chunks"))):
        yield chunks


def _piece(part: object, saying: Saying) -> Iterator[str | IncomingFile]:
    if not isinstance(part, dict):
        if part is not None:
            yield text_in(part)
        return
    pointer = ident(part.get("asset_pointer"))
    if pointer is not None:
        yield _placed(pointer, part, saying)
        return
    inner = [part.get(name) for name in ("audio_asset_pointer", "video_container_asset_pointer")]
    inner += listed(part.get("frames_asset_pointers"))
    if files := [found for found in map(fields, inner) if ident(found.get("asset_pointer"))]:
        for found in files:
            yield from _piece(found, saying)
    elif isinstance(text := part.get("text"), str):
        yield text
        saying.left_parts.append(rest(part, frozenset({"text"}), {"content_type": "audio_transcription"}))
    else:
        saying.left_parts.append(rest(part, frozenset()))


def _placed(pointer: str, part: Mapping[str, object], saying: Saying) -> IncomingFile:
    """The file that an asset pointer stands for, such as ``sediment://file_0a1b``."""
    asset_id = _asset_id(pointer)
    attachment: Mapping[str, object] = {}
    for found in saying.attachments:
        if asset_id in (found.get("id"), found.get("file_id")):
            attachment = found
            saying.attachments.remove(found)
            break
    if more := rest(part, _KNOWN_FILE, {"content_type": "image_asset_pointer"}):
        saying.left_parts.append({"asset_pointer": pointer, **more})
    sound = ident(part.get("format"))
    size = integer(part.get("size_bytes"))
    return _file(pointer, attachment, saying, size, None if sound is None else f"audio/{sound}")


def _file(
    pointer: str | None,
    attachment: Mapping[str, object],
    saying: Saying,
    size: int | None = None,
    media_type: str | None = None,
) -> IncomingFile:
    ids = [_asset_id(pointer or ""), ident(attachment.get("id")), ident(attachment.get("file_id"))]
    wanted = [] if saying.export is None else [saying.export.asset(found) for found in ids if found]
    asset = next((found for found in wanted if found is not None), None)
    given = attachment.get("name")
    told = attachment.get("mime_type") or attachment.get("mimeType")
    if more := rest(attachment, _KNOWN_ATTACHMENT):
        saying.left_attachments.append({"id": ids[1] or pointer, **more})
    return IncomingFile(
        name=given if isinstance(given, str) and given else asset.name if asset else ids[0] or "file",
        media_type=told if isinstance(told, str) else media_type,
        size_bytes=size if size is not None else integer(attachment.get("size")),
        pointer=pointer,
        at=None if asset is None else asset.path,
    )


def _asset_id(pointer: str) -> str:
    """The id in a pointer, which may have a page (``…#file_0a1b#p_1.png``) or a query behind it."""
    pieces = pointer.rpartition("://")[2].partition("?")[0].split("#")
    return next((piece for piece in pieces if piece.startswith("file")), pieces[0])


def _fenced(code: str, language: object) -> str:
    """Code as Markdown has it, within a fence that it does not hold itself."""
    fence = "```"
    while fence in code:
        fence += "`"
    name = language if isinstance(language, str) and language.isalnum() and language != "unknown" else ""
    return f"{fence}{name}\n{code}\n{fence}"
