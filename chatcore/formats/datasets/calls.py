"""The tools of one conversation: what was asked for, and which result belongs to which call."""

import json
from collections import deque
from collections.abc import Iterator

from chatcore.formats.values import fields, ident, json_text
from chatcore.messages import ToolCall, ToolResult

__all__ = ["CALL_FIELDS", "Calls", "is_plain"]

CALL_FIELDS = frozenset(
    {"type", "id", "call_id", "index", "function", "custom", "name", "arguments", "input", "parameters"}
)

MOST_OPEN = 1_000
"""Of calls that wait for their results; those before have none."""


class Calls:
    """Gives calls without an id one by their number, and results without one the id of the call they answer.

    An id that is used for several calls is legal and stays as it is, as does a result that no call asked for.
    """

    def __init__(self) -> None:
        self._made = 0
        self._open: deque[ToolCall] = deque(maxlen=MOST_OPEN)

    def given(self, value: object) -> list[ToolCall]:
        """The calls in a list of them, in one of them, or in JSON text of these; empty: these are no calls.

        Known are ``{id, type: function, function: {name, arguments}}``, ``{name, arguments}`` (LLaMA-Factory,
        ShareGPT; the old ``function_call``), ``{id, name, input}`` (Anthropic), ``{id, custom: {name,
        input}}``.
        """
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                return []
        listed = value if isinstance(value, list) else [value]
        read = [call for call in map(_read, listed) if call is not None]
        if len(read) != len(listed):
            return []
        return [self._add(*call) for call in read]

    def _add(self, call_id: str | None, name: str, arguments: str) -> ToolCall:
        self._made += 1
        call = ToolCall(call_id or f"call_{self._made}", name, arguments)
        self._open.append(call)
        return call

    def result(self, call_id: object, name: object, output: str, *, is_error: bool = False) -> ToolResult:
        """What a tool gave back.

        Without an id it belongs to the first open call of this name, else to the first open call.
        """
        known = ident(call_id)
        matching = self._matching(known, name)
        answered = next(matching, None)
        if answered is not None:
            self._open.remove(answered)
        elif known is None and self._open:
            answered = self._open.popleft()
        if known is None:
            known = answered.call_id if answered is not None else f"call_{self._made}"
        return ToolResult(known, output, is_error)

    def _matching(self, call_id: str | None, name: object) -> Iterator[ToolCall]:
        if call_id is not None:
            return (call for call in self._open if call.call_id == call_id)
        return (call for call in self._open if call.name == name)


def _read(value: object) -> tuple[str | None, str, str] | None:
    """Id, name and arguments of one call; None: it is none."""
    if not isinstance(value, dict):
        return None
    inner = fields(value.get("function")) or fields(value.get("custom")) or value
    name = inner.get("name")
    if not isinstance(name, str) or not name:
        return None
    given = next((inner[key] for key in ("arguments", "input", "parameters") if key in inner), None)
    return (
        ident(value.get("id")) or ident(value.get("call_id")),
        name,
        "{}" if given is None else json_text(given),
    )


def is_plain(calls: object) -> bool:
    """Whether nothing is lost when a list of calls is read."""
    return isinstance(calls, list) and all(
        isinstance(call, dict) and call.keys() <= CALL_FIELDS for call in calls
    )
