"""Alpaca: ``{"instruction", "input", "output", "system"?, "history"?: [[question, answer], …]}``.

A record is a question and its answer, after those of its `history`. GPTeacher calls the answer ``response``.
An answer may begin with ``<think>…</think>``. `input`, where there is one, stands below the instruction, as
LLaMA-Factory's ``data/README.md`` joins them.
"""

from collections.abc import Iterator, Mapping

from chatcore.formats.datasets.contents import thought_first
from chatcore.formats.datasets.dataset import DatasetFormat, Reading, Untaken
from chatcore.formats.datasets.marks import COLUMNS, with_columns
from chatcore.formats.format import Record
from chatcore.formats.values import json_text
from chatcore.incoming import Incoming, IncomingMessage
from chatcore.messages import Text

__all__ = ["ALPACA"]

ANSWERS = ("output", "response")
KNOWN = frozenset({"instruction", "input", *ANSWERS, "system", "history", *COLUMNS})
PAIR = 2


def _is_alpaca(value: Mapping[str, object]) -> bool:
    return "instruction" in value and any(name in value for name in ANSWERS)


def _conversation(value: Mapping[str, object], record: Record, reading: Reading) -> Incoming:
    name = next((name for name in ANSWERS if name in value), None)
    if name is None or "instruction" not in value:
        raise Untaken
    question, more, answer = _words(value["instruction"]), _words(value.get("input")), _words(value[name])
    if more:
        question = f"{question}\n{more}" if question else more
    messages = [*_before(value.get("history")), _asked(question), _answered(answer)]
    if not any(message.parts for message in messages):
        raise Untaken("Neither its instruction nor its answer says anything.", "skipped")
    odd: dict[str, object] = {}
    messages = with_columns(value, messages, reading.finder(record), odd)
    if (history := value.get("history")) and len(messages) == PAIR:
        odd["history"] = history
    if name == "output" and value.get("response"):
        odd["response"] = value["response"]
    return reading.conversation(record, messages, KNOWN, raw=odd)


def _before(history: object) -> Iterator[IncomingMessage]:
    """The messages of earlier rounds; of what is no list of pairs none, it is kept as it is then."""
    if not isinstance(history, list):
        return
    if all(isinstance(pair, list) and len(pair) == PAIR for pair in history):
        for question, answer in history:
            yield _asked(_words(question))
            yield _answered(_words(answer))


def _asked(question: str) -> IncomingMessage:
    return IncomingMessage(role="user", parts=(Text(question),) if question else ())


def _answered(answer: str) -> IncomingMessage:
    return IncomingMessage(role="assistant", parts=tuple(thought_first(answer)))


def _words(value: object) -> str:
    return "" if value is None else json_text(value)


ALPACA = DatasetFormat("alpaca", "Alpaca", 270, _is_alpaca, _conversation)
