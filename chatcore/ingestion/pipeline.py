"""An ingestion from its source to its report.

Reading, parsing and preparing go on in a thread, a batch at a time, while the batches before are written.
"""

import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from os import PathLike, fsencode
from typing import BinaryIO, cast

import anyio
from anyio import to_thread

from chatcore.errors import ChatcoreError, EngineClosed, InvalidInput, StorageError
from chatcore.incoming import Incoming
from chatcore.ingestion.apart import is_large, name_of, open_process_feed
from chatcore.ingestion.batches import Batches, Items, Rejects
from chatcore.ingestion.delivery import Delivery, IngestOptions
from chatcore.ingestion.feeds import (
    ConversationFeed,
    Feed,
    FileItems,
    IteratorItems,
    MakeBatches,
    ThreadFeed,
)
from chatcore.ingestion.frames import Order
from chatcore.ingestion.keeping import Keeper
from chatcore.ingestion.preparation import Preparation
from chatcore.ingestion.rehearsal import Rehearsal
from chatcore.ingestion.report import IngestReport, IngestStopped
from chatcore.ingestion.sink import IngestFile, OpenReading, Sink
from chatcore.ingestion.turns import quick_turns

__all__ = ["IngestSource", "ingest"]

IngestSource = IngestFile | Iterable[Incoming] | AsyncIterable[Incoming]
"""A file (a path, ``-`` for standard input, an open binary file), or conversations."""

MakeApart = Callable[[str, str | PathLike[str]], AbstractAsyncContextManager[Feed | None]]


async def ingest(
    source: IngestSource, sink: Sink, open_reading: OpenReading | None, options: IngestOptions
) -> IngestReport:
    """Store all conversations of a source; gives what became of each.

    What can't be read or taken is a failure in the report and stops nothing else. Cancelling leaves each
    conversation either whole or not there (a long one may be begun and not to be seen); the same again goes
    on where this one ended.

    Raises:
        InvalidInput: There is no such file or format, or the file of rejects can't be written.
        Unrecognised: The file is in no known format.
        IngestStopped: The store failed; it has the report so far.
    """
    begun = time.monotonic()
    keeper = Keeper(sink, options.dry_run)
    now_us = time.time_ns() // 1000
    target = Rehearsal(sink, options.remembered) if options.dry_run else sink

    async with _open_rejects(options.rejects) as rejects:

        def make(items: Items) -> Batches:
            preparation = Preparation(sink.limits, keeper.keep, now_us)
            return Batches(
                items,
                preparation,
                rejects,
                limit=options.limit,
                index=options.index,
                whole=options.dry_run,
            )

        def make_apart(opener: str, file: str | PathLike[str]) -> AbstractAsyncContextManager[Feed | None]:
            order = Order(
                opener=opener,
                source=fsencode(file),
                format=options.format,
                read=options.read,
                limits=sink.limits,
                limit=options.limit,
                packer=target.packer,
                index=options.index,
                dry_run=options.dry_run,
                rejects=options.rejects is not None,
                now_us=now_us,
            )
            return open_process_feed(order, keeper.keep, rejects)

        async with _open_feed(source, open_reading, options, make, make_apart) as feed:
            delivery = Delivery(feed, target, options)
            with quick_turns():
                failure = await delivery.run()
                failure = await _settled(target) or failure
    report = delivery.tally.report(dry_run=options.dry_run, seconds=time.monotonic() - begun)
    if isinstance(failure, StorageError | EngineClosed):
        raise IngestStopped(_stopped(failure, report), report) from failure
    if failure is not None:
        raise failure
    return report


def _stopped(failure: ChatcoreError, report: IngestReport) -> str:
    """The sentence about what ended it, which knows of one unit only, and about those before."""
    stays = not report.dry_run and (report.imported or report.updated)
    return f"The ingestion stopped: {failure.sentence}" + (" What was stored before stays." if stays else "")


async def _settled(sink: Sink) -> ChatcoreError | None:
    """Have it on the disk before anybody is told; gives what stands against that."""
    try:
        await sink.settle()
    except (StorageError, EngineClosed) as error:
        return error
    return None


@asynccontextmanager
async def _open_feed(
    source: IngestSource,
    open_reading: OpenReading | None,
    options: IngestOptions,
    make: MakeBatches,
    make_apart: MakeApart,
) -> AsyncIterator[Feed]:
    if isinstance(source, AsyncIterable):
        yield ConversationFeed(source, make)
    elif not isinstance(source, str | PathLike) and not hasattr(source, "read"):
        yield ThreadFeed(IteratorItems(iter(source)), make)
    elif open_reading is None:
        raise InvalidInput("No formats are known here: give conversations, not a file.")
    elif (
        isinstance(source, str | PathLike)
        and source != "-"
        and (opener := name_of(open_reading)) is not None
        and await to_thread.run_sync(is_large, source)
    ):
        async with make_apart(opener, source) as apart:
            if apart is not None:
                yield apart
                return
        async with _open_thread_feed(source, open_reading, options, make) as feed:
            yield feed
    else:
        async with _open_thread_feed(cast(IngestFile, source), open_reading, options, make) as feed:
            yield feed


@asynccontextmanager
async def _open_thread_feed(
    source: IngestFile, open_reading: OpenReading, options: IngestOptions, make: MakeBatches
) -> AsyncIterator[Feed]:
    reading = await to_thread.run_sync(open_reading, source, options.format, options.read)
    feed = ThreadFeed(FileItems(reading), make)
    try:
        yield feed
    finally:
        await feed.close()


@asynccontextmanager
async def _open_rejects(given: str | PathLike[str] | BinaryIO | None) -> AsyncIterator[Rejects]:
    if given is None or not isinstance(given, str | PathLike):
        yield Rejects(given)
        return
    try:
        file = await to_thread.run_sync(open, given, "wb")
    except OSError as error:
        raise InvalidInput(f"The file of rejects can't be written: {error.strerror}.") from error
    try:
        yield Rejects(file)
    finally:
        with anyio.CancelScope(shield=True), suppress(OSError):  # that a line can't be written has been told
            await to_thread.run_sync(file.close)
