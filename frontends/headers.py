"""Headers that keep what is served from doing anything: what is no page of ours is no page at all."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["COMMON", "NO_PAGE", "SafeHeaders", "add_headers"]

COMMON: Mapping[str, str] = {
    "Referrer-Policy": "no-referrer",  # an address names a conversation
    "X-Content-Type-Options": "nosniff",
}
"""Of every answer of a server."""

NO_PAGE: Mapping[str, str] = {
    **COMMON,
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
}
"""Of answers that are for programs: opened in a browser they may load, run and send nothing."""


def add_headers(message: Message, headers: Mapping[str, str]) -> None:
    """Give the head of an answer those of `headers` that it does not have."""
    held = MutableHeaders(scope=message)
    for name, value in headers.items():
        held.setdefault(name, value)


class SafeHeaders:
    """ASGI middleware that adds `headers` to each answer of `app` that does not have them.

    Args:
        app: What answers.
        headers: By default those of answers that are no pages.
    """

    def __init__(self, app: ASGIApp, headers: Mapping[str, str] = NO_PAGE) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as `app` does."""

        async def send_with_headers(message: Message) -> None:
            # (a web socket's handshake may be denied by an answer like any other)
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                add_headers(message, self._headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)
