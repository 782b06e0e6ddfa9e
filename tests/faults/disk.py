"""A disk that can lose its power: what was not synced is then there, lost or torn."""

from collections.abc import Callable, Mapping
from random import Random

from msgspec import Struct

__all__ = ["Image", "Inode", "SimulatedDisk", "folder_of"]

SECTOR = 512

Image = Mapping[str, bytes | None]
"""What a disk holds after a power cut: contents by path, None for a folder."""


class _Write(Struct, frozen=True):
    offset: int
    data: bytes


class _Truncation(Struct, frozen=True):
    size: int


class Inode:
    """A file's content, whatever its name: as programs see it, and as a power cut leaves it for sure."""

    def __init__(self) -> None:
        self.now = bytearray()
        self._durable = bytearray()
        self._pending: list[_Write | _Truncation] = []

    def write(self, data: bytes, offset: int) -> None:
        write = _Write(offset, data)
        _apply(self.now, write)
        self._pending.append(write)

    def truncate(self, size: int) -> None:
        truncation = _Truncation(size)
        _apply(self.now, truncation)
        self._pending.append(truncation)

    def sync(self) -> None:
        for step in self._pending:
            _apply(self._durable, step)
        self._pending.clear()

    def after_cut(self, rng: Random, lost: float) -> bytes:
        """What is found: each unsynced step is lost with this probability, or torn at a sector, or done."""
        found = bytearray(self._durable)
        for step in self._pending:
            if rng.random() < lost:
                continue
            if isinstance(step, _Write) and rng.random() < 0.2:
                step = _torn(step, rng)  # noqa: PLW2901 (the rest of it is lost)
            _apply(found, step)
        return bytes(found)


class _Naming(Struct, frozen=True):
    """One step in the folders' journal: a name goes, another comes, both or neither."""

    removed: str | None
    added: str | None
    inode: Inode | None

    def apply(self, names: dict[str, Inode | None]) -> None:
        if self.removed is not None:
            names.pop(self.removed, None)
        if self.added is not None:
            names[self.added] = self.inode

    def is_in(self, folder: str) -> bool:
        return any(name is not None and folder_of(name) == folder for name in (self.removed, self.added))


class SimulatedDisk:
    """Files and folders by path, relative to a root that is always there ("").

    Attributes:
        steps: How many steps have changed the disk so far.
        names: What programs see; a folder's inode is None.
    """

    def __init__(self, after_step: Callable[[int], None] | None = None) -> None:
        self.steps = 0
        self.names: dict[str, Inode | None] = {}
        self._durable: dict[str, Inode | None] = {}
        self._pending: list[_Naming] = []
        self._after_step = after_step

    def step(self) -> None:
        """Something was done that a power cut can interrupt."""
        self.steps += 1
        if self._after_step is not None:
            self._after_step(self.steps)

    def create(self, path: str) -> Inode:
        inode = Inode()
        self._name(_Naming(None, path, inode))
        return inode

    def make_folder(self, path: str) -> None:
        if path not in self.names:
            self._name(_Naming(None, path, None))

    def rename(self, source: str, target: str) -> None:
        self._name(_Naming(source, target, self.names[source]))

    def unlink(self, path: str) -> None:
        if path in self.names:
            self._name(_Naming(path, None, None))

    def sync_folder(self, path: str) -> None:
        for naming in self._pending:
            if naming.is_in(path):
                naming.apply(self._durable)
        self._pending = [naming for naming in self._pending if not naming.is_in(path)]
        self.step()

    def cut(self, rng: Random) -> Image:
        """What is on it when the power comes back; this disk itself goes on as if nothing had happened."""
        # Some cuts take everything that was not synced, some hardly anything: both have found bugs.
        lost = rng.choice((0.0, 0.1, 0.4, 1.0))
        names = dict(self._durable)
        for naming in self._pending:
            if rng.random() >= lost:
                naming.apply(names)
        contents = {
            path: None if inode is None else inode.after_cut(rng, lost) for path, inode in names.items()
        }
        return {path: content for path, content in contents.items() if _is_reachable(path, contents)}

    def _name(self, naming: _Naming) -> None:
        naming.apply(self.names)
        self._pending.append(naming)
        self.step()


def folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def _is_reachable(path: str, names: Mapping[str, object]) -> bool:
    folder = folder_of(path)
    return not folder or (folder in names and _is_reachable(folder, names))


def _apply(content: bytearray, step: _Write | _Truncation) -> None:
    if isinstance(step, _Truncation):
        del content[step.size :]
        return
    end = step.offset + len(step.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    content[step.offset : end] = step.data


def _torn(write: _Write, rng: Random) -> _Write:
    """The part of it in some sectors at its beginning, or at its end."""
    start, end = write.offset, write.offset + len(write.data)
    boundaries = range(start - start % SECTOR + SECTOR, end, SECTOR)
    if not boundaries:
        return _Write(start, b"")
    at = rng.choice(boundaries)
    if rng.random() < 0.5:
        return _Write(start, write.data[: at - start])
    return _Write(at, write.data[at - start :])
