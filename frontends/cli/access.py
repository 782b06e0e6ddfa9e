"""Reaching the data: through the server that owns it, or as its owner where no server runs."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio

from chatcore.errors import DataDirectoryInUse, StorageError
from chatcore.opening import open_engine
from chatcore.ports import Responder
from frontends.chat import Chat
from frontends.cli.answering import open_answering
from frontends.cli.exits import complain
from frontends.cli.settings import CommandSettings
from frontends.listeners import reachable_path
from frontends.owning import socket_path

__all__ = ["is_served", "open_data"]

_TRIES = 2
_ABOUT_WRITING = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")


async def is_served(data: Path) -> bool:
    """Whether a server listens on the data directory's socket."""
    try:
        with reachable_path(socket_path(data).absolute()) as name:
            async with await anyio.connect_unix(name):
                return True
    except OSError:
        return False


@asynccontextmanager
async def open_data(
    settings: CommandSettings, *, answering: bool = False, making: bool = False, reading: bool = False
) -> AsyncIterator[Chat]:
    """The conversations of the data directory; who uses them need not know who owns it.

    Args:
        settings: Which directory.
        answering: Also open what answers, and make the directory when it is missing.
        making: Make it when it is missing.
        reading: Nothing is to be written: it is read also where that can't be.

    Raises:
        StorageError: There is no such directory, or it can't be used.
        DataDirectoryInUse: Another process than a server owns it.
    """
    if not answering and not making and not await anyio.Path(settings.data / "chat.db").exists():
        raise StorageError(f"There are no conversations in {settings.data}; --data names another directory.")
    async with AsyncExitStack() as stack:
        yield await _reach(settings, answering, reading, stack)


async def _reach(settings: CommandSettings, answering: bool, reading: bool, stack: AsyncExitStack) -> Chat:
    responder: Responder | None = None
    tried = 0
    while True:
        if await is_served(settings.data):
            from frontends.http_api.client import open_client  # and with it httpx

            return await stack.enter_async_context(open_client(socket_path(settings.data)))
        if answering and responder is None:
            responder = await stack.enter_async_context(open_answering(settings))
        tried += 1
        try:
            return await stack.enter_async_context(
                open_engine(f"sqlite:{settings.data}", responder=responder, limits=settings.limits)
            )
        except DataDirectoryInUse:
            if tried == _TRIES:
                raise
            # by a server that has just begun (it listens soon) or is just ending (then it is ours)
        except StorageError as error:
            if not reading or not _is_about_writing(error):
                raise
            chat = await stack.enter_async_context(open_engine(f"sqlite-reading:{settings.data}"))
            complain(f"{error.sentence} It is only read.")
            return chat


def _is_about_writing(error: StorageError) -> bool:
    """Whether it says that something can't be written (or perhaps read), and not what is there."""
    code = str(error.data.get("sqlite", ""))
    return isinstance(error.__cause__, OSError) or code.startswith(_ABOUT_WRITING)
