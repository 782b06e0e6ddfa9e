"""The order in which batches reach a store, and what is counted of it."""

from collections.abc import Sequence
from typing import NoReturn

import anyio

from chatcore import IncomingFile, Limits
from chatcore.arrivals import IngestConversation, Ingested
from chatcore.ingestion.batch import Batch
from chatcore.ingestion.batches import Batches, Rejects
from chatcore.ingestion.delivery import Delivery, IngestOptions
from chatcore.ingestion.feeds import IteratorItems
from chatcore.ingestion.preparation import Preparation
from tests.ingestion.making import chat, chats
from tests.ingestion.sinks import EmptySink


def no_files(file: IncomingFile) -> NoReturn:
    raise AssertionError("There are none.")


class ListFeed:
    """Gives its batches without waiting."""

    is_apart = True

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    async def next(self) -> Batch | None:
        return self._batches.next()

    def progress(self) -> tuple[int, int | None]:
        return 0, None

    def stop(self) -> None:
        pass


async def test_what_overtakes_the_last_slice_is_counted_by_itself() -> None:
    """Over HTTP one request may end before the other: here a slice waits for all else that can be done."""

    class Late(EmptySink):
        async def write(
            self,
            conversations: Sequence[IngestConversation],
            *,
            index: bool,
            dry_run: bool,
            packed: bytes | None = None,
        ) -> tuple[Ingested, ...]:
            if conversations[0].first or not conversations[0].last:
                await anyio.wait_all_tasks_blocked()
            elif len(conversations) == 2:
                skipped = Ingested(conversation_id="", outcome="skipped", imported=0, votes=0)
                return skipped, skipped
            return await super().write(conversations, index=index, dry_run=dry_run)

    for others, wanted in ((2, (3, 1, 2)), (3, (4, 4, 0))):
        batches = Batches(
            IteratorItems(iter([chat(99, 1_200), *chats(others)])),
            Preparation(Limits(), no_files, 0),
            Rejects(None),
            limit=None,
            index=True,
            whole=False,
        )
        delivery = Delivery(ListFeed(batches), Late(Limits()), IngestOptions())
        assert await delivery.run() is None
        report = delivery.tally.report(dry_run=False, seconds=0)
        assert (report.read, report.imported, report.skipped) == wanted
        assert report.messages.unchanged == 0
        assert report.messages.imported == 1_200 + (others * 2 if others == 3 else 0)
