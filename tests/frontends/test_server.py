"""The server: where it listens, and how it ends."""

import asyncio
import logging
import os
import signal
import socket
import stat
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from chatcore import Engine, open_engine
from frontends import http_api
from frontends.http_api.client import open_client
from frontends.listeners import AddressTaken, AddressUnusable, open_owner_socket, open_tcp, reachable_path
from frontends.server import Address, StartFailed, build_app, serve
from frontends.site import Site
from tests.frontends.serving import Served, free_port, running, serving

RESTS_SECONDS = 0.2


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    async with open_engine("memory:") as engine:
        yield engine


# --- where it listens ---------------------------------------------------------------------------------------


async def test_port_0_is_a_free_one_and_is_told(engine: Engine) -> None:
    site = Site(engine)
    async with running(Starlette(), site, None) as (address, ended):
        assert address.port > 0
        assert address.url == f"http://127.0.0.1:{address.port}"
        assert address.socket_path is None
    assert ended.is_set()


async def test_a_taken_port_is_a_sentence(engine: Engine) -> None:
    site = Site(engine)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(AddressTaken, match=f"Port {port} of 127.0.0.1 is taken"):
            await serve(Starlette(), site=site, port=port)
    assert not site.closing.is_set()


async def test_the_port_is_free_again_at_once(engine: Engine) -> None:
    port = free_port()
    for _ in range(2):
        site = Site(engine)
        started = anyio.Event()
        async with anyio.create_task_group() as tasks:

            async def run(site: Site = site, started: anyio.Event = started) -> None:
                await serve(build_app(site, {}), site=site, port=port, started=lambda _: started.set())

            tasks.start_soon(run)
            with anyio.fail_after(5):
                await started.wait()
            async with (
                httpx.AsyncClient() as http
            ):  # a connection that is closed from here stays in TIME_WAIT
                assert (await http.get(f"http://127.0.0.1:{port}/")).status_code == 404
            site.close()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1", "x" * 300])
async def test_a_host_that_is_not_here_is_a_sentence(host: str) -> None:
    with pytest.raises(AddressUnusable):
        async with open_tcp(host, 0):
            raise AssertionError("bound")


async def test_all_addresses_share_one_port() -> None:
    async with open_tcp("", 0) as sockets:
        assert len({sock.getsockname()[1] for sock in sockets}) == 1


async def test_tokens_are_not_held_back_by_the_kernel() -> None:
    async with open_tcp("127.0.0.1", 0) as sockets:
        assert sockets[0].proto == socket.IPPROTO_TCP  # what asyncio asks before it sets TCP_NODELAY


