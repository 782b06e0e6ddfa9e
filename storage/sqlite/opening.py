"""Opening and closing the store: who owns what, and in which order it goes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

from anyio import CancelScope, to_thread

from chatcore.errors import StorageError
from chatcore.ports import Publish
from storage.directory import own_directory
from storage.files import open_files
from storage.sqlite.connection import Connection, open_reader, open_writer
from storage.sqlite.group import GroupRunner
from storage.sqlite.meta import begin_use, end_use
from storage.sqlite.migrations import check_version, migrate
from storage.sqlite.readers import Readers
from storage.sqlite.stamp import leave_stamp, take_stamp
from storage.sqlite.store import DATABASE, SqliteStore
from storage.sqlite.writer import Writer

__all__ = ["open_store"]

R = TypeVar("R")


@asynccontextmanager
async def open_store(location: str, *, publish: Publish) -> AsyncIterator[SqliteStore]:
    """The store in the data directory `location`, which is made when missing and owned while inside.

    Leaving does what waits to be written first, also when the caller is being cancelled.

    Raises:
        DataDirectoryInUse: Another process owns it.
        SchemaTooNew: A newer chatcore wrote it; nothing was changed.
        StorageCorrupt: It is damaged; nothing was changed.
        StorageError: It can't be opened or made.
    """
    async with AsyncExitStack() as owned:
        directory = await owned.enter_async_context(own_directory(Path(location)))
        # Cut off half-way, a thread could be left behind with a connection that nobody closes.
        yield await _shielded(lambda: _open(directory, publish, owned))


async def _open(directory: Path, publish: Publish, owned: AsyncExitStack) -> SqliteStore:
    path = directory / DATABASE
    await _check_before_writing(path)
    connection, epoch = await _begin(path)
    owned.push_async_callback(_shielded, lambda: _close(connection, path))
    readers = Readers()
    # The readers go first: the last connection that could write must also be the last to be closed.
    owned.push_async_callback(_shielded, readers.close)
    await readers.open(path)
    runner = await connection.run(GroupRunner)
    writer = Writer(connection, runner.run, publish)
    # A task and no task group: what opens a store may be a generator, and no group is held across a `yield`.
    task = asyncio.create_task(writer.run(), name="chatcore sqlite writer")
    owned.push_async_callback(_shielded, lambda: _finish(writer, task, connection))
    return SqliteStore(epoch, directory, open_files(directory), writer, readers, runner.shelf)


async def _check_before_writing(path: Path) -> None:
    if await to_thread.run_sync(path.exists):
        try:
            connection = await open_reader(path)
        except StorageError as error:
            if error.data.get("sqlite") == "SQLITE_READONLY_ROLLBACK":
                return  # the power went before it was in WAL: whoever writes rolls back what is half done
            raise
        try:
            await connection.run(check_version)
        finally:
            await connection.close()


async def _begin(path: Path) -> tuple[Connection, str]:
    """The connection that writes, and the epoch."""
    try:
        same_file = await to_thread.run_sync(take_stamp, path)
    except OSError as error:
        raise StorageError(f"{path.parent} can't be written to: {error.strerror}.") from error
    connection = await open_writer(path)
    async with AsyncExitStack() as unused:
        unused.push_async_callback(connection.close)
        await connection.run(migrate, path)
        epoch = await connection.run(begin_use, same_file=same_file)
        unused.pop_all()
    return connection, epoch


async def _close(connection: Connection, path: Path) -> None:
    await connection.close()
    # Only now is the file what it will be. Was it not closed in order, then it says so itself.
    await to_thread.run_sync(leave_stamp, path)


async def _shielded(work: Callable[[], Awaitable[R]]) -> R:
    """Do it to its end, whoever cancels; then that is heard.

    A scope's shield alone does not keep off those who cancel a task of asyncio's, as Ctrl-C and
    `asyncio.timeout` do: connections would be left open.
    """
    task = asyncio.ensure_future(work())
    cancelled: asyncio.CancelledError | None = None
    with CancelScope(shield=True):
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cancelled = error
    if cancelled is not None and not task.cancelled() and task.exception() is None:
        raise cancelled
    return task.result()


async def _finish(writer: Writer, task: asyncio.Task[None], connection: Connection) -> None:
    writer.close()
    await asyncio.wait([task])  # unlike `await task`, this never cancels it
    task.result()
    with suppress(StorageError):  # without the mark the next start only counts in a new epoch
        await connection.run(end_use)
