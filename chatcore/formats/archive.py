"""A ZIP or a folder as an archive: its members are opened one by one, never unpacked whole."""

import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from chatcore.errors import InvalidInput
from chatcore.formats.streams import UNREADABLE, Damaged, Meter

__all__ = ["Folder", "Members", "Scratch", "Zip"]

_MOST_MEMBERS = 200_000
_MOST_RATIO = 400
_FREE_BYTES = 512 * 2**20
"""A member that is longer and packed so much tighter than texts can be is no text."""


class Scratch:
    """A folder for members that were unpacked; each stays until it is released, all go at the end."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._count = 0

    def new(self, suffix: str) -> Path:
        """A path at which nothing is yet."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="chatcore-reading-"))
        self._count += 1
        return self._folder / f"{self._count}{suffix}"

    def release(self, path: Path) -> None:
        """Remove the file, if it is one of these."""
        if self._folder is not None and path.parent == self._folder:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove all."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


class Members(Protocol):
    """An archive, with what reading its records needs besides (`chatcore.formats.format.Archive`).

    Attributes:
        refused: Names of members that are never opened, with the sentence that says why.
    """

    refused: Mapping[str, str]

    def names(self) -> Sequence[str]:
        """See `Archive`."""
        ...

    def read(self, name: str, *, max_bytes: int = 64 * 2**20) -> bytes | None:
        """See `Archive`."""
        ...

    def unpack(self, name: str) -> Path | None:
        """See `Archive`."""
        ...

    def open(self, name: str) -> BinaryIO:
        """A member's content.

        Raises:
            Damaged: It is refused, or can't be opened.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class _Archive:
    """What both kinds do alike."""

    refused: dict[str, str]

    def __init__(self, scratch: Scratch) -> None:
        self.refused = {}
        self._scratch = scratch

    def open(self, name: str) -> BinaryIO:
        """See `Members`."""
        raise NotImplementedError

    def size(self, name: str) -> int | None:
        """Length of a member; None: there is none."""
        raise NotImplementedError

    def read(self, name: str, *, max_bytes: int = 64 * 2**20) -> bytes | None:
        """See `chatcore.formats.format.Archive`."""
        size = self.size(name)
        if size is None or size > max_bytes or name in self.refused:
            return None
        try:
            with self.open(name) as file:
                content = file.read(max_bytes + 1)
        except UNREADABLE:
            return None
        return content if len(content) <= max_bytes else None


class Zip(_Archive):
    """A ZIP file. Counts what was read of it by the packed sizes of the members that were opened."""

    def __init__(self, path: str | Path | BinaryIO, name: str, meter: Meter, scratch: Scratch) -> None:
        super().__init__(scratch)
        self._meter = meter
        try:
            self._zip = zipfile.ZipFile(path)
        except UNREADABLE as error:
            raise Damaged(f"{name} can't be opened as a ZIP file: {error}.") from error
        infos = self._zip.infolist()
        size = self._zip.fp.seek(0, os.SEEK_END) if self._zip.fp is not None else 0
        if len(infos) > _MOST_MEMBERS:
            raise InvalidInput(f"{name} has {len(infos):,} members; more than {_MOST_MEMBERS:,} are refused.")
        if sum(info.compress_size for info in infos) > size:
            raise InvalidInput(f"The members of {name} overlap: this is no export but a bomb.")
        self._infos: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            if not info.is_dir():
                if info.filename in self._infos:
                    again = f"{info.filename} (an earlier one)"
                    self.refused[again] = "Two members have this name: only the last one is read."
                self._infos[info.filename] = info
                if (reason := _refusal(info)) is not None:
                    self.refused[info.filename] = reason

    def names(self) -> Sequence[str]:
        """See `chatcore.formats.format.Archive`."""
        return [name for name in self._infos if name not in self.refused]

    def size(self, name: str) -> int | None:
        """Length of a member; None: there is none."""
        info = self._infos.get(name)
        return None if info is None else info.file_size

    def packed_size(self, name: str) -> int:
        """Length of what it takes in the archive."""
        return self._infos[name].compress_size

    def open(self, name: str) -> BinaryIO:
        """See `Members`."""
        if name in self.refused:
            raise Damaged(self.refused[name])
        try:
            return cast(BinaryIO, self._zip.open(self._infos[name]))
        except (
            zipfile.BadZipFile,
            OSError,
            RuntimeError,
            NotImplementedError,
            KeyError,
            ValueError,
        ) as error:
            raise Damaged(f"It can't be unpacked: {error}.") from error

    def unpack(self, name: str) -> Path | None:
        """See `chatcore.formats.format.Archive`; gone when it is released."""
        if name not in self._infos or name in self.refused:
            return None
        target = self._scratch.new(Path(name).suffix[:16])
        try:
            with self.open(name) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 18)
        except UNREADABLE:
            target.unlink(missing_ok=True)
            return None
        return target

    def close(self) -> None:
        """Close the file."""
        self._zip.close()


def _refusal(info: zipfile.ZipInfo) -> str | None:
    parts = info.filename.replace("\\", "/").split("/")
    if ".." in parts or info.filename.startswith(("/", "\\")) or ":" in parts[0]:
        return "Its path leads out of the archive: it is not opened."
    if info.flag_bits & 0x1:
        return "It is encrypted: unpack the archive with its password first."
    if stat.S_ISLNK(info.external_attr >> 16):
        return "It is a link and no file."
    if info.file_size > _FREE_BYTES and info.file_size > _MOST_RATIO * max(1, info.compress_size):
        return "It is packed tighter than any text can be: this is no export but a bomb."
    return None


class Folder(_Archive):
    """A folder, such as an archive that somebody has unpacked. Links that lead out of it are refused."""

    def __init__(self, path: Path, scratch: Scratch) -> None:
        super().__init__(scratch)
        self._path = path
        self._root = path.resolve()
        self._names: list[str] = []
        for folder, folders, files in os.walk(path, onerror=self._note_closed):
            folders.sort()
            for file in sorted(files):
                full = Path(folder, file)
                name = full.relative_to(path).as_posix()
                if not full.resolve().is_relative_to(self._root):
                    self.refused[name] = "It is a link that leads out of the folder: it is not opened."
                elif full.is_file():
                    self._names.append(name)
                if len(self._names) > _MOST_MEMBERS:
                    raise InvalidInput(
                        f"{path} has more than {_MOST_MEMBERS:,} files; that many are refused."
                    )

    def _note_closed(self, error: OSError) -> None:
        folder = Path(error.filename or self._path)
        if folder == self._path:
            raise InvalidInput(f"{folder} can't be opened: {error.strerror}.") from error
        self.refused[folder.relative_to(self._path).as_posix()] = f"It can't be opened: {error.strerror}."

    def names(self) -> Sequence[str]:
        """See `chatcore.formats.format.Archive`."""
        return self._names

    def size(self, name: str) -> int | None:
        """Length of a file; None: there is none."""
        path = self._inside(name)
        return None if path is None else path.stat().st_size

    def packed_size(self, name: str) -> int:
        """The same as `size`."""
        return self.size(name) or 0

    def open(self, name: str) -> BinaryIO:
        """See `Members`."""
        path = self._inside(name)
        if path is None:
            raise Damaged(self.refused.get(name, "It is not there."))
        try:
            return path.open("rb")
        except OSError as error:
            raise Damaged(f"It can't be opened: {error.strerror}.") from error

    def unpack(self, name: str) -> Path | None:
        """See `chatcore.formats.format.Archive`: the file itself."""
        return self._inside(name)

    def close(self) -> None:
        """Nothing is open."""

    def _inside(self, name: str) -> Path | None:
        path = self._path / name
        try:
            whole = path.resolve()
            return path if whole.is_relative_to(self._root) and whole.is_file() else None
        except (OSError, ValueError):
            return None
