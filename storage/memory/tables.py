"""The tables of the memory store: dicts by integer key, with the few indexes that units ask by."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nsmallest
from itertools import count

from msgspec import Struct

from chatcore.messages import Attachment, Feedback
from storage.listing import BEGINNING, words_of
from storage.rows import ConversationRow, Live, Made, MessageRow, RunRow, Said

__all__ = ["FeedbackRow", "FileRow", "SourceRow", "Tables"]


class FeedbackRow(Struct, frozen=True):
    """A vote, or (None) that it was taken back."""

    feedback: Feedback | None
    seq: int
    at: datetime


class FileRow(Struct, frozen=True):
    """A content that messages refer to, `references` times."""

    key: int
    attachment: Attachment
    references: int


class SourceRow(Struct, frozen=True):
    """What is known of the source of a conversation or message (which has no digest and is not dated)."""

    origin: bytes
    digest: bytes | None
    raw: str | None
    dated_us: int = 0


@dataclass
class Tables:
    """Everything that is stored. A dict of lists may hold empty lists; they mean nothing."""

    users: dict[str, int] = field(default_factory=dict)
    list_seqs: dict[int, int] = field(default_factory=dict)
    activities: dict[int, int] = field(default_factory=dict)
    """The highest of each owner's list."""
    conversations: dict[int, ConversationRow] = field(default_factory=dict)
    conversation_keys: dict[str, int] = field(default_factory=dict)
    emptied: dict[int, bool] = field(default_factory=dict)
    """Conversations of which a purge has left nothing but the tombstone."""
    messages: dict[int, MessageRow] = field(default_factory=dict)
    message_keys: dict[str, int] = field(default_factory=dict)
    members: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Conversation to its messages, oldest first."""
    children: defaultdict[tuple[int, int | None], list[int]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """Conversation and parent (None: the roots) to the messages below, oldest first."""
    runs: defaultdict[int, dict[int, RunRow]] = field(default_factory=lambda: defaultdict(dict))
    """Conversation to its queued and running answers, by the key of their message."""
    live: dict[int, Live] = field(default_factory=dict)
    """Conversation to the answer that runs in it: at most one does."""
    said: defaultdict[int, list[Said]] = field(default_factory=lambda: defaultdict(list))
    feedback: defaultdict[int, dict[int, FeedbackRow]] = field(default_factory=lambda: defaultdict(dict))
    """Message to its votes, by user."""
    made: dict[tuple[str, str], Made] = field(default_factory=dict)
    """User and idempotency key to what it made."""
    makers: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Id of what was made to the same."""
    origins: dict[tuple[int, bytes], int] = field(default_factory=dict)
    """Owner and origin to the conversation that came from there."""
    conversation_sources: dict[int, SourceRow] = field(default_factory=dict)
    message_sources: dict[int, SourceRow] = field(default_factory=dict)
    files: dict[str, FileRow] = field(default_factory=dict)
    """By sha256."""
    keys: Iterator[int] = field(default_factory=lambda: count(1))
    """Keys never given out before, rising; of all kinds of rows."""

    def first_words(self, conversation: int) -> str | None:
        """What the conversation is called by while it has no title; None: it has no such words."""
        messages = [self.messages[key].message for key in self.members.get(conversation, ())]
        first = nsmallest(BEGINNING, messages, key=lambda message: message.seq)
        questions = (message for message in first if message.role == "user" and not message.hidden)
        question = min(questions, key=lambda message: message.depth, default=None)
        return None if question is None else words_of(question.parts)

    def words_for(self, rows: Iterable[ConversationRow]) -> dict[str, str]:
        """Likewise for all those among these that have no title, by their ids."""
        return {
            row.conversation.id: words
            for row in rows
            if row.conversation.title is None and (words := self.first_words(row.key))
        }
