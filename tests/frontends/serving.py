"""A real server on a free port and on a Unix socket, around a real engine, for tests of what it serves."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import httpx
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp

from chatcore import Engine, Limits, open_engine
from chatcore.testing import ScriptedResponder
from frontends import http_api
from frontends.server import Address, build_app, serve
from frontends.site import Site, local_user


def user_of(connection: HTTPConnection) -> str:
    """In tests a header says who asks."""
    return connection.headers.get("Test-User", local_user(connection))


@dataclass
class Served:
    """A running server.

    Attributes:
        http: A client on its port, with the routes' base address.
        owner: A client on its Unix socket.
    """

    site: Site
    script: ScriptedResponder
    address: Address
    http: httpx.AsyncClient
    owner: httpx.AsyncClient
    ended: anyio.Event = field(default_factory=anyio.Event)

    @property
    def engine(self) -> Engine:
        return self.site.engine

    @property
    def socket_path(self) -> Path:
        assert self.address.socket_path is not None
        return self.address.socket_path

    async def raw(self, request: bytes) -> bytes:
        """What is answered to these bytes, up to the end of the connection."""
        async with await anyio.connect_tcp("127.0.0.1", self.address.port) as stream:
            await stream.send(request)
            answer = b""
            try:
                while True:
                    answer += await stream.receive()
            except anyio.EndOfStream:
                return answer


@asynccontextmanager
async def running(
    app: ASGIApp, site: Site, folder: Path | None, *, host: str = "127.0.0.1", names: tuple[str, ...] = ()
) -> AsyncIterator[tuple[Address, anyio.Event]]:
    """The server's address, and an event that is set when it has stopped, at the latest by the end."""
    addresses: list[Address] = []
    started, ended = anyio.Event(), anyio.Event()

    def on_start(address: Address) -> None:
        addresses.append(address)
        started.set()

    async def run() -> None:
        path = folder / "chatcore.sock" if folder is not None else None
        await serve(app, site=site, host=host, port=0, socket_path=path, names=names, started=on_start)
        ended.set()

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await started.wait()
            try:
                yield addresses[0], ended
            finally:
                site.close()


@asynccontextmanager
async def serving(
    folder: Path,
    *,
    url: str = "memory:",
    limits: Limits | None = None,
    script: ScriptedResponder | None = None,
) -> AsyncIterator[Served]:
    """A server of the HTTP routes alone."""
    script = script or ScriptedResponder(can_continue=True)
    async with open_engine(url, responder=script, limits=limits) as engine:
        site = Site(engine, title="Tests", model="a script", user_of=user_of)
        app = build_app(site, {"http_api": http_api.mount})
        async with (
            running(app, site, folder) as (address, ended),
            httpx.AsyncClient(base_url=f"{address.url}/api", timeout=10) as http,
            httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(uds=str(address.socket_path)),
                base_url="http://owner/api",
                timeout=10,
            ) as owner,
        ):
            yield Served(site, script, address, http, owner, ended)


def free_port() -> int:
    """A port that was free just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
