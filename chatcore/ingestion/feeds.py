"""What gives an ingestion its batches: a file that is read on a thread, or somebody's own conversations."""

import threading
from collections import deque
from collections.abc import AsyncIterable, Callable, Iterator
from typing import Protocol

import anyio
from anyio import to_thread

from chatcore.incoming import Incoming, IncomingFile, Unread
from chatcore.ingestion.batch import Batch
from chatcore.ingestion.batches import BATCH_MESSAGES, Batches, Items
from chatcore.ingestion.sink import FileReading

__all__ = ["ConversationFeed", "Feed", "FileItems", "IteratorItems", "MakeBatches", "ThreadFeed"]


class Feed(Protocol):
    """Batch after batch.

    Attributes:
        is_apart: It is another process that reads.
    """

    is_apart: bool

    async def next(self) -> Batch | None:
        """The next one; None: all has been read."""
        ...

    def progress(self) -> tuple[int, int | None]:
        """Bytes that were read, and how many there are; None: nobody knows."""
        ...

    def stop(self) -> None:
        """Have `next` return soon."""
        ...


MakeBatches = Callable[[Items], Batches]


class FileItems:
    """The conversations of a file."""

    def __init__(self, reading: FileReading) -> None:
        self._reading = reading

    def __next__(self) -> Incoming | Unread:
        return next(self._reading)

    def record_of(self, item: Incoming) -> bytes | None:
        """See `Items`."""
        return self._reading.record_of(item)

    def release(self, item: Incoming) -> None:
        """See `Items`."""
        for message in item.messages:
            for part in message.parts:
                if isinstance(part, IncomingFile) and part.at is not None:
                    self._reading.release(part.at)

    def progress(self) -> tuple[int, int | None]:
        """See `Feed`."""
        return self._reading.progress()

    def stop(self) -> None:
        """See `Feed`."""
        self._reading.stop()

    def close(self) -> None:
        """See `FileReading`."""
        self._reading.close()


class IteratorItems:
    """Conversations that somebody has in their own hands."""

    def __init__(self, given: Iterator[Incoming]) -> None:
        self._given = given

    def __next__(self) -> Incoming | Unread:
        return next(self._given)

    def record_of(self, item: Incoming) -> bytes | None:
        """There is none."""
        return None

    def release(self, item: Incoming) -> None:
        """Nothing was unpacked."""

    def progress(self) -> tuple[int, int | None]:
        """Nobody knows."""
        return 0, None

    def stop(self) -> None:
        """It is asked for no more."""

    def close(self) -> None:
        """It stays open."""


class _HeldItems(IteratorItems):
    """Those that an async iterator has given; it ends whenever none is held."""

    def __init__(self) -> None:
        super().__init__(iter(()))
        self.held: deque[Incoming] = deque()

    def __next__(self) -> Incoming:
        if not self.held:
            raise StopIteration
        return self.held.popleft()


class ThreadFeed:
    """Batches of what can be read without the event loop: on a thread."""

    is_apart = False

    def __init__(self, items: FileItems | IteratorItems, make: MakeBatches) -> None:
        self._items = items
        self._batches = make(items)
        self._reading = threading.Lock()

    async def next(self) -> Batch | None:
        """See `Feed`."""
        return await to_thread.run_sync(self._next)

    def progress(self) -> tuple[int, int | None]:
        """See `Feed`."""
        return self._items.progress()

    def stop(self) -> None:
        """See `Feed`."""
        self._items.stop()

    async def close(self) -> None:
        """Close what is read, after the thread that reads it: asyncio's own cancelling leaves it behind."""
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(self._close)

    def _next(self) -> Batch | None:
        with self._reading:
            return self._batches.next()

    def _close(self) -> None:
        self._items.stop()
        with self._reading:
            self._items.close()


class ConversationFeed:
    """Batches of what an async iterator gives: it is asked on the event loop, the rest is a thread's."""

    is_apart = False

    def __init__(self, given: AsyncIterable[Incoming], make: MakeBatches) -> None:
        self._given = aiter(given)
        self._ended = False
        self._items = _HeldItems()
        self._batches = make(self._items)

    async def next(self) -> Batch | None:
        """See `Feed`."""
        while True:
            if (batch := await to_thread.run_sync(self._batches.next)) is not None:
                return batch
            if self._ended:
                return None
            await self._pull()
            self._batches.resume()

    def progress(self) -> tuple[int, int | None]:
        """See `Feed`."""
        return 0, None

    def stop(self) -> None:
        """See `Feed`."""

    async def _pull(self) -> None:
        messages = 0
        while messages < BATCH_MESSAGES:
            try:
                one = await anext(self._given)
            except StopAsyncIteration:
                self._ended = True
                return
            self._items.held.append(one)
            messages += 1 + len(one.messages)
