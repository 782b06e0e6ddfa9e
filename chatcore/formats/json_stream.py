"""Splits JSON of any size into its records, without reading it whole."""

from collections.abc import Iterator

from chatcore.formats.json_document import Document
from chatcore.formats.json_piece import MAX_RECORD_BYTES, TOO_LONG, Piece
from chatcore.formats.lenient import NotJson, read_json
from chatcore.formats.streams import Stream

__all__ = ["split"]

_HEAD_BYTES = 1 << 20
_HEAD_LINES = 50


def split(stream: Stream, *, max_bytes: int = MAX_RECORD_BYTES) -> Iterator[Piece]:
    """The elements of a JSON array, the lines of JSON Lines (under any name), or values one after the other.

    Raises:
        Damaged: The stream can't be read further; what came before was given.
    """
    if _are_lines(stream.peek(_HEAD_BYTES)):
        yield from _lines(stream, max_bytes)
    else:
        yield from Document(stream, max_bytes).pieces()


def _are_lines(head: bytes) -> bool:
    """Whether a text is to be read line by line, by its first lines."""
    lines = head.split(b"\n")
    if len(head) >= _HEAD_BYTES:
        lines.pop()  # it may go on
    filled = [line for line in lines if line.strip()][:_HEAD_LINES]
    if not filled:
        return False
    if _is_value(filled[0]):
        return len(filled) > 1
    if filled[0].lstrip().startswith(b"["):
        return False
    return any(line.startswith(b"{") and _is_value(line) for line in filled[1:])


def _is_value(line: bytes) -> bool:
    if line.strip()[:1] not in {b"{", b"["}:
        return False
    try:
        read_json(line)
    except NotJson:
        return False
    return True


def _lines(stream: Stream, max_bytes: int) -> Iterator[Piece]:
    held = bytearray()
    number = 1
    too_long = False
    for chunk in stream:
        begin = 0
        while (end := chunk.find(b"\n", begin)) >= 0:
            held += chunk[begin:end]
            begin = end + 1
            if too_long or held.strip():
                yield _line(bytes(held), number, too_long or len(held) > max_bytes)
            held.clear()
            too_long = False
            number += 1
        held += chunk[begin:]
        if len(held) > max_bytes:
            too_long = True
            held.clear()
    if too_long or held.strip():
        yield _line(bytes(held), number, too_long)


def _line(body: bytes, number: int, too_long: bool) -> Piece:
    if too_long:
        return Piece(b"", f"line {number}", TOO_LONG)
    body = body.strip()
    return Piece(body.removesuffix(b","), f"line {number}")
