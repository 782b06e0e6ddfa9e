"""A copy of the database that is whole whatever is written meanwhile."""

import os
import sqlite3
from pathlib import Path

from chatcore.errors import StorageError
from storage.sqlite.meta import new_epoch

__all__ = ["copy_database", "make_target"]


def make_target(target: Path) -> None:
    """Make the new directory.

    Raises:
        StorageError: It is there already, or can't be made.
    """
    try:
        target.mkdir(mode=0o700)
    except OSError as error:
        raise StorageError(f"The backup's directory {target} can't be made: {error.strerror}.") from error


def copy_database(connection: sqlite3.Connection, target: Path) -> None:
    """Write a copy of the database to the new file `target`, with an epoch of its own, durably."""
    # all pages in one step: beside a writer, one that goes step by step begins anew at every commit
    copy = sqlite3.connect(target, isolation_level=None)
    try:
        connection.backup(copy, pages=-1)
        new_epoch(copy)
        # a single file, that needs nothing beside it until somebody opens it
        copy.execute("PRAGMA journal_mode = DELETE")
    finally:
        copy.close()
    for path in (target, target.parent):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
