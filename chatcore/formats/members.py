"""An archive as those who walk through it need it."""

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from chatcore.formats.archive import ENCRYPTED

__all__ = ["Members", "all_encrypted", "packed_size"]

_PASSWORD = "unpack it with its password first."


class Members(Protocol):
    """An archive, with what reading its records needs besides (`chatcore.formats.format.Archive`).

    Attributes:
        refused: Names of members that are never opened, with the sentence that says why.
        passed: Likewise of what holds nothing that could be read.
        unpacked: Names of members that something asked for as a file.
        consulted: Names of members that a format has read beside its records, to which they belong.
        problem: Why its end can't be read; None: all of it is there.
        nests: Whether archives within it can be read where they lie.
    """

    refused: dict[str, str]
    passed: dict[str, str]
    unpacked: set[str]
    consulted: set[str]
    problem: str | None
    nests: bool

    def names(self) -> Sequence[str]:
        """See `Archive`."""
        ...

    def read(self, name: str, *, max_bytes: int = 64 * 2**20) -> bytes | None:
        """See `Archive`."""
        ...

    def unpack(self, name: str) -> Path | None:
        """See `Archive`."""
        ...

    def size(self, name: str) -> int | None:
        """Length of a member; None: there is none."""
        ...

    def packed_size(self, name: str) -> int:
        """Length of what it takes in the archive."""
        ...

    def open(self, name: str) -> BinaryIO:
        """A member's content.

        Raises:
            Damaged: It is refused, or can't be opened.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def packed_size(archive: Members) -> int:
    """Length of what all of its members take."""
    return sum(archive.packed_size(one) for one in archive.names())


def all_encrypted(archive: Members) -> str | None:
    """The sentence about an archive of which nothing can be read without a password."""
    secret = [reason for reason in archive.refused.values() if reason == ENCRYPTED]
    if not secret or len(secret) < len(archive.refused) or archive.names():
        return None
    return ENCRYPTED if len(secret) == 1 else f"All of its {len(secret):,} files are encrypted: {_PASSWORD}"
