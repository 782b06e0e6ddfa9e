"""What crosses the port to be written: each command is one unit, done whole or not at all.

`Store.write(command)` gives the command's result (the type in its brackets) or raises an error of
`chatcore.errors`. How units are grouped into transactions is the store's own affair.
"""

from typing import Generic, TypeVar

from msgspec import UNSET, Struct, UnsetType

from chatcore.messages import Conversation, Feedback, Message, Part, Policy, Role, Settings, Status, Usage

__all__ = [
    "AnswerMessage",
    "AppendDeltas",
    "ChangeConversation",
    "Command",
    "CreateConversation",
    "DeleteConversation",
    "EndRun",
    "ForgetFiles",
    "InterruptRuns",
    "MoveHead",
    "PartOpened",
    "PostMessage",
    "Purge",
    "Purged",
    "Rate",
    "Reindex",
    "Reindexed",
    "RunSpec",
    "SendMessage",
    "Sent",
    "Settle",
    "TextAdded",
    "UndeleteConversation",
]

R = TypeVar("R")


class Command(Struct, Generic[R], frozen=True, kw_only=True):
    """A unit of writing whose result is an `R`."""


class RunSpec(Struct, frozen=True, kw_only=True):
    """What a run is started with.

    Attributes:
        owner: The process that runs it (`Engine.owner`): its writes are refused in another's name.
        responder: Name of what answers.
        model: The model's own name, where known beforehand.
        max_open_runs: Refused with `LimitExceeded` when the user has that many queued or running answers.
    """

    owner: str
    responder: str
    model: str | None
    max_open_runs: int


class EndRun(Command[Message], frozen=True, kw_only=True):
    """Write the ending of an answer whole, and take its deltas away.

    A `complete` or `failed` ending starts the next queued answer of the conversation, a `stopped` one stops
    those behind it too.

    Raises:
        RunEnded: It has ended already, or belongs to another owner.
    """

    owner: str
    message_id: str
    status: Status
    parts: tuple[Part, ...]
    reason: str | None = None
    reason_code: str | None = None
    model: str | None = None
    usage: Usage | None = None
    memory_from: str | None = None
    first_token_seconds: float | None = None


class CreateConversation(Command[Conversation], frozen=True, kw_only=True):
    """Make a conversation without messages; the same `key` again gives the same one."""

    user: str
    title: str | None = None
    settings: Settings = Settings()
    key: str | None = None


class ChangeConversation(Command[Conversation], frozen=True, kw_only=True):
    """Change what is given; with `only_untitled` the title is set only while there is none.

    `pinned` or `archived` change nothing else, and nothing at all when they are so already.
    """

    user: str
    conversation_id: str
    title: str | None | UnsetType = UNSET
    pinned: bool | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    settings: Settings | UnsetType = UNSET
    only_untitled: bool = False


class DeleteConversation(Command[Conversation], frozen=True, kw_only=True):
    """Mark as deleted. `ends` is the ending (`stopped`) of the answer that runs; queued ones stop too.

    Raises:
        Busy: An answer runs that `ends` does not end.
    """

    user: str
    conversation_id: str
    ends: EndRun | None = None


class UndeleteConversation(Command[Conversation], frozen=True, kw_only=True):
    """Take the mark of deletion away."""

    user: str
    conversation_id: str


class MoveHead(Command[Conversation], frozen=True, kw_only=True):
    """Show the path through `message_id`: to the newest leaf below it, or (`exact`) to end just there.

    `message_id` None with `exact` shows an empty conversation (all undone).

    Raises:
        HeadMoved: The head is not `expected_head`.
        Busy: An answer is queued or running.
    """

    user: str
    conversation_id: str
    message_id: str | None
    exact: bool = False
    expected_head: str | None | UnsetType = UNSET


class PostMessage(Command[Message], frozen=True, kw_only=True):
    """Store a message below `parent` (unset: below the head) and ask nobody.

    It becomes the head, also as a branch; while an answer is queued or running a post without `parent`
    is refused with `Busy`, and one with `parent` leaves the head where it is.
    """

    user: str
    conversation_id: str
    parts: tuple[Part, ...]
    role: Role = "user"
    parent: str | None | UnsetType = UNSET
    expected_head: str | None | UnsetType = UNSET
    key: str | None = None


