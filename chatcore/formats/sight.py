"""What a file is, by its first bytes."""

import tarfile
from typing import Literal

from chatcore.formats.packings import packing_of
from chatcore.formats.texts import encoding_of

__all__ = ["HEAD_BYTES", "ZIP", "Sight", "is_tar", "sight_of"]

HEAD_BYTES = 4096
"""So much of a file is looked at."""

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
"""What ZIP files begin with; the second has no members."""

Sight = Literal["text", "packed", "archive", "empty", "other"]
"""``packed`` is text or an archive, with gzip or zstd around it; ``other`` is a picture or the like."""

_CONTROL = bytes(code for code in range(32) if chr(code) not in "\t\n\r\f\b\x1b\x1e")
_ASCII = frozenset(b"\t\n\r" + bytes(range(32, 127)))


def sight_of(head: bytes) -> Sight:
    """What a file is that begins like this (`HEAD_BYTES` of it, or all)."""
    if not head:
        return "empty"
    if head.startswith(ZIP) or is_tar(head):
        return "archive"
    if packing_of(head) is not None:
        return "packed"
    name, mark = encoding_of(head)
    if name != "utf-8":
        return "text" if mark or _is_ascii(head, 2 if "16" in name else 4, name) else "other"
    if head[mark:].lstrip()[:1] in (b"{", b"["):
        return "text"  # even with NULs in its strings
    return "text" if len(head.translate(None, _CONTROL)) == len(head) else "other"


def is_tar(head: bytes) -> bool:
    """Whether a file that begins like this is a tar archive: its first header has the right checksum."""
    if len(head) < tarfile.BLOCKSIZE:
        return False
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _is_ascii(head: bytes, width: int, name: str) -> bool:
    """Whether the first characters of JSON are there: without a mark, NULs alone say little."""
    first = head[: 2 * width]
    try:
        return all(ord(one) in _ASCII for one in first.decode(name))
    except UnicodeDecodeError:
        return False
