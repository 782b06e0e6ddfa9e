"""Calls that take conversations in, many at a time."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from os import PathLike
from typing import BinaryIO

import anyio

from chatcore.arrivals import Ingest, IngestConversation, Ingested
from chatcore.commands import Settle
from chatcore.core import LOCAL_USER, Core
from chatcore.errors import InvalidInput, NotFound
from chatcore.formats.format import ReadOptions
from chatcore.ingestion.checking import check_batch
from chatcore.ingestion.delivery import IngestOptions
from chatcore.ingestion.pipeline import IngestSource, ingest
from chatcore.ingestion.rehearsal import DryRun
from chatcore.ingestion.report import IngestProgress, IngestReport
from chatcore.messages import Attachment, File
from chatcore.uploads import Upload

__all__ = ["Intake"]

Write = Callable[[Ingest], Awaitable[tuple[Ingested, ...]]]
Settling = Callable[[], Coroutine[None, None, None]]


class Intake(Core):
    """The engine's calls about conversations that come from elsewhere."""

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
        """Take all conversations of a source in; gives what became of each of them.

        What can't be read or taken is a failure in the report and stops nothing else. The same again changes
        nothing; a newer version adds what is new. Cancelling leaves each conversation whole or not there (of
        a long one a beginning that nobody sees); the same again goes on.

        Args:
            source: A file (its path, ``-`` for standard input, an open binary file, which stays open), in
                any known format, packed or not, an archive or a folder; or conversations one by one.
            format: Name of the format of a file; None: by its first records.
            options: How a file is to be read.
            index: Whether what is new can be searched at once; else `reindex` sees to it.
            dry_run: Tell the same and store nothing; a `DryRun` remembers from one call to the next, as the
                store would.
            limit: Stop after so many conversations; None: all.
            rejects: Where records that can't be taken are written, one JSON object a line: a path, or an open
                file, which stays open.
            progress: Called after each batch, on the event loop.

        Raises:
            InvalidInput: There is no such file or format, or `rejects` can't be written.
            Unrecognised: The file is in no known format.
            IngestStopped: The store failed; the error has the report of what was done.
        """
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
        sink = _EngineSink(self, self._write, self._settle, self._store.packer, user)
        return await ingest(source, sink, self._open_reading, chosen)

    async def ingest_batch(
        self,
        conversations: Sequence[IngestConversation],
        *,
        index: bool = True,
        dry_run: bool = False,
        user: str = LOCAL_USER,
    ) -> tuple[Ingested, ...]:
        """Store a batch that another process has prepared, as one unit.

        Raises:
            InvalidInput: It is not whole, or has files that were not stored here (`ingest_file`).
            LimitExceeded: It has too many votes.
            StorageError
        """
        check_batch(conversations, dry_run=dry_run)
        for conversation in conversations:
            for message in conversation.messages:
                for part in message.parts:
                    if isinstance(part, File) and not dry_run:
                        await self._check_stored(part.attachment)
        return await self._write(
            Ingest(user=user, conversations=tuple(conversations), index=index, dry_run=dry_run)
        )

    async def ingest_file(self, upload: Upload) -> Attachment:
        """Keep a file that a batch will refer to.

        Raises:
            LimitExceeded, InvalidInput, StorageError
        """
        return await self._store.files.put(upload.source, upload.name, max_bytes=self.limits.file_bytes)

    async def _settle(self) -> None:
        await self._write(Settle())

    async def _check_stored(self, attachment: Attachment) -> None:
        def size_bytes() -> int:
            return self._store.files.path(attachment).stat().st_size

        try:
            size = await anyio.to_thread.run_sync(size_bytes)
        except (NotFound, OSError):
            size = -1
        if size != attachment.size_bytes:
            raise InvalidInput(f"The file “{attachment.name}” was not stored here before.")


class _EngineSink:
    """The engine as an ingestion's sink: what comes from here needs no second look."""

    is_elsewhere = False

    def __init__(self, engine: Intake, write: Write, settle: Settling, packer: str | None, user: str) -> None:
        self.limits = engine.limits
        self.settle = settle
        self.packer = packer
        self.put_file = engine.ingest_file
        self._write = write
        self._user = user

    async def write(
        self,
        conversations: Sequence[IngestConversation],
        *,
        index: bool,
        dry_run: bool,
        packed: bytes | None = None,
    ) -> tuple[Ingested, ...]:
        return await self._write(
            Ingest(
                user=self._user,
                conversations=tuple(conversations),
                index=index,
                dry_run=dry_run,
                durable=False,
                packed=packed,
            )
        )
