"""The engine of a page of somebody's own, as commands reach it: by the socket in its data directory."""

import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import entry_points

import anyio
from anyio.abc import TaskStatus
from starlette.applications import Starlette

from chatcore.ungrouping import Ungrouped
from frontends.listeners import AddressTaken, AddressUnusable, open_owner_socket
from frontends.owning import socket_path, url_file
from frontends.server import StartFailed, serve_owner
from frontends.site import Mount, Site

__all__ = ["mount_api", "open_to_owner"]

log = logging.getLogger("chatcore.server")


def mount_api(app: Starlette, site: Site) -> None:
    """Put the JSON routes into the app."""
    (http_api,) = entry_points(group="chatcore.frontends", name="http_api")
    mount: Mount = http_api.load()
    mount(app, site)


@asynccontextmanager
async def open_to_owner(site: Site) -> AsyncIterator[Callable[[str], None]]:
    """``chatcore list`` and the like find the site's engine while the block lasts.

    What is given writes down where else it is reached. Where the directory can't hold a socket, commands find
    nothing, and the page is served all the same. Where it holds one the site is closed at the end, so that no
    command waits; a caller closes it in any case.
    """
    directory = site.engine.directory
    async with AsyncExitStack() as stack:
        sock = None
        if directory is not None:  # else it is in memory: there is nothing to be found
            try:
                sock = await stack.enter_async_context(open_owner_socket(socket_path(directory)))
            except AddressTaken:
                pass  # by another page of this process, with the same engine; nobody takes over after it
            except AddressUnusable as error:
                log.warning(
                    "commands can't reach this engine: %s", error, extra={"action": "no_owner_socket"}
                )
        if directory is None or sock is None:
            yield _nowhere
            return
        async with _serving(site, sock):
            yield stack.enter_context(url_file(directory))


@asynccontextmanager
async def _serving(site: Site, sock: socket.socket) -> AsyncIterator[None]:
    app = Starlette()
    mount_api(app, site)
    with Ungrouped():
        async with anyio.create_task_group() as tasks:
            await tasks.start(_serve, app, sock, site)
            try:
                yield
            finally:
                site.close()


async def _serve(app: Starlette, sock: socket.socket, site: Site, *, task_status: TaskStatus[None]) -> None:
    begun = anyio.Event()

    def tell() -> None:
        begun.set()
        task_status.started()

    await serve_owner(app, sock, site, tell)
    if not begun.is_set():
        raise StartFailed("The server at the owner's socket ended before it had begun.")


def _nowhere(url: str) -> None:
    pass
