"""A group of units as one transaction: what runs on the writing connection's thread."""

import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Any

from msgspec import Struct

from chatcore.arrivals import Ingest
from chatcore.commands import AppendDeltas, Command
from chatcore.events import ConversationEvent, ListChanged
from chatcore.ports import ListMoved
from storage.sqlite.failures import translate
from storage.sqlite.rows import Mark, SqliteRows
from storage.units import UNITS, is_dry

__all__ = ["Committed", "Failed", "GroupRunner"]


class Failed(Struct, frozen=True):
    """The outcome of a unit that was refused or went wrong: nothing of it is stored."""

    error: Exception


class Committed(Struct, frozen=True):
    """What a committed group has come to.

    Attributes:
        outcomes: For each command its result, or `Failed`.
        events: In the order in which they were emitted.
    """

    outcomes: list[object]
    events: list[ConversationEvent | ListChanged | ListMoved]


class GroupRunner:
    """Runs groups over the writing connection.

    Attributes:
        shelf: Where rows may lie that were made ready beforehand.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._rows = SqliteRows(connection)
        self.shelf = self._rows.shelf
        self._synchronous = ""

    def run(self, connection: sqlite3.Connection, commands: Sequence[Command[Any]]) -> Committed:
        """Do the units, each whole or not at all, and commit them together.

        Raises:
            sqlite3.Error: The transaction failed: nothing of any unit is stored.
        """
        if connection.in_transaction:  # an earlier group could not even be rolled back
            self._execute("ROLLBACK")
        self._choose_synchronous(commands)
        self._execute("BEGIN IMMEDIATE")
        with ExitStack() as undone:
            undone.callback(self._roll_back, self._rows.begin())
            outcomes = [self._unit(command) for command in commands]
            self._rows.write_index()
            self._execute("COMMIT")
            undone.pop_all()
        return Committed(outcomes, self._rows.commit())

    def _roll_back(self, whole: Mark) -> None:
        self._rows.undo_to(whole)
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):  # tried again before the next group
                self._execute("ROLLBACK")

    def _choose_synchronous(self, commands: Sequence[Command[Any]]) -> None:
        # What is acknowledged survives a power cut; a group of deltas alone, or of what is settled later,
        # survives the death of the process and costs no fsync. It can't be changed inside of a transaction.
        wanted = "FULL" if any(map(_is_durable, commands)) else "NORMAL"
        if wanted != self._synchronous:
            self._execute(f"PRAGMA synchronous = {wanted}")
            self._synchronous = wanted

    def _unit(self, command: Command[Any]) -> object:
        mark = self._rows.begin()
        self._execute("SAVEPOINT unit")
        try:
            result = UNITS[type(command)](self._rows, command)
        except Exception as error:  # whatever it is, it is the affair of the command that brought it
            if not self._connection.in_transaction:
                # disk full, I/O: SQLite has rolled all of the group back
                raise
            self._undo(mark)
            return Failed(translate(error) if isinstance(error, sqlite3.Error) else error)
        if is_dry(command):
            self._undo(mark)
        else:
            self._execute("RELEASE unit")
        return result

    def _undo(self, mark: Mark) -> None:
        self._execute("ROLLBACK TO unit")
        self._execute("RELEASE unit")
        self._rows.undo_to(mark)


def _is_durable(command: Command[Any]) -> bool:
    return command.durable if isinstance(command, Ingest) else type(command) is not AppendDeltas
