"""The guard: pure ASGI middleware in front of everything that a server answers.

A page of any other site may make its visitor's browser talk to a server on the visitor's own machine: by a
request across origins, or by a name of its own that it points at 127.0.0.1 (DNS rebinding). Nobody logs in
here, so being asked by the right name, and by no other site's page, is all that tells our own page from
those.

What comes over the owner's Unix socket is let through: the permissions of its folder are the key. Which
socket accepted a connection is known from the socket itself, never from anything that was sent.
"""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from frontends.headers import COMMON, add_headers

__all__ = ["Guard", "Names", "SameOrigin", "is_owner"]

_OWNER = "chatcore.owner"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_WILDCARDS = frozenset({"", "0.0.0.0", "::"})
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:@/?#\s]+)(?::([0-9]{1,5}))?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_OUR_SITES = frozenset({"same-origin", "none"})
"""What a browser says of where a request comes from: a page of this server, or the person alone."""


def is_owner(scope: Scope) -> bool:
    """Whether the request came over the owner's Unix socket."""
    return scope.get(_OWNER) is True


class Names:
    """The names by which a server may be asked.

    Args:
        host: What it is bound to. A wildcard allows every IP address: no name can be made to point there
            without being a name, which is what a rebinding page has.
        port: The port it is bound to.
        extra: Further names, such as that of a reverse proxy, each as browsers show it: with a port unless
            that is the scheme's own.
    """

    def __init__(self, host: str, port: int, extra: Iterable[str] = ()) -> None:
        bound = () if host in _WILDCARDS else (_bracketed(host.lower()),)
        self._wildcard = host in _WILDCARDS
        self._port = port
        self._names = {f"{name}:{port}" for name in (*_LOOPBACK, *bound)}
        if port == 80:
            self._names.update((*_LOOPBACK, *bound))
        self._names.update(name.lower() for name in extra)

    def allow_host(self, host: str) -> bool:
        """Whether a ``Host`` header names this server."""
        host = host.lower()
        return host in self._names or (self._wildcard and self._is_address(host))

    def allow_origin(self, origin: str, host: str) -> bool:
        """Whether an ``Origin`` header names a page that was got by the name `host`, one of ours.

        Another name of ours does not do: where every address is one, those of other machines are too.
        ``null`` never does.
        """
        try:
            parts = urlsplit(origin.lower())
        except ValueError:
            return False
        default = _DEFAULT_PORTS.get(parts.scheme)
        if default is None:
            return False
        return self.allow_host(host) and host.lower() in (parts.netloc, f"{parts.netloc}:{default}")

    def _is_address(self, host: str) -> bool:
        found = _AUTHORITY.fullmatch(host)
        if found is None or int(found[2] or 80) != self._port:
            return False
        try:
            ipaddress.ip_address(found[1].strip("[]"))
        except ValueError:
            return False
        return True


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class Guard:
    """Answers 403 to whoever asks by another name or from another site's page; the rest goes to `app`.

    Args:
        app: What is guarded.
        names: By which it may be asked.
        owner_address: The bound address of the owner's Unix socket, as the socket itself says it; None
            where there is none.
    """

    def __init__(self, app: ASGIApp, names: Names, owner_address: str | None = None) -> None:
        self._app = app
        self._names = names
        self._owner_address = owner_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let `app` answer."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        scope[_OWNER] = self._from_owner(scope)
        refusal = None if scope[_OWNER] else self._refusal(scope)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_headers(message, COMMON)
            await send(message)

        if refusal is None:
            await self._app(scope, receive, send_guarded)
        elif scope["type"] == "http":
            await _refuse(refusal, send_guarded)
        else:
            await _refuse_websocket(scope, receive, send)

    def _from_owner(self, scope: Scope) -> bool:
        # the server takes this from getsockname(): only a Unix socket has a path there, and no port
        server = scope.get("server")
        return (
            self._owner_address is not None
            and server is not None
            and tuple(server)
            == (
                self._owner_address,
                None,
            )
        )

    def _refusal(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._names.allow_host(hosts[0]):
            named = f"the name {hosts[0][:100]!r}" if len(hosts) == 1 else "a request without one name"
            return f"This server does not answer to {named}. Allow the name in its settings if it is yours."
        for origin in headers.getlist("origin"):
            if not self._names.allow_origin(origin, hosts[0]):
                return f"This server, asked as {hosts[0]!r}, does not answer to pages of {origin[:100]!r}."
        # (a handshake of a websocket has no method: it may change anything)
        if scope.get("method") not in _READING and not _OUR_SITES.issuperset(
            headers.getlist("sec-fetch-site")
        ):
            return "This server takes changes from its own pages only."
        return None


class SameOrigin:
    """Answers 403 to other sites' pages; the rest goes to `app`.

    For an app inside of a server that is not ours, whose names are not known here: a page is another site's
    by what its browser says, or where its origin is not what the server is asked as. A name that somebody
    pointed at this machine passes; `starlette.middleware.trustedhost` is against that.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let `app` answer."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_headers(message, COMMON)
            await send(message)

        if scope["type"] == "lifespan" or _is_own_page(scope):
            await self._app(scope, receive, send_guarded)
        elif scope["type"] == "http":
            await _refuse("This server answers to its own pages only.", send_guarded)
        else:
            await _refuse_websocket(scope, receive, send)


def _is_own_page(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    sites = headers.getlist("sec-fetch-site")
    origins = headers.getlist("origin")
    if sites:  # a browser's own word, which holds behind a proxy that asks by another name, too
        is_asked_by_script = bool(origins) or scope.get("method") not in _READING
        return not is_asked_by_script or _OUR_SITES.issuperset(sites)
    hosts = headers.getlist("host")
    return all(hosts == [_authority(origin)] for origin in origins)


def _authority(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc or None
    except ValueError:
        return None


async def _refuse(sentence: str, send: Send) -> None:
    body = msgspec.json.encode({"code": "forbidden", "sentence": sentence, "data": {}})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _refuse_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    # closed before it is accepted: the server answers the handshake with 403
    if (await receive())["type"] == "websocket.connect":
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
