"""Reading in a process of its own, so that it and what is written each have a core.

Two threads of Python would take turns instead. The start of the process takes a quarter of a second of the
processor, which only pays for what is large.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import anyio
from anyio import to_thread

from chatcore.errors import ChatcoreError, InvalidInput, LimitExceeded, StorageError, Unrecognised
from chatcore.incoming import IncomingFile
from chatcore.ingestion.batch import Batch
from chatcore.ingestion.batches import Rejects
from chatcore.ingestion.frames import (
    Ended,
    Keep,
    Kept,
    Order,
    batch_of,
    decode_frame,
    read_frame,
    write_frame,
)
from chatcore.ingestion.preparation import KeepFile
from chatcore.ingestion.sink import OpenReading

__all__ = ["LARGE_BYTES", "ProcessFeed", "is_large", "name_of", "open_process_feed"]

LARGE_BYTES = 8 * 2**20
"""Sources from this size on are read in a process of their own."""

_STOP_SECONDS = 5.0
_PIPE_BYTES = 2**20
_BOOT = (
    "import json, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "sys.path[:] = json.loads(sys.argv[1]); "
    "from chatcore.ingestion.reader import main; main(int(sys.argv[2]), int(sys.argv[3]))"
)
_ERRORS: dict[str, type[ChatcoreError]] = {
    one.code: one for one in (InvalidInput, LimitExceeded, Unrecognised, StorageError)
}


def name_of(opener: OpenReading) -> str | None:
    """What another process finds it by, as ``module:name``; None: it can't."""
    module, name = getattr(opener, "__module__", ""), getattr(opener, "__qualname__", ".")
    return None if "." in name or module == "__main__" else f"{module}:{name}"


def is_large(source: str | os.PathLike[str]) -> bool:
    """Whether a process of its own pays."""
    path = Path(source)
    try:
        if not path.is_dir():
            return path.stat().st_size >= LARGE_BYTES
        size = 0
        for folder, _, names in os.walk(path):
            size += sum(os.stat(os.path.join(folder, name)).st_size for name in names)
            if size >= LARGE_BYTES:
                return True
    except OSError:
        pass  # whoever reads it will say so
    return False


class ProcessFeed:
    """Batches of a source that another process reads."""

    is_apart = True

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        said: BinaryIO,
        asked: BinaryIO,
        keep: KeepFile,
        rejects: Rejects,
    ) -> None:
        self._process = process
        self._said = said
        self._asked = asked
        self._keep = keep
        self._rejects = rejects
        self._progress: tuple[int, int | None] = (0, None)

    async def next(self) -> Batch | None:
        """See `Feed`."""
        return await to_thread.run_sync(self._next)

    def progress(self) -> tuple[int, int | None]:
        """See `Feed`."""
        return self._progress

    def stop(self) -> None:
        """See `Feed`."""
        self._process.terminate()

    def _next(self) -> Batch | None:
        while (body := read_frame(self._said)) is not None:
            frame = decode_frame(body)
            if isinstance(frame, Ended):
                if frame.code is None:
                    return None
                raise _ERRORS[frame.code](frame.sentence, **frame.data)
            if isinstance(frame, Keep):
                self._answer(frame)
                continue
            self._rejects.write(frame.rejected)
            self._progress = frame.read_bytes, frame.total_bytes
            return batch_of(frame)
        raise StorageError(f"what reads {_ending(self._process)}.")

    def _answer(self, asked: Keep) -> None:
        file = IncomingFile(name=asked.name, media_type=asked.media_type, at=asked.at, content=asked.content)
        kept = Kept(self._keep(file))
        with contextlib.suppress(BrokenPipeError):  # told by the next read
            write_frame(self._asked, kept)


@asynccontextmanager
async def open_process_feed(order: Order, keep: KeepFile, rejects: Rejects) -> AsyncIterator[ProcessFeed]:
    """A process that reads what is ordered; it has ended when the block is left."""
    feed = await to_thread.run_sync(_start, order, keep, rejects)
    try:
        yield feed
    finally:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(_finish, feed)


def _start(order: Order, keep: KeepFile, rejects: Rejects) -> ProcessFeed:
    with contextlib.ExitStack() as stack:
        their_in, our_out = os.pipe()
        our_in, their_out = os.pipe()
        for theirs in (their_in, their_out):
            stack.callback(os.close, theirs)
        said = os.fdopen(our_in, "rb", buffering=0)
        asked = os.fdopen(our_out, "wb")
        _widen(our_in)
        is_input = order.source == b"-"
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _BOOT, json.dumps(sys.path), str(their_in), str(their_out)],
            stdin=None if is_input else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(their_in, their_out),
            start_new_session=not is_input,  # one that is not the terminal's could not read from there
        )
    feed = ProcessFeed(process, said, asked, keep, rejects)
    with contextlib.suppress(BrokenPipeError):
        write_frame(asked, order)
    return feed


def _finish(feed: ProcessFeed) -> None:
    process = feed._process
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    feed._said.close()
    with contextlib.suppress(BrokenPipeError):
        feed._asked.close()


def _widen(pipe: int) -> None:
    """Let a whole batch lie in the pipe, so that neither side waits for the other in the middle of one."""
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _ending(process: "subprocess.Popen[bytes]") -> str:
    code = process.wait()
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
