"""Subscriptions: catching up from rows, then following the log, without a hole and without a second log.

Catching up is no special case: rows changed after the cursor, in seq order and in batches, up to where the
log begins; then the log. When the reader is so slow that the log has moved on, rows again.
"""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

import anyio
from msgspec import Struct

from chatcore.events import ConversationDeleted, ConversationEvent, Cursor, ListEvent, ListReset, Reset
from chatcore.hub import Hub, Log, merged
from chatcore.ports import Store
from chatcore.views import Changes

__all__ = ["Subscription", "follow_conversation", "follow_list"]

E = TypeVar("E", bound=ConversationEvent | ListEvent)
E_co = TypeVar("E_co", bound=ConversationEvent | ListEvent, covariant=True)

BATCH = 500
LIST_RESET_AFTER = 200


class Rows(Protocol[E_co]):
    """A batch of rows as events (`chatcore.views.Changes` and `ListChanges`)."""

    @property
    def events(self) -> Sequence[E_co]: ...
    @property
    def seq(self) -> int: ...
    @property
    def more(self) -> bool: ...


class Subscription(Generic[E]):
    """An async iterator of events; `cursor` is the place after the last one given.

    It ends by itself after `ConversationDeleted` and when the engine closes. It holds nothing but its
    place: cancelling or leaving it at any moment costs the engine nothing.
    """

    def __init__(
        self,
        log: Log[E],
        read: Callable[[int], Awaitable[Rows[E]]],
        reset: Callable[[], E],
        hub: Hub,
        epoch: str,
        after: str | None,
        window_seconds: float = 0.0,
    ) -> None:
        place = Cursor.parse(after) if after is not None else Cursor(epoch, 0)
        self._foreign = place is None or place.epoch != epoch
        self._position = 0 if place is None or self._foreign else place.seq
        self._log = log
        self._read = read
        self._reset = reset
        self._hub = hub
        self._epoch = epoch
        self._window_seconds = window_seconds
        self._gave = False
        self._joined = False
        self._over = False
        self._ready: deque[E] = deque()
        self.cursor = str(Cursor(epoch, self._position))

    def __aiter__(self) -> AsyncIterator[E]:
        return self

    async def __anext__(self) -> E:
        if not self._ready:
            self._ready.extend(await self.next_batch())
        event = self._ready.popleft()
        self.cursor = self.cursor_of(event)
        return event

    def cursor_of(self, event: E) -> str:
        """The cursor of a reader that has applied everything up to `event`."""
        return str(Cursor(self._epoch, event.seq))

    async def next_batch(self) -> list[E]:
        """At least one event, neighbouring deltas merged. With a window, what comes within it is one batch.

        Raises:
            StopAsyncIteration: The stream has ended.
        """
        if self._gave and self._window_seconds:
            await anyio.sleep(self._window_seconds)
        while not self._over:
            batch = await self._next()
            if batch:
                self._gave = True
                self._position = max(self._position, batch[-1].seq)
                self._over = isinstance(batch[-1], ConversationDeleted)
                return batch
        raise StopAsyncIteration

    async def _next(self) -> list[E]:
        if self._foreign or (not self._joined and self._beyond_the_end()):
            self._foreign = False
            self._position = 0
            return [self._reset()]
        log = self._log
        while log.holds(self._position):
            self._joined = True
            batch = log.since(self._position)
            if batch:
                return batch if len(batch) == 1 else merged(_as_it_is(batch))
            if self._hub.closed:
                break
            await log.wait(self._position)
        if self._hub.closed:  # what was published before has been given: the endings of interrupted answers
            self._over = True
            return []
        return await self._catch_up()

    def _beyond_the_end(self) -> bool:
        """A place that never was, or was lost with a power cut."""
        return self._log.start is not None and self._position > self._log.end

    async def _catch_up(self) -> list[E]:
        rows = await self._read(self._position)
        if not rows.more:
            self._log.read_rows_up_to(rows.seq)
        start = self._log.start
        events = [event for event in rows.events if start is None or event.seq <= start]
        if (
            start is not None
            and start <= rows.seq  # else the log has begun anew while rows were read
            and (not rows.more or len(events) < len(rows.events))
            and not self._beyond_the_end()
        ):
            self._position = max(self._position, start)  # no row up to there is missing: on to the log
        return events


def _as_it_is(events: list[E]) -> list[E]:
    """Without deletions that were undone: what comes after one says that the conversation is there again."""
    return [event for event in events[:-1] if not isinstance(event, ConversationDeleted)] + events[-1:]


@asynccontextmanager
async def follow_conversation(
    hub: Hub, store: Store, user: str, conversation_id: str, after: str | None, window_seconds: float
) -> AsyncIterator[Subscription[ConversationEvent]]:
    """Events of a conversation from a cursor on; None: from the beginning.

    Raises:
        NotFound: No such conversation of this user's (one that was deleted gives `ConversationDeleted`).
    """

    async def read(position: int) -> Changes:
        return await store.changes(user, conversation_id, after=position, limit=BATCH)

    def reset() -> ConversationEvent:
        return Reset(conversation_id=conversation_id, seq=0, at=datetime.now(UTC))

    with hub.reading(conversation_id) as log:
        # whose conversation it is can't be seen from the log
        await store.changes(user, conversation_id, after=0, limit=1)
        yield Subscription(log, read, reset, hub, store.epoch, after, window_seconds)


@asynccontextmanager
async def follow_list(
    hub: Hub, store: Store, user: str, after: str | None, window_seconds: float
) -> AsyncIterator[Subscription[ListEvent]]:
    """Changes of a user's list from a cursor on; None: from now on."""

    async def read(position: int) -> _ListRows:
        rows = await store.list_changes(user, after=position, limit=LIST_RESET_AFTER)
        if rows.more:
            # Not above where the log begins: it would be taken for an event that the log tells of.
            seq = rows.seq if log.start is None else min(rows.seq, log.start)
            return _ListRows((ListReset(seq=seq, at=datetime.now(UTC)),), rows.seq)
        return _ListRows(rows.events, rows.seq)

    def reset() -> ListEvent:
        return ListReset(seq=0, at=datetime.now(UTC))

    with hub.reading_list(user) as log:
        if after is None:
            now = await store.list_changes(user, after=0, limit=1)
            after = str(Cursor(store.epoch, now.seq))
        yield Subscription(log, read, reset, hub, store.epoch, after, window_seconds)


class _ListRows(Struct, frozen=True):
    events: Sequence[ListEvent]
    seq: int
    more: bool = False
