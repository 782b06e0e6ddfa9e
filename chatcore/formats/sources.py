"""What a person names as a source, opened: a text, or an archive of texts."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, cast

from msgspec import Struct

from chatcore.errors import InvalidInput
from chatcore.formats.archive import Folder, Scratch, Zip
from chatcore.formats.streams import Meter, Stream, open_stream

__all__ = ["Source", "SourceInput", "open_source"]

SourceInput = str | os.PathLike[str] | BinaryIO
"""A path, or an open binary file."""

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_HEAD_BYTES = 65_536


class Source(Struct, frozen=True, kw_only=True):
    """An open source: either a `stream` or an `archive`."""

    name: str
    stream: Stream | None = None
    archive: Zip | Folder | None = None


def open_source(given: SourceInput, meter: Meter, scratch: Scratch, stack: ExitStack) -> Source:
    """The source, open until `stack` is closed.

    Raises:
        InvalidInput: It is not there, or can't be opened.
    """
    if isinstance(given, str | os.PathLike):
        return _open_path(Path(given), meter, scratch, stack)
    name = getattr(given, "name", None)
    if not isinstance(name, str) or name.startswith("<"):
        name = "standard input" if name == "<stdin>" else "input"
    return _open_file(given, Path(name).name, meter, scratch, stack)


def _open_path(path: Path, meter: Meter, scratch: Scratch, stack: ExitStack) -> Source:
    if path.is_dir():
        folder = Folder(path, scratch)
        return Source(name=path.name or str(path), archive=folder)
    try:
        file = stack.enter_context(path.open("rb"))
    except OSError as error:
        raise InvalidInput(f"{path} can't be read: {error.strerror}.") from error
    return _open_file(file, path.name, meter, scratch, stack)


def _open_file(file: BinaryIO, name: str, meter: Meter, scratch: Scratch, stack: ExitStack) -> Source:
    waits = not file.seekable()
    if waits:
        meter.total = None
        meter.wait_for(file)
        read = getattr(file, "read1", file.read)
        head = read(_HEAD_BYTES)
        while 0 < len(head) < len(_ZIP[0]) and (more := read(_HEAD_BYTES)):
            head += more
        begun = cast(BinaryIO, _Begun(head, file))
        if not head.startswith(_ZIP):
            return Source(name=name, stream=open_stream(begun, meter, waits=True))
        path = scratch.new(".zip")
        with path.open("wb") as copy:
            while chunk := begun.read(1 << 18):
                meter.wait_for(file)
                copy.write(chunk)
        archive = Zip(path, name, meter, scratch)
        stack.callback(archive.close)
        return Source(name=name, archive=archive)
    begin = file.tell()
    head = file.read(len(_ZIP[0]))
    meter.total = file.seek(0, os.SEEK_END) - begin
    file.seek(begin)
    if head.startswith(_ZIP):
        archive = Zip(file, name, meter, scratch)
        stack.callback(archive.close)
        return Source(name=name, archive=archive)
    return Source(name=name, stream=open_stream(file, meter))


class _Begun:
    """A file of which the first bytes have been taken already."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self._head = head
        self._file = file
        self._read = getattr(file, "read1", file.read)

    def fileno(self) -> int:
        """That of the file: whoever waits, waits for it."""
        return self._file.fileno()

    def read(self, size: int) -> bytes:
        """The next bytes; empty at the end."""
        if self._head:
            given, self._head = self._head[:size], self._head[size:]
            return given
        return bytes(self._read(size))
