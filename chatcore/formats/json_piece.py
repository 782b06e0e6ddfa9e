"""One element of a file of JSON."""

from msgspec import Struct

__all__ = ["MAX_RECORD_BYTES", "NO_OBJECT", "TOO_LONG", "Piece"]

MAX_RECORD_BYTES = 128 * 2**20
"""A record that is longer is refused."""

TOO_LONG = f"It is longer than {MAX_RECORD_BYTES // 2**20} MiB, the most that one record may have."
NO_OBJECT = "It is no object."


class Piece(Struct, frozen=True):
    """One element as it stands in the file.

    Attributes:
        place: ``line 12``, ``item 4``; empty for the one object of a file.
        problem: Why there is none to be read; None: all is well so far.
        alone: Whether it stands at the top of a file: then it may be a wrapper around the records.
    """

    body: bytes
    place: str
    problem: str | None = None
    alone: bool = False
