"""A data directory that can't be written to, on a full or read-only disk, opened to be read all the same."""

import fcntl
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

from anyio import CancelScope, to_thread

from chatcore.commands import Command
from chatcore.errors import SchemaTooNew, StorageCorrupt, StorageError
from chatcore.ports import Publish
from storage.directory import LOCK_NAME, in_use
from storage.files import Files, open_files
from storage.sqlite.connection import Sharing
from storage.sqlite.migrations import MIGRATIONS, check_version
from storage.sqlite.readers import Readers
from storage.sqlite.store import DATABASE, SqliteStore

__all__ = ["open_for_reading"]

R = TypeVar("R")


@asynccontextmanager
async def open_for_reading(location: str, *, publish: Publish) -> AsyncIterator[SqliteStore]:
    """The store in the data directory `location`, which refuses to write: nothing that is stored is changed.

    Answers that were being written when their process died stay as they were: nobody can say that they have
    ended.

    Raises:
        DataDirectoryInUse: Another process owns it, which may write.
        SchemaTooNew, StorageCorrupt
        StorageError: It can't be read without writing; the sentence says what helps.
    """
    directory = await to_thread.run_sync(Path(location).resolve)
    readers = Readers()
    with _shared(directory):
        try:
            await _open(readers, directory / DATABASE)
            yield _ReadingStore(open_files(directory), readers)
        finally:
            with CancelScope(shield=True):
                await readers.close()


class _ReadingStore(SqliteStore):
    """One without a writer."""

    def __init__(self, files: Files, readers: Readers) -> None:
        self.epoch = uuid.uuid4().hex
        self.directory = None  # it is nobody's
        self.files = self._files = files
        self._readers = readers

    async def write(self, command: Command[R]) -> R:
        raise StorageError("Nothing can be stored here now: the data directory was opened to be read only.")

    async def orphans(self, owner: str) -> list[str]:
        return []  # of which it would be stored that they have ended


@contextmanager
def _shared(directory: Path) -> Iterator[None]:
    """Nobody becomes the owner meanwhile. Where there is no lock, there was no owner."""
    try:
        descriptor = os.open(directory / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield
        return
    except OSError as error:  # an owner may be writing: nobody knows
        raise _unreadable(directory / LOCK_NAME, error) from error
    try:
        _share(descriptor, directory)
        yield
    finally:
        os.close(descriptor)


def _share(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise in_use(directory) from error
    except OSError as error:
        raise _unreadable(directory / LOCK_NAME, error) from error


def _unreadable(path: Path, error: OSError) -> StorageError:
    return StorageError(f"{path} can't be read: {error.strerror}.")


async def _open(readers: Readers, path: Path) -> None:
    if await _opened(readers, path) < len(MIGRATIONS):
        raise StorageError(
            f"The data in {path.parent} is of an older chatcore and must be rewritten before it can be read. "
            "Make room, or copy the whole directory to where there is."
        )


async def _opened(readers: Readers, path: Path) -> int:
    """Gives the number of the schema."""
    last: Sharing = "alone" if await to_thread.run_sync(_is_unfinished, path) else "nobody writes"
    try:
        return await _tried(readers, path, "others")
    except StorageError as error:
        if isinstance(error, (SchemaTooNew, StorageCorrupt)):
            raise
    try:
        return await _tried(readers, path, last)
    except StorageError as error:
        raise StorageError(
            f"The data in {path.parent} can't be read while nothing can be written there. "
            "Make room, or copy the whole directory to where there is."
        ) from error


async def _tried(readers: Readers, path: Path, sharing: Sharing) -> int:
    try:
        await readers.open(path, sharing)
        return await readers.run(check_version)
    except StorageError:
        await readers.close()
        raise


def _is_unfinished(path: Path) -> bool:
    """Whether something is stored beside the database that is not in it yet."""
    for suffix in ("-wal", "-journal"):
        beside = path.with_name(path.name + suffix)
        try:
            if beside.stat().st_size:
                return True
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _unreadable(beside, error) from error
    return False
