"""Contents under their hash: `files/ab/<sha256>`, each kept once and durable before it is named."""

import errno
import os
import secrets
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from pathlib import Path
from threading import Lock
from typing import TypeVarTuple

from anyio import CancelScope, to_thread

from chatcore.errors import LimitExceeded, NotFound, StorageError
from chatcore.messages import Attachment
from chatcore.ports import Store
from storage.files.collector import TEMP_FOLDER, Collector
from storage.files.disk import Disk
from storage.files.names import clean_name
from storage.files.reading import read_pieces
from storage.files.temp import Temp

__all__ = ["Files", "open_files"]

Ts = TypeVarTuple("Ts")

FOLDER = "files"
PIECE_BYTES = 256 * 1024
"""How much is gathered before a worker thread is asked to write it."""


def open_files(directory: Path, *, disk: Disk | None = None) -> "Files":
    """The file store of a data directory that the caller owns; nothing is made before the first `put`."""
    return Files(directory, disk or Disk())


class Files:
    """A `chatcore.ports.FileStore` in a folder of this process's own data directory."""

    def __init__(self, directory: Path, disk: Disk) -> None:
        self._directory = Path(os.path.realpath(directory))
        self._root = self._directory / FOLDER
        self._disk = disk
        self._synced: set[Path] = set()
        self._writing: set[str] = set()
        # Under this a content is found and touched, or put in its place; and, by the collector, looked at
        # for the last time and removed. It is taken in worker threads, where a step that a cancelled task
        # left behind still holds it; a lock of the tasks would be free by then.
        self._mutex = Lock()
        self._collector = Collector(self._root, disk, self._mutex, self._writing)

    async def put(self, source: Path | AsyncIterator[bytes], name: str, *, max_bytes: int) -> Attachment:
        """Keep a copy of the content and give its attachment; the same content is kept once.

        When it returns, the content survives a power cut. Cancelled or failed, it leaves nothing behind.
        A `source` that is an async generator is closed in any case.

        Raises:
            LimitExceeded: Longer than `max_bytes` (found while reading, not after).
            InvalidInput: The source can't be read.
            StorageError: It could not be written.
        """
        pieces = read_pieces(source) if isinstance(source, Path) else source
        temp = Temp(self._disk, self._root / TEMP_FOLDER / secrets.token_hex(16))
        self._writing.add(temp.path.name)
        try:
            await self._run(self._make_folders, temp.path.parent)
            async with aclosing(pieces) if isinstance(pieces, AsyncGenerator) else nullcontext():
                await self._fill(temp, pieces, max_bytes)
            await self._run(self._keep, temp)
            return self._attachment(temp, clean_name(name))
        finally:
            self._writing.discard(temp.path.name)  # whatever keeps it from being discarded, the collector may
            with CancelScope(shield=True):
                await to_thread.run_sync(temp.discard)

    def path(self, attachment: Attachment) -> Path:
        """The absolute path of the content, always inside of the store. It looks at the disk (briefly).

        Raises:
            NotFound: It is not there.
        """
        path = self._place(attachment.sha256)
        # The path is derived from the hash alone, and a symbolic link on the way is not followed.
        if path is None or path.resolve() != path or not _is_file(path):
            raise NotFound("The file is not in the store.", sha256=attachment.sha256)
        return path

    async def collect(self, store: Store, *, untouched_seconds: float) -> int:
        """Remove contents that no message refers to and that were not put for so long; gives how many.

        Temporary files that a dead process left behind go too.
        """
        try:
            return await self._collector.collect(store, untouched_seconds)
        except OSError as error:
            raise _failed(error) from error

    async def damage(self, attachments: Iterable[Attachment]) -> list[str]:
        """A sentence for each content that is missing or has another length than its attachment."""

        def sentences() -> Iterator[str]:
            for attachment in attachments:
                try:
                    size_bytes = self.path(attachment).stat().st_size
                except (NotFound, OSError):
                    yield f"The file {attachment.path} is missing."
                    continue
                if size_bytes != attachment.size_bytes:
                    yield f"The file {attachment.path} has {size_bytes} bytes, not {attachment.size_bytes}."

        return await to_thread.run_sync(lambda: list(sentences()))

    def uncollected(self) -> AbstractAsyncContextManager[None]:
        """Nothing is collected while inside: what a backup of the database refers to can be copied."""
        return self._collector.paused()

    async def copy_to(self, directory: Path) -> None:
        """A durable copy of all contents is in the folder `files` of the new data directory `directory`.

        To be called inside of `uncollected`, from before the database is copied.
        """
        copy = Files(directory, self._disk)
        try:
            names = await to_thread.run_sync(self._collector.names)
            for name in names:
                path = self._root / name[:2] / name
                await copy.put(path, name, max_bytes=(await to_thread.run_sync(path.stat)).st_size)
        except OSError as error:
            raise _failed(error) from error

    async def _fill(self, temp: Temp, pieces: AsyncIterator[bytes], max_bytes: int) -> None:
        gathered: list[bytes] = []
        size = waiting = 0
        async for piece in pieces:
            size += len(piece)
            waiting += len(piece)
            if size > max_bytes:
                raise LimitExceeded(
                    f"The file is too large: at most {max_bytes} bytes are taken.",
                    limit=max_bytes,
                    given=size,
                )
            gathered.append(piece)
            if waiting >= PIECE_BYTES:
                await self._run(temp.append, b"".join(gathered))
                gathered.clear()
                waiting = 0
        await self._run(temp.append, b"".join(gathered))

    def _keep(self, temp: Temp) -> None:
        """The content is durable under its hash, whether it was there before or not."""
        if not temp.sync():
            return  # cancelled: nobody waits for it
        path = self._root / temp.sha256[:2] / temp.sha256
        self._make_folders(path.parent)
        with self._mutex:
            self._collector.note_put(temp.sha256)
            # A power cut may have left a file too short, where a file system renames before it writes.
            if _is_file(path, size_bytes=temp.size_bytes):
                self._disk.touch(path)
                # Whoever has put it there may not have come to this yet.
                self._disk.fsync_folder(path.parent)
                return
            self._disk.rename(temp.path, path)
            try:
                self._disk.fsync_folder(path.parent)
            except OSError:
                self._disk.unlink(path)  # nobody has seen it
                raise

    def _make_folders(self, folder: Path) -> None:
        """`folder` and those above it are there and durable, again when somebody has removed them."""
        for missing in (self._root, folder):
            if missing not in self._synced or not missing.is_dir():
                self._disk.make_folder(missing)
                # Even one that was there: the process that made it may have died before this.
                self._disk.fsync_folder(missing.parent)
                self._synced.add(missing)

    def _attachment(self, temp: Temp, name: str) -> Attachment:
        sha256 = temp.sha256
        return Attachment(
            name=name,
            media_type=temp.sniffer.media_type(name),
            size_bytes=temp.size_bytes,
            sha256=sha256,
            path=f"{FOLDER}/{sha256[:2]}/{sha256}",
        )

    def _place(self, sha256: str) -> Path | None:
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            return None
        return self._root / sha256[:2] / sha256

    @staticmethod
    async def _run(function: Callable[[*Ts], None], *arguments: *Ts) -> None:
        try:
            await to_thread.run_sync(function, *arguments)
        except OSError as error:
            raise _failed(error) from error


def _is_file(path: Path, *, size_bytes: int | None = None) -> bool:
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISREG(found.st_mode) and size_bytes in {None, found.st_size}


def _failed(error: OSError) -> StorageError:
    reasons = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EIO: "the disk reports an error",
        errno.EROFS: "the file system is read-only",
    }
    reason = reasons.get(error.errno or 0, error.strerror or type(error).__name__)
    return StorageError(f"The file could not be stored: {reason}.", errno=error.errno)
