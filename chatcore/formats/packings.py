"""What texts are packed with, unpacked as it comes."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator

import zstandard

from chatcore.formats.streams import CHUNK_BYTES, Damaged, Stream

__all__ = ["packing_of"]

_MOST_RATIO = 400
_FREE_BYTES = 512 * 2**20
"""A text that is longer than this and packed so much tighter than texts can be is no text."""

_BITE_BYTES = 1024
"""Given to a zstd unpacker at once, which has no bound for what it makes of it."""

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


def packing_of(head: bytes) -> "type[_Gzip] | type[_Zstd] | None":
    """What unpacks a file that begins like this; None: it is not packed."""
    if head.startswith(_GZIP):
        return _Gzip
    # a frame that is to be skipped may come first (Zstandard, RFC 8878, section 3.1.2)
    if head.startswith(_ZSTD) or (head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50):
        return _Zstd
    return None


class _Packed(ABC):
    """Unpacks while it is iterated."""

    def __init__(self, source: Stream) -> None:
        self._source = source
        self._taken = 0
        self._given = 0
        self._running = self._chunks()

    def __iter__(self) -> Iterator[bytes]:
        return self  # also when it has been begun: the rest of it

    def __next__(self) -> bytes:
        return next(self._running)

    @abstractmethod
    def _chunks(self) -> Iterator[bytes]: ...

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
