"""Folders in the system's temporary directory, of which a killed process leaves none for good.

Each is locked as long as its process lives, and the kernel takes the lock away however that ends. So whoever
makes one knows which of the others have nobody any more, and removes them.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

__all__ = ["HeldFolder", "hold_too"]

_MARK = ".held"
"""Ends the names of what is locked while it is used; of what has no lock nobody can say whether it is."""


class HeldFolder:
    """An empty folder for this user alone, until it is closed. Those that dead processes left are removed.

    Args:
        kind: What it is for: a part of its name. Those of other kinds are left alone.

    Attributes:
        path: Where it is.
        lock: An open file. A process that inherits it holds the folder as well.

    Raises:
        OSError: There can be none.
    """

    def __init__(self, kind: str) -> None:
        prefix = f"chatcore-{kind}-"
        with contextlib.suppress(OSError):
            _remove_left(prefix)
        self.path, self.lock = _make(prefix)
        self._is_open = True

    def close(self) -> None:
        """Remove it and what is in it; does nothing the second time."""
        if self._is_open:
            self._is_open = False
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self.lock)


def hold_too(path: Path) -> None:
    """Hold another process's folder until this one ends, if it is such a folder."""
    if path.name.endswith(_MARK):
        with contextlib.suppress(OSError):
            fcntl.flock(_open(path), fcntl.LOCK_SH | fcntl.LOCK_NB)


def _make(prefix: str) -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=prefix, suffix=_MARK))
        try:
            lock = _open(path)
        except FileNotFoundError:
            continue  # another process found it before it had its lock
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)  # likewise, and removes it now
            continue
        except OSError:  # a file system without locks
            return path.rename(path.with_suffix("")), lock
        if _is_at(path, lock):
            return path, lock
        os.close(lock)


def _remove_left(prefix: str) -> None:
    with os.scandir(tempfile.gettempdir()) as entries:
        found = [one.path for one in entries if one.name.startswith(prefix) and one.name.endswith(_MARK)]
    for path in found:
        with contextlib.suppress(OSError):  # held, or gone, or of somebody else
            _remove_if_left(Path(path))


def _remove_if_left(path: Path) -> None:
    lock = _open(path)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(lock).st_uid == os.geteuid() and _is_at(path, lock):
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _is_at(path: Path, lock: int) -> bool:
    """Whether what was opened is still what has this name."""
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(lock))
    except FileNotFoundError:
        return False
