"""What the real store does to its disk, step by step, and what it has promised between these steps."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from msgspec import Struct

import storage.files.contents
from chatcore.events import (
    ConversationChanged,
    ConversationDeleted,
    ConversationEvent,
    FeedbackChanged,
    MessageChanged,
)
from chatcore.messages import Conversation, Message
from storage.files import Disk
from tests.faults.disk import SimulatedDisk

__all__ = [
    "Closed",
    "FileStep",
    "Known",
    "Opened",
    "Promise",
    "Recorder",
    "Statement",
    "Step",
]


class Opened(Struct, frozen=True):
    """The connection that writes was opened."""


class Closed(Struct, frozen=True):
    """It was closed."""


class Statement(Struct, frozen=True):
    """It executes this, values included."""

    sql: str


class FileStep(Struct, frozen=True):
    """The file store has changed the disk."""

    kind: str
    apply: Callable[[SimulatedDisk], None]


Promise = Message | Conversation | FeedbackChanged | ConversationDeleted


class Known(Struct, frozen=True):
    """Somebody was shown this, or had a call return that says so: a power cut may not take it any more."""

    what: Promise


Step = Opened | Closed | Statement | FileStep | Known


class Recorder:
    """Collects the steps of one data directory, from all threads; order is that in which they happened.

    Attributes:
        epochs: Of each time that the store was opened.
    """

    def __init__(self, directory: Path) -> None:
        self.steps: list[Step] = []
        self.epochs: list[str] = []
        self._directory = directory

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Stores that are opened inside are recorded."""
        disk = partial(RecordingDisk, self)
        with (
            patch.object(sqlite3, "connect", self._connect),
            patch.object(storage.files.contents, "Disk", disk),
        ):
            yield

    def on_event(self, event: ConversationEvent) -> None:
        """A watcher of the hub: it is called right after the commit, before the next group begins."""
        match event:
            case MessageChanged(message=message):
                self.steps.append(Known(message))
            case ConversationChanged(conversation=conversation):
                self.steps.append(Known(conversation))
            case ConversationDeleted() | FeedbackChanged():
                self.steps.append(Known(event))

    def know(self, *what: Promise) -> None:
        """A call has returned this."""
        self.steps.extend(map(Known, what))

    def path(self, path: Path) -> str:
        return path.relative_to(self._directory).as_posix()

    def _connect(self, database: str | Path, **options: Any) -> sqlite3.Connection:
        if "mode=rwc" not in str(database):  # only the one that writes
            return _connect(database, **options)
        recorder = self

        class Recorded(sqlite3.Connection):
            def close(self) -> None:
                self.set_trace_callback(None)
                super().close()
                recorder.steps.append(Closed())

        self.steps.append(Opened())
        connection = _connect(database, factory=Recorded, **options)
        connection.set_trace_callback(lambda sql: self.steps.append(Statement(sql)))
        return connection


_connect: Callable[..., sqlite3.Connection] = sqlite3.connect


class RecordingDisk(Disk):
    """Does each step, then notes it: what is noted is done."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._open: dict[int, str] = {}

    def make_folder(self, path: Path) -> None:
        super().make_folder(path)
        self._note("make_folder", SimulatedDisk.make_folder, self._recorder.path(path))

    def create(self, path: Path) -> int:
        descriptor = super().create(path)
        self._open[descriptor] = self._recorder.path(path)
        self._note("create", SimulatedDisk.create, self._open[descriptor])
        return descriptor

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        super().write(descriptor, data)
        self._note("write", _append, self._open[descriptor], bytes(data))

    def fsync(self, descriptor: int) -> None:
        super().fsync(descriptor)
        self._note("fsync", _sync, self._open[descriptor])

    def close(self, descriptor: int) -> None:
        del self._open[descriptor]  # before another thread can be given the same number
        super().close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        paths = self._recorder.path(source), self._recorder.path(target)
        self._note("rename", SimulatedDisk.rename, *paths)

    def unlink(self, path: Path) -> None:
        super().unlink(path)
        self._note("unlink", SimulatedDisk.unlink, self._recorder.path(path))

    def fsync_folder(self, path: Path) -> None:
        super().fsync_folder(path)
        self._note("fsync_folder", SimulatedDisk.sync_folder, self._recorder.path(path).removeprefix("."))

    def _note(self, kind: str, do: Callable[..., object], *arguments: object) -> None:
        self._recorder.steps.append(FileStep(kind, lambda disk: _do(do, disk, arguments)))


def _do(do: Callable[..., object], disk: SimulatedDisk, arguments: tuple[object, ...]) -> None:
    do(disk, *arguments)


def _append(disk: SimulatedDisk, path: str, data: bytes) -> None:
    inode = disk.names[path]
    assert inode is not None
    inode.write(data, len(inode.now))
    disk.step()


def _sync(disk: SimulatedDisk, path: str) -> None:
    inode = disk.names[path]
    assert inode is not None
    inode.sync()
    disk.step()
