"""Conversations that come from elsewhere, ready to be stored, and the command that stores them."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Literal

from msgspec import Struct

from chatcore.commands import Command
from chatcore.errors import InvalidInput
from chatcore.messages import Feedback, Part, Role, Settings, Status, Usage

__all__ = ["Ingest", "IngestConversation", "IngestMessage", "Ingested", "id_origin"]


def id_origin(id_: str) -> bytes:
    """8 bytes that stand for the id of a message (`IngestMessage.origin`)."""
    return blake2b(id_.encode(), digest_size=8).digest()


class IngestMessage(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A message to be ingested, ready to be stored.

    Attributes:
        origin: 8 bytes that stand for the source's id of it within its conversation.
        parent: Place of the message above it among all messages of the conversation, always a smaller one;
            -1: a root.
        created_at_us: Microseconds since 1970.
        raw: JSON text; None: nothing.
    """

    origin: bytes
    parent: int
    role: Role
    parts: tuple[Part, ...]
    created_at_us: int
    status: Status = "complete"
    reason: str | None = None
    model: str | None = None
    usage: Usage | None = None
    hidden: bool = False
    feedback: Feedback | None = None
    raw: str | None = None


class IngestConversation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A conversation to be ingested, or a slice of a long one.

    A long one comes in several slices, in order, each in a later command. Until the last one has been stored
    it is not to be seen; when that never comes (the process died), the same again goes on with it.

    Attributes:
        origin: 16 bytes that stand for source and id.
        digest: 16 bytes that stand for all there is to it, the same in each slice.
        head: Place of the message at which the shown path ends (among all messages); -1: there is none.
        first: Place of the slice's first message among all messages of the conversation.
        last: Whether this is the last slice.
        earlier: Origins of those messages of earlier slices that this one names (by `parent`, the last one
            also by `head`), by place. Nothing else is remembered from one slice to the next.
        raw: JSON text; None: nothing.
        dated: Whether `updated_at_us` is what its source says: of two versions the older one is known then.
        votes: Of other users than the one who takes it in: place of the message, user, vote.
        own_id: The id that chatcore gave it where it was made, and origins of messages stand for ids that
            chatcore gave (`id_origin`); None: it comes from elsewhere.
    """

    origin: bytes
    digest: bytes
    title: str | None
    messages: Sequence[IngestMessage]
    head: int
    created_at_us: int
    updated_at_us: int
    first: int = 0
    last: bool = True
    earlier: Mapping[int, bytes] = {}
    pinned: bool = False
    archived: bool = False
    settings: Settings = Settings()
    raw: str | None = None
    dated: bool = False
    votes: Mapping[int, Mapping[str, Feedback]] = {}
    own_id: str | None = None

    @property
    def dated_us(self) -> int:
        """When its source has last changed it; 0: it does not say."""
        return self.updated_at_us if self.dated else 0

    @property
    def weight(self) -> int:
        """Rows that it brings: its messages, and the votes of others."""
        return len(self.messages) + (sum(map(len, self.votes.values())) if self.votes else 0)

    def all_votes(self, user: str) -> Iterator[tuple[str, int, Feedback]]:
        """Who votes how on the message at which place when `user` takes it in: of each at most one on each.

        Raises:
            InvalidInput: A place names no message.
        """
        for place, message in enumerate(self.messages, self.first):
            if message.feedback is not None:
                yield user, place, message.feedback
        for place, votes in self.votes.items():
            if not self.first <= place < self.first + len(self.messages):
                raise InvalidInput("A vote is on none of the messages.", place=place)
            mine = self.messages[place - self.first].feedback
            for name, feedback in votes.items():
                if name != user or mine is None:
                    yield name, place, feedback


class Ingested(Struct, frozen=True, kw_only=True):
    """What became of one conversation, or of one slice: all of this is about that slice then.

    Attributes:
        outcome: ``imported``: it was not there; ``updated``: something of it was new or other than before;
            ``unchanged``; ``skipped``: it was deleted here, and stays so.
        imported: Number of messages that were new.
        updated: Number of messages that a newer version took the place of.
        unchanged: Number of messages that were there as they are.
        votes: Number of votes that were set.
    """

    conversation_id: str
    outcome: Literal["imported", "updated", "unchanged", "skipped"]
    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    votes: int = 0


class Ingest(Command[tuple[Ingested, ...]], frozen=True, kw_only=True):
    """Store conversations that come from elsewhere, all of these or none; gives what became of each.

    One whose `origin` is known under the same `digest` is not touched. Under another digest, messages that
    are not known are added, known ones take the new content (what this engine has written itself is never
    touched), votes are set where there is none, and the head moves while it stands on an ingested message.

    Raises:
        NotFound: The beginning of a slice is not there (removed meanwhile): begin anew with the first one.
        InvalidInput: A place names no message.

    Attributes:
        index: Whether they can be searched at once; else `Reindex` sees to it later.
        durable: Whether a power cut takes nothing of it once it is acknowledged; else that waits for a later
            command, such as `Settle`.
        packed: What the store's `packer` made of these conversations, all of them new; None: nothing did.
        dry_run: Only tell what would become of them (then no conversation comes in slices).
    """

    user: str
    conversations: tuple[IngestConversation, ...]
    index: bool = True
    dry_run: bool = False
    durable: bool = True
    packed: bytes | None = None
