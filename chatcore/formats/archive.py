"""A ZIP or a folder as an archive: its members are opened one by one, never unpacked whole."""

import os
import shutil
import stat
import zipfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import BinaryIO, cast

from chatcore.errors import InvalidInput
from chatcore.formats.scratch import Scratch
from chatcore.formats.streams import UNREADABLE, Damaged, Meter

__all__ = [
    "BOMB",
    "EARLIER",
    "ENCRYPTED",
    "FREE_BYTES",
    "LEADS_OUT",
    "LINK",
    "MOST_MEMBERS",
    "MOST_RATIO",
    "ArchiveBase",
    "Folder",
    "Zip",
    "leads_out",
]

MOST_MEMBERS = 200_000
LEADS_OUT = "Its path leads out of the archive: it is not opened."
EARLIER = "Two members have this name: only the last one counts."
LINK = "It is a link and no file."
JOINED = "Another archive lies in front of it in the same file, and is not read: part the two."
ENCRYPTED = "It is encrypted: unpack the archive with its password first."
_MOST_END_BYTES = 22 + 65_535
"""The end of a ZIP file with its comment (APPNOTE 4.3.16)."""

BOMB = "It is packed tighter than any text can be: this is no export but a bomb."
MOST_RATIO = 400
FREE_BYTES = 512 * 2**20
"""A member that is longer and packed so much tighter than texts can be is no text."""


class ArchiveBase(ABC):
    """What all kinds do alike."""

    nests = False

    def __init__(self, scratch: Scratch) -> None:
        self.refused: dict[str, str] = {}
        self.passed: dict[str, str] = {}
        self.unpacked: set[str] = set()
        self.consulted: set[str] = set()
        self.problem: str | None = None
        self._scratch = scratch
        self._earlier: Counter[str] = Counter()

    def _forget(self, name: str) -> None:
        """Another member of this name has come: an earlier file is not read, and told, each by itself."""
        self.refused.pop(name, None)
        self._earlier[name] += 1
        number = f", number {self._earlier[name]}" if self._earlier[name] > 1 else ""
        self.refused[f"{name} (an earlier one{number})"] = EARLIER

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """See `Members`."""

    @abstractmethod
    def size(self, name: str) -> int | None:
        """Length of a member; None: there is none."""

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
        self.consulted.add(name)
        return content if len(content) <= max_bytes else None

    def unpack(self, name: str) -> Path | None:
        """See `chatcore.formats.format.Archive`; gone when it is released."""
        if self.size(name) is None or name in self.refused:
            return None
        self.unpacked.add(name)
        target = self._scratch.new(Path(name).suffix[:16])
        try:
            with self.open(name) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 18)
        except UNREADABLE as error:
            target.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno in {ENOSPC, EDQUOT}:
                raise  # it is not the member that is at fault
            return None
        return target


class Zip(ArchiveBase):
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
        if len(infos) > MOST_MEMBERS:
            raise InvalidInput(f"{name} has {len(infos):,} members; more than {MOST_MEMBERS:,} are refused.")
        if sum(info.compress_size for info in infos) > size:
            raise InvalidInput(f"The members of {name} overlap: this is no export but a bomb.")
        self._infos: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            if not info.is_dir():
                if info.filename in self._infos:
                    self._forget(info.filename)
                self._infos[info.filename] = info
                if (reason := _refusal(info)) is not None:
                    self.refused[info.filename] = reason
        if self._follows_another(min((info.header_offset for info in infos), default=0)):
            self.problem = JOINED

    def _follows_another(self, begin: int) -> bool:
        """Whether another ZIP file ends where this one begins: its directory is not looked at by anybody."""
        if begin == 0 or self._zip.fp is None:
            return False
        at = max(0, begin - _MOST_END_BYTES)
        try:
            self._zip.fp.seek(at)
            return b"PK\x05\x06" in self._zip.fp.read(begin - at)
        except UNREADABLE:
            return False  # who reads a member is told

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
            RuntimeError,  # a password; and, as one of its kinds, a compression that is not known
            KeyError,
            ValueError,
        ) as error:
            raise Damaged(f"It can't be unpacked: {error}.") from error

    def close(self) -> None:
        """Close the file."""
        self._zip.close()


def leads_out(name: str) -> bool:
    """Whether a member's name is no place within its archive."""
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0]


def _refusal(info: zipfile.ZipInfo) -> str | None:
    if leads_out(info.filename):
        return LEADS_OUT
    if info.flag_bits & 0x1:
        return ENCRYPTED
    if stat.S_ISLNK(info.external_attr >> 16):
        return LINK
    if info.file_size > FREE_BYTES and info.file_size > MOST_RATIO * max(1, info.compress_size):
        return BOMB
    return None


class Folder(ArchiveBase):
    """A folder, such as an archive that somebody has unpacked. Links that lead out of it are refused."""

    nests = True

    def __init__(self, path: Path, scratch: Scratch) -> None:
        super().__init__(scratch)
        self._path = path
        self._root = path.resolve()
        self._names: list[str] = []
        for folder, folders, files in os.walk(path, onerror=self._note_closed):
            folders.sort()
            for name in folders:
                if os.path.islink(full := Path(folder, name)):
                    self._note_link(full)
            for name in sorted(files):
                self._note(Path(folder, name))

    def _note(self, full: Path) -> None:
        name = full.relative_to(self._path).as_posix()
        try:
            inside, regular = full.resolve().is_relative_to(self._root), full.is_file()
        except (OSError, RuntimeError):  # links that lead to one another
            inside = regular = False
        if not inside:
            self.refused[name] = "It is a link that leads out of the folder: it is not opened."
        elif regular:
            self._names.append(name)
        else:
            self.passed[name] = "It is no file (but a pipe, a device, or a link to nothing)."
        if len(self._names) > MOST_MEMBERS:
            raise InvalidInput(f"{self._path} has more than {MOST_MEMBERS:,} files; that many are refused.")

    def _note_link(self, full: Path) -> None:
        """A link to a folder is never followed; where that lies in here, its files are read there."""
        try:
            inside = full.resolve().is_relative_to(self._root)
        except (OSError, RuntimeError):
            inside = False
        if not inside:
            name = full.relative_to(self._path).as_posix()
            self.refused[name] = "It is a link to a folder elsewhere: it is not followed."

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
        self.unpacked.add(name)
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
