"""Bytes of a source as they come, to be looked at before they are taken."""

import lzma
import select
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from chatcore.errors import InvalidInput

__all__ = ["CHUNK_BYTES", "UNREADABLE", "Damaged", "Meter", "Stream", "chunks_of"]

CHUNK_BYTES = 256 * 1024
_POLL_SECONDS = 0.1


class Damaged(InvalidInput):
    """A source can't be read further: it is cut short, or damaged."""

    code = "damaged"


UNREADABLE = (
    Damaged,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,  # encrypted, closed, or a packing that is not known
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
)
"""What a file or a member of an archive raises that is damaged, cut short, encrypted or closed."""


class Meter:
    """How far the reading is, shared by all streams of one reading.

    Attributes:
        read: Bytes that were read, as they lie on the disk.
        total: How many there are; None where nobody knows.
    """

    def __init__(self) -> None:
        self.read = 0.0
        self.total: int | None = 0
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Have all reading end, also one that waits for a pipe; may be called from any thread."""
        self._stopped.set()

    def check(self) -> None:
        """Passes until `stop` was called.

        Raises:
            Damaged: It was.
        """
        if self._stopped.is_set():
            raise Damaged("The reading was stopped.")

    def wait_for(self, file: BinaryIO) -> None:
        """Wait until a pipe has something to read, in steps short enough to notice `stop`."""
        self.check()
        try:
            while not select.select([file], [], [], _POLL_SECONDS)[0]:
                self.check()
        except (OSError, ValueError):
            return  # no descriptor that one can wait for: reading it answers at once


class Stream:
    """Chunks of bytes that one can look at before taking them."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = b""
        self._damage: Damaged | None = None

    def peek(self, size_bytes: int) -> bytes:
        """What comes next: at least so much, or all that can be read."""
        if len(self._held) < size_bytes and self._damage is None:
            held = [self._held]
            have = len(self._held)
            try:
                while have < size_bytes and (chunk := next(self._chunks, b"")):
                    held.append(chunk)
                    have += len(chunk)
            except Damaged as error:
                self._damage = error  # for when that place is reached
            self._held = b"".join(held)
        return self._held

    def __iter__(self) -> Iterator[bytes]:
        """The chunks, each once.

        Raises:
            Damaged: Behind the last that can be read.
        """
        if self._held:
            held, self._held = self._held, b""
            yield held
        if self._damage is not None:
            raise self._damage
        yield from self._chunks

    def whole(self, max_bytes: int) -> bytes | None:
        """All that is left; None where it is more than `max_bytes`."""
        parts = []
        size = 0
        for chunk in self:
            size += len(chunk)
            if size > max_bytes:
                return None
            parts.append(chunk)
        return b"".join(parts)


def chunks_of(file: BinaryIO, meter: Meter, weight: float, waits: bool) -> Iterator[bytes]:
    """The bytes of an open file, counted by `meter`.

    Raises:
        Damaged: It can't be read further, or the reading was stopped.
    """
    read = getattr(file, "read1", file.read) if waits else file.read
    while True:
        if waits:
            meter.wait_for(file)
        else:
            meter.check()
        try:
            chunk = read(CHUNK_BYTES)
        except UNREADABLE as error:
            raise Damaged(f"It can't be read further: {str(error) or 'it ends too early'}.") from error
        if not chunk:
            return
        meter.read += len(chunk) * weight
        yield chunk
