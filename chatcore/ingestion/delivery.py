"""Batches on their way to the store: read, and written."""

from collections.abc import Callable
from os import PathLike
from typing import BinaryIO

import anyio
from anyio.abc import TaskGroup
from msgspec import Struct

from chatcore.errors import ChatcoreError, EngineClosed, StorageError
from chatcore.formats.format import ReadOptions
from chatcore.ingestion.batch import Batch
from chatcore.ingestion.feeds import Feed
from chatcore.ingestion.rehearsal import DryRun
from chatcore.ingestion.report import IngestProgress
from chatcore.ingestion.sink import Sink
from chatcore.ingestion.tally import Tally

__all__ = ["Delivery", "IngestOptions"]

_AT_ONCE = 4
"""Batches that are handed to a store of this process together."""

_ON_THE_WAY = 4
"""Batches on their way to a store elsewhere, so that it always has the next one."""

_GATHERED = 16
"""Batches of another process that wait for a store of this one, which commits several together."""


class IngestOptions(Struct, frozen=True, kw_only=True):
    """How an ingestion is to go.

    Attributes:
        format: Name of the format of a file; None: by its first records.
        read: How a file is read.
        index: Whether what is new can be searched at once.
        dry_run: Only tell what would become of it.
        remembered: What dry runs before this one were told.
        limit: Stop after so many conversations were read; None: all.
        rejects: Where records that can't be taken are written, one JSON object a line: a path, or an open
            file, which stays open; None: nowhere.
        progress: Called after each batch.
    """

    format: str | None = None
    read: ReadOptions = ReadOptions()
    index: bool = True
    dry_run: bool = False
    remembered: DryRun | None = None
    limit: int | None = None
    rejects: str | PathLike[str] | BinaryIO | None = None
    progress: Callable[[IngestProgress], None] | None = None


class Delivery:
    """Takes batches from a feed and has them stored.

    Attributes:
        tally: What became of them.
    """

    def __init__(self, feed: Feed, sink: Sink, options: IngestOptions) -> None:
        self.tally = Tally()
        self._feed = feed
        self._sink = sink
        self._options = options
        self._alternates = not sink.is_elsewhere and not feed.is_apart
        slots = _ON_THE_WAY if sink.is_elsewhere else _GATHERED if feed.is_apart else _AT_ONCE
        self._slots = anyio.Semaphore(slots, max_value=slots)
        self._flying: set[bytes] = set()
        self._slices_flying = False
        self._dropped = b""
        self._failure: ChatcoreError | None = None  # of the store
        self._read_failure: ChatcoreError | None = None

    async def run(self) -> ChatcoreError | None:
        """Deliver all; gives what stopped it, None: nothing did. What had been read before then is stored,
        unless the store itself is what failed.
        """
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._stop_reading_at_the_end)
            while self._failure is None and (batches := await self._read()):
                for batch in batches:
                    await self._begin(batch, tasks)
                if self._alternates:
                    await self._all_written()
            await self._all_written()
            tasks.cancel_scope.cancel()
        return self._failure or self._read_failure

    async def _stop_reading_at_the_end(self) -> None:
        """A thread that reads can't be cancelled, but told."""
        try:
            await anyio.sleep_forever()
        finally:
            self._feed.stop()

    async def _read(self) -> list[Batch]:
        """The next batches. Where this very process reads and stores, several are read and then written:
        two threads of Python that take turns are no faster, and people's messages would wait for both.
        """
        batches: list[Batch] = []
        try:
            while self._read_failure is None and len(batches) < (_AT_ONCE if self._alternates else 1):
                if (batch := await self._feed.next()) is None:
                    break
                batches.append(batch)
        except ChatcoreError as error:
            self._read_failure = error
        return batches

    async def _begin(self, batch: Batch, tasks: TaskGroup) -> None:
        """Have it stored meanwhile."""
        origins = {one.origin for one in batch.conversations}
        if batch.slices or self._slices_flying or not origins.isdisjoint(self._flying):
            # the same conversation twice: one after the other; and slices are counted together, by themselves
            await self._all_written()
        self._slices_flying = batch.slices
        if batch.slices and not batch.conversations[0].first:
            self._dropped = b""
        if self._failure or (batch.slices and batch.conversations[0].origin == self._dropped):
            return
        for unread, messages in batch.notes:  # now, so that they are told in the order of the source
            self.tally.note(unread, messages)
        await self._slots.acquire()
        self._flying |= origins
        tasks.start_soon(self._deliver, batch, origins)

    async def _all_written(self) -> None:
        for _ in range(self._slots.max_value or 0):
            await self._slots.acquire()
        for _ in range(self._slots.max_value or 0):
            self._slots.release()

    async def _deliver(self, batch: Batch, origins: set[bytes]) -> None:
        try:
            if self._failure is None:
                await self._store(batch)
                self._tell()
        finally:
            self._flying -= origins
            self._slots.release()

    async def _store(self, batch: Batch) -> None:
        if not batch.conversations:
            return
        try:
            outcomes = await self._sink.write(
                batch.conversations,
                index=self._options.index,
                dry_run=self._options.dry_run,
                packed=batch.packed,
            )
        except (StorageError, EngineClosed) as error:
            self._failure = self._failure or error
        except ChatcoreError as error:
            await self._one_by_one(batch, error)
        else:
            self.tally.stored(batch, outcomes)
            if batch.slices and outcomes[0].outcome == "skipped":
                self._dropped = batch.conversations[0].origin

    async def _one_by_one(self, batch: Batch, error: ChatcoreError) -> None:
        """Of a batch that is refused, store those that are not to blame."""
        if len(batch.conversations) == 1:
            self._dropped = batch.conversations[0].origin
            self.tally.refused(batch.counted[0], error.sentence)
            return
        for part, counted in zip(batch.conversations, batch.counted, strict=True):
            if self._failure is None:
                await self._store(Batch(conversations=(part,), counted=(counted,)))

    def _tell(self) -> None:
        if self._options.progress is None:
            return
        read, total = self._feed.progress()
        conversations, messages = self.tally.conversations.counts(), self.tally.messages.counts()
        self._options.progress(
            IngestProgress(
                read_bytes=read,
                total_bytes=total,
                conversations=conversations.read,
                messages=messages.read,
                failed=conversations.failed,
            )
        )