class Sent(Struct, frozen=True, kw_only=True):
    """A question and the answer that was begun for it; `repeated`: both were there already (same key)."""

    question: Message
    answer: Message
    repeated: bool = False


class SendMessage(Command[Sent], frozen=True, kw_only=True):
    """Store a question and its answer (`running`, or `queued` behind another), both in one unit.

    The question goes below `parent` (None: as a root; unset: below the head, or with policy ``queue`` below
    the last queued or running answer). With policy ``interrupt``, `ends` is the ending (`stopped`) of the
    running answer, written in the same unit.

    Raises:
        Busy: An answer is queued or running and the policy is ``reject``; or with ``interrupt`` when
            another answer runs than `ends` ends (the caller takes its text anew and tries again).
        HeadMoved, LimitExceeded, IdempotencyConflict
    """

    user: str
    conversation_id: str
    parts: tuple[Part, ...]
    run: RunSpec
    parent: str | None | UnsetType = UNSET
    expected_head: str | None | UnsetType = UNSET
    policy: Policy = "reject"
    key: str | None = None
    ends: EndRun | None = None


class AnswerMessage(Command[Sent], frozen=True, kw_only=True):
    """Begin a further answer to a question, as a sibling of those there are.

    `message_id` is the question, or an answer to it. With `continues` it must be an answer that has ended;
    the new one says so. Policy ``queue`` is not possible here.
    """

    user: str
    message_id: str
    run: RunSpec
    continues: bool = False
    policy: Policy = "reject"
    key: str | None = None
    ends: EndRun | None = None


class PartOpened(Struct, frozen=True):
    """Part `index` of the running message exists now (text and reasoning may grow, others are whole)."""

    message_id: str
    index: int
    part: Part


class TextAdded(Struct, frozen=True, gc=False):
    """`text` was added to part `index` at code point `start`."""

    message_id: str
    index: int
    start: int
    text: str


class AppendDeltas(Command[frozenset[str]], frozen=True, kw_only=True):
    """Append what running answers have said. Gives the ids of messages that run no more under `owner`:
    nothing was stored of those.
    """

    owner: str
    deltas: tuple[PartOpened | TextAdded, ...]


class InterruptRuns(Command[int], frozen=True, kw_only=True):
    """End orphaned answers as `interrupted`, each with all of its text that was committed; gives how many."""

    message_ids: tuple[str, ...]
    reason: str


class Rate(Command[Feedback | None], frozen=True, kw_only=True):
    """Set or take back (None) the user's feedback on a message; the same again changes nothing."""

    user: str
    message_id: str
    feedback: Feedback | None


class Purged(Struct, frozen=True, kw_only=True):
    """What one purge unit removed; `more`: there is more to do."""

    conversations: int
    messages: int
    more: bool


class Purge(Command[Purged], frozen=True, kw_only=True):
    """Remove rows of conversations deleted at least `older_than_seconds` ago, `max_rows` messages at most.

    Of a conversation its id, owner and number stay, so that late readers learn of its deletion.
    """

    older_than_seconds: float = 0.0
    max_rows: int = 500


class ForgetFiles(Command[frozenset[str]], frozen=True, kw_only=True):
    """Which of these `sha256` no message refers to."""

    sha256s: tuple[str, ...]


class Reindexed(Struct, frozen=True, kw_only=True):
    """What one unit of reindexing did: messages put into the index, and how many are left (about)."""

    messages: int
    left: int


class Reindex(Command[Reindexed], frozen=True, kw_only=True):
    """Put up to `max_messages` that are not in the search index into it, fewer where they are long.

    Attributes:
        anew: Empty the index before; all is found again only when `left` is 0.
    """

    max_messages: int = 500
    anew: bool = False


class Settle(Command[None], frozen=True, kw_only=True):
    """A power cut takes nothing that was written before it, not even what did not ask for that (`Ingest`)."""
