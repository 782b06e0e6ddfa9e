"""What goes from a reader to a store as one unit, and what the report will say of it."""

from collections.abc import Mapping

from msgspec import Struct

from chatcore.arrivals import IngestConversation
from chatcore.incoming import Unread

__all__ = ["Batch", "Counted"]


class Counted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What there is to be counted and told of one whole conversation.

    Attributes:
        messages: How many it has.
        votes: Number of messages with feedback.
        files: Number of files that are stored with it.
        missing: Number of files that are named only.
        missing_files: Of the first of those the name, and why it is no more.
        repaired: What was put right, by what it was.
        skipped: Messages that were left out on purpose, by reason.
        votes_skipped: Likewise of votes.
        file: Name of the file (and member) it comes from.
        place: Where in it, for people.
        id: The source's own id.
    """

    messages: int
    votes: int = 0
    files: int = 0
    missing: int = 0
    missing_files: tuple[tuple[str, str], ...] = ()
    repaired: Mapping[str, int] = {}
    skipped: Mapping[str, int] = {}
    votes_skipped: Mapping[str, int] = {}
    file: str = ""
    place: str = ""
    id: str | None = None

    @property
    def special(self) -> bool:
        """Whether there is more to be counted than messages and votes."""
        return bool(self.files or self.missing or self.repaired or self.skipped or self.votes_skipped)


class Batch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is stored as one unit.

    Attributes:
        conversations: Whole ones; or one slice of a long one.
        counted: Of the conversation that each is, or is a part of.
        notes: What was read between them and is not to be stored, and of how many messages that is known.
        slices: It is one of several slices, which go one after the other.
        packed: What the store's packer made of the conversations.
    """

    conversations: tuple[IngestConversation, ...] = ()
    counted: tuple[Counted, ...] = ()
    notes: tuple[tuple[Unread, int], ...] = ()
    slices: bool = False
    packed: bytes | None = None
