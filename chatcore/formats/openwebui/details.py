"""Reasoning and tools that Open WebUI has written into an answer's text, as ``<details type="…">`` blocks."""

import html
import re
from collections.abc import Callable, Iterator, Mapping

from chatcore.formats.lenient import NotJson, read_json
from chatcore.incoming import IncomingPart
from chatcore.messages import Reasoning, Text, ToolCall, ToolResult

__all__ = ["parts_of_text"]

_OPENING = re.compile(r'<details((?:\s++[\w-]++(?:="[^"]*+")?+)*+)\s*+>')
_ATTRIBUTE = re.compile(r'([\w-]++)="([^"]*+)"')
_SUMMARY = re.compile(r"\s*+<summary>(.*?)</summary>\n?", re.DOTALL)
_FENCED = re.compile(r"\s*+```\w*\n(.*?)\n?```\s*", re.DOTALL)
_CLOSING = "</details>"

Block = tuple[Mapping[str, str], str]
"""Its attributes, and what is within it, without its summary."""


def parts_of_text(text: str, place: str) -> list[IncomingPart]:
    """The parts of an answer's text. Ordinary ``<details>`` stay text, as do those that are not closed.

    Args:
        text: As it stands in the message.
        place: Begins the ids of tool calls that have none.
    """
    parts: list[IncomingPart] = []
    begin = at = 0
    while "<details" in text and (found := _OPENING.search(text, at)) is not None:
        at = found.end()
        attributes = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(found[1])}
        reader = BLOCKS.get(attributes.get("type", ""))
        if reader is None:
            continue
        end = text.find(_CLOSING, at)
        if end < 0:
            break
        parts.extend(_text(text[begin : found.start()]))
        inner = _SUMMARY.sub("", text[at:end], count=1)
        parts.extend(reader((attributes, html.unescape(inner).strip()), f"{place}.{len(parts)}"))
        begin = at = end + len(_CLOSING)
    parts.extend(_text(text[begin:] if begin else text))
    return parts


def _text(text: str) -> Iterator[IncomingPart]:
    if text.strip():
        yield Text(text.lstrip("\n"))


def _reasoning(block: Block, _place: str) -> Iterator[IncomingPart]:
    lines = [line.removeprefix(">").removeprefix(" ") for line in block[1].splitlines()]
    if text := "\n".join(lines).strip():
        yield Reasoning(text)


def _tool_calls(block: Block, place: str) -> Iterator[IncomingPart]:
    attributes, inner = block
    call_id = attributes.get("id") or place
    yield ToolCall(call_id, attributes.get("name") or "tool", _unquoted(attributes.get("arguments")) or "{}")
    output = _unquoted(attributes.get("result")) or _unquoted(inner)
    if output or attributes.get("done") != "false":
        yield ToolResult(call_id, output)


def _code(block: Block, place: str) -> Iterator[IncomingPart]:
    attributes, inner = block
    fenced = _FENCED.fullmatch(inner)
    yield ToolCall(place, "code_interpreter", inner if fenced is None else fenced[1])
    if "output" in attributes:
        yield ToolResult(place, _unquoted(attributes["output"]))


def _unquoted(text: str | None) -> str:
    """What a JSON string says, else the text as it is: values have been written as JSON once or twice."""
    if text is None or not text.startswith('"'):
        return text or ""
    try:
        value = read_json(text.encode("utf-8", "surrogatepass"))
    except NotJson:
        return text
    return value if isinstance(value, str) else text


BLOCKS: Mapping[str, Callable[[Block, str], Iterator[IncomingPart]]] = {
    "reasoning": _reasoning,
    "tool_calls": _tool_calls,
    "code_interpreter": _code,
}
