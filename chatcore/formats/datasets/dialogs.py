"""A record that is a list of turns, whatever the list is called."""

from collections.abc import Mapping, Sequence

from chatcore.formats.datasets.dataset import Reading, Untaken
from chatcore.formats.datasets.marks import COLUMNS, with_columns
from chatcore.formats.datasets.turns import read_turns
from chatcore.formats.format import Record
from chatcore.incoming import Incoming

__all__ = ["list_in", "turns_in"]


PAGES = frozenset({"items"})
"""Lists of turns that were copied from a web page."""


def list_in(value: Mapping[str, object], names: Sequence[str]) -> str | None:
    """The first of `names` under which there is a list."""
    for name in names:
        if isinstance(value.get(name), list):
            return name
    return None


def turns_in(value: Mapping[str, object], names: Sequence[str], record: Record, reading: Reading) -> Incoming:
    """The conversation of the turns that stand under one of `names`.

    Raises:
        Untaken: There is no list of them, or it is empty.
    """
    name = list_in(value, names)
    if name is None:
        raise Untaken
    turns = value[name]
    assert isinstance(turns, list)
    if len(value) == 1:
        read = read_turns(turns, find=reading.finder(record), page=name in PAGES)
        return reading.conversation(record, read.messages, {name}, unread=read.unread)
    model = value.get("model")
    read = read_turns(turns, model=model, find=reading.finder(record), page=name in PAGES)
    odd: dict[str, object] = {}
    messages = with_columns(value, read.messages, reading.finder(record), odd)
    known = {name, "system", *COLUMNS}
    if isinstance(model, str) and any(message.model == model for message in messages):
        known.add("model")
    return reading.conversation(record, messages, known, unread=read.unread, raw=odd)
