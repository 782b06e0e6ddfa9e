"""The calls of a client that are the owner's alone."""
# ruff: noqa: D102 -- what each call does is said at the engine's

from collections.abc import AsyncIterator, Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import anyio
from msgspec.structs import replace

from chatcore.commands import Purged, Reindexed
from chatcore.core import LOCAL_USER
from chatcore.filters import ExportFilter
from chatcore.formats.format import ReadOptions
from chatcore.ingestion.delivery import IngestOptions
from chatcore.ingestion.pipeline import IngestSource, ingest
from chatcore.ingestion.rehearsal import DryRun
from chatcore.ingestion.report import IngestProgress, IngestReport
from chatcore.ingestion.sink import FileReading, IngestFile
from chatcore.messages import Attachment
from chatcore.views import Tree, Trees
from frontends.http_api import bodies
from frontends.http_api.connection import PATIENT, Connection, segment
from frontends.http_api.sink import ServerSink

__all__ = ["Upkeep"]


class Upkeep:
    """What the owner of a data directory does with it (`frontends.http_api.owner` answers)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def health(self) -> bodies.Health:
        """Who answers there, with what and within which limits."""
        return await self._connection.call(bodies.Health, "GET", "health")

    async def attachment(
        self, message_id: str, index: int, *, user: str = LOCAL_USER
    ) -> tuple[Attachment, Path]:
        path = f"owner/files/{segment(message_id)}/{index:d}"
        stored = await self._connection.call(bodies.Stored, "GET", path, user=user)
        return stored.attachment, Path(stored.path)

    async def trees(
        self,
        *,
        conversation_ids: Sequence[str] | None = None,
        only: ExportFilter = ExportFilter(),
        user: str = LOCAL_USER,
    ) -> AsyncIterator[Tree]:
        ids = None if conversation_ids is None else tuple(conversation_ids)
        body = bodies.WantedTrees(conversation_ids=ids, only=only)
        while True:
            batch = await self._connection.call(
                Trees, "POST", "owner/trees", body, user=user, timeout=PATIENT
            )
            for tree in batch.trees:
                yield tree
            if batch.next is None:
                return
            body = replace(body, after=batch.next)

    async def ingest(  # noqa: PLR0913 -- a table of options
        self,
        source: IngestSource,
        *,
        format: str | None = None,  # noqa: A002 -- as the command calls it
        options: ReadOptions = ReadOptions(),
        index: bool = True,
        dry_run: bool | DryRun = False,
        limit: int | None = None,
        rejects: str | PathLike[str] | BinaryIO | None = None,
        progress: Callable[[IngestProgress], None] | None = None,
        user: str = LOCAL_USER,
    ) -> IngestReport:
        chosen = IngestOptions(
            format=format,
            read=options,
            index=index,
            dry_run=bool(dry_run),
            remembered=dry_run if isinstance(dry_run, DryRun) else None,
            limit=limit,
            rejects=rejects,
            progress=progress,
        )
        sink = ServerSink(self._connection, (await self.health()).limits, user)
        return await ingest(source, sink, _open_reading, chosen)

    async def check(self) -> list[str]:
        found = await self._connection.call(bodies.Problems, "POST", "owner/check", timeout=PATIENT)
        return found.problems

    async def backup(self, target: Path) -> None:
        body = bodies.Backup(path=str(await anyio.Path(target).absolute()))
        await self._connection.call(bodies.Done, "POST", "owner/backup", body, timeout=PATIENT)

    async def purge(self, *, older_than_seconds: float = 0.0, max_rows: int = 500) -> Purged:
        body = bodies.PurgeOlder(older_than_seconds=older_than_seconds, max_rows=max_rows)
        return await self._connection.call(Purged, "POST", "owner/purge", body, timeout=PATIENT)

    async def reindex(self, *, max_messages: int = 500, anew: bool = False) -> Reindexed:
        body = bodies.Reindex(max_messages=max_messages, anew=anew)
        return await self._connection.call(Reindexed, "POST", "owner/reindex", body, timeout=PATIENT)

    async def collect_files(self, *, untouched_seconds: float = 86_400.0) -> int:
        body = bodies.Collect(untouched_seconds=untouched_seconds)
        return (
            await self._connection.call(bodies.Collected, "POST", "owner/collect", body, timeout=PATIENT)
        ).files


def _open_reading(source: IngestFile, known: str | None, options: ReadOptions) -> FileReading:
    from chatcore.formats.reading import read_source

    return read_source(source, format=known, options=options)
