"""Events as server-sent events: ``GET /api/events?conversation=ID&list=1&after=POSITION``.

Asked as a web socket, the same address gives the same frames as the socket's messages: a browser allows six
requests per host at a time, which would be six tabs, but hundreds of web sockets.

An ASGI app of its own rather than a `StreamingResponse` or sse-starlette's response: those take one
generator, while here two subscriptions write into one stream; a task group or cancel scope must not be held
across a `yield`; and a reader that does not read must be cut off. Nothing is kept for a reader but its place,
so leaving needs no clean-up.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import TypeVar

import anyio
from anyio import CancelScope
from msgspec import Struct
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from chatcore.errors import ChatcoreError, InvalidInput
from chatcore.events import ConversationEvent, ListEvent
from chatcore.subscription import Subscription
from frontends.http_api.calls import Asked
from frontends.http_api.errors import handle_chatcore_error
from frontends.http_api.frames import PING, FrameCache, Position
from frontends.http_api.wires import RequestWire, SocketWire, Wire
from frontends.site import Site

__all__ = ["EventStream", "Timing"]

log = logging.getLogger("chatcore.http")

E = TypeVar("E", bound=ConversationEvent | ListEvent)

_CHUNK_BYTES = 65_536
_END_SECONDS = 0.2


class Timing(Struct, frozen=True, kw_only=True):
    """How a stream behaves in time.

    Attributes:
        window_seconds: What comes within it goes out as one.
        ping_seconds: How often a comment is sent, so that nobody on the way thinks the connection dead.
        stall_seconds: How long a reader may take nothing; then its connection is dropped.
        retry_milliseconds: When a browser asks again after the stream has ended.
    """

    window_seconds: float = 0.03
    ping_seconds: float = 15.0
    stall_seconds: float = 30.0
    retry_milliseconds: int = 1000


class EventStream:
    """The route: finds out what is followed and from where, then streams until somebody leaves."""

    def __init__(self, site: Site, timing: Timing = Timing()) -> None:
        self._site = site
        self._timing = timing
        self._cache = FrameCache()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one reader."""
        if scope["type"] == "websocket":
            socket = WebSocket(scope, receive, send)
            try:
                await self._answer(socket, SocketWire(socket))
            except ChatcoreError as error:  # before it was accepted: the handshake is answered by it
                await socket.send_denial_response(await handle_chatcore_error(socket, error))
        else:
            await self._answer(HTTPConnection(scope), RequestWire(receive, send))

    async def _answer(self, connection: HTTPConnection, wire: Wire) -> None:
        async with AsyncExitStack() as stack:
            stream = await self._open(Asked(connection, self._site), stack, wire)
            if connection.scope.get("method") == "HEAD":
                await stream.begin()
                await wire.end()
            else:
                await stream.run(self._site.closing)

    async def _open(self, call: Asked, stack: AsyncExitStack, wire: Wire) -> "_Stream":
        conversation_id = call.text("conversation")
        with_list = call.flag("list") or False
        if conversation_id is None and not with_list:
            raise InvalidInput("Say what to follow: conversation=ID, list=1 or both.")
        # what a browser sends by itself when it comes back is newer than what its page once asked for
        after = call.connection.headers.get("Last-Event-ID") or call.text("after") or ""
        position = Position.parse(after, only_list=conversation_id is None)
        window, user = self._window_seconds(call), call.user
        events = changes = None
        if conversation_id is not None:
            events = await stack.enter_async_context(
                call.engine.subscribe(
                    conversation_id, after=position.conversation or None, window_seconds=window, user=user
                )
            )
        if with_list:
            changes = await stack.enter_async_context(
                call.engine.subscribe_user(after=position.list or None, window_seconds=window, user=user)
            )
        return _Stream(call.connection.scope, wire, position, events, changes, self._cache, self._timing)

    def _window_seconds(self, call: Asked) -> float:
        milliseconds = call.number("window_ms", round(1000 * self._timing.window_seconds))
        return min(milliseconds, 1000) / 1000


