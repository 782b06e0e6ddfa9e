"""What a unit of writing needs of tables: the seam between the decisions and where rows are kept.

The decisions (policies, compare-and-set, idempotency, counting, events) are written once, in
`storage.units`, as plain functions over `Rows`. A store implements `Rows` over its own tables and runs each
unit whole: done, or (when it raises) as if it had never begun, its events dropped.

A row is a value of `chatcore.messages` with the integer keys that a store joins by. Keys of messages rise
with their creation, so order by key is order by id.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from chatcore.commands import PartOpened, TextAdded
from chatcore.events import ConversationEvent, ListChanged
from chatcore.messages import Conversation, Feedback, Message
from chatcore.ports import Anybody, ListMoved

__all__ = ["ConversationRow", "Keyed", "Live", "Made", "MessageRow", "Rows", "RunRow", "Said"]

Said = PartOpened | TextAdded
"""One entry of what a running answer has said."""


class ConversationRow(Struct, frozen=True, kw_only=True):
    """A conversation as its row has it.

    Attributes:
        key: Integer key of the row.
        owner: Integer key of the user who owns it.
        conversation: What it is now.
        head: Integer key of its head; None without one.
        head_depth: Depth of its head; -1 without one.
        counter: Its newest seq, those of deltas included: the next change is number `counter` + 1.
        changed_at: When its own row last changed in a way that has a seq.
        deleted_at: When it was marked as deleted; None: it is not.
        purged: Its messages are being removed or gone: it can't come back.
        unfinished: It is being ingested, and its last slice has not come: it is not there yet.
    """

    key: int
    owner: int
    conversation: Conversation
    head: int | None
    head_depth: int
    counter: int
    changed_at: datetime
    deleted_at: datetime | None
    purged: bool = False
    unfinished: bool = False


class MessageRow(Struct, frozen=True):
    """A message as its row has it, with the integer keys of itself, its conversation and its parent."""

    key: int
    conversation: int
    parent: int | None
    message: Message


class RunRow(Struct, frozen=True):
    """A queued or running answer: the key of its message, and the process that owns it."""

    message: int
    owner: str
    running: bool


class Live(Struct):
    """A running answer that says something: the one row that changes in place.

    Attributes:
        message: Integer key of the answer.
        conversation_id: Id of its conversation.
        seq: The conversation's counter. Whoever appends a delta counts it up here, and
            `Rows.conversation` gives it as `counter` from then on.
    """

    message: int
    conversation_id: str
    seq: int


class Keyed(Struct, frozen=True):
    """An idempotency key with the digest of the command that it came with."""

    key: str
    digest: bytes


class Made(Struct, frozen=True):
    """What an idempotency key has made: a conversation, or a message (then both ids are set)."""

    digest: bytes
    conversation_id: str
    message_id: str | None


class Rows(Protocol):
    """The tables as one unit sees them: everything that earlier units wrote, and what it wrote itself.

    Ids that are no ids at all are simply not found. All of this is called on the thread that owns the
    tables, and none of it waits.
    """

    @property
    def now(self) -> datetime:
        """The time of this unit: the same however often it is asked."""
        ...

    def new_id(self) -> str:
        """An id above all ids that were ever given out."""
        ...

    def emit(self, event: ConversationEvent | ListChanged | ListMoved) -> None:
        """Have the event published when the unit's transaction has been committed."""
        ...

    def touch(self) -> None:
        """Change something and change it back, so that the commit has to be waited for."""
        ...

    def user(self, name: str) -> int:
        """The key of the user; the row is made at its first use."""
        ...

    def next_list_seq(self, owner: int) -> int:
        """The number of one more change in the owner's list (gaps are legal, reuse is not)."""
        ...

    def next_activity(self, owner: int) -> int:
        """The place at the top of the owner's list: now in microseconds, or just above the highest."""
        ...

    def made(self, user: str, key: str) -> Made | None:
        """What the user made with this idempotency key."""
        ...

    def conversation(self, conversation_id: str, user: str | Anybody) -> ConversationRow | None:
        """The conversation of `user`, deleted and purged ones too."""
        ...

    def insert_conversation(
        self, conversation: Conversation, owner: int, counter: int, keyed: Keyed | None
    ) -> None:
        """Store a conversation without messages; it changed last when it was created."""
        ...

    def first_words(self, conversation: int) -> str | None:
        """What the conversation is called by while it has no title; None: it has no such words.

        May be remembered until `begun_otherwise`.
        """
        ...

    def begun_otherwise(self, conversation: int) -> None:
        """One of its first messages is new or other than before."""
        ...

    def update_conversation(self, row: ConversationRow) -> None:
        """Store all of the row (its owner, id and creation never change)."""
        ...

    def message(self, message_id: str) -> MessageRow | None:
        """The message with this id, whoever owns it."""
        ...

    def message_at(self, key: int) -> MessageRow:
        """The message with this key, which is there."""
        ...

    def first_answer(self, question: int) -> MessageRow | None:
        """The oldest assistant message right below the message with key `question`."""
        ...

    def newest_leaf(self, key: int) -> MessageRow:
        """Where the newest child, its newest child and so on end; the message itself without children."""
        ...

    def insert_message(
        self, conversation: ConversationRow, parent: int | None, message: Message, keyed: Keyed | None
    ) -> int:
        """Store a message below the message with key `parent` (None: as a root); gives its key.

        The files among its parts are referred to from then on.
        """
        ...

    def update_message(self, key: int, message: Message) -> None:
        """Store what a run changes of its message: status, parts, reason, model, usage, times, seq."""
        ...

    def runs(self, conversation: int) -> list[RunRow]:
        """The conversation's queued and running answers, oldest first."""
        ...

    def count_runs(self, user: int) -> int:
        """How many answers of all conversations of the user are queued or running."""
        ...

    def insert_run(self, conversation: ConversationRow, message: int, owner: str, *, running: bool) -> None:
        """Note that the message is queued or running in the process `owner`."""
        ...

    def start_run(self, message: int) -> None:
        """Note that a queued answer runs now."""
        ...

    def end_run(self, message: int) -> None:
        """Note that the answer has ended: what it said by deltas is not needed any more."""
        ...

    def live(self, message_id: str, owner: str) -> Live | None:
        """The answer, when it runs (not: is queued) in the process `owner`."""
        ...

    def append_said(self, entries: Sequence[tuple[int, int, Said]]) -> None:
        """Append entries (message key, seq, what was said) of running answers."""
        ...

    def said(self, messages: Collection[int]) -> dict[int, list[Said]]:
        """What the running answers with these keys have said, each in order; silent ones left out, and the
        openings of parts that can't be read any more.
        """
        ...

    def feedback(self, message: int, user: int) -> Feedback | None:
        """What the user thinks of the message."""
        ...

    def put_feedback(
        self, message: MessageRow, user: int, feedback: Feedback | None, seq: int, at: datetime
    ) -> None:
        """Store it; None stays as a row too: that it was taken back has a seq."""
        ...

    def purgeable(self, before: datetime) -> ConversationRow | None:
        """The conversation deleted longest ago, before that time, of which there is something to remove."""
        ...

    def purge_messages(self, conversation: int, limit: int) -> int:
        """Remove up to `limit` messages with all that hangs on them (any order); gives how many."""
        ...

    def purge_conversation(self, conversation: int, *, whole: bool) -> None:
        """Mark it `purged`; with `whole` nothing but its id, owner, numbers and times stay."""
        ...

    def unreferenced(self, sha256s: Collection[str]) -> frozenset[str]:
        """Those of these contents that no message refers to."""
        ...

    def reindex(self, limit: int, *, anew: bool) -> tuple[int, int]:
        """Take up to `limit` messages that the search index does not have into it; before, empty it (`anew`).

        Gives how many were looked at, and (about) how many are left.
        """
        ...
