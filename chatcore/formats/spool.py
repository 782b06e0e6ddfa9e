"""Records that belong together and lie apart in their file, brought together in bounded memory."""

import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from hashlib import blake2b
from typing import BinaryIO

from chatcore.formats.format import Archive, Record

__all__ = ["grouped"]

MAX_BYTES = 32 * 2**20
_PARTS = 64
_MOST_DEPTH = 4


def grouped(
    records: Iterable[Record], key: Callable[[Record], str], *, max_bytes: int = MAX_BYTES
) -> Iterator[tuple[str, list[Record]]]:
    """The records of each key together, in their order; the groups in the order in which each begins.

    While they take no more than `max_bytes` they are kept in memory. What is more goes to temporary files,
    by a hash of the key, one of which is read at a time (the partitioning of a GRACE hash join): then the
    groups come in the order of the files, and one that is larger than `max_bytes` is still given whole.
    """
    yield from _grouped(iter(records), key, max_bytes, 0)


def _grouped(
    records: Iterator[Record], key: Callable[[Record], str], max_bytes: int, depth: int
) -> Iterator[tuple[str, list[Record]]]:
    groups: dict[str, list[Record]] = {}
    size = 0
    for record in records:
        groups.setdefault(key(record), []).append(record)
        size += len(record.body)
        if size > max_bytes and depth < _MOST_DEPTH and len(groups) > 1:
            break
    else:
        yield from groups.items()
        return
    with ExitStack() as stack:
        parts = [_Part(stack.enter_context(tempfile.TemporaryFile())) for _ in range(_PARTS)]
        for held in groups.values():
            for record in held:
                parts[_place(key(record), depth)].add(record)
        groups.clear()
        for record in records:
            parts[_place(key(record), depth)].add(record)
        for part in parts:
            yield from _grouped(part.records(), key, max_bytes, depth + 1)


def _place(key: str, depth: int) -> int:
    salted = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8, salt=bytes([depth]))
    return int.from_bytes(salted.digest(), "big") % _PARTS


class _Part:
    """Records in a file of our own, which nobody else can reach: so it may be pickled."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._archive: Archive | None = None

    def add(self, record: Record) -> None:
        """One more."""
        self._archive = record.archive
        told = (record.value, record.body, record.file, record.place, record.folder, record.repaired)
        pickle.dump(told, self._file, pickle.HIGHEST_PROTOCOL)

    def records(self) -> Iterator[Record]:
        """All of them, in their order."""
        self._file.seek(0)
        while True:
            try:
                value, body, file, place, folder, repaired = pickle.load(self._file)
            except EOFError:
                return
            yield Record(
                value=value,
                body=body,
                file=file,
                place=place,
                archive=self._archive,
                folder=folder,
                repaired=repaired,
            )
