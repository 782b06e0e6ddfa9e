"""A store whose rows are gone with the process: for tests and trials, on asyncio and trio."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from anyio import CancelScope, to_thread
from anyio.lowlevel import checkpoint

from chatcore.commands import Command
from chatcore.errors import StorageError
from chatcore.messages import Attachment, Conversation, Message
from chatcore.ports import Anybody, FileStore, Publish, Store
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
from storage.files import Files, open_files
from storage.ids import IdSource
from storage.memory.arriving import ArrivingRows
from storage.memory.checking import problems
from storage.memory.reads import Reads
from storage.memory.searching import search
from storage.memory.statistics import statistics
from storage.memory.tables import Tables
from storage.memory.trees import trees
from storage.units import is_dry, run_unit

__all__ = ["MemoryStore", "open_store"]

R = TypeVar("R")


@asynccontextmanager
async def open_store(location: str, *, publish: Publish) -> AsyncIterator[Store]:
    """An empty store; its files are in a temporary directory that is removed at the exit.

    `location` is for the reader's eyes only: each store is one of its own.
    """
    directory = await to_thread.run_sync(lambda: TemporaryDirectory(prefix="chatcore-"))
    try:
        yield MemoryStore(open_files(Path(directory.name)), publish)
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(directory.cleanup)


class MemoryStore:
    """A `chatcore.ports.Store` over dicts."""

    packer: str | None = None

    def __init__(self, files: Files, publish: Publish) -> None:
        self.epoch = secrets.token_hex(8)
        self.directory: Path | None = None
        self.files: FileStore = files
        self._files = files
        self._publish = publish
        self._tables = Tables()
        self._reads = Reads(self._tables)
        self._ids = IdSource()

    async def write(self, command: Command[R]) -> R:
        """Do the unit; before it others may run and it can be cancelled, as with a real store."""
        await checkpoint()
        rows = ArrivingRows(self._tables, self._ids)
        with ExitStack() as undone:
            undone.callback(rows.undo)
            result = run_unit(rows, command)
            if not is_dry(command):
                undone.pop_all()
                self._publish(rows.events)
        return result

    async def conversation(self, user: str | Anybody, conversation_id: str) -> Conversation:
        """See `chatcore.ports.Store`, as for all that follows."""
        await checkpoint()
        return self._reads.conversation(user, conversation_id)

    async def message(self, user: str | Anybody, message_id: str) -> Message:
        """One message."""
        await checkpoint()
        return self._reads.message(user, message_id)

    async def conversations(
        self, user: str, *, archived: bool, pinned: bool | None, after: str | None, limit: int
    ) -> ConversationPage:
        """A page of the user's list."""
        await checkpoint()
        return self._reads.conversations(user, archived=archived, pinned=pinned, after=after, limit=limit)

    async def page(
        self, user: str, conversation_id: str, *, before: str | None, around: str | None, limit: int
    ) -> StoredPage:
        """A page of a path."""
        await checkpoint()
        return self._reads.page(user, conversation_id, before=before, around=around, limit=limit)

    async def changes(self, user: str, conversation_id: str, *, after: int, limit: int) -> Changes:
        """What has changed in a conversation."""
        await checkpoint()
        return self._reads.changes(user, conversation_id, after=after, limit=limit)

    async def list_changes(self, user: str, *, after: int, limit: int) -> ListChanges:
        """What has changed in the user's list."""
        await checkpoint()
        return self._reads.list_changes(user, after=after, limit=limit)

    async def ancestors(self, message_id: str, *, limit: int) -> list[Message]:
        """The message and those above it."""
        await checkpoint()
        return self._reads.ancestors(message_id, limit)

    async def orphans(self, owner: str) -> list[str]:
        """Answers of other owners: memory outlives no process, but one process may hold two engines."""
        await checkpoint()
        return self._reads.orphans(owner)

    async def search(
        self, user: str, query: str, *, among: SearchFilter, order: SearchOrder, after: str | None, limit: int
    ) -> SearchPage:
        """What is found."""
        await checkpoint()
        return search(self._tables, user, query, among, order, after, limit)

    async def trees(
        self, user: str, *, conversation_ids: Sequence[str] | None, after: str | None, messages: int
    ) -> Trees:
        """Whole conversations."""
        await checkpoint()
        return trees(self._tables, user, conversation_ids, after, messages)

    async def statistics(
        self, user: str, *, since: datetime, utc_offset_minutes: int
    ) -> tuple[DayStatistics, ...]:
        """Numbers about answers."""
        await checkpoint()
        return statistics(self._tables, user, since, utc_offset_minutes)

    async def attachments(self, *, after: int, limit: int) -> tuple[list[Attachment], int | None]:
        """A batch of the files that are referred to."""
        await checkpoint()
        return self._reads.attachments(after, limit)

    async def check(self) -> list[str]:
        """What contradicts itself in the tables, and files that are not there."""
        await checkpoint()
        kept, _ = self._reads.attachments(0, len(self._tables.files))
        return [*problems(self._tables), *await self._files.damage(kept)]

    async def backup(self, target: Path) -> None:
        """Refused: there is no form on the disk that could be opened again.

        Raises:
            StorageError: Always.
        """
        await checkpoint()
        raise StorageError(
            "Conversations that are kept in memory only can't be backed up.", target=str(target)
        )
