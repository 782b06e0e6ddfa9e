"""The turns of a dataset's conversation, as messages.

Turns are ``{role, content}`` (OpenAI) or ``{from, value}`` (ShareGPT); both occur under either name of their
list. This is where most of the time of reading a dataset goes, so a turn with nothing but a usual role and a
text takes a short way.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from chatcore.formats.datasets.calls import Calls, is_plain
from chatcore.formats.datasets.contents import Contents, Find, thought_first
from chatcore.formats.datasets.markup import is_markup, markdown_of
from chatcore.formats.values import rest, text_in, time_us
from chatcore.incoming import IncomingMessage, IncomingPart
from chatcore.messages import Reasoning, Role, Text, ToolCall, ToolResult

__all__ = ["Turns", "has_turns", "read_turns"]

USUAL: Mapping[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "human": "user",
    "gpt": "assistant",
}
"""Roles of which nothing needs to be remembered: what a file calls its two sides."""

ROLES: Mapping[str, Role] = {
    **USUAL,
    **dict.fromkeys(("prompter", "instruction"), "user"),
    **dict.fromkeys(("chatgpt", "bing", "bard", "claude", "model", "bot", "ai", "agent"), "assistant"),
    "developer": "system",
    **dict.fromkeys(("function_call", "tool_call"), "assistant"),
    **dict.fromkeys(("tool", "function", "observation", "tool_response", "ipython"), "tool"),
}
"""All names of roles that are known, in lower case. What another says is told as the system's, and its name
kept."""

CALLING = frozenset({"function_call", "tool_call"})
"""Roles of which the text is a call of a tool, as JSON."""

PLAIN = frozenset({*USUAL, "tool", "observation"})
"""Roles that can be told from the message again."""

CONTENT_KEYS = ("content", "value", "text")
THOUGHT_KEYS = ("reasoning_content", "thinking", "reasoning")
TIME_KEYS = ("created_at", "create_time", "timestamp", "time")

SAID = frozenset({"content", "tool_calls", "function_call"})
FEW = 5

ERROR = "Too many requests "
"""What OpenAI's page said instead of an answer (“Too many requests in 1 hour. Try again later.”); in ShareGPT
these are turns."""
ERROR_CHARS = 200

PAGE = '<div class="markdown'


class Turns(Struct, frozen=True):
    """What was read of a list of turns.

    Attributes:
        messages: In their order; without ids.
        unread: Items of the list that are no turns.
    """

    messages: list[IncomingMessage]
    unread: Sequence[object] = ()


def has_turns(turns: object) -> bool:
    """Whether this is a list of turns: among its first few is an object that says who speaks, and what."""
    return isinstance(turns, list) and any(isinstance(turn, dict) and _is_turn(turn) for turn in turns[:FEW])


def _is_turn(turn: Mapping[str, object]) -> bool:
    return (isinstance(turn.get("role"), str) and not SAID.isdisjoint(turn)) or (
        isinstance(turn.get("from"), str) and "value" in turn
    )


def read_turns(
    turns: Sequence[object], *, model: object = None, find: Find | None = None, page: bool = False
) -> Turns:
    """The messages that `turns` are.

    Args:
        turns: Of any shape.
        model: What answered, where a turn does not say.
        find: Where the files are that turns name.
        page: Answers may be HTML, copied from a page. Elsewhere an answer that is HTML is code that somebody
            wanted, unless it is the very block in which ChatGPT's page showed answers.
    """
    messages: list[IncomingMessage] = []
    add = messages.append
    reader: _Reader | None = None
    unread: list[object] = []
    answers = model if isinstance(model, str) and model else None
    role: object
    for turn in turns:
        if type(turn) is not dict:
            unread.append(turn)
            continue
        if len(turn) == 2:
            role, said = turn.get("role"), turn.get("content")
            if role is None:
                role, said = turn.get("from"), turn.get("value")
            if (
                type(role) is str
                and type(said) is str
                and role in USUAL
                and said[:1] != "<"
                and said[:18] != ERROR
            ):
                parts = (Text(said),) if said else ()
                if answers is None or USUAL[role] != "assistant":
                    add(IncomingMessage(role=USUAL[role], parts=parts))
                else:
                    add(IncomingMessage(role="assistant", parts=parts, model=answers))
                continue
        if reader is None:
            reader = _Reader(answers, find, page)
        add(reader.message(turn))
    return Turns(messages, unread)


class _Reader:
    """Reads turns that say more than a text."""

    def __init__(self, model: str | None, find: Find | None, page: bool) -> None:
        self._calls = Calls()
        self._contents = Contents(self._calls, find)
        self._model = model
        self._page = page

    def message(self, turn: Mapping[str, object]) -> IncomingMessage:
        speaker = "role" if "role" in turn else "from"
        given = turn.get(speaker)
        name = given.lower() if isinstance(given, str) else ""
        role = ROLES.get(name, "system")
        key = next((key for key in CONTENT_KEYS if key in turn), "")
        used = {speaker, key, "tool_calls", "function_call", "refusal"}
        odd: dict[str, object] = {}
        parts: list[IncomingPart] = []
        thought = next((key for key in THOUGHT_KEYS if isinstance(turn.get(key), str)), None)
        if role == "assistant" and thought is not None:
            used.add(thought)
            parts += [Reasoning(words)] if (words := text_in(turn[thought])) else []
        parts += self._said(role, name, turn.get(key), odd)
        if role == "tool":
            parts = self._result(turn, parts)
            used.add("tool_call_id")
        parts += self._asked(turn, odd)
        beside = rest(turn, used)
        if odd_parts := {number: odd.pop(number) for number in [*odd] if number.isdigit()}:
            beside["parts"] = odd_parts
        if name not in PLAIN and not (name in CALLING and parts and isinstance(parts[0], ToolCall)):
            beside["role"] = given
        error = _error_in(turn.get(key)) if role == "assistant" else None
        return IncomingMessage(
            role=role,
            parts=tuple(parts),
            status="complete" if error is None else "failed",
            reason=error,
            created_at_us=next((us for key in TIME_KEYS if (us := time_us(turn.get(key))) is not None), None),
            model=self._model_of(turn, role),
            raw={**beside, **odd} or None,
        )

    def _said(self, role: Role, name: str, content: object, odd: dict[str, object]) -> list[IncomingPart]:
        if name in CALLING and (calls := self._calls.given(content)):
            return [*calls]
        if role == "assistant" and isinstance(content, str) and content[:1] == "<":
            if content.startswith(PAGE) or (self._page and is_markup(content)):
                odd["html"] = content
                content = markdown_of(content)
            return thought_first(content)
        return self._contents.read(content, odd)

    def _result(self, turn: Mapping[str, object], parts: list[IncomingPart]) -> list[IncomingPart]:
        if any(isinstance(part, ToolResult) for part in parts):
            return parts
        words = "\n".join([part.text for part in parts if isinstance(part, Text)])
        result = self._calls.result(turn.get("tool_call_id"), turn.get("name"), words)
        return [result, *(part for part in parts if not isinstance(part, Text))]

    def _asked(self, turn: Mapping[str, object], odd: dict[str, object]) -> list[IncomingPart]:
        """What stands beside the content: calls, and a refusal."""
        parts: list[IncomingPart] = []
        for key in ("tool_calls", "function_call"):
            if given := turn.get(key):
                calls = self._calls.given(given)
                parts += calls
                if not calls or not is_plain(given if isinstance(given, list) else [given]):
                    odd[key] = given
        if refusal := text_in(turn.get("refusal")):
            parts.append(Text(refusal))
            odd["refusal"] = True
        return parts

    def _model_of(self, turn: Mapping[str, object], role: Role) -> str | None:
        own = turn.get("model")
        if isinstance(own, str) and own:
            return own
        return self._model if role == "assistant" else None


def _error_in(said: object) -> str | None:
    return said if isinstance(said, str) and said.startswith(ERROR) and len(said) < ERROR_CHARS else None
