"""Where members of archives are unpacked for a while."""

from pathlib import Path

from chatcore.temporary import HeldFolder

__all__ = ["Scratch"]


class Scratch:
    """A folder for members that were unpacked; each stays until it is released, all go at the end."""

    def __init__(self) -> None:
        self._folder: HeldFolder | None = None
        self._count = 0

    def new(self, suffix: str) -> Path:
        """A path at which nothing is yet."""
        if self._folder is None:
            self._folder = HeldFolder("reading")
        self._count += 1
        return self._folder.path / f"{self._count}{suffix}"

    def release(self, path: Path) -> None:
        """Remove the file, if it is one of these."""
        if self._folder is not None and path.parent == self._folder.path:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove all."""
        if self._folder is not None:
            self._folder.close()
            self._folder = None
