"""Conversations as ingestion prepares them, in few words."""

from collections.abc import Mapping
from hashlib import blake2b

import msgspec
from msgspec.structs import replace

from chatcore.arrivals import Ingest, IngestConversation, Ingested, IngestMessage
from chatcore.messages import Feedback, Part, Rating, Role, Settings, Text
from chatcore.ports import Store
from chatcore.views import Tree

__all__ = ["HOUR", "NOON", "bring", "brought", "origin_of", "said", "sliced", "tree_of"]

NOON = 1_700_000_000_000_000
"""Microseconds since 1970."""
HOUR = 3_600_000_000


def origin_of(name: str) -> bytes:
    """What stands for the source's id of a message."""
    return blake2b(name.encode(), digest_size=8).digest()


def said(
    name: str,
    *parts: str | Part,
    parent: int | None = None,
    role: Role | None = None,
    hidden: bool = False,
    rating: Rating | None = None,
    raw: str | None = None,
    created_at_us: int = NOON,
    model: str | None = None,
) -> IngestMessage:
    """A message; without `parent` it is put below the one before it (`brought`)."""
    return IngestMessage(
        origin=origin_of(name),
        parent=-2 if parent is None else parent,
        role=role or "user",
        parts=tuple(Text(part) if isinstance(part, str) else part for part in parts or (name,)),
        created_at_us=created_at_us,
        model=model,
        hidden=hidden,
        feedback=None if rating is None else Feedback(rating=rating),
        raw=raw,
    )


def brought(
    name: str,
    *messages: IngestMessage | str,
    head: int | None = None,
    title: str | None = None,
    updated_at_us: int = NOON,
    pinned: bool = False,
    archived: bool = False,
    settings: Settings = Settings(),
    raw: str | None = None,
    dated: bool = False,
    votes: Mapping[int, Mapping[str, Rating]] = {},
    own_id: str | None = None,
) -> IngestConversation:
    """A conversation: whatever differs has another digest; the name alone stands for the source's id."""
    placed = []
    for place, one in enumerate(messages):
        message = said(one) if isinstance(one, str) else one
        placed.append(replace(message, parent=place - 1) if message.parent == -2 else message)
    whole = IngestConversation(
        origin=blake2b(name.encode(), digest_size=16).digest(),
        digest=bytes(16),
        title=title,
        messages=tuple(placed),
        head=len(placed) - 1 if head is None else head,
        created_at_us=NOON,
        updated_at_us=updated_at_us,
        pinned=pinned,
        archived=archived,
        settings=settings,
        raw=raw,
        dated=dated,
        votes={
            place: {user: Feedback(rating=rating) for user, rating in given.items()}
            for place, given in votes.items()
        },
        own_id=own_id,
    )
    return replace(whole, digest=blake2b(msgspec.json.encode(whole), digest_size=16).digest())


def sliced(whole: IngestConversation, *lengths: int) -> list[IngestConversation]:
    """The same in slices of these lengths."""
    assert sum(lengths) == len(whole.messages)
    slices = []
    first = 0
    for length in lengths:
        messages = whole.messages[first : first + length]
        last = first + length == len(whole.messages)
        above = {message.parent for message in messages} | ({whole.head} if last else set())
        earlier = {place: whole.messages[place].origin for place in above if 0 <= place < first}
        votes = {place: given for place, given in whole.votes.items() if 0 <= place - first < length}
        slices.append(replace(whole, messages=messages, first=first, last=last, earlier=earlier, votes=votes))
        first += length
    return slices


async def bring(store: Store, *conversations: IngestConversation, user: str = "ann") -> list[Ingested]:
    """Ingest them as one unit."""
    results = await store.write(Ingest(user=user, conversations=conversations))
    return list(results)


async def tree_of(store: Store, conversation_id: str, user: str = "ann") -> Tree:
    """The whole conversation."""
    batch = await store.trees(user, conversation_ids=[conversation_id], after=None, messages=1)
    (tree,) = batch.trees
    return tree
