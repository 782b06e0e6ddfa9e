"""`storage.rows.Rows` over the writing connection."""

import sqlite3
from datetime import UTC, datetime

from msgspec import Struct

from chatcore.events import ConversationEvent, ListChanged
from chatcore.ports import ListMoved
from storage.ids import IdSource
from storage.sqlite.statements import load
from storage.sqlite.tables.arriving import Arriving
from storage.sqlite.tables.feedback import FeedbackTable
from storage.sqlite.tables.index import Index
from storage.sqlite.tables.removal import Removal

__all__ = ["Mark", "SqliteRows"]


class Mark(Struct, frozen=True):
    """Where a unit began."""

    events: int
    ended: int
    indexed: int


class SqliteRows(Arriving, FeedbackTable, Removal, Index):
    """The tables as units see them, and the events that wait for the commit.

    Attributes:
        now: The time of the unit that is being done.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.now = datetime.now(UTC)
        self._events: list[ConversationEvent | ListChanged | ListMoved] = []
        (newest,) = connection.execute(load("units")["newest_id"]).fetchone()
        self._ids = IdSource(newest.hex() or None)

    def new_id(self) -> str:
        return self._ids.new()

    def new_ids(self, count: int) -> bytes:
        return self._ids.many(count)

    def emit(self, event: ConversationEvent | ListChanged | ListMoved) -> None:
        self._events.append(event)

    def begin(self) -> Mark:
        """A unit begins."""
        self.now = datetime.now(UTC)
        return Mark(len(self._events), self.ended_so_far(), self.changed_so_far())

    def undo_to(self, mark: Mark) -> None:
        """All since the mark has been undone in the tables."""
        del self._events[mark.events :]
        self.undo(mark.ended)
        self.forget_places()
        self.undo_index(mark.indexed)

    def commit(self) -> list[ConversationEvent | ListChanged | ListMoved]:
        """All has been committed; gives its events."""
        self.committed()
        events, self._events = self._events, []
        return events
