"""Ids of a file that stand for more than one conversation."""

from array import array
from hashlib import blake2b
from zlib import crc32

__all__ = ["Repeats"]

SMALLEST = 1 << 10
FULL = 3 / 4


class Repeats:
    """The ids that one reading of a file has met, so that two conversations under one id stay two.

    The first keeps the id. Another of the same id, with another content, is given the id with a hash of its
    content behind it: the same in every reading of the same file. The same content again keeps the id too.

    Some 20 bytes are kept of each: an open hash table of 8 bytes of the id's hash and 4 of the content's. Two
    ids that fall together (one chance in 4 million at a million ids) only have a longer id.
    """

    def __init__(self) -> None:
        self._resize(SMALLEST)

    def _resize(self, slots: int) -> None:
        self._ids = array("Q", bytes(8 * slots))
        self._contents = array("I", bytes(4 * slots))
        self._mask = slots - 1
        self._used = 0

    def own(self, name: str, content: bytes) -> str:
        """`name`, or one of its own for a content that is not the first of this name."""
        digest = int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()) or 1
        check = crc32(content)
        slot = self._find(digest)
        if self._ids[slot] == 0:
            self._put(slot, digest, check)
            return name
        if self._contents[slot] == check:
            return name
        return f"{name}#{blake2b(content, digest_size=8).hexdigest()}"

    def _find(self, digest: int) -> int:
        """The slot in which `digest` stands, or the free one in which it would."""
        slot = digest & self._mask
        while self._ids[slot] not in {0, digest}:
            slot = (slot + 1) & self._mask
        return slot

    def _put(self, slot: int, digest: int, check: int) -> None:
        self._ids[slot] = digest
        self._contents[slot] = check
        self._used += 1
        if self._used > FULL * (self._mask + 1):
            ids, contents = self._ids, self._contents
            self._resize(2 * (self._mask + 1))
            for old, known in enumerate(ids):
                if known:
                    slot = self._find(known)
                    self._ids[slot], self._contents[slot] = known, contents[old]
                    self._used += 1
