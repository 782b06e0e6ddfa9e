"""Rows of the log that Gradio's ChatInterface writes of votes.

Read by position: the header has five names and the rows have four values (``gradio/flagging.py``, class
``ChatCSVLogger``), so that the vote stands under ``value`` and the time under ``flag``. A row of five,
should this be repaired, has the text that was voted on before the vote.
"""

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b

from msgspec import Struct

from chatcore.formats.values import fields, ident, listed, time_us

__all__ = ["HEADER", "Row", "Said", "read_row"]

HEADER = ("conversation", "index", "value", "flag", "timestamp")
GUARDED = re.compile(r"'(?=[=+\-@\t\n\r\[]|.*,[=+\-@\t\n])", re.DOTALL)
"""The apostrophe before a cell that a spreadsheet might take for a formula."""


class Said(Struct, frozen=True):
    """A message as the page showed it.

    Attributes:
        mark: The same for the same role and content.
        about: What else is said of it.
    """

    role: str
    content: object
    mark: bytes
    about: Mapping[str, object] = {}

    @property
    def is_thought(self) -> bool:
        """Whether it is shown as a step on the way to an answer."""
        return bool(fields(self.about.get("metadata")).get("title"))


class Row(Struct, frozen=True):
    """A click on a vote.

    Attributes:
        said: The whole conversation as it was then.
        target: Place in `said` of what was voted on; None: it is not there.
        option: ``Like``, ``Dislike``, another word; empty: the vote was taken back.
        time: As written: local time of the server, without zone.
    """

    said: Sequence[Said]
    target: int | None
    option: str
    time: str

    @property
    def at_us(self) -> int | None:
        """Microseconds since 1970, as if the time were UTC."""
        return time_us(self.time)


def read_row(value: object) -> Row | str:
    """The row, or why it is none.

    Args:
        value: Its cells.
    """
    cells = [cell if isinstance(cell, str) else "" for cell in listed(value)]
    if len(cells) not in {4, 5}:
        return f"It has {len(cells)} cells; rows of Gradio's log have 4."
    conversation = _json(cells[0])
    if not isinstance(conversation, list):
        return "Its first cell is no conversation (a JSON array)."
    option = _unguarded(cells[2] if len(cells) == 4 or cells[2] in {"Like", "Dislike"} else cells[3])
    index = _json(cells[1])
    if conversation and all(isinstance(pair, list) for pair in conversation):
        said, places = _of_pairs(conversation)
        numbers = [number for number in listed(index) if isinstance(number, int)]
        target = places.get((numbers[0], numbers[1])) if len(numbers) == 2 else None
    else:
        if not all(isinstance(message, dict) for message in conversation):
            return "Its conversation is neither a list of messages nor one of pairs."
        said = [_said(fields(message)) for message in conversation]
        number = next(iter(listed(index)), None) if isinstance(index, list) else index
        target = number if isinstance(number, int) and 0 <= number < len(said) else None
    return Row(said, target, option, cells[-1])


def _of_pairs(conversation: Sequence[object]) -> tuple[list[Said], dict[tuple[int, int], int]]:
    """The messages of pairs, and where that of each pair and side is: a side may be missing."""
    said: list[Said] = []
    places: dict[tuple[int, int], int] = {}
    for number, pair in enumerate(conversation):
        for side, (role, content) in enumerate(zip(("user", "assistant"), listed(pair), strict=False)):
            if content is not None:
                places[number, side] = len(said)
                said.append(_marked(role, content, {}))
    return said, places


def _said(message: Mapping[str, object]) -> Said:
    about = {name: value for name, value in message.items() if name not in {"role", "content"}}
    return _marked(ident(message.get("role")) or "", message.get("content"), about)


def _marked(role: str, content: object, about: Mapping[str, object]) -> Said:
    told = json.dumps([role, content], sort_keys=True)
    return Said(role, content, blake2b(told.encode(), digest_size=12).digest(), about)


def _json(cell: str) -> object:
    try:
        return json.loads(_unguarded(cell))
    except (ValueError, RecursionError):
        return None


def _unguarded(cell: str) -> str:
    return cell[1:] if GUARDED.match(cell) else cell
