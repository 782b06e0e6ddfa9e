"""The store's calls, each handed to the connection that does it."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

from anyio import CancelScope, Lock, to_thread

from chatcore.arrivals import Ingest, Ingested
from chatcore.commands import Command
from chatcore.errors import NotFound
from chatcore.messages import Attachment, Conversation, Message
from chatcore.ports import Anybody, FileStore
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
from storage.files import Files
from storage.sqlite import pages, reads
from storage.sqlite.backup import BackupFolder, copy_database
from storage.sqlite.check import DECODED, damage, undecodable
from storage.sqlite.readers import Readers
from storage.sqlite.ready import Shelf, make_ready, unpack
from storage.sqlite.searching import search
from storage.sqlite.statistics import statistics
from storage.sqlite.trees import trees
from storage.sqlite.writer import Writer

__all__ = ["DATABASE", "SqliteStore"]

R = TypeVar("R")

_CHECKED_AT_ONCE = 500

DATABASE = "chat.db"
"""Name of the database in the data directory."""


class SqliteStore:
    """A `chatcore.ports.Store` in a data directory that this process owns. It runs on asyncio."""

    packer: str | None = "storage.sqlite.ready:pack"

    def __init__(
        self, epoch: str, directory: Path, files: Files, writer: Writer, readers: Readers, shelf: Shelf
    ) -> None:
        self.epoch = epoch
        self.directory: Path | None = directory
        self.files: FileStore = files
        self._files = files
        self._writer = writer
        self._readers = readers
        self._shelf = shelf
        self._in_turn = Lock()

    async def write(self, command: Command[R]) -> R:
        """See `chatcore.ports.Store`, as for all of these."""
        if not isinstance(command, Ingest):
            return await self._writer.write(command)
        return cast(R, await self._ingest(command))

    async def _ingest(self, command: Ingest) -> tuple[Ingested, ...]:
        sources, packed = command.conversations, command.packed
        if not sources or any(one.first for one in sources):  # later slices go to what is there
            return await self._writer.write(command)
        async with self._in_turn:  # batches are stored in the order in which they came
            if packed is not None:
                ready = unpack(packed, sources)
            else:
                ready = await to_thread.run_sync(partial(make_ready, sources, index=command.index))
        self._shelf.put(sources, ready)
        try:
            return await self._writer.write(command)
        finally:
            self._shelf.drop(sources)

    async def conversation(self, user: str | Anybody, conversation_id: str) -> Conversation:
        return await self._readers.read(reads.conversation, user, conversation_id)

    async def message(self, user: str | Anybody, message_id: str) -> Message:
        return await self._readers.read(reads.message, user, message_id)

    async def conversations(
        self, user: str, *, archived: bool, pinned: bool | None, after: str | None, limit: int
    ) -> ConversationPage:
        return await self._readers.read(reads.conversations, user, archived, pinned, after, limit)

    async def page(
        self, user: str, conversation_id: str, *, before: str | None, around: str | None, limit: int
    ) -> StoredPage:
        return await self._readers.read(pages.page, user, conversation_id, before, around, limit)

    async def changes(self, user: str, conversation_id: str, *, after: int, limit: int) -> Changes:
        return await self._readers.read(reads.changes, user, conversation_id, after, limit)

    async def list_changes(self, user: str, *, after: int, limit: int) -> ListChanges:
        return await self._readers.read(reads.list_changes, user, after, limit)

    async def ancestors(self, message_id: str, *, limit: int) -> list[Message]:
        return await self._readers.read(reads.ancestors, message_id, limit)

    async def orphans(self, owner: str) -> list[str]:
        # the lock of the directory is ours, so whoever else owned a run is gone
        return await self._readers.read(reads.orphans, owner)

    async def search(
        self, user: str, query: str, *, among: SearchFilter, order: SearchOrder, after: str | None, limit: int
    ) -> SearchPage:
        return await self._readers.read(search, user, query, among, order, after, limit)

    async def trees(
        self, user: str, *, conversation_ids: Sequence[str] | None, after: str | None, messages: int
    ) -> Trees:
        return await self._readers.read(trees, user, conversation_ids, after, messages)

    async def statistics(
        self, user: str, *, since: datetime, utc_offset_minutes: int
    ) -> tuple[DayStatistics, ...]:
        return await self._readers.read(statistics, user, since, utc_offset_minutes)

    async def attachments(self, *, after: int, limit: int) -> tuple[list[Attachment], int | None]:
        return await self._readers.read(reads.attachments, after, limit)

    async def check(self) -> list[str]:
        sentences = await self._readers.read(damage)
        after: int | None
        for kind in DECODED:
            after = 0
            while after is not None:
                found, after = await self._readers.read(undecodable, kind, after, _CHECKED_AT_ONCE)
                sentences += found
        after = 0
        while after is not None:
            batch, after = await self.attachments(after=after, limit=_CHECKED_AT_ONCE)
            sentences += await to_thread.run_sync(self._damaged_files, batch)
        return sentences

    async def backup(self, target: Path) -> None:
        folder = BackupFolder(target)
        try:
            made = await to_thread.run_sync(folder.make)
            async with self._files.uncollected():
                await self._readers.run(copy_database, made / DATABASE)
                await self._files.copy_to(made)
            await to_thread.run_sync(folder.finish)
        finally:
            with CancelScope(shield=True):
                await to_thread.run_sync(folder.discard)

    def _damaged_files(self, attachments: list[Attachment]) -> list[str]:
        sentences = []
        for attachment in attachments:
            try:
                size_bytes = self.files.path(attachment).stat().st_size
            except (NotFound, OSError):
                sentences.append(f"The file {attachment.path} is missing.")
                continue
            if size_bytes != attachment.size_bytes:
                sentences.append(
                    f"The file {attachment.path} has {size_bytes} bytes, not {attachment.size_bytes}."
                )
        return sentences
