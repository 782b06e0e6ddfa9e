"""A dry run: a sink that stores nothing and still knows what it was given before."""

import zlib
from collections import ChainMap, Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import islice

import anyio
import msgspec
from anyio import to_thread
from msgspec import Struct
from msgspec.structs import replace

from chatcore.arrivals import IngestConversation, Ingested, IngestMessage
from chatcore.ingestion.batches import BATCH_MESSAGES
from chatcore.ingestion.sink import Sink
from chatcore.messages import File, MissingFile, Part, Settings, Text

__all__ = ["DryRun", "Rehearsal"]

_MOST_VERSIONS = 16
"""Of a conversation, the newest ones: a file may say that all of its rows are versions of one."""

_MOST_BYTES = 16 * 2**20
"""What they take, packed or sent; the newest one is kept whatever it takes."""

_Question = dict[int, list[IngestConversation]]
"""By place, all versions of a conversation, the one that is asked about last."""

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
        new: dict[bytes, _Past] = {}  # where one is refused, nothing of them is remembered
        past = ChainMap(new, self._past)
        told: dict[int, Ingested] = {}
        for places in _rounds(conversations):
            given = {place: conversations[place] for place in places}
            for question in await to_thread.run_sync(_questions, past, given):
                versions = [one for asked in question.values() for one in asked]
                answers = iter(await self._sink.write(versions, index=index, dry_run=True))
                for place, asked in question.items():
                    *_, told[place] = islice(answers, len(asked))
            new |= await to_thread.run_sync(_remembered, past, given, told)
            for place, one in given.items():
                told[place] = _of_all(told.get(place), one, past.get(one.origin))
        self._past |= new
        return tuple(told[place] for place in range(len(conversations)))

    async def settle(self) -> None:
        """Nothing was stored."""


def _rounds(conversations: Sequence[IngestConversation]) -> Iterator[list[int]]:
    """Places, so that each round has a conversation once: its next version is asked about after that."""
    rounds: list[list[int]] = []
    seen: Counter[bytes] = Counter()
    for place, one in enumerate(conversations):
        if seen[one.origin] == len(rounds):
            rounds.append([])
        rounds[seen[one.origin]].append(place)
        seen[one.origin] += 1
    yield from rounds


def _questions(past: Mapping[bytes, _Past], given: Mapping[int, IngestConversation]) -> list[_Question]:
    """What the sink is to be asked, a command each."""
    questions: list[_Question] = [{}]
    weight = 0
    for place, one in given.items():
        before = past.get(one.origin)
        if before is not None and before.digest == one.digest:
            continue
        asked = [one] if before is None else _replayed(before, one)
        more = sum(version.weight for version in asked)
        if questions[-1] and weight + more > BATCH_MESSAGES:
            questions.append({})
            weight = 0
        questions[-1][place] = asked
        weight += more
    return [question for question in questions if question]


def _of_all(told: Ingested | None, one: IngestConversation, past: _Past | None) -> Ingested:
    """What was told, under the id that the conversation has had all along; None: it was not asked about."""
    if told is None:
        told = Ingested(conversation_id="", outcome="unchanged", unchanged=len(one.messages))
    return told if past is None else replace(told, conversation_id=past.id)


def _remembered(
    past: Mapping[bytes, _Past], given: Mapping[int, IngestConversation], told: Mapping[int, Ingested]
) -> dict[bytes, _Past]:
    """What is to be known of those that were asked about."""
    known: dict[bytes, _Past] = {}
    for place, one in given.items():
        became = told.get(place)
        if became is None or became.outcome == "skipped":
            continue
        before = past.get(one.origin)
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
