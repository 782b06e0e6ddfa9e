"""The database's own row: which numbering it is in, and whether it was closed in order."""

import sqlite3
import uuid

__all__ = ["begin_use", "end_use"]


def begin_use(connection: sqlite3.Connection, *, same_file: bool) -> str:
    """Gives the epoch: a new one unless the last use ended in order. Until `end_use` this one has not.

    A power cut may have taken deltas whose numbers readers have seen and that will be used again. A copy
    (`same_file` is False) goes on from where others have gone on too: with the same numbers for other things.
    """
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    row = connection.execute("SELECT epoch FROM meta WHERE clean AND ?", (same_file,)).fetchone()
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
