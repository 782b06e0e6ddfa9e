"""Who may ask a server that asks nobody for a password."""

from collections.abc import Iterable
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from chatcore import open_engine
from frontends import http_api
from frontends.guard import Guard, Names, is_owner
from frontends.server import build_app
from frontends.site import Site
from tests.frontends.serving import running, serving

HERE = "127.0.0.1:7860"
SOCKET = "/somewhere/chatcore.sock"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    else:
        await PlainTextResponse("owner" if is_owner(scope) else "stranger")(scope, receive, send)


async def ask(
    headers: Iterable[tuple[str, str]],
    *,
    names: Names | None = None,
    kind: str = "http",
    method: str = "GET",
    server: tuple[str, int | None] = ("127.0.0.1", 7860),
    given: dict[str, object] | None = None,
) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect" if kind == "websocket" else "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": kind,
        **({"method": method} if kind == "http" else {}),
        "path": "/",
        "server": server,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        **(given or {}),
    }
    await Guard(app, names or Names("127.0.0.1", 7860), SOCKET)(scope, receive, send)
    return sent


async def status(*headers: tuple[str, str], names: Names | None = None, method: str = "GET") -> int:
    return int((await ask(headers, names=names, method=method))[0]["status"])


@pytest.mark.parametrize("host", [HERE, "localhost:7860", "LocalHost:7860", "[::1]:7860"])
async def test_our_own_names_are_answered(host: str) -> None:
    assert await status(("Host", host)) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:7860",
        "127.0.0.1",
        "127.0.0.1:7861",
        "127.0.0.1:07860",
        "127.0.0.1.evil.example:7860",
        "localhost:7860.evil.example",
        "user@localhost:7860",
        "127.0.0.1:7860, evil.example",
        "2130706433:7860",
        "[::1]:80",
        "::1:7860",
        "192.168.0.7:7860",
        "",
        " ",
    ],
)
async def test_other_names_are_refused(host: str) -> None:
    assert await status(("Host", host)) == 403


async def test_no_name_and_two_names_are_refused() -> None:
    assert await status() == 403
    assert await status(("Host", HERE), ("Host", HERE)) == 403


@pytest.mark.parametrize("host", [HERE, "localhost:7860", "LocalHost:7860", "[::1]:7860"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_our_own_pages_are_answered(scheme: str, host: str) -> None:
    assert await status(("Host", host), ("Origin", f"{scheme}://{host.lower()}"), method="POST") == 200


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://evil.example:7860",
        "http://localhost:3000",
        "http://localhost:7860",  # ours by name, but not where the request went
        "http://[::1]:7860",
        "http://127.0.0.1",
        "http://localhost",
        "ftp://localhost:7860",
        "file://",
        "http://localhost:7860@evil.example",
        f"http://evil.example@{HERE}",
        "http://evil.example/http://localhost:7860",
        "chrome-extension://abcdef",
        "http://[::1",
    ],
)
async def test_other_pages_are_refused(origin: str) -> None:
    assert await status(("Host", HERE), ("Origin", origin)) == 403


async def test_one_foreign_origin_among_ours_is_refused() -> None:
    assert await status(("Host", HERE), ("Origin", f"http://{HERE}"), ("Origin", "http://x.example")) == 403


async def test_a_configured_name_is_answered_with_its_pages() -> None:
    names = Names("127.0.0.1", 7860, ["Chat.example", "tunnel.example:8443"])
    assert await status(("Host", "chat.example"), ("Origin", "https://chat.example"), names=names) == 200
    assert await status(("Host", "chat.example:443"), names=names) == 403
    assert await status(("Host", HERE), ("Origin", "https://chat.example"), names=names) == 403
    assert await status(("Host", "chat.example:7860"), names=names) == 403
    assert await status(("Host", "tunnel.example:8443"), names=names) == 200
    assert await status(("Host", "tunnel.example"), names=names) == 403


async def test_the_scheme_may_leave_its_own_port_out() -> None:
    names = Names("127.0.0.1", 80)
    assert await status(("Host", "localhost"), ("Origin", "http://localhost"), names=names) == 200
    assert await status(("Host", "localhost:80"), ("Origin", "http://localhost"), names=names) == 200
    assert await status(("Host", "localhost"), ("Origin", "https://localhost:80"), names=names) == 403


@pytest.mark.parametrize("bound", ["", "0.0.0.0", "::"])
async def test_on_all_addresses_an_address_is_answered_and_a_name_is_not(bound: str) -> None:
    names = Names(bound, 7860)
    for host in ("192.168.0.7:7860", "[fe80::1]:7860", "localhost:7860"):
        assert await status(("Host", host), names=names) == 200
    for host in ("evil.example:7860", "192.168.0.7", "192.168.0.7:80", "192.168.0:7860", "[x]:7860"):
        assert await status(("Host", host), names=names) == 403


