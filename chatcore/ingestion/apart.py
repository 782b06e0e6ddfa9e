"""Reading in a process of its own, so that it and what is written each have a core.

Two threads of Python would take turns instead. The start of the process takes a quarter of a second of the
processor, which only pays for what is large.
"""

import contextlib
import fcntl
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import anyio
import msgspec
from anyio import to_thread

from chatcore.errors import InvalidInput, StorageError
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
    error_of,
    read_frame,
    write_frame,
)
from chatcore.ingestion.last_words import told_ending
from chatcore.ingestion.preparation import KeepFile
from chatcore.ingestion.sink import OpenReading
from chatcore.temporary import HeldFolder

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


_PYTHON = re.compile(r"(python|pypy)[0-9.]*[dmt]?(-.*)?(\.exe)?", re.IGNORECASE)

_OWN = ("/proc", "/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr")
"""What is here and below is something else, or nothing, to another process."""

_MOST_LINKS = 40


def name_of(opener: OpenReading) -> str | None:
    """What another process finds it by, as ``module:name``; None: it can't."""
    module, name = getattr(opener, "__module__", ""), getattr(opener, "__qualname__", ".")
    can_find = module != "__main__" and "." not in name
    return f"{module}:{name}" if can_find and _is_python(sys.executable) else None


def _is_python(executable: str | None) -> bool:
    """Else it is a program that has Python within, and to start it would be to have it twice."""
    name = os.path.basename(executable or "")
    return _PYTHON.fullmatch(name) is not None and not getattr(sys, "frozen", False)


def is_large(source: str | os.PathLike[str]) -> bool:
    """Whether a process of its own pays, and would find it."""
    if _is_own(os.fspath(source)):
        return False
    size = 0
    for path in _files_of(Path(source)):
        with contextlib.suppress(OSError):  # whoever reads it will say so
            size += path.stat().st_size
        if size >= LARGE_BYTES:
            return True
    return False


def _is_own(path: str) -> bool:
    """Whether it leads through names that mean something in this process only."""
    for _ in range(_MOST_LINKS):
        folder, name = os.path.split("/" + os.path.abspath(path).lstrip("/"))  # two would stay two
        at = os.path.join(os.path.realpath(folder), name)
        if any(f"{one}/".startswith(f"{own}/") for one in (os.path.join(folder, name), at) for own in _OWN):
            return True
        try:
            path = os.path.join(os.path.dirname(at), os.readlink(at))
        except OSError:  # no link, or nothing
            return False
    return True


def _files_of(source: Path) -> Iterator[Path]:
    if not source.is_dir():
        yield source
    for folder, _, names in os.walk(source):
        yield from (Path(folder, name) for name in names)


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
        scratch: HeldFolder,
        written: BinaryIO,
    ) -> None:
        self._process = process
        self._written = written
        self._scratch = scratch
        self._said = said
        self._asked = asked
        self._keep = keep
        self._rejects = rejects
        self._progress: tuple[int, int | None] = (0, None)
        self._failure: StorageError | None = None
        self._killing = threading.Timer(_STOP_SECONDS, process.kill)
        self._killing.daemon = True

    async def next(self) -> Batch | None:
        """See `Feed`."""
        return await to_thread.run_sync(self._next)

    def progress(self) -> tuple[int, int | None]:
        """See `Feed`."""
        return self._progress

    def stop(self) -> None:
        """See `Feed`."""
        self._process.terminate()
        if self._killing.ident is None:
            self._killing.start()  # it may be stopped itself, or wait for a disk

    def close(self) -> None:
        """The process has ended afterwards."""
        self.stop()
        self._process.wait()
        self._killing.cancel()
        self._said.close()
        self._written.close()
        with contextlib.suppress(BrokenPipeError):
            self._asked.close()
        self._scratch.close()  # the process may have had no time to do so itself

    def _next(self) -> Batch | None:
        if self._failure is not None:
            raise self._failure
        while (body := read_frame(self._said)) is not None:
            try:
                frame = decode_frame(body)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise StorageError(f"the process that reads it can't be understood: {error}.") from error
            if isinstance(frame, Ended):
                if (ended_by := error_of(frame)) is not None:
                    raise ended_by
                return None
            if isinstance(frame, Keep):
                self._answer(frame)
                continue
            try:
                self._rejects.write(frame.rejected)
            except StorageError as error:
                self._failure = error  # told when this batch is on its way
            self._progress = frame.read_bytes, frame.total_bytes
            return batch_of(frame)
        raise StorageError(f"the process that reads it {told_ending(self._process, self._written)}")

    def _answer(self, asked: Keep) -> None:
        at = None if asked.at is None else Path(os.fsdecode(asked.at))
        file = IncomingFile(name=asked.name, media_type=asked.media_type, at=at, content=asked.content)
        kept = Kept(self._keep(file))
        with contextlib.suppress(BrokenPipeError):  # told by the next read
            write_frame(self._asked, kept)


@asynccontextmanager
async def open_process_feed(
    order: Order, keep: KeepFile, rejects: Rejects
) -> AsyncIterator[ProcessFeed | None]:
    """A process that reads what is ordered; it has ended when the block is left.

    Gives None where none can be started.
    """
    feed = await to_thread.run_sync(_start, order, keep, rejects)
    if feed is None:
        yield None
        return
    try:
        yield feed
    finally:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(feed.close)


def _start(order: Order, keep: KeepFile, rejects: Rejects) -> ProcessFeed | None:
    entries: list[object] = [*sys.path]  # whatever types say
    paths = json.dumps([one for one in entries if isinstance(one, str)])
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        try:
            their_in, our_out = os.pipe()
            theirs.callback(os.close, their_in)
            asked = ours.enter_context(os.fdopen(our_out, "wb"))
            our_in, their_out = os.pipe()
            theirs.callback(os.close, their_out)
            said = ours.enter_context(os.fdopen(our_in, "rb", buffering=0))
            _widen(our_in)
            scratch = HeldFolder("reading")
            ours.callback(scratch.close)
            written = ours.enter_context(tempfile.TemporaryFile())
            process = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT, paths, str(their_in), str(their_out)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=written,
                pass_fds=(their_in, their_out, scratch.lock),  # it may outlive us by a moment
                env={**os.environ, "TMPDIR": str(scratch.path)},
                start_new_session=True,  # Ctrl-C in the terminal is for this process
            )
        except OSError:
            return None
        feed = ProcessFeed(process, said, asked, keep, rejects, scratch, written)
        ours.pop_all()
    try:
        with contextlib.suppress(BrokenPipeError):
            write_frame(asked, order)
    except UnicodeEncodeError as error:
        feed.close()
        raise InvalidInput("The name of the source or of the assistant is no text.") from error
    return feed


def _widen(pipe: int) -> None:
    """Let a whole batch lie in the pipe, so that neither side waits for the other in the middle of one."""
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
