"""Ends requests in time inside of a server that is not ours, which would wait for them without bound."""

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from frontends.server import GRACE_SECONDS
from frontends.site import Site

__all__ = ["Ending"]


class Ending:
    """ASGI middleware: what does not end by itself when the site closes is ended a little later.

    That is Gradio's stream of an event that was waiting when its queue was closed: it would notice after 15
    seconds.
    """

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site
        self._scopes: set[anyio.CancelScope] = set()
        site.on_closing(self._end)

    def _end(self) -> None:
        for scope in self._scopes:
            scope.deadline = anyio.current_time() + GRACE_SECONDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as `app` does, as long as there is time."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_open = False

        async def send_noted(message: Message) -> None:
            nonlocal is_open
            is_open = message["type"] == "http.response.start" or message.get("more_body", False)
            await send(message)

        with anyio.CancelScope() as running:
            self._scopes.add(running)
            if self._site.closing.is_set():
                running.deadline = anyio.current_time() + GRACE_SECONDS
            try:
                await self._app(scope, receive, send_noted)
            finally:
                self._scopes.discard(running)
        if running.cancelled_caught and is_open:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
