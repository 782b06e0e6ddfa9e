"""Bytes of a source as they come: unpacked where they are packed, UTF-8 whatever they were, without a BOM."""

import codecs
import lzma
import select
import threading
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import zstandard

from chatcore.errors import InvalidInput

__all__ = ["UNREADABLE", "Damaged", "Meter", "Stream", "open_stream"]

CHUNK_BYTES = 256 * 1024
_POLL_SECONDS = 0.1

_MOST_RATIO = 400
_FREE_BYTES = 512 * 2**20
"""A text that is longer than this and packed so much tighter than texts can be is no text."""

_BITE_BYTES = 1024
"""Given to a zstd unpacker at once, which has no bound for what it makes of it."""

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_BOMS = (
    # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SHAPES = (
    # JSON without a mark: which of the first four bytes are NUL tells the encoding (RFC 4627, section 3)
    ((True, True, True, False), "utf-32-be"),
    ((False, True, True, True), "utf-32-le"),
    ((True, False, True, False), "utf-16-be"),
    ((False, True, False, True), "utf-16-le"),
)


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
)
"""What a file or a member of a ZIP raises that is damaged, cut short, encrypted or closed."""


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


def open_stream(file: BinaryIO, meter: Meter, *, weight: float = 1.0, waits: bool = False) -> Stream:
    """The text of an open file as UTF-8.

    Args:
        weight: How many bytes of those that `meter` counts stand behind each byte of the file.
        waits: Whether reading it may wait for others (a pipe).

    Raises:
        Damaged: While it is read.
    """
    stream = Stream(_chunks(file, meter, weight, waits))
    while (unpack := _packing(stream.peek(4))) is not None:
        stream = Stream(unpack(stream))
    return _as_utf8(stream)


def _chunks(file: BinaryIO, meter: Meter, weight: float, waits: bool) -> Iterator[bytes]:
    read = getattr(file, "read1", file.read) if waits else file.read
    while True:
        if waits:
            meter.wait_for(file)
        else:
            meter.check()
        try:
            chunk = read(CHUNK_BYTES)
        except UNREADABLE as error:
            raise Damaged(f"It can't be read further: {error}.") from error
        if not chunk:
            return
        meter.read += len(chunk) * weight
        yield chunk


def _packing(head: bytes) -> "type[_Gzip] | type[_Zstd] | None":
    if head.startswith(_GZIP):
        return _Gzip
    # a frame that is to be skipped may come first (Zstandard, RFC 8878, section 3.1.2)
    if head.startswith(_ZSTD) or (head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50):
        return _Zstd
    return None


class _Packed:
    """Unpacks while it is iterated."""

    def __init__(self, source: Stream) -> None:
        self._source = source
        self._taken = 0
        self._given = 0

    def __iter__(self) -> Iterator[bytes]:
        return self  # also when it has been begun: the rest of it

    def __next__(self) -> bytes:
        if not hasattr(self, "_running"):
            self._running = self._chunks()
        return next(self._running)

    def _chunks(self) -> Iterator[bytes]:
        raise NotImplementedError

    def _checked(self, chunk: bytes) -> bytes:
        self._given += len(chunk)
        if self._given > _FREE_BYTES and self._given > _MOST_RATIO * self._taken:
            raise Damaged("It is packed tighter than any text can be: this is no chat but a bomb.")
        return chunk


class _Gzip(_Packed):
    """Members of a gzip file, one after the other (RFC 1952, section 2.2)."""

    def _chunks(self) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(wbits=31)
        begun = False
        for packed in self._source:
            self._taken += len(packed)
            left = packed
            while left:
                if unpacker.eof:
                    left = left.lstrip(b"\0")  # tapes are padded
                    if not left:
                        break
                    unpacker = zlib.decompressobj(wbits=31)
                begun = True
                try:
                    chunk = unpacker.decompress(left, 4 * CHUNK_BYTES)
                except zlib.error as error:
                    raise Damaged(f"The gzip file is damaged: {error}.") from error
                left = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                if chunk:
                    yield self._checked(chunk)
        if begun and not unpacker.eof:
            raise Damaged("The gzip file is cut short.")


class _Zstd(_Packed):
    """Frames of a Zstandard file, one after the other (RFC 8878, section 3)."""

    def _chunks(self) -> Iterator[bytes]:
        make = zstandard.ZstdDecompressor().decompressobj
        unpacker = make()
        begun = False
        for packed in self._source:
            self._taken += len(packed)
            for begin in range(0, len(packed), _BITE_BYTES):
                left = packed[begin : begin + _BITE_BYTES]
                while left:
                    if unpacker.eof:
                        unpacker = make()
                    begun = True
                    try:
                        chunk = unpacker.decompress(left)
                    except zstandard.ZstdError as error:
                        raise Damaged(f"The zstd file is damaged: {error}.") from error
                    left = unpacker.unused_data if unpacker.eof else b""
                    if chunk:
                        yield self._checked(chunk)
        if begun and not unpacker.eof:
            raise Damaged("The zstd file is cut short.")


def _as_utf8(stream: Stream) -> Stream:
    head = stream.peek(4)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return Stream(_recoded(stream, name, len(mark)))
    if len(head) >= 4:
        shape = tuple(byte == 0 for byte in head[:4])
        for known, name in _SHAPES:
            if shape == known:
                return Stream(_recoded(stream, name, 0))
    if head.startswith(codecs.BOM_UTF8):
        return Stream(_without(stream, len(codecs.BOM_UTF8)))
    return stream


def _recoded(stream: Stream, name: str, skipped: int) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(name)("replace")
    for chunk in _without(stream, skipped):
        yield decoder.decode(chunk).encode()
    if left := decoder.decode(b"", final=True).encode():
        yield left


def _without(stream: Stream, skipped: int) -> Iterator[bytes]:
    for chunk in stream:
        if skipped:
            chunk, skipped = chunk[skipped:], 0  # noqa: PLW2901 -- the first is as long as what was peeked
            if not chunk:
                continue
        yield chunk
