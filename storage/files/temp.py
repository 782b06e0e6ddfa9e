"""A content that is being written, not yet under its hash."""

import hashlib
from contextlib import suppress
from pathlib import Path
from threading import Lock

from storage.files.disk import Disk
from storage.files.media import Sniffer

__all__ = ["Temp"]


class Temp:
    """A temporary file, hashed and looked at while it is written.

    Its methods run in worker threads. A caller who is cancelled may leave one of them behind, still at
    work: they take turns, and after `discard` none does anything.
    """

    def __init__(self, disk: Disk, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        self.sniffer = Sniffer()
        self._disk = disk
        self._hash = hashlib.sha256()
        self._descriptor: int | None = None
        self._ended = False
        self._mutex = Lock()

    @property
    def sha256(self) -> str:
        """Of what was appended so far."""
        return self._hash.hexdigest()

    def append(self, data: bytes) -> None:
        """`data` is written (not yet synced); the first call makes the file."""
        with self._mutex:
            if self._ended:
                return
            if self._descriptor is None:
                self._descriptor = self._disk.create(self.path)
            self._disk.write(self._descriptor, data)
            self._hash.update(data)
            self.sniffer.feed(data)
            self.size_bytes += len(data)

    def sync(self) -> bool:
        """The content is on the disk and the file closed; False after `discard`."""
        with self._mutex:
            if self._ended or self._descriptor is None:
                return False
            self._disk.fsync(self._descriptor)
            descriptor, self._descriptor = self._descriptor, None
            self._disk.close(descriptor)
            return True

    def discard(self) -> None:
        """The file is closed and gone, whatever had become of it; a content kept by renaming stays.

        What the disk refuses to remove is left to the collector.
        """
        with self._mutex:
            self._ended = True
            with suppress(OSError):
                if self._descriptor is not None:
                    descriptor, self._descriptor = self._descriptor, None
                    self._disk.close(descriptor)
            with suppress(OSError):
                self._disk.unlink(self.path)
