"""The database's own row: which numbering it is in, and whether it was closed in order."""

import sqlite3
import uuid

__all__ = ["begin_use", "end_use", "new_epoch"]


def begin_use(connection: sqlite3.Connection) -> str:
    """Gives the epoch: a new one unless the last use ended in order. Until `end_use` this one has not.

    A power cut may have taken deltas whose numbers readers have seen and that will be used again.
    """
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    row = connection.execute("SELECT epoch FROM meta WHERE clean").fetchone()
    epoch: str = row[0] if row else uuid.uuid4().hex
    connection.execute("INSERT OR REPLACE INTO meta (id, epoch, clean) VALUES (1, ?, 0)", (epoch,))
    connection.execute("COMMIT")
    return epoch


def end_use(connection: sqlite3.Connection) -> None:
    """All was stored and will be found again by the next use."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("UPDATE meta SET clean = 1")


def new_epoch(connection: sqlite3.Connection) -> None:
    """Cursors of the database that this one is a copy of mean nothing here."""
    connection.execute("UPDATE meta SET epoch = ?, clean = 1", (uuid.uuid4().hex,))
