"""A dry run: a sink that stores nothing and still knows what it was given before."""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec
from msgspec import Struct

from chatcore.arrivals import IngestConversation, Ingested, IngestMessage
from chatcore.errors import InvalidInput
from chatcore.ingestion.sink import Sink
from chatcore.limits import Limits
from chatcore.messages import Attachment
from chatcore.uploads import Upload

__all__ = ["DryRun", "EmptySink", "Rehearsal"]

_encode = msgspec.msgpack.Encoder().encode


class _Seen(Struct, frozen=True):
    """What a conversation has after its newest version; messages by what stands for them.

    Attributes:
        dated_us: When its source has last changed it; 0: it does not say.
        new: Whether the store itself does not have it.
    """

    digest: bytes
    contents: dict[bytes, bytes]
    voted: frozenset[tuple[str, bytes]]
    head: bytes
    dated_us: int
    new: bool


class DryRun:
    """What dry runs remember: given to several, one after the other, each knows what came in those before it.

    It takes some hundred bytes a message.
    """

    def __init__(self) -> None:
        self.seen: dict[bytes, _Seen] = {}


class EmptySink:
    """A store that has nothing and takes nothing: where there is no data directory yet."""

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


class Rehearsal:
    """Asks a sink what would become of conversations, one command at a time, and remembers across commands.

    What is new to the store may have come before, in the same source or in an earlier one of the same
    `DryRun`: then it is unchanged, or other messages are added.
    """

    def __init__(self, sink: Sink, run: DryRun | None = None) -> None:
        self.limits = sink.limits
        self.is_elsewhere = sink.is_elsewhere
        self.packer: str | None = None
        self.put_file = sink.put_file
        self._sink = sink
        self._seen = (run or DryRun()).seen

    async def write(
        self,
        conversations: Sequence[IngestConversation],
        *,
        index: bool,
        dry_run: bool,
        packed: bytes | None = None,
    ) -> tuple[Ingested, ...]:
        """See `chatcore.ingestion.sink.Sink`."""
        told = await self._sink.write(conversations, index=index, dry_run=True)
        return tuple(self._beside(one, was) for one, was in zip(conversations, told, strict=True))

    async def settle(self) -> None:
        """Nothing was stored."""

    def _beside(self, given: IngestConversation, told: Ingested) -> Ingested:
        before = self._seen.get(given.origin)
        if before is not None and before.digest == given.digest:
            return msgspec.structs.replace(
                told, outcome="unchanged", imported=0, updated=0, unchanged=len(given.messages), votes=0
            )
        now = _Seen(
            given.digest,
            {message.origin: _content(message) for message in given.messages},
            frozenset((user, given.messages[place].origin) for user, place, _ in given.all_votes("")),
            given.messages[given.head].origin,
            given.dated_us,
            told.outcome == "imported" if before is None else before.new,
        )
        if before is None or not before.new:
            self._seen[given.origin] = now
            return told
        known = before.contents
        new = sum(origin not in known for origin in now.contents)
        older = 0 < now.dated_us < before.dated_us  # then it only adds
        other = sum(
            not older and known.get(origin, content) != content for origin, content in now.contents.items()
        )
        votes = len(now.voted - before.voted)
        newest = before if older else now
        self._seen[given.origin] = msgspec.structs.replace(
            newest,
            contents={**known, **now.contents, **newest.contents},
            voted=before.voted | now.voted,
            new=True,
        )
        return msgspec.structs.replace(
            told,
            outcome="updated" if new or other or votes or newest.head != before.head else "unchanged",
            imported=new,
            updated=other,
            unchanged=len(given.messages) - new - other,
            votes=votes,
        )


def _content(message: IngestMessage) -> bytes:
    facts = (message.role, message.status, message.parts, message.reason, message.model, message.usage)
    return blake2b(_encode((facts, message.hidden, message.raw)), digest_size=8).digest()
