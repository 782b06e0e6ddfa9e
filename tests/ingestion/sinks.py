"""Sinks for tests of ingestions: they store nothing and know what they were given."""

from collections.abc import Sequence

from chatcore import Limits
from chatcore.arrivals import IngestConversation, Ingested
from chatcore.ingestion.rehearsal import EmptySink

__all__ = ["NotingSink", "WatchingSink"]


class WatchingSink(EmptySink):
    """All of it is new, once `take` has seen it; no other sink of the tests repeats the form of `write`."""

    def __init__(self) -> None:
        super().__init__(Limits())

    async def take(self, conversations: Sequence[IngestConversation]) -> None:
        """Called with each unit; what it raises, the ingestion gets."""
        raise NotImplementedError

    async def write(
        self,
        conversations: Sequence[IngestConversation],
        *,
        index: bool,
        dry_run: bool,
        packed: bytes | None = None,
    ) -> tuple[Ingested, ...]:
        """See `chatcore.ingestion.sink.Sink`."""
        await self.take(conversations)
        return await super().write(conversations, index=index, dry_run=dry_run, packed=packed)


class NotingSink(WatchingSink):
    """Keeps what it was given.

    Attributes:
        given: All of it, or slices of it, in the order in which it came.
    """

    def __init__(self) -> None:
        super().__init__()
        self.given: list[IngestConversation] = []

    async def take(self, conversations: Sequence[IngestConversation]) -> None:
        """Keep these."""
        self.given.extend(conversations)
