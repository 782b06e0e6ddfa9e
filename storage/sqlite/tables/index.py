"""The search index: what the units of a group change is gathered, and written once at its end."""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final, Literal, cast

from msgspec import Struct
from msgspec.structs import replace

from chatcore.messages import Part
from storage.search.words import folded, said_in
from storage.sqlite.many import batches, flat_batches
from storage.sqlite.statements import load
from storage.sqlite.tables.base import Table
from storage.sqlite.values import text

__all__ = ["Index"]

_SQL = load("index")

_Kind = Literal["message", "title"]

_KINDS: Final[tuple[_Kind, ...]] = ("title", "message")

_REINDEX_CHARS = 100_000
"""So much a unit of reindexing takes in at most, since people wait for it: 200 messages of 500 characters, 10
to 25 ms, by their script. A message that is longer is a unit by itself.
"""


class _Change(Struct, frozen=True):
    """In the index, words have taken the place of others (None: there were none, there are none)."""

    kind: _Kind
    key: int
    owner: int
    old: str | None
    new: str | None


class _Said(Struct, frozen=True):
    """Many new messages of one owner say something: place and words by turns; keys are `before` and place."""

    before: int
    owner: int
    said: Sequence[object]


_SAID_AT_ONCE = 4_096
"""Messages in one statement."""


