"""The ports: what the engine needs of a store, of a place for files, and of what answers.

Implementations live in `storage/` and `chatcore/responders/`; the engine knows only these protocols.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Final, Protocol, TypeVar, runtime_checkable

from msgspec import Struct

from chatcore.asked import Asked
from chatcore.commands import Command
from chatcore.events import ConversationEvent, ListChanged
from chatcore.messages import (
    Attachment,
    Conversation,
    Message,
    Part,
    Reasoning,
    Settings,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)
from chatcore.views import (
    Changes,
    ConversationPage,
    DayStatistics,
    ListChanges,
    SearchFilter,
    SearchOrder,
    SearchPage,
    StoredPage,
    Trees,
)

__all__ = [
    "ANYBODY",
    "Anybody",
    "FileStore",
    "ListMoved",
    "OpenStore",
    "Output",
    "Publish",
    "Responder",
    "Store",
    "Titling",
]

R = TypeVar("R")


class ListMoved(Struct, frozen=True, kw_only=True):
    """So much of the list of `user` has changed up to `seq` at once that it is read from rows instead."""

    user: str
    seq: int


Publish = Callable[[Sequence[ConversationEvent | ListChanged | ListMoved]], None]
"""Called by the store on the event loop's thread, right after a commit and before any caller of that commit
is woken, with the events of the group in seq order per conversation. It does not block and does not raise."""


class Anybody(Enum):
    """In place of a user: the engine itself, to whom every conversation is open that is not deleted.

    A value of its own, which nobody gives by mistake: a user who is missing (None) finds nothing.
    """

    ANYBODY = "anybody"


ANYBODY: Final = Anybody.ANYBODY


class FileStore(Protocol):
    """Where attachments' contents are kept: content-addressed, durable before `put` returns."""

    async def put(self, source: Path | AsyncIterator[bytes], name: str, *, max_bytes: int) -> Attachment:
        """Keep a copy of the content and give its attachment; the same content is kept once.

        When it returns, the content survives a power cut.

        Raises:
            LimitExceeded: Longer than `max_bytes` (found while reading, not after).
            InvalidInput: The source can't be read.
            StorageError: It could not be written; nothing is left behind.
        """
        ...

    def path(self, attachment: Attachment) -> Path:
        """The absolute path of the content, always inside of the store.

        Raises:
            NotFound: It is not there.
        """
        ...

    async def collect(self, store: "Store", *, untouched_seconds: float) -> int:
        """Remove contents that no message refers to and that were not put for so long; gives how many.

        One that this process has put stays for an hour in any case: its message may be on its way.
        """
        ...


