"""The connections that only read: each call is one function in one transaction, so one snapshot."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from chatcore.errors import StorageError
from storage.sqlite.connection import Connection, Sharing, open_reader

__all__ = ["Readers"]

P = ParamSpec("P")
R = TypeVar("R")

_COUNT = 2


class Readers:
    """A few readers; a call goes to the one that has least to do."""

    def __init__(self) -> None:
        self._connections: list[Connection] = []

    async def open(self, path: Path, sharing: Sharing = "others") -> None:
        """Open them all (`alone`: one); `close` must follow, also when this fails."""
        while len(self._connections) < (1 if sharing == "alone" else _COUNT):
            self._connections.append(await open_reader(path, sharing))

    async def close(self) -> None:
        """Close them all when what was asked has been read."""
        while self._connections:
            await self._connections.pop().close()

    async def read(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Call ``function(connection, ...)`` in a transaction of its own."""
        return await self._free().run(
            _in_transaction, lambda connection: function(connection, *args, **kwargs)
        )

    async def run(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """The same without a transaction around it."""
        return await self._free().run(function, *args, **kwargs)

    def _free(self) -> Connection:
        if not self._connections:
            raise StorageError("The store is closed.")
        return min(self._connections, key=lambda connection: connection.waiting)


def _in_transaction(connection: sqlite3.Connection, function: Callable[[sqlite3.Connection], R]) -> R:
    connection.execute("BEGIN")
    try:
        return function(connection)
    finally:
        connection.execute("COMMIT")
