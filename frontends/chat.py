"""What people's frontends need of an engine: fulfilled by the engine itself and by the client of a server."""
# ruff: noqa: D102 -- what each call does is said at the engine's

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from msgspec import UNSET, UnsetType

from chatcore.commands import Purged, Sent
from chatcore.core import LOCAL_USER
from chatcore.events import ConversationEvent
from chatcore.messages import Attachment, Conversation, Feedback, Message, Policy, Rating, Role, Settings
from chatcore.pages import Page
from chatcore.ports import ConversationPage
from chatcore.uploads import FileInput

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

    def subscribe(
        self,
        conversation_id: str,
        *,
        after: str | None = None,
        window_seconds: float = 0.0,
        user: str = LOCAL_USER,
    ) -> AbstractAsyncContextManager[Events]: ...

    async def check(self) -> list[str]: ...

    async def backup(self, target: Path) -> None: ...

    async def purge(self, *, older_than_seconds: float = 0.0, max_rows: int = 500) -> Purged: ...

    async def collect_files(self, *, untouched_seconds: float = 86_400.0) -> int: ...
