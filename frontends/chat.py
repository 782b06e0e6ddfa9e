"""What people's frontends need of an engine: fulfilled by the engine itself and by the client of a server."""
# ruff: noqa: D102 -- what each call does is said at the engine's

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import BinaryIO, Protocol

from msgspec import UNSET, UnsetType

from chatcore.commands import Purged, Reindexed, Sent
from chatcore.core import LOCAL_USER
from chatcore.events import ConversationEvent
from chatcore.filters import ExportFilter
from chatcore.formats.format import ReadOptions
from chatcore.ingestion.pipeline import IngestSource
from chatcore.ingestion.rehearsal import DryRun
from chatcore.ingestion.report import IngestProgress, IngestReport
from chatcore.messages import Attachment, Conversation, Feedback, Message, Policy, Rating, Role, Settings
from chatcore.pages import Page
from chatcore.uploads import FileInput
from chatcore.views import ConversationPage, SearchOrder, SearchPage, Tree

__all__ = ["Chat", "Events"]


class Events(Protocol):
    """Events of a conversation as they come; `cursor` is the place after the last one given."""

    cursor: str

    def __aiter__(self) -> AsyncIterator[ConversationEvent]:
        """Itself."""
        ...

    async def __anext__(self) -> ConversationEvent:
        """The next event; ends after `ConversationDeleted`."""
        ...


class Chat(Protocol):
    """The calls of `chatcore.Engine`, with its names, signatures, results and errors; see there.

    Through a client each may raise `frontends.http_api.client.ServerGone` as well.
    """

    async def create(
        self,
        title: str | None = None,
        settings: Settings | None = None,
        *,
        key: str | None = None,
        user: str = LOCAL_USER,
    ) -> Conversation: ...

    async def conversation(self, conversation_id: str, *, user: str = LOCAL_USER) -> Conversation: ...

    async def conversations(
        self,
        *,
        archived: bool = False,
        pinned: bool | None = None,
        after: str | None = None,
        limit: int = 50,
        user: str = LOCAL_USER,
    ) -> ConversationPage: ...

    async def rename(
        self, conversation_id: str, title: str | None, *, user: str = LOCAL_USER
    ) -> Conversation: ...

    async def pin(
        self, conversation_id: str, pinned: bool = True, *, user: str = LOCAL_USER
    ) -> Conversation: ...

    async def archive(
        self, conversation_id: str, archived: bool = True, *, user: str = LOCAL_USER
    ) -> Conversation: ...

    async def configure(
        self, conversation_id: str, settings: Settings, *, user: str = LOCAL_USER
    ) -> Conversation: ...

    async def delete(self, conversation_id: str, *, user: str = LOCAL_USER) -> Conversation: ...

    async def undelete(self, conversation_id: str, *, user: str = LOCAL_USER) -> Conversation: ...

    async def post(
        self,
        conversation_id: str,
        text: str,
        files: Sequence[FileInput] = (),
        *,
        role: Role = "user",
        parent: str | None | UnsetType = UNSET,
        expected_head: str | None | UnsetType = UNSET,
        key: str | None = None,
        user: str = LOCAL_USER,
    ) -> Message: ...

    async def send(
        self,
        conversation_id: str,
        text: str,
        files: Sequence[FileInput] = (),
        *,
        parent: str | None | UnsetType = UNSET,
        expected_head: str | None | UnsetType = UNSET,
        policy: Policy = "reject",
        key: str | None = None,
        user: str = LOCAL_USER,
    ) -> Sent: ...

    async def edit(
        self,
        message_id: str,
        text: str,
        files: Sequence[FileInput] | None = None,
        *,
        policy: Policy = "reject",
        key: str | None = None,
        user: str = LOCAL_USER,
    ) -> Sent: ...

    async def regenerate(
        self, message_id: str, *, policy: Policy = "reject", key: str | None = None, user: str = LOCAL_USER
    ) -> Sent: ...

    async def continue_answer(
        self, message_id: str, *, policy: Policy = "reject", key: str | None = None, user: str = LOCAL_USER
    ) -> Sent: ...

    async def stop(self, conversation_id: str, *, user: str = LOCAL_USER) -> None: ...

    async def move_head(
        self,
        conversation_id: str,
        message_id: str,
        *,
        expected_head: str | None | UnsetType = UNSET,
        user: str = LOCAL_USER,
    ) -> Conversation: ...

    async def undo(self, conversation_id: str, *, user: str = LOCAL_USER) -> Conversation: ...

    async def rate(
        self,
        message_id: str,
        rating: Rating | None,
        *,
        comment: str | None = None,
        reasons: Sequence[str] = (),
        user: str = LOCAL_USER,
    ) -> Feedback | None: ...

    async def message(self, message_id: str, *, user: str = LOCAL_USER) -> Message: ...

    async def attachment(
        self, message_id: str, index: int, *, user: str = LOCAL_USER
    ) -> tuple[Attachment, Path]: ...

    async def wait_ended(self, message_id: str, *, user: str = LOCAL_USER) -> Message: ...

    async def page(
        self,
        conversation_id: str,
        *,
        before: str | None = None,
        around: str | None = None,
        limit: int = 100,
        user: str = LOCAL_USER,
    ) -> Page: ...

    async def search(  # noqa: PLR0913 -- each filter by its name
        self,
        query: str,
        *,
        role: Role | None = None,
        rating: Rating | None = None,
        model: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        conversation_id: str | None = None,
        archived: bool = True,
        order: SearchOrder = "newest",
        after: str | None = None,
        limit: int = 20,
        user: str = LOCAL_USER,
    ) -> SearchPage: ...

    def subscribe(
        self,
        conversation_id: str,
        *,
        after: str | None = None,
        window_seconds: float = 0.0,
        user: str = LOCAL_USER,
    ) -> AbstractAsyncContextManager[Events]: ...

    def trees(
        self,
        *,
        conversation_ids: Sequence[str] | None = None,
        only: ExportFilter = ExportFilter(),
        user: str = LOCAL_USER,
    ) -> AsyncIterator[Tree]: ...

    async def ingest(  # noqa: PLR0913 -- as the engine's
        self,
        source: IngestSource,
        *,
        format: str | None = None,  # noqa: A002
        options: ReadOptions = ReadOptions(),
        index: bool = True,
        dry_run: bool | DryRun = False,
        limit: int | None = None,
        rejects: str | PathLike[str] | BinaryIO | None = None,
        progress: Callable[[IngestProgress], None] | None = None,
        user: str = LOCAL_USER,
    ) -> IngestReport: ...

    async def check(self) -> list[str]: ...

    async def backup(self, target: Path) -> None: ...

    async def purge(self, *, older_than_seconds: float = 0.0, max_rows: int = 500) -> Purged: ...

    async def reindex(self, *, max_messages: int = 500, anew: bool = False) -> Reindexed: ...

    async def collect_files(self, *, untouched_seconds: float = 86_400.0) -> int: ...
