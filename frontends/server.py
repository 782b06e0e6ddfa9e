"""The server: uvicorn inside of our own task group, on a TCP port and on the owner's Unix socket at once.

What uvicorn's own `Server.serve` does otherwise, and why it does not do here: it ends the process by the
signal it was sent (the engine must be closed first), waits without bound for open streams, and logs each of
those that it then cancels as an error.
"""

import asyncio
import logging
import signal
import socket
import threading
from asyncio import CancelledError, Task, Transport
from asyncio import wait as wait_tasks
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import cast

import anyio
import uvicorn
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from chatcore.errors import ChatcoreError
from frontends.guard import Guard, Names
from frontends.listeners import open_owner_socket, open_tcp
from frontends.site import Mount, Site

__all__ = [
    "GRACE_SECONDS",
    "Address",
    "StartFailed",
    "Started",
    "build_app",
    "closed_on_signal",
    "serve",
    "serve_owner",
]

log = logging.getLogger("chatcore.server")

GRACE_SECONDS = 0.5
"""How long requests may take to end by themselves once the server stops; then they are cut off."""


class StartFailed(ChatcoreError):
    """A frontend could not start; the log holds why."""

    code = "start_failed"


class Address(Struct, frozen=True):
    """Where a server is reached.

    Attributes:
        url: For a browser on this machine, such as ``http://127.0.0.1:7860``.
        port: The TCP port; never 0.
        socket_path: The owner's socket, where there is one.
    """

    url: str
    port: int
    socket_path: Path | None


Started = Callable[[Address], None]
"""Called once, when connections are answered."""


def build_app(site: Site, frontends: Mapping[str, Mount]) -> Starlette:
    """One app of all these frontends; the one mounted first is asked first."""
    app = Starlette()
    app.router.redirect_slashes = False
    for mount in frontends.values():
        mount(app, site)
    return app


async def serve(
    app: ASGIApp,
    *,
    site: Site,
    host: str = "127.0.0.1",
    port: int = 7860,
    socket_path: Path | None = None,
    names: Iterable[str] = (),
    started: Started | None = None,
) -> None:
    """Serve `app` until SIGINT, SIGTERM or `site.close()`; returns within a second of that.

    On asyncio only. Signals are heard in the main thread alone. Cancelling stops the server as well.

    Args:
        app: What is served; `build_app` makes it.
        site: Told when the server begins to stop.
        host: Name or address to bind; empty or ``0.0.0.0`` for every address of the machine.
        port: 0 takes a free one.
        socket_path: Where to make the owner's socket; its folder must be there.
        names: Further names by which the server may be asked (`frontends.guard.Names`).
        started: Called once, when connections are answered.

    Raises:
        AddressTaken, AddressUnusable: See `frontends.listeners`; nothing was started.
        StartFailed: A frontend's own startup failed.
    """
    async with AsyncExitStack() as stack:
        sockets = await stack.enter_async_context(open_tcp(host, port))
        where = Address(_url(sockets[0]), sockets[0].getsockname()[1], socket_path)
        owner_address = None
        if socket_path is not None:
            sockets = [*sockets, await stack.enter_async_context(open_owner_socket(socket_path))]
            owner_address = str(sockets[-1].getsockname())
        guard = Guard(_Quiet(app, site), Names(host, where.port, names), owner_address)
        server = _Server(guard, site, lambda: started(where) if started else None)
        failure: StartFailed | None = None
        async with anyio.create_task_group() as tasks:
            if threading.current_thread() is threading.main_thread():
                tasks.start_soon(_close_on_signal, site)
            try:
                await server.serve(sockets)
            except StartFailed as error:
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:  # as itself, not in a group
            raise failure


async def serve_owner(app: ASGIApp, sock: socket.socket, site: Site, started: Callable[[], None]) -> None:
    """Serve `app` to the owner of the data directory alone, until `site.close()`.

    Args:
        app: What is served.
        sock: Of `open_owner_socket`.
        site: Told when the server begins to stop.
        started: Called once, when connections are answered.
    """
    guard = Guard(_Quiet(app, site), Names("", 0), str(sock.getsockname()))
    await _Server(guard, site, started).serve([sock])


