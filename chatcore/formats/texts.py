"""A file's bytes as text: unpacked where they are packed, UTF-8 whatever they were, without a BOM."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from chatcore.formats.packings import packing_of
from chatcore.formats.streams import Damaged, Meter, Stream, chunks_of

__all__ = ["as_text", "encoding_of", "open_text", "unpacked"]

_MOST_PACKINGS = 5
"""So many around one another are unpacked: there are files that unpack to themselves."""

_BOMS = (
    # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
_SHAPES = (
    # JSON without a mark: which of the first four bytes are NUL tells the encoding (RFC 4627, section 3)
    ((True, True, True, False), "utf-32-be"),
    ((False, True, True, True), "utf-32-le"),
    ((True, False, True, False), "utf-16-be"),
    ((False, True, False, True), "utf-16-le"),
)


def _half(error: UnicodeError) -> tuple[str, int]:
    """Stands for bytes that are no character: what no text may hold, so that it is seen and counted later."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\ud800", error.end


codecs.register_error("chatcore-half", _half)


def open_text(file: BinaryIO, meter: Meter, *, weight: float = 1.0, waits: bool = False) -> Stream:
    """The text of an open file as UTF-8; see `unpacked`."""
    return as_text(unpacked(file, meter, weight=weight, waits=waits))


def unpacked(file: BinaryIO, meter: Meter, *, weight: float = 1.0, waits: bool = False) -> Stream:
    """What an open file holds, without what it is packed with.

    Args:
        weight: How many bytes of those that `meter` counts stand behind each byte of the file.
        waits: Whether reading it may wait for others (a pipe).

    Raises:
        Damaged: While it is read; or it is packed too often.
    """
    stream = Stream(chunks_of(file, meter, weight, waits))
    for _ in range(_MOST_PACKINGS):
        if (unpack := packing_of(stream.peek(4))) is None:
            return stream
        stream = Stream(unpack(stream))
    if packing_of(stream.peek(4)) is None:
        return stream
    raise Damaged(f"It is packed more than {_MOST_PACKINGS} times: this is no chat but a bomb.")


def as_text(stream: Stream) -> Stream:
    """The same as UTF-8, without a mark; what is in no encoding that is known stays as it is."""
    name, skipped = encoding_of(stream.peek(4))
    if name == "utf-8":
        return Stream(_without(stream, skipped)) if skipped else stream
    return Stream(_recoded(stream, name, skipped))


def encoding_of(head: bytes) -> tuple[str, int]:
    """In what encoding a text is that begins like this, and the length of the mark that says so."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name, len(mark)
    if len(head) >= 4:
        shape = tuple(byte == 0 for byte in head[:4])
        for known, name in _SHAPES:
            if shape == known:
                return name, 0
    return "utf-8", 0


def _recoded(stream: Stream, name: str, skipped: int) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(name)("chatcore-half")
    for chunk in _without(stream, skipped):
        yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
    if left := decoder.decode(b"", final=True):
        yield left.encode("utf-8", "surrogatepass")


def _without(stream: Stream, skipped: int) -> Iterator[bytes]:
    for chunk in stream:
        if skipped:
            chunk, skipped = chunk[skipped:], 0  # noqa: PLW2901 -- the first is as long as what was peeked
            if not chunk:
                continue
        yield chunk
