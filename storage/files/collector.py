"""Removes contents that no message refers to."""

import os
import re
import stat
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from itertools import islice
from math import inf
from pathlib import Path
from threading import Lock

import anyio
from anyio import to_thread

from chatcore.commands import ForgetFiles
from chatcore.ports import Store
from storage.files.disk import Disk

__all__ = ["TEMP_FOLDER", "Collector"]

TEMP_FOLDER = "tmp"
BATCH = 200
HELD_SECONDS = 3600.0
"""How long a content is kept that this process has put, whatever the caller says. Between `put` and the
commit of its message nothing else says that somebody needs it, and other files of that message may be on
their way. That some message refers to it ends nothing: it may be an older one, about to be purged."""

_CONTENT = re.compile(r"[0-9a-f]{64}")
_TEMP = re.compile(r"[0-9a-f]{32}")
_FOLDER = re.compile(r"[0-9a-f]{2}")


class Collector:
    """Takes only what has been untouched for so long, is unreferenced, and is untouched still when removed.

    What this process has put is held for `HELD_SECONDS` in any case.

    A content that is put again is touched. Whichever comes first under the mutex wins: the touch, then the
    last look sees it; or the removal, then `put` finds nothing and keeps its own copy.
    """

    def __init__(self, root: Path, disk: Disk, mutex: Lock, writing: Collection[str]) -> None:
        self._root = root
        self._disk = disk
        self._mutex = mutex
        self._writing = writing
        self._one = anyio.Lock()
        # What this process has put, by the monotonic clock: a system clock that is set forward makes
        # nothing old that was uploaded a minute ago and is not sent yet.
        self._put_at: dict[str, float] = {}

    def note_put(self, sha256: str) -> None:
        """It is put just now; called with the mutex held."""
        self._put_at[sha256] = time.monotonic()

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """Nothing is collected while inside."""
        async with self._one:
            yield

    async def collect(self, store: Store, untouched_seconds: float) -> int:
        """Remove what is unused; gives how many contents. May raise `OSError`."""
        removed = 0
        async with self._one:
            for folder in await to_thread.run_sync(self._folders):
                listed_at = time.monotonic()
                old = iter(await to_thread.run_sync(self._untouched, folder, untouched_seconds))
                while batch := dict(islice(old, BATCH)):
                    unused = await store.write(ForgetFiles(sha256s=tuple(batch)))
                    going = [(folder / sha256, batch[sha256]) for sha256 in unused if sha256 in batch]
                    removed += await to_thread.run_sync(self._remove, going, listed_at)
            await to_thread.run_sync(self._tidy, untouched_seconds)
        return removed

    def names(self) -> list[str]:
        """The hashes of all contents."""
        return [entry.name for folder in self._folders() for entry in _entries(folder, _CONTENT)]

    def _folders(self) -> list[Path]:
        return [self._root / entry.name for entry in _entries(self._root, _FOLDER)]

    def _untouched(self, folder: Path, seconds: float) -> list[tuple[str, int]]:
        """Hash and time of the last touch (ns) of what may be removed."""
        before_ns = time.time_ns() - int(seconds * 1e9)
        put_before = time.monotonic() - seconds
        touched = [(entry.name, _touched_ns(entry.path)) for entry in _entries(folder, _CONTENT)]
        return [
            (sha256, at_ns)
            for sha256, at_ns in touched
            if at_ns is not None and at_ns <= before_ns and self._put_at.get(sha256, put_before) <= put_before
        ]

    def _remove(self, going: list[tuple[Path, int]], listed_at: float) -> int:
        """Unlink those that are not held and were not put or touched since they were listed."""
        removed = 0
        put_before = min(listed_at, time.monotonic() - HELD_SECONDS)
        for path, touched_ns in going:
            with self._mutex:
                # Both are asked: two touches bear the same time where the clock is coarse or was set back.
                if _touched_ns(path) == touched_ns and self._put_at.get(path.name, -inf) < put_before:
                    self._disk.unlink(path)
                    removed += 1
        return removed

    def _tidy(self, seconds: float) -> None:
        """Temporary files of dead processes are gone, and notes of what is old enough anyway."""
        before_ns = time.time_ns() - int(seconds * 1e9)
        for entry in _entries(self._root / TEMP_FOLDER, _TEMP):
            touched_ns = _touched_ns(entry.path)
            if entry.name not in self._writing and touched_ns is not None and touched_ns <= before_ns:
                self._disk.unlink(Path(entry.path))
        put_before = time.monotonic() - max(seconds, HELD_SECONDS)
        with self._mutex:
            for sha256 in [name for name, put_at in self._put_at.items() if put_at <= put_before]:
                del self._put_at[sha256]


def _entries(folder: Path, name: re.Pattern[str]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if name.fullmatch(entry.name)]
    except FileNotFoundError:
        return []


def _touched_ns(path: str | Path) -> int | None:
    """When the regular file was last changed; None when it is none, or gone."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    return found.st_mtime_ns if stat.S_ISREG(found.st_mode) else None
