"""What an ingestion reads from and writes to: the engine itself or the client of a server alike."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from chatcore.arrivals import IngestConversation, Ingested
from chatcore.formats.format import ReadOptions
from chatcore.incoming import Incoming, Unread
from chatcore.limits import Limits
from chatcore.messages import Attachment
from chatcore.uploads import Upload

__all__ = ["FileReading", "IngestFile", "OpenReading", "Sink"]

IngestFile = str | os.PathLike[str] | BinaryIO
"""A path, ``-`` for standard input, or an open binary file."""


class FileReading(Protocol):
    """The conversations of a file, one by one, read on a thread."""

    def __iter__(self) -> Iterator[Incoming | Unread]:
        """Itself."""
        ...

    def __next__(self) -> Incoming | Unread:
        """The next, or what could not be read.

        Raises:
            Unrecognised: The file is in no known format.
        """
        ...

    def progress(self) -> tuple[int, int | None]:
        """Bytes that were read, and how many there are; None: nobody knows."""
        ...

    def record_of(self, item: Incoming) -> bytes | None:
        """The record of which the newest conversation was made; None: there is no single one."""
        ...

    def release(self, path: Path) -> None:
        """A file of the newest conversations (`IngestFile.at`) is needed no more."""
        ...

    def stop(self) -> None:
        """Have it end soon; from any thread."""
        ...

    def close(self) -> None:
        """Let go of everything; not while another thread reads."""
        ...


OpenReading = Callable[[IngestFile, str | None, ReadOptions], FileReading]
"""Opens a file in a format (None: by its first records); may raise `InvalidInput`."""


class Sink(Protocol):
    """Where an ingestion goes.

    Attributes:
        limits: Of titles and files.
        is_elsewhere: It is another process that stores.
        packer: What a process that reads calls for it (`chatcore.ports.Store.packer`).
    """

    limits: Limits
    is_elsewhere: bool
    packer: str | None

    async def put_file(self, upload: Upload) -> Attachment:
        """Keep a file; durable when it returns.

        Raises:
            LimitExceeded, InvalidInput, StorageError
        """
        ...

    async def write(
        self,
        conversations: Sequence[IngestConversation],
        *,
        index: bool,
        dry_run: bool,
        packed: bytes | None = None,
    ) -> tuple[Ingested, ...]:
        """Store these, all or none; gives what became of each. A power cut may take it until `settle`.

        Raises:
            ChatcoreError
        """
        ...

    async def settle(self) -> None:
        """A power cut takes nothing of what was written.

        Raises:
            StorageError
        """
        ...
