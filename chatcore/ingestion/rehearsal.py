"""A dry run: a sink that stores nothing and still knows what it was given before."""

import zlib
from collections.abc import Mapping, Sequence
from hashlib import blake2b

import anyio
import msgspec
from anyio import to_thread
from msgspec import Struct
from msgspec.structs import replace

from chatcore.arrivals import IngestConversation, Ingested, IngestMessage
from chatcore.errors import InvalidInput
from chatcore.ingestion.sink import Sink
from chatcore.limits import Limits
from chatcore.messages import Attachment, File, MissingFile, Part, Settings, Text
from chatcore.uploads import Upload

__all__ = ["DryRun", "EmptySink", "Rehearsal"]

_MOST_VERSIONS = 16
"""Of a conversation, the newest ones: a file may say that all of its rows are versions of one."""

_MOST_BYTES = 16 * 2**20
"""What they take, packed or sent; the newest one is kept whatever it takes."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(IngestConversation).decode


class _Version(Struct, frozen=True):
    """A version of a conversation that was told of, packed.

    Attributes:
        size: Not packed.
    """

    packed: bytes
    size: int


class _Past(Struct, frozen=True):
    """What came of one conversation.

    Attributes:
        id: What the store called it, when it was first asked.
        is_new: Whether the store itself does not have it.
        digest: Of its newest version.
        versions: The oldest first.
    """

    id: str
    is_new: bool
    digest: bytes
    versions: tuple[_Version, ...]


class DryRun:
    """What dry runs remember: given to several, one after the other, each knows what came in those before it.

    It takes some hundred bytes a message; where the store has a conversation, and something of it is new or
    other than there, all of its text, packed.
    """

    def __init__(self) -> None:
        self.past: dict[bytes, _Past] = {}


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


class Rehearsal:
    """Asks a sink what would become of conversations, one command at a time, and remembers across commands.

    Of one that came before, in the same source or in an earlier one of the same `DryRun`, the sink is given
    the earlier versions too, which it forgets each time: so it alone knows what becomes of a version.
    """

    def __init__(self, sink: Sink, run: DryRun | None = None) -> None:
        self.limits = sink.limits
        self.is_elsewhere = sink.is_elsewhere
        self.packer: str | None = None
        self.put_file = sink.put_file
        self._sink = sink
        self._past = (run or DryRun()).past
        self._turn = anyio.Lock()

    async def write(
        self,
        conversations: Sequence[IngestConversation],
        *,
        index: bool,
        dry_run: bool,
        packed: bytes | None = None,
    ) -> tuple[Ingested, ...]:
        """See `chatcore.ingestion.sink.Sink`."""
        async with self._turn:  # what is told keeps the order of the source
            return await self._asked(conversations, index=index)

    async def _asked(
        self, conversations: Sequence[IngestConversation], *, index: bool
    ) -> tuple[Ingested, ...]:
        past: dict[bytes, _Past] = {}  # where one is refused, nothing of them is remembered
        first = [place for place, one in enumerate(conversations) if one.origin not in self._past]
        told: dict[int, Ingested] = {}
        if first:
            asked = [conversations[place] for place in first]
            answers = await self._sink.write(asked, index=index, dry_run=True)
            past = await to_thread.run_sync(_remembered, {}, asked, answers)
            told = dict(zip(first, answers, strict=True))
        for place, one in enumerate(conversations):
            if place in told:
                continue
            before = past.get(one.origin) or self._past[one.origin]
            if before.digest == one.digest:
                told[place] = Ingested(
                    conversation_id=before.id, outcome="unchanged", unchanged=len(one.messages)
                )
                continue
            told[place] = await self._again(one, before, index=index)
            past |= await to_thread.run_sync(_remembered, {one.origin: before}, [one], [told[place]])
        self._past |= past
        return tuple(told[place] for place in range(len(conversations)))

    async def settle(self) -> None:
        """Nothing was stored."""

    async def _again(self, one: IngestConversation, before: _Past, *, index: bool) -> Ingested:
        versions = await to_thread.run_sync(_replayed, before, one)
        told = (await self._sink.write(versions, index=index, dry_run=True))[-1]
        return replace(told, conversation_id=before.id)


def _remembered(
    past: Mapping[bytes, _Past], given: Sequence[IngestConversation], told: Sequence[Ingested]
) -> dict[bytes, _Past]:
    """What is known of these after they were told of, with what was known of them before."""
    known = dict(past)
    for one, became in zip(given, told, strict=True):
        before = known.get(one.origin)
        if became.outcome == "skipped" or (before is not None and before.digest == one.digest):
            continue
        is_new = became.outcome == "imported" if before is None else before.is_new
        kept = _last_of(one) if became.outcome == "unchanged" else one
        body = _encode(_outline(kept) if is_new else kept)
        version = _Version(zlib.compress(body, 1), len(body))
        versions = _newest((*before.versions, version) if before is not None else (version,))
        known[one.origin] = _Past(
            became.conversation_id if before is None else before.id, is_new, one.digest, versions
        )
    return known


def _newest(versions: tuple[_Version, ...]) -> tuple[_Version, ...]:
    versions = versions[-_MOST_VERSIONS:]
    while len(versions) > 1 and sum(one.size for one in versions) > _MOST_BYTES:
        versions = versions[1:]
    return versions


def _replayed(before: _Past, one: IngestConversation) -> list[IngestConversation]:
    earlier = [_decode(zlib.decompress(version.packed)) for version in before.versions]
    return [*earlier, _outline(one) if before.is_new else one]


def _last_of(one: IngestConversation) -> IngestConversation:
    """What does the same as one of which nothing is new: it is the newest version that is known."""
    if one.head < 0:
        return one
    last = replace(one.messages[one.head], parent=-1, feedback=None)
    return replace(one, messages=(last,), head=0, votes={})


def _outline(one: IngestConversation) -> IngestConversation:
    """The same, with what stands for the content of each message; only other outlines are like it."""
    messages = tuple(_outlined(message) for message in one.messages)
    return replace(one, messages=messages, raw=None, settings=Settings())


def _outlined(message: IngestMessage) -> IngestMessage:
    facts = (message.reason, message.model, message.usage, message.raw)
    parts = tuple(map(_outlined_part, message.parts))
    return replace(message, parts=parts, reason=None, model=None, usage=None, raw=f'"{_digest(facts)}"')


def _outlined_part(part: Part) -> Part:
    # of files it matters whether their content came before
    return part if isinstance(part, File | MissingFile) else Text(_digest(part))


def _digest(what: object) -> str:
    return blake2b(_encode(what), digest_size=12).hexdigest()
