"""Copies of the database that are whole whatever is written meanwhile."""

import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

from chatcore.errors import StorageError

__all__ = ["BackupFolder", "copy_database"]


class BackupFolder:
    """A new directory that is there under its name only when all is in it.

    Its methods block.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._made: Path | None = None

    def make(self) -> Path:
        """Make it beside its place, under a working name that nothing has; gives that.

        Raises:
            StorageError: There is something at its place, or it can't be made.
        """
        self._look()
        try:
            self._made = Path(mkdtemp(prefix=f".{self._target.name}.", dir=self._target.parent))
        except OSError as error:
            raise _failed(error) from error
        return self._made

    def finish(self) -> None:
        """Give what was made its name, durably.

        Raises:
            StorageError: There is something of that name by now, or it can't be given.
        """
        if self._made is None:
            return
        self._look()  # an empty folder would be replaced
        try:
            self._made.rename(self._target)
            self._made = None
            _fsync(self._target.parent)
        except OSError as error:
            raise _failed(error) from error

    def discard(self) -> None:
        """Remove what was begun, and nothing else; nothing when it was finished."""
        if self._made is not None:
            shutil.rmtree(self._made, ignore_errors=True)

    def _look(self) -> None:
        if os.path.lexists(self._target):  # also a link that leads nowhere
            raise StorageError(f"There is something at {self._target} already.", target=str(self._target))


def copy_database(connection: sqlite3.Connection, target: Path) -> None:
    """Write a copy to the new file `target`, durably: one file that needs nothing beside it.

    That of a store which is open was not closed in order, so that each start from it makes a new epoch.
    """
    copy = sqlite3.connect(target, isolation_level=None)
    try:
        # all pages in one step: beside a writer, one that goes step by step begins anew at every commit
        connection.backup(copy, pages=-1)
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
