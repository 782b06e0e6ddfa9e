"""Copies of the database that are whole whatever is written meanwhile."""

import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

from chatcore.errors import StorageError
from storage.sqlite.meta import new_epoch

__all__ = ["BackupFolder", "copy_database"]


class BackupFolder:
    """A new directory that is there under its name only when all is in it.

    Its methods block.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self.path = target.with_name(f"{target.name}.part")

    def make(self) -> None:
        """Make it under its working name, `path`.

        Raises:
            StorageError: There is something of that name, or it can't be made.
        """
        if self._target.exists():
            raise StorageError(f"There is something at {self._target} already.", target=str(self._target))
        try:
            shutil.rmtree(self.path, ignore_errors=True)  # of a backup that was cut off
            self.path.mkdir(mode=0o700)
        except OSError as error:
            raise _failed(error) from error

    def finish(self) -> None:
        """Give it its name, durably."""
        try:
            self.path.rename(self._target)
            _fsync(self._target.parent)
        except OSError as error:
            raise _failed(error) from error

    def discard(self) -> None:
        """Remove what was begun; nothing when it was finished."""
        shutil.rmtree(self.path, ignore_errors=True)


def copy_database(connection: sqlite3.Connection, target: Path, *, renumbered: bool) -> None:
    """Write a copy to the new file `target`, durably; `renumbered`: with an epoch of its own.

    The copy is one file that needs nothing beside it.
    """
    copy = sqlite3.connect(target, isolation_level=None)
    try:
        # all pages in one step: beside a writer, one that goes step by step begins anew at every commit
        connection.backup(copy, pages=-1)
        if renumbered:
            new_epoch(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    finally:
        copy.close()
    with suppress(OSError):  # SQLite has synced the file; a folder can't be synced everywhere
        _fsync(target.parent)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed(error: OSError) -> StorageError:
    return StorageError(f"The backup could not be written: {error.strerror}.")
