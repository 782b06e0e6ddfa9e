"""The one seam through which the disk is changed, so that a test can record, fail or forget each step."""

import os
from pathlib import Path

__all__ = ["Disk"]


class Disk:
    """What is done to the disk, each step as the operating system has it; all may raise `OSError`.

    All of it blocks: it is called in worker threads only.
    """

    def make_folder(self, path: Path) -> None:
        """The folder is there (mode 0700), though a power cut may take it until its parent is synced."""
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            if not path.is_dir():
                raise

    def create(self, path: Path) -> int:
        """A new, empty file open for writing; gives its descriptor, which no child process inherits."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(path, flags, mode=0o600)

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        """All of `data` is written at the end."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    def fsync(self, descriptor: int) -> None:
        """What was written survives a power cut, if the file's name does."""
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """The descriptor is gone."""
        os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """The file is at `target` in one step, in place of what was there."""
        os.rename(source, target)

    def touch(self, path: Path) -> None:
        """The file's time of change is now."""
        os.utime(path, follow_symlinks=False)

    def unlink(self, path: Path) -> None:
        """The name is gone; no error when it was so already."""
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass

    def fsync_folder(self, path: Path) -> None:
        """The names in the folder, as they are now, survive a power cut."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
