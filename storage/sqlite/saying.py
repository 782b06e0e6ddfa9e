"""What running answers say, on the writing connection: appended at the end, cut off at the front."""

import sqlite3
from collections.abc import Collection, Sequence

from chatcore.commands import PartOpened, TextAdded
from storage.rows import Live, Said
from storage.sqlite.statements import load
from storage.sqlite.values import blob, part_of, text

__all__ = ["Saying"]

_SQL = load("units")


class Saying:
    """The runs and the delta table, with what the writer remembers so that a delta costs one insert.

    What is remembered is of two kinds. Copies of rows (who runs) are dropped whenever anything is undone.
    Numbers (a conversation's counter, the next row, an answer's first row) only ever grow, so that one which
    is too high after an undoing does no harm; they are let go once the ending that stored them is committed.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._running: dict[str, tuple[str, Live]] = {}  # by message id, with the owner
        self._lives: dict[int, Live] = {}  # by key of the conversation
        self._first: dict[int, int] = {}  # by key of the message
        self._ended: list[tuple[int, int]] = []  # keys of message and conversation, not yet committed
        self._next = 1

    def open(self) -> None:
        """Take up the numbers of what other processes have left."""
        (last,) = self._execute(_SQL["last_delta"]).fetchone()
        self._next = (last or 0) + 1
        self._first = dict(self._execute(_SQL["first_said"]).fetchall())
        for conversation, counter in self._execute(_SQL["counters_in_deltas"]).fetchall():
            self._lives[conversation] = Live(0, "", counter)

    def counter(self, conversation: int, stored: int) -> int:
        """The conversation's newest seq, where its row says `stored`."""
        live = self._lives.get(conversation)
        return stored if live is None else max(stored, live.seq)

    def counted(self, conversation: int, counter: int) -> None:
        """The conversation's counter is this now."""
        live = self._lives.get(conversation)
        if live is not None:
            live.seq = max(live.seq, counter)

    def live(self, message_id: str, owner: str) -> Live | None:
        """See `Rows.live`."""
        found = self._running.get(message_id) or self._load(message_id)
        return found[1] if found is not None and found[0] == owner else None

    def append(self, entries: Sequence[tuple[int, int, Said]]) -> None:
        """See `Rows.append_said`."""
        at = self._next
        rows: list[tuple[int, int, int, int, int | None, str]] = []
        for message, seq, said in entries:
            self._first.setdefault(message, at)
            if type(said) is TextAdded:
                rows.append((at, message, seq, said.index, said.start, said.text))
            elif type(said) is PartOpened:
                rows.append((at, message, seq, said.index, None, text(said.part)))
            at += 1
        self._connection.executemany(_SQL["append_said"], rows)
        self._next = at

    def said(self, messages: Collection[int]) -> dict[int, list[Said]]:
        """See `Rows.said`."""
        found: dict[int, list[Said]] = {}
        for message, public, index, start, body in self._execute(_SQL["said"], (text(list(messages)),)):
            said: Said
            if start is None:
                said = PartOpened(public.hex(), index, part_of(body))
            else:
                said = TextAdded(public.hex(), index, start, body)
            found.setdefault(message, []).append(said)
        return found

    def end(self, message: int) -> None:
        """See `Rows.end_run`."""
        for conversation, public in self._execute(_SQL["end_run"], (message,)).fetchall():
            self._running.pop(public.hex(), None)
            self._ended.append((message, conversation))
        self._trim(message)

    def mark(self) -> int:
        """What `undo` needs, taken at the beginning of a unit."""
        return len(self._ended)

    def undo(self, mark: int) -> None:
        """All since the mark was undone in the tables."""
        del self._ended[mark:]
        self._running.clear()

    def committed(self) -> None:
        """All was committed: the numbers of what has ended are in its rows."""
        for message, conversation in self._ended:
            self._first.pop(message, None)
            live = self._lives.get(conversation)
            if live is not None and live.message in {0, message}:
                del self._lives[conversation]
        self._ended.clear()

    def _load(self, message_id: str) -> tuple[str, Live] | None:
        row = self._execute(_SQL["live"], (blob(message_id),)).fetchone()
        if row is None:
            return None
        message, owner, conversation, public, stored = row
        live = Live(message, public.hex(), self.counter(conversation, stored))
        self._lives[conversation] = live
        self._running[message_id] = owner, live
        return owner, live

    def _trim(self, message: int) -> None:
        # Only when the oldest that was there has ended: then one range at the front goes, each row once.
        first = self._first.get(message)
        if first is None:
            return
        ended = {key for key, _ in self._ended}
        front = min((at for key, at in self._first.items() if key not in ended), default=None)
        if front is None:
            self._execute(_SQL["clear_said"])
        elif first < front:
            self._execute(_SQL["trim_said"], (front,))
