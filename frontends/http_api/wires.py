"""What carries the frames of an event stream: the endless answer of a request, or a web socket."""
# ruff: noqa: D102 -- what each does is said at `Wire`

from contextlib import suppress
from typing import Protocol

from starlette.types import Receive, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

__all__ = ["RequestWire", "SocketWire", "Wire"]

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy that gathers answers would hold the tokens back
]
_GOING_AWAY = 1001


class Wire(Protocol):
    """The way to one reader."""

    async def begin(self) -> None:
        """Tell the reader that frames will come."""
        ...

    async def write(self, chunk: bytes) -> None:
        """Send whole frames; waits while the reader is far behind."""
        ...

    async def end(self) -> None:
        """Tell the reader that nothing more comes."""
        ...

    async def left(self) -> None:
        """Returns when the reader has gone."""
        ...


class RequestWire:
    """Server-sent events as the answer of a request."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send

    async def begin(self) -> None:
        await self._send({"type": "http.response.start", "status": 200, "headers": _HEADERS})

    async def write(self, chunk: bytes) -> None:
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


class SocketWire:
    """Each chunk of frames as one text message of a web socket; what the reader sends is not listened to."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def begin(self) -> None:
        await self._socket.accept()

    async def write(self, chunk: bytes) -> None:
        with suppress(WebSocketDisconnect):  # as with a request: that the reader has gone is told by `left`
            await self._socket.send_text(chunk.decode())

    async def end(self) -> None:
        with suppress(WebSocketDisconnect):
            await self._socket.close(_GOING_AWAY)

    async def left(self) -> None:
        while (await self._socket.receive())["type"] != "websocket.disconnect":
            pass
