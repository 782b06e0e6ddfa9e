"""Connections: each is one thread of aiosqlite's, and whole functions are run on it.

This is the only module that uses private names of aiosqlite (`Connection._execute` and `._conn`): its public
calls cross to the thread once per statement, and a transaction that spans several of them stays open when its
caller is cancelled in between. The version is pinned; a test holds the method to what is used of it here.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Concatenate, Literal, ParamSpec, TypeVar, cast

import aiosqlite

from storage.sqlite.failures import translated
from storage.sqlite.functions import add_functions

__all__ = [
    "Connection",
    "Sharing",
    "copy_log",
    "open_reader",
    "open_writer",
    "prepare_reader",
    "prepare_writer",
]

P = ParamSpec("P")
R = TypeVar("R")

_BUSY_MS = 5_000
_CACHED_STATEMENTS = 256
_CACHE_KIB = 64_000
_PAGE_BYTES = 8_192
"""Of a new database. By half of it bulk ingestion is a tenth slower; by twice, each token of an answer writes
twice as much."""

_CHECKPOINT_BYTES = 8_000 * _PAGE_BYTES  # long before, the writer does it where nobody waits
_WAL_KEPT_BYTES = 64 * 2**20  # what a long backup has made it grow to is given back


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
    return await _open(path, "rwc", prepare_writer)


Sharing = Literal["others", "nobody writes", "alone"]
"""Whom a reader has beside it. SQLite needs files beside the database only where others may write: one that
is alone keeps in memory what else stands there."""


async def open_reader(path: Path, sharing: Sharing = "others") -> Connection:
    """A connection that can't write; only one that is `alone` may checkpoint when it is closed."""
    mode, prepare = _SHARING[sharing]
    return await _open(path, mode, prepare)


async def _open(path: Path, mode: str, prepare: Callable[[sqlite3.Connection], None]) -> Connection:
    uri = f"{path.as_uri()}?mode={mode}"
    with translated():
        wrapped = await aiosqlite.connect(
            uri, uri=True, isolation_level=None, cached_statements=_CACHED_STATEMENTS
        )
    connection = Connection(wrapped)
    async with AsyncExitStack() as unprepared:
        unprepared.push_async_callback(connection.close)  # or its thread would be left behind
        await connection.run(prepare)
        unprepared.pop_all()
    return connection


def prepare_writer(connection: sqlite3.Connection) -> None:
    """Set what holds for a connection and not for the file (but WAL and the size of a new one's pages)."""
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")  # of what is there already it changes nothing
    prepare_reader(connection)
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what is purged is overwritten; else builds differ
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_BYTES // page_bytes}")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}")
    connection.execute("PRAGMA journal_mode = WAL")


def copy_log(connection: sqlite3.Connection) -> None:
    """Copy the log into the database, as SQLite does by itself when it has grown."""
    with suppress(sqlite3.Error):  # it stays in the log, as then, and whatever is wrong is the next commit's
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _prepare_lone_reader(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # before anything looks at the file
    prepare_reader(connection)
    connection.execute("PRAGMA query_only = ON")


def prepare_reader(connection: sqlite3.Connection) -> None:
    """Likewise, of one that only reads."""
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("PRAGMA mmap_size = 0")
    connection.execute("PRAGMA temp_store = MEMORY")
    add_functions(connection)


_SHARING: Mapping[Sharing, tuple[str, Callable[[sqlite3.Connection], None]]] = {
    "others": ("ro", prepare_reader),
    "nobody writes": ("ro&immutable=1", prepare_reader),
    "alone": ("rw", _prepare_lone_reader),
}