async def _close_on_signal(site: Site) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for number in signals:  # the second one finds the server stopping already
            log.info("stopping on %s", number.name, extra={"action": "stopping"})
            site.close()


@contextmanager
def closed_on_signal(site: Site) -> Iterator[None]:
    """Have SIGINT and SIGTERM close the site as well, inside of a server that is not ours.

    Such a server waits for streams that are open before it ends an app's lifespan, and those end with the
    site only. What was to be done on the signal is done all the same.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    closing: list[Task[None]] = []  # the loop itself keeps no task alive

    async def close_site() -> None:  # a task, since what is told of the end may ask for the time
        site.close()

    def close(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(lambda: closing.append(loop.create_task(close_site())))
        also = before[signal.Signals(number)]
        if callable(also):
            also(number, frame)
        elif also == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    for number in before:
        signal.signal(number, close)
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is close:
                signal.signal(number, handler)


def _url(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Quiet:
    """Keeps out of the log what is no error: requests cut off at the stop, and clients that leave early."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except CancelledError:
            if not self._site.closing.is_set():
                raise
        except ClientDisconnect:
            pass  # nobody is there any more to be answered


class _Protocol(H11Protocol):
    """Gives each request the means to cut its connection, which ASGI has not.

    ``scope["state"]["chatcore.abort"]`` drops the connection and whatever its reader did not read.
    """

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as its base does
        super().connection_made(transport)
        self.app_state = {**self.app_state, "chatcore.abort": transport.abort}


class _Server(uvicorn.Server):
    """Serves until `site.closing`, and then stops in bounded time."""

    def __init__(self, app: ASGIApp, site: Site, started: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="wsproto",
            ws_max_size=65_536,  # nothing is listened to
            ws_ping_interval=None,  # the streams have pings of their own
            ws_per_message_deflate=False,  # costs more than the few bytes of a token
            lifespan="on",
            log_config=None,  # logging belongs to who runs us
            log_level=logging.ERROR,  # what strangers send is no event
            access_log=False,
            proxy_headers=False,  # nothing that was sent may change who asked
            server_header=False,
            date_header=False,
        )
        super().__init__(config)
        self._site = site
        self._tell_started = started
        self._stopped = False

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals are ours (`_close_on_signal`)."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, with an error in place of the process's end."""
        try:
            await super().startup(sockets)
        except SystemExit as error:
            raise StartFailed("A frontend could not start; the log says why.") from error

    async def main_loop(self) -> None:
        """Wait for the end without ticking: an idle server uses no CPU."""
        await self.on_tick(0)
        self._tell_started()
        await self._site.closing.wait()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until the end, whatever it is: a server that has started is always shut down."""
        try:
            await super().serve(sockets)
        finally:
            if self.started and not self._stopped:
                with anyio.CancelScope(shield=True):
                    await self.shutdown()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, let requests end, cut off those that do not, end the frontends."""
        self._stopped = True
        self._site.close()
        for server in self.servers:
            server.close()
        connections, tasks = self.server_state.connections, self.server_state.tasks
        for connection in list(connections):
            connection.shutdown()
        await _ended(tasks, GRACE_SECONDS)
        for connection in list(connections):
            cast("_Protocol", connection).transport.abort()
        await _ended(tasks, GRACE_SECONDS / 10)
        for task in list(tasks):
            task.cancel()
        await _ended(tasks, GRACE_SECONDS / 10)
        with anyio.move_on_after(GRACE_SECONDS / 2) as scope:
            await self.lifespan.shutdown()
        if scope.cancelled_caught:
            log.warning("a frontend did not end in time", extra={"action": "frontend_slow"})


async def _ended(tasks: set[Task[None]], timeout_seconds: float) -> None:
    if tasks:
        await wait_tasks(list(tasks), timeout=timeout_seconds)
