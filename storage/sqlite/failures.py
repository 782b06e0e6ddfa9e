"""The edge: whatever SQLite's driver raises becomes one of chatcore's errors here."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from chatcore.errors import StorageCorrupt, StorageError

__all__ = ["SENTENCES", "translate", "translated"]

SENTENCES: Mapping[int, str] = {
    sqlite3.SQLITE_FULL: "The disk is full: this was not stored.",
    sqlite3.SQLITE_IOERR: "The disk could not be read or written: this was not stored.",
    sqlite3.SQLITE_READONLY: "The database can't be written to: the disk or the file is read-only.",
    sqlite3.SQLITE_CANTOPEN: "The database can't be opened.",
    sqlite3.SQLITE_PERM: "The database may not be opened: its permissions forbid it.",
    sqlite3.SQLITE_AUTH: "The database refused the statement.",
    sqlite3.SQLITE_BUSY: "Another program holds the database.",
    sqlite3.SQLITE_LOCKED: "The database is locked.",
    sqlite3.SQLITE_PROTOCOL: "The database could not be locked.",
    sqlite3.SQLITE_CORRUPT: "The database is damaged. A backup is the way out.",
    sqlite3.SQLITE_NOTADB: "The file is no database, or its beginning is damaged. A backup is the way out.",
    sqlite3.SQLITE_NOMEM: "There is not enough memory: this was not stored.",
    sqlite3.SQLITE_TOOBIG: "This is too large for the database.",
    sqlite3.SQLITE_CONSTRAINT: "The database refused the change: it would break one of its rules.",
    sqlite3.SQLITE_INTERRUPT: "The database was interrupted.",
    sqlite3.SQLITE_ABORT: "The database was interrupted.",
}
"""A sentence for each primary result code that can be told to a person; the others share one."""

_OTHER = "The database failed: this was not stored."
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def translate(error: sqlite3.Error | MemoryError) -> StorageError:
    """The same in chatcore's words; its `data` holds SQLite's own name of the error."""
    if isinstance(error, MemoryError):  # how the driver raises SQLITE_NOMEM
        return StorageError(SENTENCES[sqlite3.SQLITE_NOMEM], sqlite="SQLITE_NOMEM")
    # errors that the driver makes itself (a closed connection) have no code
    extended: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    primary = extended & 0xFF  # the lower byte: sqlite.org/rescode.html
    kind = StorageCorrupt if primary in _DAMAGED else StorageError
    name: str = getattr(error, "sqlite_errorname", type(error).__name__)
    return kind(SENTENCES.get(primary, _OTHER), sqlite=name)


@contextmanager
def translated() -> Iterator[None]:
    """Inside, errors of the driver are raised as chatcore's."""
    try:
        yield
    except (sqlite3.Error, MemoryError) as error:
        raise translate(error) from error
