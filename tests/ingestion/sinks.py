"""Sinks for tests of ingestions: they store nothing and know what they were given."""

from collections.abc import Sequence

from chatcore import Limits
from chatcore.arrivals import IngestConversation, Ingested
from chatcore.errors import InvalidInput
from chatcore.messages import Attachment
from chatcore.uploads import Upload

__all__ = ["EmptySink", "NotingSink", "WatchingSink"]


class EmptySink:
    """A store that has nothing and takes nothing."""

    is_elsewhere = False
    packer: str | None = None

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    async def put_file(self, upload: Upload) -> Attachment:
        """Refused."""
        raise InvalidInput("Nothing is stored in a dry run.")

    async def write(
        self,
        conversations: Sequence[IngestConversation],
        *,
        index: bool,
        dry_run: bool,
        packed: bytes | None = None,
    ) -> tuple[Ingested, ...]:
        """All of it is new."""
        return tuple(
            Ingested(
                conversation_id="",
                outcome="imported",
                imported=len(one.messages),
                votes=sum(1 for _ in one.all_votes("")),
            )
            for one in conversations
        )

    async def settle(self) -> None:
        """There is nothing."""


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
