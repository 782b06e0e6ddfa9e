"""Headers of everything that Gradio answers: the page may load and send nothing beyond this server."""

import re
from collections.abc import Iterable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatcore.errors import InvalidInput

__all__ = ["CONTENT_SECURITY_POLICY", "PageHeaders", "content_security_policy"]

_ORIGIN = re.compile(r"(https?|wss?)://[a-z0-9.-]+(:[0-9]{1,5})?", re.IGNORECASE)

_SOURCES: Mapping[str, str] = {
    "default-src": "'self'",
    # Gradio makes its components' functions with eval and has scripts and styles in its page.
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    # A picture in an answer could carry off what was said, in its address.
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
}
"""From where what may come; `content_security_policy` may add to each."""

_REFUSED: Mapping[str, str] = {
    "object-src": "'none'",
    # Gradio's page has a <base>, of this server.
    "base-uri": "'self'",
    # An answer may hold a form; nothing of this page is one.
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}


def content_security_policy(allow: Iterable[str] = ()) -> str:
    """The policy of the page, which may also load from and ask the origins `allow`.

    Raises:
        InvalidInput: One of them is no origin.
    """
    origins = list(allow)
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise InvalidInput(f"“{origin}” is no origin: one looks like https://cdn.example.org")
    sources = {name: " ".join((source, *origins)) for name, source in _SOURCES.items()}
    return "; ".join(f"{name} {source}" for name, source in (sources | dict(_REFUSED)).items())


CONTENT_SECURITY_POLICY = content_security_policy()


_FILE_POLICY = "sandbox; default-src 'none'"
_FILES = "/file="


class PageHeaders:
    """ASGI middleware that adds them to each answer of `app`."""

    def __init__(self, app: ASGIApp, policy: str = CONTENT_SECURITY_POLICY) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as `app` does."""
        # What somebody uploaded is no part of the page.
        policy = _FILE_POLICY if _FILES in scope.get("path", "") else self._policy

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = policy
                headers["Referrer-Policy"] = "no-referrer"
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        await self._app(scope, receive, send_with_headers)