async def test_the_owners_socket_is_for_its_user_only_and_gone_at_the_end(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        mode = served.socket_path.lstat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        assert (await served.owner.get("/health")).status_code == 200
    assert os.listdir(tmp_path) == []


async def test_a_path_too_long_for_a_socket_works(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    folder.mkdir(parents=True)
    path = folder / "chatcore.sock"
    async with open_engine("memory:") as engine:
        site = Site(engine)
        app = build_app(site, {"http_api": http_api.mount})
        async with running(app, site, folder), open_client(path) as client:
            assert stat.S_IMODE(path.lstat().st_mode) == 0o600
            assert await client.check() == []
    assert not path.exists()


async def test_the_socket_of_a_dead_process_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "chatcore.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with open_owner_socket(path) as sock:
        assert sock.getsockname() == str(path)
    assert not path.exists()


async def test_the_socket_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "chatcore.sock"
    with socket.socket(socket.AF_UNIX) as living:
        living.bind(str(path))
        living.listen()
        with pytest.raises(AddressTaken):
            async with open_owner_socket(path):
                raise AssertionError("bound")
        assert path.exists()


async def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "chatcore.sock"
    path.write_text("mine")
    with pytest.raises(AddressUnusable):
        async with open_owner_socket(path):
            raise AssertionError("bound")
    assert path.read_text() == "mine"


async def test_a_socket_made_since_by_another_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "chatcore.sock"
    with socket.socket(socket.AF_UNIX) as another:
        async with open_owner_socket(path):
            path.unlink()
            another.bind(str(path))
        assert path.exists()


async def test_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "chatcore.sock", tmp_path / ("x" * 120) / "chatcore.sock"):
        with pytest.raises(AddressUnusable, match="Can't make the socket"):
            async with open_owner_socket(path):
                raise AssertionError("bound")


def test_a_short_path_is_named_by_itself(tmp_path: Path) -> None:
    with reachable_path(Path("chatcore.sock")) as name:
        assert name == "chatcore.sock"


# --- how it ends --------------------------------------------------------------------------------------------


@asynccontextmanager
async def timed(seconds: float) -> AsyncIterator[None]:
    begun = time.perf_counter()
    yield
    assert time.perf_counter() - begun < seconds


@pytest.mark.measures
async def test_it_ends_within_a_second_with_streams_and_connections_open(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path) as served, AsyncExitStack() as stack:
        conversation = await served.engine.create("Much read")
        await served.engine.send(conversation.id, "Hello")
        (await served.script.next_run()).say("and so on")
        for number in range(10):
            path = f"/events?conversation={conversation.id}&list={number % 2}"
            client = served.owner if number % 3 == 0 else served.http
            response = await stack.enter_async_context(client.stream("GET", path))
            assert b"retry" in await anext(response.aiter_raw())
        idle = await anyio.connect_tcp("127.0.0.1", served.address.port)  # never says a word
        await stack.enter_async_context(idle)
        half = await anyio.connect_tcp("127.0.0.1", served.address.port)  # breaks off in its headers
        await stack.enter_async_context(half)
        await half.send(b"GET /api/health HTTP/1.1\r\nHost:")
        async with timed(1.0):
            served.site.close()
            await served.ended.wait()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it(tmp_path: Path, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    async with serving(tmp_path) as served:
        called: list[bool] = []
        served.site.on_closing(lambda: called.append(served.site.closing.is_set()))
        async with served.http.stream("GET", "/events?list=1"), timed(1.0):
            os.kill(os.getpid(), number)
            await served.ended.wait()
        assert called == [True]
    assert signal.getsignal(number) is before or number == signal.SIGINT


def hanging() -> Starlette:
    """Requests that do not end by themselves."""

    async def never(request: Request) -> Response:
        await anyio.sleep_forever()
        return PlainTextResponse("never")

    async def drip(request: Request) -> Response:
        async def content() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 65536
                await anyio.lowlevel.checkpoint()

        return StreamingResponse(content())

    async def read(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    return Starlette(
        routes=[Route("/never", never), Route("/drip", drip), Route("/read", read, methods=["POST"])]
    )


async def test_requests_that_do_not_end_are_cut_off_quietly(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    site = Site(engine)
    async with running(hanging(), site, None) as (address, ended), AsyncExitStack() as stack:
        host = f"Host: 127.0.0.1:{address.port}\r\n".encode()
        for request in (
            b"GET /never HTTP/1.1\r\n" + host + b"\r\n",
            b"GET /drip HTTP/1.1\r\n" + host + b"\r\n",
            b"POST /read HTTP/1.1\r\nContent-Length: 1000\r\n" + host + b"\r\nhalf",
        ):
            stream = await stack.enter_async_context(await anyio.connect_tcp("127.0.0.1", address.port))
            await stream.send(request)
        async with httpx.AsyncClient() as http:
            assert (
                await http.post(f"{address.url}/read", content=b"1234")
            ).text == "4"  # all have been heard
        async with timed(1.0):
            site.close()
            await ended.wait()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_cancelling_stops_the_server(engine: Engine, tmp_path: Path) -> None:
    site = Site(engine)
    addresses: list[Address] = []
    path = tmp_path / "chatcore.sock"
    started = anyio.Event()

    def on_start(address: Address) -> None:
        addresses.append(address)
        started.set()

    async def run() -> None:
        await serve(Starlette(), site=site, port=0, socket_path=path, started=on_start)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        with anyio.fail_after(5):
            await started.wait()
        tasks.cancel_scope.cancel()
    assert site.closing.is_set()
    assert not path.exists()
    with pytest.raises(OSError, match="connect"):
        await anyio.connect_tcp("127.0.0.1", addresses[0].port)


async def test_frontends_start_and_end_with_the_server(engine: Engine) -> None:
    happened: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        happened.append("start")
        yield
        happened.append("end")

    site = Site(engine)
    site.on_closing(lambda: happened.append("closing"))
    async with running(Starlette(lifespan=lifespan), site, None):
        assert happened == ["start"]
    assert happened == ["start", "closing", "end"]


async def test_a_frontend_that_cannot_start_is_a_sentence(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no more widgets"})

    caplog.set_level(logging.CRITICAL, "uvicorn.error")
    with pytest.raises(StartFailed), anyio.fail_after(5):
        await serve(app, site=Site(engine), port=0)


async def test_what_started_raises_stops_the_server(engine: Engine) -> None:
    def fail(address: Address) -> None:
        raise ZeroDivisionError

    site = Site(engine)
    with pytest.raises(ExceptionGroup) as caught, anyio.fail_after(5):
        await serve(Starlette(), site=site, port=0, started=fail)
    assert caught.group_contains(ZeroDivisionError)
    assert site.closing.is_set()


async def test_closing_twice_calls_back_once(engine: Engine) -> None:
    site = Site(engine)
    called: list[int] = []
    site.on_closing(lambda: called.append(1))
    site.close()
    site.close()
    assert called == [1]


async def test_nothing_is_told_about_the_server(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        headers = (await served.http.get("/health")).headers
        assert "server" not in headers
        assert "date" not in headers


async def test_an_idle_server_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few turns, in which a connection is settled, its loop rests until something is due."""
    rests: list[float] = []
    ended = anyio.Event()
    selector = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
    select = selector.select

    def timed(timeout: float | None) -> object:
        begun = time.monotonic()
        found = select(timeout)
        rests.append(time.monotonic() - begun)
        if rests[-1] > RESTS_SECONDS or len(rests) == 20:
            ended.set()
        return found

    async with serving(tmp_path) as served:
        await _settled(served)
        monkeypatch.setattr(selector, "select", timed)
        await ended.wait()
        monkeypatch.undo()
    assert max(rests) > RESTS_SECONDS


async def _settled(served: Served) -> None:
    assert (await served.http.get("/health")).status_code == 200
