"""The data directory belongs to one process at a time."""

import errno
import fcntl
import os
import re
import stat
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from threading import Lock

import anyio
from anyio import to_thread

from chatcore.errors import DataDirectoryInUse, StorageError

__all__ = ["in_use", "own_directory"]

LOCK_NAME = "lock"
WAIT_SECONDS = 2.0
RETRY_SECONDS = 0.02

# flock on these is emulated, ignored or lost with the connection, and SQLite's WAL needs memory shared by
# all its users. 9p and virtiofs are left out: sandboxes and virtual machines show local disks as those.
NETWORK_FILE_SYSTEMS = frozenset(
    {
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "fuse.ceph",
        "fuse.davfs",
        "fuse.gcsfuse",
        "fuse.glusterfs",
        "fuse.goofys",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.smbnetfs",
        "fuse.sshfs",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "smb2",
        "smb3",
        "smbfs",
    }
)

_held: set[int] = set()


def _drop_in_child() -> None:
    # A forked child shares the open file and with it the lock: closing its copy leaves ours locked, and
    # without this the directory would stay taken for as long as any child lives.
    for descriptor in tuple(_held):
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_drop_in_child)


@asynccontextmanager
async def own_directory(path: Path) -> AsyncIterator[Path]:
    """The data directory is this process's alone while inside; gives its absolute path.

    It is made (mode 0700) when missing. The lock is released at the exit and when the process dies,
    however it dies; no child process inherits it. Another owner is waited for no longer than 2 s.

    Raises:
        DataDirectoryInUse: Another process (or another part of this one) owns it; `data` holds
            ``directory`` and, where known, ``pid``.
        StorageError: It can't be made or written, is no directory, or is on a network file system.
    """
    lock = _LockFile(path)
    try:
        await lock.take()
        yield lock.directory
    finally:
        lock.release()


class _LockFile:
    """The lock as an object, so that it can be released whatever a cancelled thread was about to do."""

    def __init__(self, path: Path) -> None:
        self.directory = path
        self._descriptor: int | None = None
        self._released = False
        self._mutex = Lock()

    async def take(self) -> None:
        deadline = anyio.current_time() + WAIT_SECONDS
        while not await to_thread.run_sync(self._try):
            if anyio.current_time() >= deadline:
                raise await to_thread.run_sync(self._in_use)
            await anyio.sleep(RETRY_SECONDS)

    def _try(self) -> bool:
        """Whether the lock is ours now."""
        with self._mutex:
            if self._released:
                return False
            try:
                return self._try_in_directory()
            except OSError as error:
                raise _unusable(self.directory, error) from error

    def _try_in_directory(self) -> bool:
        self.directory = directory = _make(self.directory)
        if (kind := _file_system_of(directory, _mounts())) in NETWORK_FILE_SYSTEMS:
            raise StorageError(
                f"The data directory {directory} is on a network file system ({kind}), where a lock can't be "
                "relied on: choose a directory on a local disk.",
                directory=str(directory),
                file_system=kind,
            )
        descriptor = os.open(
            directory / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, mode=0o600
        )
        with ExitStack() as unlocked:
            unlocked.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            if not _is_at(descriptor, directory / LOCK_NAME):
                # Somebody removed the file between our opening and locking it: what we hold is nobody's lock.
                return False
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            unlocked.pop_all()
        self._descriptor = descriptor
        _held.add(descriptor)
        return True

    def _in_use(self) -> DataDirectoryInUse:
        try:
            text = (self.directory / LOCK_NAME).read_text("ascii", "replace")[:32]
        except OSError:
            text = ""
        pid = int(found[1]) if (found := re.match(r"([0-9]{1,10})\n", text)) else None
        return in_use(self.directory, pid)

    def release(self) -> None:
        # Waits for a thread that a cancelled caller left behind, a matter of microseconds: all it does is
        # local and non-blocking.
        with self._mutex:
            self._released = True
            if self._descriptor is not None:
                _held.discard(self._descriptor)
                os.close(self._descriptor)
                self._descriptor = None


def in_use(directory: Path, pid: int | None = None) -> DataDirectoryInUse:
    """The error; `pid` is the process that has it open, where that is known."""
    who = "another process" if pid is None else f"process {pid}"
    sentence = f"The data directory {directory} is in use by {who}: stop that, or use another directory."
    return DataDirectoryInUse(sentence, directory=str(directory), pid=pid)


def _make(path: Path) -> Path:
    """The absolute directory, made with its parents when missing, durably."""
    path = Path(os.path.realpath(path))
    missing = [folder for folder in (path, *path.parents) if not os.path.lexists(folder)]
    for folder in reversed(missing):
        try:
            os.mkdir(folder, 0o700 if folder == path else 0o777)
        except FileExistsError:
            continue
        _fsync(folder.parent)
    if not stat.S_ISDIR(os.stat(path).st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    return path


def _fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


def _unusable(path: Path, error: OSError) -> StorageError:
    reasons = {
        errno.ENOTDIR: "it is not a directory",
        errno.EEXIST: "it is not a directory",
        errno.EACCES: "this user has no permission to write in it",
        errno.EPERM: "this user has no permission to write in it",
        errno.EROFS: "its file system is read-only",
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.ELOOP: f"its file {LOCK_NAME!r} is a symbolic link",
        errno.ENOLCK: "its file system has no locks",
        errno.EOPNOTSUPP: "its file system has no locks",
    }
    reason = reasons.get(error.errno or 0, error.strerror or type(error).__name__)
    return StorageError(f"The data directory {path} can't be used: {reason}.", directory=str(path))


def _mounts() -> str:
    try:
        return Path("/proc/self/mounts").read_text("utf-8", "surrogateescape")
    except OSError:
        return ""  # not Linux: nothing to be known


def _file_system_of(path: Path, mounts: str) -> str | None:
    """The type of the file system that holds the absolute `path`, by the lines of /proc/self/mounts."""
    best: tuple[int, str] | None = None
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[1])
        # `>=`: of two mounts at one point the later one covers the earlier
        if path.is_relative_to(point) and (best is None or len(point) >= best[0]):
            best = len(point), fields[2]
    return best[1] if best else None