class _Stream:
    """One reader's stream.

    A position that the reader gave stands until the first event of its kind replaces it: until a reset was
    read, the place of another epoch must stay what it is.
    """

    def __init__(
        self,
        scope: Scope,
        wire: Wire,
        position: Position,
        events: Subscription[ConversationEvent] | None,
        changes: Subscription[ListEvent] | None,
        cache: FrameCache,
        timing: Timing,
    ) -> None:
        self._abort: Callable[[], None] | None = scope.get("state", {}).get("chatcore.abort")
        self._wire = wire
        self._position = position
        self._events = events
        self._changes = changes
        self._cache = cache
        self._timing = timing
        self._lock = anyio.Lock(fast_acquire=True)
        self._disconnected = False
        self._stalled = False
        if events is not None:
            position.conversation = position.conversation or events.cursor
        if changes is not None:
            position.list = position.list or changes.cursor

    async def run(self, closing: anyio.Event) -> None:
        """Stream until the reader leaves, the server closes or there is nothing more to come."""
        await self.begin()
        async with anyio.create_task_group() as tasks:
            over = tasks.cancel_scope
            if self._events is not None:
                tasks.start_soon(self._follow, self._events, self._place_in_conversation, over)
            if self._changes is not None:
                tasks.start_soon(self._follow, self._changes, self._place_in_list, over)
            tasks.start_soon(self._hear_disconnect, over)
            await self._keep_alive(closing)
            over.cancel()
        if self._disconnected:
            return
        with anyio.move_on_after(_END_SECONDS) as patience:
            if not self._stalled:
                await self._wire.end()
        if self._stalled or patience.cancelled_caught:
            await self._drop()

    async def begin(self) -> None:
        """Send the head, and the position from which the reader may come back before the first event."""
        await self._wire.begin()
        first = f"retry: {self._timing.retry_milliseconds}\nid: {self._position}\n\n"
        await self._wire.write(first.encode())

    async def _follow(self, events: Subscription[E], place: Callable[[str], None], over: CancelScope) -> None:
        try:
            while True:
                batch: Sequence[E] = await events.next_batch()
                while batch:
                    async with self._lock:  # so that positions never go back
                        chunk, batch = self._chunk(events, batch, place)
                        await self._wire.write(chunk)
        except StopAsyncIteration:
            pass
        except ChatcoreError as error:  # the reader comes back from its position
            log.warning("a stream ended early: %s", error, extra={"action": "stream_failed"})
        over.cancel()

    def _chunk(
        self, events: Subscription[E], batch: Sequence[E], place: Callable[[str], None]
    ) -> tuple[bytes, Sequence[E]]:
        """Frames of the first events, not many more bytes than the server buffers, and the events left."""
        frames: list[bytes] = []
        size = 0
        for number, event in enumerate(batch):
            if size > _CHUNK_BYTES:
                return b"".join(frames), batch[number:]
            place(events.cursor_of(event))
            frame = self._cache.frame(event)
            frames += (b"id: %b\n" % str(self._position).encode(), frame)
            size += len(frame)
        return b"".join(frames), ()

    def _place_in_conversation(self, cursor: str) -> None:
        self._position.conversation = cursor

    def _place_in_list(self, cursor: str) -> None:
        self._position.list = cursor

    async def _hear_disconnect(self, over: CancelScope) -> None:
        await self._wire.left()
        self._disconnected = True
        over.cancel()

    async def _keep_alive(self, closing: anyio.Event) -> None:
        """Send pings until the server closes.

        A ping waits for what is sent before it: where one can't be sent in time, nobody reads.
        """
        while not closing.is_set():
            with anyio.move_on_after(self._timing.ping_seconds):
                await closing.wait()
                return
            with anyio.move_on_after(self._timing.stall_seconds) as patience:
                async with self._lock:
                    await self._wire.write(PING)
            if patience.cancelled_caught:
                self._stalled = True
                return

    async def _drop(self) -> None:
        """Cut the connection: what its reader has not taken can't be followed by a proper end."""
        if self._abort is None:
            return  # another server than ours: it notices that the answer has no end
        self._abort()
        with anyio.move_on_after(_END_SECONDS):
            await self._wire.left()