class Store(Protocol):
    """Conversations, messages, feedback. Reads never block writes; each read is one snapshot.

    Attributes:
        epoch: Random id, new at creation, at restore and at each start that does not follow a clean stop.
        files: The file store that belongs to it.
        packer: A function, as ``module:name``, that makes of conversations (and whether they are indexed)
            what `Ingest` takes as `packed`, so that another process does that; None: there is none.
        directory: The data directory that this process owns for it; None: it is in memory alone.
    """

    epoch: str
    files: FileStore
    packer: str | None
    directory: Path | None

    async def write(self, command: Command[R]) -> R:
        """Do the unit and give its result, acknowledged: on the disk, its events published.

        Cancelling takes the unit back only while it has not been begun.

        Raises:
            ChatcoreError: The unit's own refusal, or `StorageError`: then nothing of it was stored.
        """
        ...

    async def conversation(self, user: str | Anybody, conversation_id: str) -> Conversation:
        """Raises NotFound, as every read by id here: also when deleted, or another user's; and
        StorageCorrupt when this very row can't be decoded. Lists show such a conversation without settings.
        """
        ...

    async def message(self, user: str | Anybody, message_id: str) -> Message:
        """Likewise; the message as its row is (a running answer without its text)."""
        ...

    async def conversations(
        self, user: str, *, archived: bool, pinned: bool | None, after: str | None, limit: int
    ) -> ConversationPage:
        """Entries by `activity`, newest first; `pinned` None means both kinds; `after` is a page's `next`."""
        ...

    async def page(
        self, user: str, conversation_id: str, *, before: str | None, around: str | None, limit: int
    ) -> StoredPage:
        """The newest `limit` messages of the visible path; those above message `before`; or those nearest
        to message `around` (on the visible path when it lies there, else on the path to the newest leaf
        below it).
        """
        ...

    async def changes(self, user: str, conversation_id: str, *, after: int, limit: int) -> Changes:
        """What has changed since; not raised for a deleted conversation of the user's (see `Changes`)."""
        ...

    async def list_changes(self, user: str, *, after: int, limit: int) -> ListChanges:
        """What has changed in the user's list since; entries deleted or purged come as `deleted`."""
        ...

    async def ancestors(self, message_id: str, *, limit: int) -> list[Message]:
        """The message and those above it, newest first (for the engine; no user is asked for)."""
        ...

    async def orphans(self, owner: str) -> list[str]:
        """Ids of queued or running answers that no living process owns."""
        ...

    async def search(
        self, user: str, query: str, *, among: SearchFilter, order: SearchOrder, after: str | None, limit: int
    ) -> SearchPage:
        """Messages and titles of the user's conversations with all words of `query`: any string is one.

        Raises:
            InvalidInput: `after` is not a page's `next`.
        """
        ...

    async def trees(
        self, user: str, *, conversation_ids: Sequence[str] | None, after: str | None, messages: int
    ) -> Trees:
        """Whole conversations of the user (None: all that are not deleted, archived ones too), oldest first,
        until they have `messages` messages; one at least. A running answer is as its row is.

        Raises:
            NotFound: One of `conversation_ids` is not there.
            InvalidInput: `after` is not a batch's `next`.
        """
        ...

    async def statistics(
        self, user: str, *, since: datetime, utc_offset_minutes: int
    ) -> tuple[DayStatistics, ...]:
        """What was answered since, by days (of a clock that is so far from UTC) and models.

        Of the newest 50,000 answers in the store, and of answers that came from elsewhere those in the
        newest conversations that have 50,000 messages together: it costs a bounded time.
        """
        ...

    async def attachments(self, *, after: int, limit: int) -> tuple[list[Attachment], int | None]:
        """All distinct attachments that messages refer to, in batches; the second is the next `after`."""
        ...

    async def check(self) -> list[str]:
        """Sentences about what is damaged; empty when all is well."""
        ...

    async def backup(self, target: Path) -> None:
        """Write a whole, openable copy (database and files) to the new directory `target`."""
        ...


class OpenStore(Protocol):
    """The entry point of group ``chatcore.stores``: ``NAME:location`` in a URL names it."""

    def __call__(self, location: str, *, publish: Publish) -> AbstractAsyncContextManager[Store]:
        """A store that is open until the block ends; what it commits goes to `publish`."""
        ...


Output = str | Text | Reasoning | ToolCall | ToolResult | Usage
"""What a responder may yield: text *added* (str and Text), reasoning added, whole tool steps, counts."""


class Responder(Protocol):
    """What answers.

    Attributes:
        name: Under which conversations choose it.
        model: The model's own name, shown to people; None where there is none.
        context_tokens: How many tokens question, history and answer may have; None: no bound known.
        can_continue: Whether it can go on from a given beginning (`Asked.beginning`).
    """

    name: str
    model: str | None
    context_tokens: int | None
    can_continue: bool

    def respond(self, asked: Asked) -> AsyncIterator[Output]:
        """Answer the last question of `asked`. The iterator is closed (`aclose`) when the run is stopped;
        whatever it raises ends the run `failed`; a `ChatcoreError`'s sentence is shown to the person.
        """
        ...

    def refusal(self, parts: Sequence[Part], settings: Settings) -> str | None:
        """Why it can't answer this question at all (a sentence), asked before a run starts; else None."""
        ...


@runtime_checkable
class Titling(Protocol):
    """What a responder may offer beside answers: titles."""

    async def make_title(self, asked: Asked, answer: str) -> str | None:
        """What to call the conversation, after its first whole answer; None: its first words will do.

        Nobody waits for it: the answer has ended, the next question may come. One short line is kept of it,
        and nothing where a person has given a title meanwhile. It is cancelled when it takes long and when
        the engine closes; then, and whatever it raises, the first words are taken.
        """
        ...
