"""Connections: each is one thread of aiosqlite's, and whole functions are run on it.

This is the only module that uses private names of aiosqlite (`Connection._execute` and `._conn`): its public
calls cross to the thread once per statement, and a transaction that spans several of them stays open when its
caller is cancelled in between. The version is pinned; a test holds the method to what is used of it here.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, cast

import aiosqlite

from storage.sqlite.failures import translated

__all__ = ["Connection", "open_reader", "open_writer"]

P = ParamSpec("P")
R = TypeVar("R")

_BUSY_MS = 5_000
_CACHED_STATEMENTS = 256
_CACHE_KIB = 64_000


class Connection:
    """A connection on a thread of its own."""

    def __init__(self, wrapped: aiosqlite.Connection) -> None:
        self._wrapped = wrapped
        self.waiting = 0

    async def run(
        self, function: Callable[Concatenate[sqlite3.Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Call ``function(connection, ...)`` on the connection's thread and give its result.

        When the caller is cancelled the function is done all the same.

        Raises:
            StorageError: SQLite failed.
        """
        self.waiting += 1
        try:
            with translated():
                raw = self._wrapped._conn
                execute = cast("Callable[..., Awaitable[R]]", self._wrapped._execute)
                return await execute(function, raw, *args, **kwargs)
        finally:
            self.waiting -= 1

    async def close(self) -> None:
        """Close it when all that was asked of it has been done."""
        with translated():
            await self._wrapped.close()


async def open_writer(path: Path) -> Connection:
    """The connection that writes and checkpoints; the database is made when it is missing.

    There is never a second one: sqlite.org/wal.html#walresetbug.
    """
    connection = await _open(path, "rwc")
    await connection.run(_prepare_writer)
    return connection


async def open_reader(path: Path) -> Connection:
    """A connection that can't write, nor checkpoint when it is closed."""
    connection = await _open(path, "ro")
    await connection.run(_prepare_reader)
    return connection


async def _open(path: Path, mode: str) -> Connection:
    uri = f"{path.as_uri()}?mode={mode}"
    with translated():
        wrapped = await aiosqlite.connect(
            uri, uri=True, isolation_level=None, cached_statements=_CACHED_STATEMENTS
        )
    return Connection(wrapped)


def _prepare_writer(connection: sqlite3.Connection) -> None:
    _prepare_reader(connection)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 1000")
    connection.execute("PRAGMA journal_mode = WAL")


def _prepare_reader(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("PRAGMA mmap_size = 0")
    connection.execute("PRAGMA temp_store = MEMORY")