@pytest.mark.parametrize(
    ("host", "origin", "expected"),
    [
        ("192.168.0.7:7860", "http://192.168.0.7:7860", 200),
        ("[fe80::1]:7860", "http://[fe80::1]:7860", 200),
        ("localhost:7860", "http://localhost:7860", 200),
        ("192.168.0.7:7860", "http://203.0.113.66:7860", 403),
        ("127.0.0.1:7860", "http://203.0.113.66:7860", 403),
        ("127.0.0.1:7860", "http://localhost:7860", 403),
        ("192.168.0.7:7860", "http://192.168.0.7", 403),
        ("192.168.0.7:7860", "http://192.168.0.7:8080", 403),
        ("192.168.0.7:7860", "ftp://192.168.0.7:7860", 403),
        ("192.168.0.7:7860", "null", 403),
    ],
)
async def test_on_all_addresses_a_page_is_that_of_the_address_asked(
    host: str, origin: str, expected: int
) -> None:
    names = Names("0.0.0.0", 7860)
    for method in ("GET", "POST"):
        assert await status(("Host", host), ("Origin", origin), names=names, method=method) == expected


@pytest.mark.parametrize(
    ("site", "changing", "reading"),
    [
        ("same-origin", 200, 200),
        ("none", 200, 200),
        ("same-site", 403, 200),
        ("cross-site", 403, 200),
        ("", 403, 200),
    ],
)
async def test_changes_come_from_no_other_site(site: str, changing: int, reading: int) -> None:
    headers = [("Host", HERE), ("Sec-Fetch-Site", site)]
    for method in ("POST", "PUT", "PATCH", "DELETE", "ANY"):
        assert await status(*headers, method=method) == changing
    for method in ("GET", "HEAD", "OPTIONS"):
        assert await status(*headers, method=method) == reading
    expected = "websocket.accept" if changing == 200 else "websocket.close"
    assert [message["type"] for message in await ask(headers, kind="websocket")] == [expected]


async def test_a_refusal_is_a_sentence() -> None:
    start, body = await ask([("Host", "evil.example")])
    assert (b"x-content-type-options", b"nosniff") in [(k.lower(), v) for k, v in start["headers"]]
    answer = httpx.Response(403, content=body["body"]).json()
    assert answer["code"] == "forbidden"
    assert "evil.example" in answer["sentence"]
    assert len((await ask([("Host", "e" * 5000)]))[1]["body"]) < 400


async def test_websockets_are_guarded_too() -> None:
    ours = await ask([("Host", HERE), ("Origin", f"http://{HERE}")], kind="websocket")
    assert ours[0]["type"] == "websocket.accept"
    for headers in ([("Host", "evil.example")], [("Host", HERE), ("Origin", "http://evil.example")]):
        assert [message["type"] for message in await ask(headers, kind="websocket")] == ["websocket.close"]


async def test_the_owners_socket_is_known_by_its_address_alone() -> None:
    through = await ask([("Host", "anything")], server=(SOCKET, None))
    assert through[1]["body"] == b"owner"
    faked = [(SOCKET, 7860), ("/another.sock", None), ("", None), ("127.0.0.1", 7860)]
    for server in faked:
        assert (await ask([("Host", "anything")], server=server))[0]["status"] == 403
    marked = await ask([("Host", HERE)], given={"chatcore.owner": True})
    assert marked[1]["body"] == b"stranger"


async def test_without_a_socket_nobody_is_the_owner() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "method": "GET", "path": "/", "server": None, "headers": []}
    await Guard(app, Names("127.0.0.1", 7860))(scope, receive, send)
    assert sent[0]["status"] == 403


async def test_a_real_server_is_guarded(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        path = "/health"
        assert (await served.http.get(path)).status_code == 200
        assert (await served.http.get(path, headers={"Host": "evil.example"})).status_code == 403
        assert (await served.http.get(path, headers={"Origin": "http://evil.example"})).status_code == 403
        answered = await served.owner.get(path)  # its Host is no name of ours
        assert answered.status_code == 200
        assert answered.headers["X-Content-Type-Options"] == "nosniff"
        for name in ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"):
            refused = await served.http.post("/owner/check", headers={name: str(served.socket_path)})
            assert refused.status_code == 403


async def test_a_request_without_a_name_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        old = await served.raw(b"GET /api/health HTTP/1.0\r\n\r\n")
        assert old.startswith(b"HTTP/1.1 403 ")
        new = await served.raw(b"GET /api/health HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert new.startswith(b"HTTP/1.1 400 ")
        absolute = await served.raw(
            b"GET http://127.0.0.1/api/health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
        )
        assert absolute.startswith(b"HTTP/1.1 403 ")


async def test_a_server_on_ipv6_is_asked_by_its_address() -> None:
    async with open_engine("memory:") as engine:
        site = Site(engine)
        async with (
            running(build_app(site, {"http_api": http_api.mount}), site, None, host="::1") as (address, _),
            httpx.AsyncClient() as http,
        ):
            assert address.url == f"http://[::1]:{address.port}"
            health = f"{address.url}/api/health"
            assert (await http.get(health)).status_code == 200
            assert (await http.get(health, headers={"Host": "evil.example"})).status_code == 403
