"""Who runs, and what running answers say: appended at the end of a table, cut off at its front."""

import sqlite3
from collections.abc import Collection, Sequence

from chatcore.commands import PartOpened, TextAdded
from storage.rows import ConversationRow, Live, RunRow, Said
from storage.sqlite.statements import load
from storage.sqlite.tables.base import Table
from storage.sqlite.values import blob, part_of, text

__all__ = ["Runs"]

_SQL = load("units")


class Runs(Table):
    """The tables `run` and `delta`, with what the writer remembers so that a delta costs one insert.

    What is remembered is of two kinds. Copies of rows (who runs) are dropped whenever anything is undone.
    Numbers (a conversation's counter, the next row, an answer's first row) only ever grow, so that one which
    is too high after an undoing does no harm; they are let go once the ending that stored them is committed.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._running: dict[str, tuple[str, Live]] = {}  # by message id, with the owner
        self._lives: dict[int, Live] = {}  # by key of the conversation
        self._first: dict[int, int] = {}  # by key of the message
        self._ended: dict[int, int] = {}  # message to conversation, both keys; not yet committed
        self._next = 1  # key of the next row of `delta`
        self._take_up()

    def runs(self, conversation: int) -> list[RunRow]:
        rows = self._execute(_SQL["runs"], (conversation,)).fetchall()
        return [RunRow(message, owner, running == 1) for message, owner, running in rows]

    def count_runs(self, user: int) -> int:
        count: int = self._execute(_SQL["count_runs"], (user,)).fetchone()[0]
        return count

    def insert_run(self, conversation: ConversationRow, message: int, owner: str, *, running: bool) -> None:
        values = (message, conversation.key, conversation.owner, owner, running)
        self._execute(_SQL["insert_run"], values)

    def start_run(self, message: int) -> None:
        self._execute(_SQL["start_run"], (message,))

    def live(self, message_id: str, owner: str) -> Live | None:
        found = self._running.get(message_id) or self._load(message_id)
        return found[1] if found is not None and found[0] == owner else None

    def append_said(self, entries: Sequence[tuple[int, int, Said]]) -> None:
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
        found: dict[int, list[Said]] = {}
        for message, public, index, start, body in self._execute(_SQL["said"], (text(list(messages)),)):
            said: Said
            if start is not None:
                said = TextAdded(public.hex(), index, start, body)
            elif (part := part_of(body)) is not None:
                said = PartOpened(public.hex(), index, part)
            else:
                continue  # one damaged row must not keep all else from being opened
            found.setdefault(message, []).append(said)
        return found

    def end_run(self, message: int) -> None:
        for conversation, public in self._execute(_SQL["end_run"], (message,)).fetchall():
            self._running.pop(public.hex(), None)
            self._ended[message] = conversation
        self._trim(message)

    def ended_so_far(self) -> int:
        """How many answers the group has ended: the mark for `undo`."""
        return len(self._ended)

    def undo(self, ended: int) -> None:
        """All since the mark was undone in the tables."""
        while len(self._ended) > ended:
            self._ended.popitem()
        self._running.clear()

    def committed(self) -> None:
        """All was committed: the numbers of what has ended are in its rows."""
        for message, conversation in self._ended.items():
            self._first.pop(message, None)
            live = self._lives.get(conversation)
            if live is not None and live.message in {0, message}:
                del self._lives[conversation]
        self._ended.clear()

    def _take_up(self) -> None:
        """Remember the numbers of what other processes have left."""
        (last,) = self._execute(_SQL["last_delta"]).fetchone()
        self._next = (last or 0) + 1
        self._first = dict(self._execute(_SQL["first_said"]).fetchall())
        for conversation, counter in self._execute(_SQL["counters_in_deltas"]).fetchall():
            self._lives[conversation] = Live(0, "", counter)

    def _counter(self, conversation: int, stored: int) -> int:
        """The conversation's newest seq, where its row says `stored`."""
        live = self._lives.get(conversation)
        return stored if live is None else max(stored, live.seq)

    def _counted(self, conversation: int, counter: int) -> None:
        """The conversation's counter is this now."""
        live = self._lives.get(conversation)
        if live is not None:
            live.seq = max(live.seq, counter)

    def _load(self, message_id: str) -> tuple[str, Live] | None:
        row = self._execute(_SQL["live"], (blob(message_id),)).fetchone()
        if row is None:
            return None
        message, owner, conversation, public, stored = row
        live = Live(message, public.hex(), self._counter(conversation, stored))
        self._lives[conversation] = live
        self._running[message_id] = owner, live
        return owner, live

    def _trim(self, message: int) -> None:
        # Only when the oldest that was there has ended: then one range at the front goes, each row once.
        first = self._first.get(message)
        if first is None:
            return
        # they stand in the order of their first rows
        front = next((at for key, at in self._first.items() if key not in self._ended), None)
        if front is None:
            self._execute(_SQL["clear_said"])
        elif first < front:
            self._execute(_SQL["trim_said"], (front,))
