"""Following a conversation from another process: a stream that comes back by itself from where it was."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import cast

import anyio
import httpx

from chatcore.errors import EngineClosed
from chatcore.events import (
    ConversationDeleted,
    ConversationEvent,
    ListChanged,
    ListReset,
    decode_event,
)
from frontends.http_api.errors import error_of
from frontends.http_api.frames import FrameParser, Position

__all__ = ["Following", "ServerGone"]

_SILENCE_SECONDS = 45.0
"""Three pings: a connection that brings none of them is dead."""

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0


class ServerGone(EngineClosed):
    """No server answers at the socket (any more)."""

    code = "server_gone"


class Following:
    """Events of one conversation; an async iterator, to be entered first.

    When the connection breaks or the server starts anew, it goes on from its cursor; what a new server can't
    go on from begins with `Reset`, as everywhere.

    Attributes:
        cursor: The place after the last event that was given.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        params: dict[str, str],
        headers: Mapping[bytes, bytes],
        gone: Callable[[Exception | None], ServerGone],
        patience_seconds: float,
        after: str | None,
    ) -> None:
        self.cursor = after or ""
        self._client = client
        self._params = params
        self._headers = headers
        self._gone = gone
        self._patience_seconds = patience_seconds
        self._response: httpx.Response | None = None
        self._chunks: AsyncGenerator[bytes, None] | None = None
        self._parser = FrameParser()
        self._position = f"{after}~" if after is not None else ""
        self._ready: deque[tuple[str, ConversationEvent]] = deque()
        self._over = False

    async def __aenter__(self) -> "Following":
        try:
            await self._connect()
            while not self._position:  # the first frame says where the stream begins
                await self._take()
        finally:
            if not self._position:
                await self._hang_up()
        self.cursor = self.cursor or Position.parse(self._position).conversation
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._hang_up()

    def __aiter__(self) -> AsyncIterator[ConversationEvent]:
        return self

    async def __anext__(self) -> ConversationEvent:
        """The next event.

        Raises:
            StopAsyncIteration: The conversation was deleted.
            ServerGone: It can't be reached for longer than the client's patience.
        """
        while not self._ready:
            if self._over:
                raise StopAsyncIteration
            if self._chunks is None:
                await self._come_back()
            try:
                await self._take()
            except ServerGone:
                await self._hang_up()
        self.cursor, event = self._ready.popleft()
        self._over = self._over or isinstance(event, ConversationDeleted)
        return event

    async def _come_back(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        give_up_at = anyio.current_time() + self._patience_seconds
        while True:
            await anyio.sleep(pause)
            try:
                return await self._connect()
            except EngineClosed:
                if anyio.current_time() > give_up_at:
                    raise
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _connect(self) -> None:
        headers = dict(self._headers)
        if self._position:
            headers[b"Last-Event-ID"] = self._position.encode()
        timeout = httpx.Timeout(10.0, read=_SILENCE_SECONDS)
        request = self._client.build_request(
            "GET", "events", params=self._params, headers=headers, timeout=timeout
        )
        try:
            self._response = await self._client.send(request, stream=True)
            if self._response.status_code != 200:
                error = error_of(self._response.status_code, await self._response.aread())
                await self._hang_up()
                raise error
        except httpx.TransportError as error:
            await self._hang_up()
            raise self._gone(error) from error
        self._chunks = cast("AsyncGenerator[bytes, None]", self._response.aiter_raw())
        self._parser = FrameParser()

    async def _take(self) -> None:
        """Take in what comes next."""
        assert self._chunks is not None
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            raise self._gone(None) from None
        except httpx.TransportError as error:
            raise self._gone(error) from error
        for position, data in self._parser.feed(chunk):
            self._position = position or self._position
            event = decode_event(data) if data is not None else None
            if event is not None and not isinstance(event, ListChanged | ListReset):
                self._ready.append((Position.parse(self._position).conversation, event))

    async def _hang_up(self) -> None:
        chunks, self._chunks = self._chunks, None
        response, self._response = self._response, None
        with anyio.CancelScope(shield=True):
            if chunks is not None:
                await chunks.aclose()
            if response is not None:
                await response.aclose()
