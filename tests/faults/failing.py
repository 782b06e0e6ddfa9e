"""A disk that fails beneath the real driver: SQLite's own VFS, with a fault planted in its k-th write.

Python's `sqlite3` can't register a VFS, but the library that it is linked with can, and is the same for
`ctypes`. Structures as in sqlite.org/c3ref/vfs.html and sqlite.org/c3ref/io_methods.html.
"""

import ctypes
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import chatcore.runs
import storage.sqlite.connection
import storage.sqlite.writer

__all__ = ["Fault", "failing_disk"]

CHECKPOINT_PAGES = 30
COPIED_AFTER = 10
"""Instead of the store's own, so that faults come in checkpoints too, also in those that are a turn."""

NAME = "failing"

_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)
_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)


class Fault:
    """From the write number `at` on, `lasts` writes fail; then the disk is as good as ever.

    Attributes:
        full: Whether it is full (then only what needs space fails), or reports errors.
        writes: How many there have been.
        failed: How many of them failed.
    """

    def __init__(self, at: int | None = None, *, lasts: int = 1, full: bool = False) -> None:
        self.at = at
        self.lasts = lasts
        self.full = full
        self.writes = 0
        self.failed = 0

    def code(self, error: int) -> int:
        """What the next step gives: 0, or the error."""
        if self.full and error != sqlite3.SQLITE_IOERR_WRITE:
            return 0
        self.writes += 1
        if self.at is None or not self.at <= self.writes < self.at + self.lasts:
            return 0
        self.failed += 1
        return sqlite3.SQLITE_FULL if self.full else error


class _Methods(Structure):
    _fields_: ClassVar = [
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", c_void_p),
        ("truncate", c_void_p),
        ("sync", c_void_p),
        *((f"rest_{number}", c_void_p) for number in range(13)),
    ]


class _File(Structure):
    _fields_: ClassVar = [("methods", POINTER(_Methods))]


class _Vfs(Structure):
    _fields_: ClassVar = [
        ("version", c_int),
        ("file_bytes", c_int),
        ("max_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", c_void_p),
        *((f"rest_{number}", c_void_p) for number in range(15)),
    ]


class _FailingVfs:
    """The system's VFS under another name, whose files ask the fault of the moment before they write."""

    def __init__(self) -> None:
        self.fault = Fault()
        self._library = _library()
        self._library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        self._system: Any = self._library.sqlite3_vfs_find(None)
        self._methods: dict[int, _Methods] = {}
        self._kept: list[object] = []  # what SQLite points to must never be collected
        self._vfs = _Vfs()
        ctypes.memmove(ctypes.byref(self._vfs), self._system, ctypes.sizeof(_Vfs))
        self._vfs.name = NAME.encode()
        self._vfs.next = None
        self._open_of_system = _Open(self._vfs.open)
        self._vfs.open = self._keep(_Open(self._open))
        if self._library.sqlite3_vfs_register(ctypes.byref(self._vfs), 0) != 0:
            raise RuntimeError("SQLite took no further VFS")

    def _open(self, vfs: int, name: int, file: int, flags: int, given: int) -> int:
        code: int = self._open_of_system(ctypes.cast(self._system, c_void_p).value, name, file, flags, given)
        opened = ctypes.cast(file, POINTER(_File)).contents
        if code == 0 and opened.methods:
            opened.methods = ctypes.pointer(self._failing(opened.methods))
        return code

    def _failing(self, methods: Any) -> _Methods:
        address = ctypes.addressof(methods.contents)
        if address not in self._methods:
            copy = _Methods()
            ctypes.memmove(ctypes.byref(copy), methods, ctypes.sizeof(_Methods))
            copy.write = self._guarded(_Write, copy.write, sqlite3.SQLITE_IOERR_WRITE)
            copy.truncate = self._guarded(_Truncate, copy.truncate, sqlite3.SQLITE_IOERR_TRUNCATE)
            copy.sync = self._guarded(_Sync, copy.sync, sqlite3.SQLITE_IOERR_FSYNC)
            self._methods[address] = copy
        return self._methods[address]

    def _guarded(self, kind: Any, address: int, error: int) -> int | None:
        original = kind(address)

        def guarded(*arguments: object) -> int:
            return self.fault.code(error) or int(original(*arguments))

        return self._keep(kind(guarded))

    def _keep(self, function: Any) -> int | None:
        self._kept.append(function)
        return ctypes.cast(function, c_void_p).value


def _library() -> ctypes.CDLL:
    """SQLite, as Python's own driver is linked with it."""
    import _sqlite3

    return ctypes.CDLL(getattr(_sqlite3, "__file__", None))


@cache
def _vfs() -> _FailingVfs:
    return _FailingVfs()


@contextmanager
def failing_disk() -> Iterator[Callable[[Fault], None]]:
    """The connections that write, opened inside, are on a disk that has the fault last given."""
    vfs = _vfs()
    vfs.fault = Fault()

    def plant(fault: Fault) -> None:
        vfs.fault = fault

    with (
        patch.object(sqlite3, "connect", _connect),
        patch.object(storage.sqlite.connection, "prepare_writer", _prepare),
        patch.object(storage.sqlite.writer, "_COPIED_AFTER", COPIED_AFTER),
        patch.object(chatcore.runs, "RETRY_SECONDS", (0.001, 0.002)),
    ):
        yield plant


_real_connect: Callable[..., sqlite3.Connection] = sqlite3.connect
_real_prepare = storage.sqlite.connection.prepare_writer


def _connect(database: str | Path, **options: Any) -> sqlite3.Connection:
    if "mode=rwc" in str(database):
        database = f"{database}&vfs={NAME}"
    return _real_connect(database, **options)


def _prepare(connection: sqlite3.Connection) -> None:
    _real_prepare(connection)
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
