"""The engine of a page of somebody's own, as commands reach it: by the socket in its data directory."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from importlib.metadata import entry_points

import anyio
from starlette.applications import Starlette

from frontends.listeners import AddressTaken, open_owner_socket
from frontends.owning import socket_path, url_file
from frontends.server import serve_owner
from frontends.site import Mount, Site

__all__ = ["mount_api", "open_to_owner"]


def mount_api(app: Starlette, site: Site) -> None:
    """Put the JSON routes into the app."""
    (http_api,) = entry_points(group="chatcore.frontends", name="http_api")
    mount: Mount = http_api.load()
    mount(app, site)


@asynccontextmanager
async def open_to_owner(site: Site) -> AsyncIterator[Callable[[str], None]]:
    """``chatcore list`` and the like find the site's engine while the block lasts; closes the site.

    What is given writes down where else it is reached.

    Raises:
        AddressUnusable: The directory can't hold a socket.
    """
    directory = site.engine.directory
    async with AsyncExitStack() as stack:
        sock = None
        if directory is not None:  # else it is in memory: there is nothing to be found
            with suppress(AddressTaken):  # by another page of this process, with the same engine
                sock = await stack.enter_async_context(open_owner_socket(socket_path(directory)))
        if directory is None or sock is None:
            yield _nowhere
            return
        async with _serving(site, sock):
            yield stack.enter_context(url_file(directory))


@asynccontextmanager
async def _serving(site: Site, sock: socket.socket) -> AsyncIterator[None]:
    app = Starlette()
    mount_api(app, site)
    started = anyio.Event()
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve_owner, app, sock, site, started.set)
            await started.wait()
            try:
                yield
            finally:
                site.close()
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        # that a server runs beside the block is no reason to wrap what it raises
        error = group.exceptions[0]
        raise error from error.__cause__


def _nowhere(url: str) -> None:
    pass