class Index(Table):
    """The tables `message_text`, `title_text` and `unindexed`.

    Inside of a savepoint, each statement on a table of FTS5 has it write what it held in memory as a segment
    of its own. So units only note what they change; `write_index` is called once, when all of a group are
    done.

    What stands in one of the ranges of `unindexed` is not in the index, and its changes are not noted.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._changes: list[_Change | _Said | None] = []  # None: all is taken out
        self._ranges: dict[_Kind, list[tuple[int, int]]] | None = None

    def spoken(self, message: int, owner: int, parts: Sequence[Part]) -> None:
        """The message with this key, in a conversation of the user with key `owner`, has ended and says this.

        To be called once for each message that is not hidden.
        """
        self._change("message", message, owner, None, folded(said_in(parts)))

    def spoken_by_many(self, before: int, owner: int, said: Sequence[object]) -> None:
        """The same of many that are new: place and words by turns; keys are `before` and place."""
        self._changes.append(_Said(before, owner, said))

    def respoken(
        self, message: int, owner: int, old: Sequence[Part] | None, new: Sequence[Part] | None
    ) -> None:
        """It says something else than what it was `spoken` with; None: it was or is hidden."""
        before, after = (None if parts is None else folded(said_in(parts)) for parts in (old, new))
        self._change("message", message, owner, before, after)

    def titled(self, conversation: int, owner: int, old: str | None, new: str | None) -> None:
        """The conversation has another title; None: it had or has none."""
        before, after = (None if title is None else folded(title) for title in (old, new))
        self._change("title", conversation, owner, before, after)

    def leave_out(self, first: int, last: int) -> None:
        """Messages with these keys, which are new, are left to `reindex`; what is `spoken` of them is too."""
        ranges = self._unindexed()["message"]
        if ranges and ranges[-1][1] == first - 1:
            self._execute(_SQL["end_range"], (last, "message", ranges[-1][0]))
            ranges[-1] = ranges[-1][0], last
        else:
            self._execute(_SQL["add_range"], ("message", first, last))
            ranges.append((first, last))

    def reindex(self, limit: int, *, anew: bool) -> tuple[int, int]:
        """Take in up to `limit` of what is not in the index, the newest first, after emptying it (`anew`).

        Fewer where they are long: what it costs is a matter of their length.

        Gives how many messages were looked at, and (about) how many are left.
        """
        if anew:
            self._empty()
        messages = 0
        room = _REINDEX_CHARS
        for kind in _KINDS:
            while limit > 0 and room > 0 and self._unindexed()[kind]:
                taken, chars = self._take_in(kind, limit, room)
                limit -= max(taken, 1)
                room -= chars
                messages += taken if kind == "message" else 0
        left = sum(last - first + 1 for ranges in self._unindexed().values() for first, last in ranges)
        return messages, left

    def changed_so_far(self) -> int:
        """How much the group has noted: the mark for `undo_index`."""
        return len(self._changes)

    def undo_index(self, changed: int) -> None:
        """All since the mark has been undone in the tables."""
        del self._changes[changed:]
        self._ranges = None

    def write_index(self) -> None:
        """The index agrees with the rows: to be called at the end of a group, outside of all savepoints."""
        net: dict[tuple[_Kind, int], _Change] = {}
        many: list[_Said] = []
        for change in self._changes:
            if isinstance(change, _Said):
                many.append(change)
                continue
            if change is None:
                net.clear()
                many.clear()
                for kind in _KINDS:
                    self._execute(_SQL[f"empty_{kind}"])
                continue
            before = net.get((change.kind, change.key))
            net[change.kind, change.key] = change if before is None else replace(before, new=change.new)
        self._changes.clear()
        self._put_many(many)  # first: what is said of one of them afterwards takes its place
        changes = [net[at] for at in sorted(net) if net[at].old != net[at].new]  # FTS5 likes rising keys
        for kind in _KINDS:
            own = [change for change in changes if change.kind == kind]
            gone = [(change.key, change.old, change.owner) for change in own if change.old is not None]
            come = [(change.key, change.new, change.owner) for change in own if change.new is not None]
            for statement, rows in ((f"drop_{kind}", gone), (f"put_{kind}", come)):
                for sql, parameters in batches(_SQL[statement], rows):
                    self._execute(sql, parameters)

    def _put_many(self, many: Iterable[_Said]) -> None:
        # One statement for all: at the next one, FTS5 writes what it held in memory as a segment of its own.
        for owner, own in groupby(many, key=attrgetter("owner")):
            values: list[object] = []
            for one in own:
                keyed = list(one.said)
                keyed[::2] = [one.before + place for place in cast("Sequence[int]", one.said[::2])]
                values += keyed
            for sql, parameters in flat_batches(_SQL["put_many"], values, (owner,), rows=_SAID_AT_ONCE):
                self._execute(sql, parameters)

    def _change(self, kind: _Kind, key: int, owner: int, old: str | None, new: str | None) -> None:
        if old != new and not any(first <= key <= last for first, last in self._unindexed()[kind]):
            self._changes.append(_Change(kind, key, owner, old, new))

    def _owner_of(self, message: int) -> int:
        owner: int = self._execute(_SQL["owner_of"], (message,)).fetchone()[0]
        return owner

    def _forget_messages(self, keys: Iterable[int]) -> None:
        """To be called before the rows go."""
        for key, words, owner in self._execute(_SQL["words_of_messages"], (text(list(keys)),)).fetchall():
            self._change("message", key, owner, words, None)

    def _forget_title(self, conversation: int) -> None:
        title, owner = self._execute(_SQL["title_of"], (conversation,)).fetchone()
        self.titled(conversation, owner, title, None)

    def _unindexed(self) -> dict[_Kind, list[tuple[int, int]]]:
        if self._ranges is None:
            self._ranges = {kind: [] for kind in _KINDS}
            for kind, first, last in self._execute(_SQL["ranges"]).fetchall():
                self._ranges[kind].append((first, last))
        return self._ranges

    def _empty(self) -> None:
        self._changes.append(None)
        for kind in _KINDS:
            self._execute(_SQL["drop_ranges"], (kind,))
            (newest,) = self._execute(_SQL[f"newest_{kind}"]).fetchone()
            if newest is not None:
                self._execute(_SQL["add_range"], (kind, 1, newest))
        self._ranges = None

    def _take_in(self, kind: _Kind, limit: int, room: int) -> tuple[int, int]:
        """Take in up to `limit` rows of the newest range that have `room` characters, and shorten it.

        Gives how many rows that were, and how much room they took: all of it, where the next one has none.
        """
        ranges = self._unindexed()[kind]
        first, last = ranges.pop()
        lowest, taken, chars = last + 1, 0, 0
        for key, length in self._execute(_SQL[f"slice_{kind}"], (first, last, limit)):
            if chars + length > room and (chars or room < _REINDEX_CHARS):
                chars = room
                break
            lowest, taken, chars = key, taken + 1, chars + length
        else:
            if taken < limit:
                lowest = first  # there are no others in it
        if lowest > first:
            self._execute(_SQL["end_range"], (lowest - 1, kind, first))
            ranges.append((first, lowest - 1))
        else:
            self._execute(_SQL["drop_range"], (kind, first))
        # only now are they among the words that the index is to have
        for key, words, owner in self._execute(_SQL[f"words_{kind}"], (lowest, last)).fetchall():
            self._change(kind, key, owner, None, words)
        return taken, chars
