"""What a turn says, as parts: OpenAI's content parts, LLaMA-Factory's, Anthropic's, and what is like them.

OpenAI: ``{type: text, text}``, ``{type: image_url, image_url: {url, detail}}``, ``input_audio``, ``file``,
``refusal``. LLaMA-Factory v1: ``{type: text | reasoning | tool_call | image_url | …, value}``. Other trainers
write ``{type: image, image | url | path}``.
"""

from collections.abc import Callable, Mapping, Set
from pathlib import Path

from chatcore.formats.datasets.calls import CALL_FIELDS, Calls
from chatcore.formats.pieces import inline_file
from chatcore.formats.values import integer, json_text, text_in
from chatcore.incoming import IncomingFile, IncomingPart
from chatcore.messages import Reasoning, Text

__all__ = ["Contents", "Find", "file_of", "thought_first"]

Find = Callable[[str], Path | None]
"""Gives the file that lies beside a record under a path; None: there is none."""

ENDINGS: Mapping[str, str] = {"jpeg": "jpg", "svg+xml": "svg", "plain": "txt", "mpeg": "mp3", "x-wav": "wav"}
"""Of files by the second half of their media type, where that is not the ending itself."""

ADDRESSES = (
    "url",
    "path",
    "file_data",
    "data",
    "file_id",
    "image",
    "video",
    "audio",
    "file",
    "value",
    "source",
)
"""Where the objects of parts say which file they mean."""

ANSWERS = ("answer", "text", "content", "value")
"""Where an object that stands for a text has it (arena-hard: ``{answer}``)."""

THINK, THOUGHT = "<think>", "</think>"


class Contents:
    """Reads the contents of the turns of one conversation, in their order."""

    def __init__(self, calls: Calls, find: Find | None) -> None:
        self._calls = calls
        self._find = find

    def read(self, content: object, odd: dict[str, object]) -> list[IncomingPart]:
        """The parts of a content of any shape.

        What is not understood, or has no place in our parts, goes to `odd` under the part's number.
        """
        if isinstance(content, str):
            return [Text(content)] if content else []
        if isinstance(content, dict):
            content = [_as_part(content)]
        if not isinstance(content, list):
            return [] if content is None else [Text(json_text(content))]
        said: list[IncomingPart] = []
        for number, part in enumerate(content):
            if isinstance(part, str):
                said.append(Text(part))
            elif not isinstance(part, dict) or not self._part(part, said, odd, str(number)):
                odd[str(number)] = part
        return said

    def _part(
        self, part: Mapping[str, object], said: list[IncomingPart], odd: dict[str, object], number: str
    ) -> bool:
        """Whether one part was understood; what it says beyond its own is kept in `odd`."""
        kind = part.get("type")
        kind = kind if isinstance(kind, str) else "text"
        reader = PARTS.get(kind)
        found = reader(self, part, kind) if reader is not None else None
        if found is None:
            return False
        parts, beside = found
        said.extend(parts)
        if beside:
            odd[number] = beside
        return True

    def text(self, part: Mapping[str, object], kind: str) -> "Found":
        """Words; as in OpenAI's assistants, ``text`` may be an object with them."""
        for key in ("text", "value", "content", "refusal"):
            given = part.get(key)
            words = given.get("value") if isinstance(given, dict) else given
            if isinstance(words, str):
                beside = _beside(part, {"type", key} if kind in TEXTS else {key})
                if isinstance(given, dict) and len(given) > 1:
                    beside[key] = _beside(given, {"value"})
                return [Text(words)] if words else [], beside
        return None

    def reasoning(self, part: Mapping[str, object], kind: str) -> "Found":
        """Words that were thought."""
        for key in ("value", "text", kind, "content"):
            if isinstance(given := part.get(key), str):
                return [Reasoning(given)] if given else [], _beside(part, {"type", key})
        return None

    def call(self, part: Mapping[str, object], kind: str) -> "Found":
        """Tools that are asked for."""
        for key in ("value", kind):
            if key in part and (calls := self._calls.given(part[key])):
                return [*calls], _beside(part, {"type", key})
        calls = self._calls.given(part)
        return ([*calls], _beside(part, CALL_FIELDS)) if calls else None

    def result(self, part: Mapping[str, object], kind: str) -> "Found":
        """What a tool gave back."""
        key = next((key for key in ("content", "value", "output") if key in part), None)
        if key is None:
            return None
        call_id = part.get("tool_use_id", part.get("tool_call_id", part.get("call_id")))
        failed = part.get("is_error") is True
        result = self._calls.result(call_id, None, text_in(part[key]), is_error=failed)
        return [result], _beside(part, {"type", "tool_use_id", "tool_call_id", "call_id", "is_error", key})

    def file(self, part: Mapping[str, object], kind: str) -> "Found":
        """A file that is named, or brought as a ``data:`` address."""
        key = next((key for key in (kind, *ADDRESSES, "input_audio") if key in part), None)
        if key is None:
            return None
        given = part[key]
        found = file_of(given, kind.removesuffix("_url").removeprefix("input_"), self._find)
        if found is None:
            return None
        beside = _beside(part, {"type", key})
        if isinstance(given, dict) and (more := _beside(given, FILE_FIELDS)):
            beside[key] = more
        return [found], beside


