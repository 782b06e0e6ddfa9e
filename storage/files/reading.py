"""The file that a content is copied from."""

import errno
import os
import stat
from collections.abc import AsyncGenerator
from pathlib import Path
from threading import Lock

from anyio import CancelScope, to_thread

from chatcore.errors import InvalidInput

__all__ = ["read_pieces"]

PIECE_BYTES = 256 * 1024


async def read_pieces(path: Path) -> AsyncGenerator[bytes, None]:
    """The content of a regular file, piece by piece; to be closed (`aclosing`) by whoever iterates.

    Raises:
        InvalidInput: It is not there, no regular file, or can't be read.
    """
    reader = _Reader(path)
    try:
        while piece := await to_thread.run_sync(reader.read):
            yield piece
    except OSError as error:
        reason = "it is not there" if error.errno == errno.ENOENT else error.strerror or type(error).__name__
        raise InvalidInput(f"The file {path.name} can't be read: {reason}.") from error
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(reader.close)


class _Reader:
    """An open file whose methods take turns, so that a thread left behind never reads a closed descriptor."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._closed = False
        self._mutex = Lock()

    def read(self) -> bytes:
        with self._mutex:
            if self._closed:
                return b""
            if self._descriptor is None:
                # Non-blocking: the opening of a named pipe would wait for its writer.
                self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
                if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
                    raise OSError(errno.EINVAL, "it is not a regular file")
            return os.read(self._descriptor, PIECE_BYTES)

    def close(self) -> None:
        with self._mutex:
            self._closed = True
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None
