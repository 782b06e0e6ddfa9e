"""Files that a command writes: whole under their names, or not there at all."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from chatcore.errors import StorageError

__all__ = ["Output", "StandardOutput", "WholeFile", "copy_whole", "write_whole"]

_CHUNK_BYTES = 1 << 20


class Output(Protocol):
    """Where bytes go."""

    def write(self, pieces: Iterable[bytes]) -> int:
        """Take them, one after the other; gives how many pieces there were."""
        ...

    def finish(self) -> None:
        """All was written: it is on the disk and under its name."""
        ...


class StandardOutput:
    """Standard output.

    Args:
        for_terminal: What makes text harmless where it is shown; None: it goes to a program.
    """

    def __init__(self, for_terminal: Callable[[str], str] | None = None) -> None:
        self._for_terminal = for_terminal

    def write(self, pieces: Iterable[bytes]) -> int:
        """See `Output`."""
        if (shown := self._for_terminal) is not None:
            pieces = (shown(piece.decode()).encode() for piece in pieces)
        return _write_all(sys.stdout.buffer, pieces)

    def finish(self) -> None:
        """Raises OSError where it does not take it."""
        sys.stdout.buffer.flush()


class WholeFile:
    """A file that gets its name when all of it is on the disk; until then it is hidden beside its place.

    Raises:
        StorageError: There is a file of that name, and it may not be replaced.
    """

    def __init__(self, path: Path, *, replace: bool) -> None:
        self.path = path
        self._replace = replace
        self._part = path.with_name(f".{path.name[:100]}.part-{os.getpid()}")
        if not replace and os.path.lexists(path):
            raise _is_there(path)
        self._file: BinaryIO = open(self._part, "wb")  # noqa: SIM115 -- closed by `finish` or `discard`

    def write(self, pieces: Iterable[bytes]) -> int:
        """See `Output`."""
        return _write_all(self._file, pieces)

    def finish(self) -> None:
        """The file has its name.

        Raises:
            StorageError: Meanwhile there is one of that name, which may not be replaced.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if self._replace:
            os.replace(self._part, self.path)
        else:
            _link(self._part, self.path)
        _sync_folder(self.path.parent)

    def discard(self) -> None:
        """Nothing is left of it, unless it has its name."""
        try:
            self._file.close()
        except OSError:
            pass  # a full disk once more: what could not be written is not wanted
        finally:
            self._part.unlink(missing_ok=True)

    @classmethod
    @contextmanager
    def opened(cls, paths: Iterable[Path], *, replace: bool) -> Iterator[list["WholeFile"]]:
        """Files that are gone at the end of the block if they were not finished."""
        with ExitStack() as stack:
            files = []
            for path in paths:
                files.append(cls(path, replace=replace))
                stack.callback(files[-1].discard)
            yield files


def write_whole(path: Path, pieces: Iterable[bytes], *, replace: bool) -> int:
    """Write a file, whole; gives the number of pieces."""
    with WholeFile.opened([path], replace=replace) as (file,):
        count = file.write(pieces)
        file.finish()
    return count


def copy_whole(source: Path, path: Path) -> None:
    """Copy a file, whole; one of that name and size is left as it is."""
    if path.is_file() and path.stat().st_size == source.stat().st_size:
        return
    with WholeFile.opened([path], replace=True) as (file,), source.open("rb") as given:
        file.write(iter(lambda: given.read(_CHUNK_BYTES), b""))
        file.finish()


def _write_all(file: BinaryIO, pieces: Iterable[bytes]) -> int:
    count = 0
    for count, piece in enumerate(pieces, 1):  # noqa: B007
        file.write(piece)
    return count


def _link(part: Path, path: Path) -> None:
    """As a rename that replaces nothing."""
    try:
        os.link(part, path)
    except FileExistsError as error:
        raise _is_there(path) from error
    except OSError:  # a file system without hard links
        if os.path.lexists(path):
            raise _is_there(path) from None
        os.replace(part, path)
        return
    part.unlink()


def _is_there(path: Path) -> StorageError:
    return StorageError(f"{path} is there already; --force replaces it.")


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every file system can
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