def _beside(part: Mapping[str, object], known: Set[str]) -> dict[str, object]:
    return {key: part[key] for key in part if key not in known} if len(part) > 1 else {}


Found = tuple[list[IncomingPart], dict[str, object]] | None
"""Parts, and what else was said of them; None: it is no such part."""

TEXTS = frozenset({"text", "input_text", "output_text"})
FILES = ("image", "video", "audio", "file", "document")
FILE_FIELDS = frozenset({*ADDRESSES, "filename", "name", "format", "media_type", "mime_type", "size", "type"})

PARTS: Mapping[str, Callable[[Contents, Mapping[str, object], str], Found]] = {
    **dict.fromkeys((*TEXTS, "refusal"), Contents.text),
    **dict.fromkeys(("reasoning", "thinking", "think", "thought"), Contents.reasoning),
    **dict.fromkeys(("tool_call", "tool_use", "function_call", "tool_calls"), Contents.call),
    **dict.fromkeys(("tool_result", "function_call_output", "observation"), Contents.result),
    **dict.fromkeys(
        (*FILES, *(f"{kind}_url" for kind in FILES), *(f"input_{kind}" for kind in FILES)), Contents.file
    ),
}
"""How each type of part is read."""


def _as_part(content: Mapping[str, object]) -> object:
    """An object that stands where a text or a list should, as a part."""
    if "type" in content:
        return content
    key = next((key for key in ANSWERS if isinstance(content.get(key), str)), None)
    if key is None:
        return json_text(content)
    return {"type": "text", "text": content[key], **{name: content[name] for name in content if name != key}}


def file_of(given: object, kind: str, find: Find | None) -> IncomingFile | None:
    """The file that is meant by an address, a path, an id, or an object with one of these; None: none.

    A path is looked up with `find`; an address is never followed.
    """
    told: Mapping[str, object] = {}
    for _ in range(3):
        if not isinstance(given, dict):
            break
        told = {**told, **given}
        given = next((given[key] for key in ADDRESSES if given.get(key)), None)
    if not isinstance(given, str) or not given:
        return None
    media_type = _str(told, "media_type", "mime_type")
    name = _str(told, "filename", "name")
    ending = _str(told, "format")
    if media_type is None and ending is not None and kind in {"audio", "image", "video"}:
        media_type = f"{kind}/{ending}"
    if given.startswith("data:"):
        return _inline(given, kind, name)
    if "data" in told and media_type is not None:
        return _inline(f"data:{media_type};base64,{given}", kind, name)
    named = given.partition("?")[0].partition("#")[0].rstrip("/\\").replace("\\", "/").rpartition("/")[2]
    return IncomingFile(
        name=name or named or kind,
        media_type=media_type,
        size_bytes=integer(told.get("size")),
        pointer=given,
        at=find(given) if find is not None and "://" not in given else None,
    )


def _inline(address: str, kind: str, name: str | None) -> IncomingFile:
    media_type = address[5:].partition(",")[0].partition(";")[0]
    half = media_type.partition("/")[2]
    ending = ENDINGS.get(half, half if half.isalnum() else "")
    name = name or (f"{kind}.{ending}" if ending else kind)
    found = inline_file(address, name)
    if found is None:  # damaged, or too long to be kept
        start = address.partition(",")[0]
        return IncomingFile(name=name, media_type=media_type or None, pointer=f"{start[:200]},…")
    return found


def thought_first(text: str) -> list[IncomingPart]:
    """A text that may begin with ``<think>…</think>``, as what was thought and what was said."""
    if text.startswith(THINK):
        thought, end, said = text[len(THINK) :].partition(THOUGHT)
        if end:
            parts: list[IncomingPart] = [Reasoning(thought.strip("\n"))] if thought.strip() else []
            said = said.lstrip("\n")
            return [*parts, Text(said)] if said else parts
    return [Text(text)] if text else []


def _str(told: Mapping[str, object], *keys: str) -> str | None:
    return next((given for key in keys if isinstance(given := told.get(key), str) and given), None)
