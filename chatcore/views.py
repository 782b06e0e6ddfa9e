"""What reads of a store give: pages, changes, what was found, whole trees."""

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from chatcore.events import ConversationEvent, ListChanged
from chatcore.messages import Conversation, Feedback, Message, Rating, Role

__all__ = [
    "Changes",
    "ConversationPage",
    "DayStatistics",
    "Found",
    "ListChanges",
    "MessageFeedback",
    "Node",
    "SearchFilter",
    "SearchOrder",
    "SearchPage",
    "StoredPage",
    "Tree",
    "Trees",
]


class MessageFeedback(Struct, frozen=True, kw_only=True):
    """Feedback as a page carries it."""

    message_id: str
    user: str
    feedback: Feedback


class ConversationPage(Struct, frozen=True, kw_only=True):
    """Entries of a user's list, newest first; `next` asks for the following page, None: there is none.

    `list_seq` is the position in the list's changes at which the page is true. `first_words` has what those
    without a title are called by, each by its id: the beginning of their first question that is shown, where
    one of their first messages is one. It is no title, and nothing stores or exports it.
    """

    conversations: tuple[Conversation, ...]
    next: str | None
    list_seq: int
    first_words: dict[str, str] = {}


class StoredPage(Struct, frozen=True, kw_only=True):
    """Messages of the visible path as rows have them (a running answer without its text), oldest first.

    Attributes:
        feedback: Of the messages held.
        siblings: For each message that has siblings: all of their ids including its own, oldest first.
        has_older: Whether there are messages above the first.
        has_newer: Whether there are messages below the last on the same path.
        seq: The conversation's counter in the snapshot that was read.
        first_words: What it is called by while it has no title, as in a `ConversationPage`.
    """

    conversation: Conversation
    messages: tuple[Message, ...]
    feedback: tuple[MessageFeedback, ...]
    siblings: dict[str, tuple[str, ...]]
    has_older: bool
    has_newer: bool
    seq: int
    first_words: str | None


class Changes(Struct, frozen=True, kw_only=True):
    """Rows of one conversation as events, in seq order: those changed after a seq.

    `seq` is the conversation's counter in the snapshot read; `more`: the limit cut the batch short.
    A deleted conversation's changes are its `ConversationDeleted` alone, whatever `after` is.
    """

    events: tuple[ConversationEvent, ...]
    seq: int
    more: bool


class ListChanges(Struct, frozen=True, kw_only=True):
    """Likewise for a user's list."""

    events: tuple[ListChanged, ...]
    seq: int
    more: bool


SearchOrder = Literal["newest", "rank"]


class SearchFilter(Struct, frozen=True, kw_only=True):
    """Which messages are searched; what is None does not matter.

    Attributes:
        rating: Rated so by the user who searches.
        since: Created at or after.
        until: Created before.
        archived: True: also conversations in the archive.
    """

    role: Role | None = None
    rating: Rating | None = None
    model: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    conversation_id: str | None = None
    archived: bool = True


class Found(Struct, frozen=True, kw_only=True):
    """A message or (`message_id` None) a title that was found.

    Attributes:
        text: The words around what was found, or the title; ``…`` where something was cut off.
        marks: Where in `text` what was looked for stands: (first, end) in code points, in order.
        created_at: Of the message; of a title, when the conversation was last changed.
    """

    conversation: Conversation
    message_id: str | None
    role: Role | None
    model: str | None
    created_at: datetime
    text: str
    marks: tuple[tuple[int, int], ...]


class SearchPage(Struct, frozen=True, kw_only=True):
    """What was found; `next` asks for what follows, None: there is no more.

    Attributes:
        unindexed: About how many messages the index does not have (see `Reindex`).
        first_words: What conversations without a title are called by, as in a `ConversationPage`.
    """

    found: tuple[Found, ...]
    next: str | None
    unindexed: int
    first_words: dict[str, str] = {}


class Node(Struct, frozen=True, kw_only=True):
    """A message with all that an export takes along.

    Attributes:
        feedback: Of all users.
        raw: What the source of an import said beyond it, JSON text; None: nothing.
    """

    message: Message
    feedback: tuple[MessageFeedback, ...] = ()
    raw: str | None = None


class Tree(Struct, frozen=True, kw_only=True):
    """A whole conversation: all branches, by depth and then id; parents before their children."""

    conversation: Conversation
    nodes: tuple[Node, ...]
    raw: str | None = None


class Trees(Struct, frozen=True, kw_only=True):
    """A batch of whole conversations, oldest first; `next` asks for the following one, None: the last."""

    trees: tuple[Tree, ...]
    next: str | None


class DayStatistics(Struct, frozen=True, kw_only=True):
    """What was answered on one day by one model (None: without a name).

    Attributes:
        answers: Given here, in runs that have ended.
        imported: That came from elsewhere; of these nothing but votes is known.
        complete: How many of the `answers` were not stopped, failed or interrupted.
        likes: Of all these, by the user; likewise `dislikes`.
        first_token_seconds: The median of those `answers` that have one (see `Message`); None: there is none.
        seconds: How long all complete answers took together, from the run's begin to its end.
        tokens: Of those complete answers whose model counted them, together.
        token_seconds: How long these took.
    """

    day: date
    model: str | None
    answers: int
    imported: int
    complete: int
    likes: int
    dislikes: int
    first_token_seconds: float | None
    seconds: float
    tokens: int
    token_seconds: float
