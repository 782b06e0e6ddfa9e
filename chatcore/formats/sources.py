"""What a person names as a source, opened: a text, or an archive of texts."""

import os
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, BinaryIO, cast

from msgspec import Struct

from chatcore.errors import InvalidInput
from chatcore.formats.archive import Folder, Zip
from chatcore.formats.members import Members
from chatcore.formats.scratch import Scratch
from chatcore.formats.sight import HEAD_BYTES, ZIP, is_tar
from chatcore.formats.streams import Damaged, Meter, Stream
from chatcore.formats.tar import Tar
from chatcore.formats.texts import as_text, unpacked

__all__ = ["Source", "SourceInput", "copy_of", "open_file", "open_source"]

SourceInput = str | os.PathLike[str] | BinaryIO
"""A path, or an open binary file."""

_FIRST_BYTES = 65_536


class Source(Struct, frozen=True, kw_only=True):
    """An open source: either a `stream` or an `archive`."""

    name: str
    stream: Stream | None = None
    archive: Members | None = None


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
    return open_file(given, Path(name).name, meter, scratch, stack)


def open_file(file: BinaryIO, name: str, meter: Meter, scratch: Scratch, stack: ExitStack) -> Source:
    """The same of an open file, which stays open.

    Raises:
        InvalidInput
    """
    if not file.seekable():
        return _open_pipe(file, name, meter, scratch, stack)
    begin = file.tell()
    head = file.read(HEAD_BYTES)
    total = file.seek(0, os.SEEK_END) - begin
    file.seek(begin)
    meter.total = total
    if head.startswith(ZIP):
        return _archived(name, Zip(file, name, meter, scratch), stack)
    if is_tar(head):
        return _archived(name, Tar(file, name, meter, scratch), stack)
    return _text_or_tar(unpacked(file, meter), name, meter, scratch, stack)


def _open_path(path: Path, meter: Meter, scratch: Scratch, stack: ExitStack) -> Source:
    name = path.name or str(path)
    if path.is_dir():
        return Source(name=name, archive=Folder(path, scratch))
    try:
        file = stack.enter_context(path.open("rb"))
    except OSError as error:
        raise InvalidInput(f"{path} can't be read: {error.strerror}.") from error
    return open_file(file, name, meter, scratch, stack)


def _open_pipe(file: BinaryIO, name: str, meter: Meter, scratch: Scratch, stack: ExitStack) -> Source:
    meter.total = None
    meter.wait_for(file)
    read = getattr(file, "read1", file.read)
    head = read(_FIRST_BYTES)
    while 0 < len(head) < len(ZIP[0]) and (more := read(_FIRST_BYTES)):
        head += more
    begun = cast(BinaryIO, _Begun(head, file))
    stream = unpacked(begun, meter, waits=True)
    if head.startswith(ZIP):
        copy = copy_of(stream, name, stack)
        return _archived(name, Zip(copy, name, meter, scratch), stack)
    return _text_or_tar(stream, name, meter, scratch, stack)


def _text_or_tar(stream: Stream, name: str, meter: Meter, scratch: Scratch, stack: ExitStack) -> Source:
    """What is within a packing is read as it comes; but members of a tar archive lie anywhere in it."""
    if not is_tar(stream.peek(HEAD_BYTES)):
        return Source(name=name, stream=as_text(stream))
    problems: list[str] = []
    copy = copy_of(_until_damaged(stream, problems), name, stack)
    meter.read = 0.0
    return _archived(name, Tar(copy, name, meter, scratch, problems[0] if problems else None), stack)


def _archived(name: str, archive: Zip | Tar, stack: ExitStack) -> Source:
    stack.callback(archive.close)
    return Source(name=name, archive=archive)


def _until_damaged(stream: Stream, problems: list[str]) -> Iterable[bytes]:
    try:
        yield from stream
    except Damaged as error:
        problems.append(error.sentence)


def copy_of(chunks: Iterable[bytes], name: str, stack: ExitStack) -> BinaryIO:
    """A file with these bytes, that can be read at any place; without a name, so it is gone once closed."""
    try:
        copy = tempfile.TemporaryFile()  # noqa: SIM115 -- closed with the stack
        stack.callback(_let_go, copy)
        for chunk in chunks:
            copy.write(chunk)
        copy.seek(0)
    except OSError as error:
        raise InvalidInput(f"{name} can't be unpacked for reading: {error.strerror}.") from error
    return cast(BinaryIO, copy)


def _let_go(copy: IO[bytes]) -> None:
    with suppress(OSError):  # where the disk is full, that has been said: nobody misses what is not written
        copy.close()


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
