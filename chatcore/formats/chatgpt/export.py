"""What comes beside the conversations of a ChatGPT export: its other files, found by the ids in messages."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

from chatcore.formats.format import Archive, Record

__all__ = ["Asset", "Export", "export_of"]

_MARKS = ("chat.html", "message_feedback.json", "user.json")
"""What an export holds besides conversations: a folder without any of these is taken for none."""

_MOST_FILES = 200_000
_ALIKE = 100  # names that begin with one id

Where = TypeVar("Where")


class Export(Protocol):
    """An export as a whole, packed or not."""

    def is_of(self, record: Record) -> bool:
        """Whether a record is a part of it."""
        ...

    def read(self, name: str, max_bytes: int) -> bytes | None:
        """The content of the member called that, in any folder; None: there is none, or it is longer."""
        ...

    def has(self, name: str) -> bool:
        """Whether there is a member called that."""
        ...

    def asset(self, asset_id: str) -> "Asset | None":
        """The file of that id."""
        ...


class Asset(NamedTuple):
    """A file of an export: its name there, without folder and id, and where it can be read."""

    name: str
    path: Path


class ArchivedExport:
    """A ZIP, or a folder that was given as a whole."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._assets: _Assets[str] | None = None

    def is_of(self, record: Record) -> bool:
        """Whether it is of the same ZIP or folder."""
        return record.archive is self._archive

    def read(self, name: str, max_bytes: int) -> bytes | None:
        """The content of a member."""
        found = self._named(name)
        return None if found is None else self._archive.read(found, max_bytes=max_bytes)

    def has(self, name: str) -> bool:
        """Whether there is one."""
        return self._named(name) is not None

    def asset(self, asset_id: str) -> Asset | None:
        """The file of that id, unpacked."""
        if self._assets is None:
            names = self._archive.names()
            self._assets = _Assets((name.rpartition("/")[2], name) for name in names)
        found = self._assets.find(asset_id)
        path = None if found is None else self._archive.unpack(found)
        if found is None or path is None:
            return None
        return Asset(_own_name(found.rpartition("/")[2], asset_id), path)

    def _named(self, name: str) -> str | None:
        found = (known for known in self._archive.names() if known.rpartition("/")[2] == name)
        return min(found, key=len, default=None)


class UnpackedExport:
    """The folder in which a ``conversations.json`` lies that was given by itself."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._assets: _Assets[Path] | None = None

    def is_of(self, record: Record) -> bool:
        """Whether it lies in the same folder."""
        return record.archive is None and record.folder == self._folder

    def read(self, name: str, max_bytes: int) -> bytes | None:
        """The content of a file that lies in it."""
        path = self._folder / name
        try:
            return path.read_bytes() if path.stat().st_size <= max_bytes else None
        except OSError:
            return None

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self._folder / name).is_file()

    def asset(self, asset_id: str) -> Asset | None:
        """The file of that id, here or one folder below."""
        if self._assets is None:
            self._assets = _Assets((path.name, path) for path in self._files())
        path = self._assets.find(asset_id)
        return None if path is None else Asset(_own_name(path.name, asset_id), path)

    def _files(self) -> Iterator[Path]:
        count = 0
        for pattern in ("*", "*/*"):
            try:
                for path in self._folder.glob(pattern):
                    count += 1
                    if count > _MOST_FILES:
                        return
                    if path.is_file() and not path.is_symlink():
                        yield path
            except OSError:
                return


class _Assets(Generic[Where]):
    """Files by their names, which begin with the id: ``file-1a2B-photo.png``, ``file_0c1d.dat``."""

    def __init__(self, files: Iterable[tuple[str, Where]]) -> None:
        self._where = dict(files)
        self._names = sorted(self._where)

    def find(self, asset_id: str) -> Where | None:
        """Where the file lies whose name is the id, or begins with it and goes on with something else."""
        at = bisect_left(self._names, asset_id)
        for name in self._names[at : at + _ALIKE]:
            if not name.startswith(asset_id):
                break
            if name[len(asset_id) : len(asset_id) + 1] in {"", ".", "-", "_"}:
                return self._where[name]
        return None


def _own_name(name: str, asset_id: str) -> str:
    """``photo.png`` of ``file-1a2B-photo.png``; ``file-1a2B.png`` as it is."""
    own = name[len(asset_id) :]
    return own[1:] if own[:1] in {"-", "_"} and own[1:] else name


def export_of(record: Record) -> Export | None:
    """The export that a record is a part of; None: it comes alone."""
    if record.archive is not None:
        return ArchivedExport(record.archive)
    if record.folder is not None:
        export = UnpackedExport(record.folder)
        if any(export.has(mark) for mark in _MARKS):
            return export
    return None
