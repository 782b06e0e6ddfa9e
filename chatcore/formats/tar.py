"""A tar archive, or several in one file: headers are read once, members where they lie."""

import tarfile
from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

from chatcore.errors import InvalidInput
from chatcore.formats.archive import LEADS_OUT, LINK, MOST_MEMBERS, ArchiveBase, leads_out
from chatcore.formats.scratch import Scratch
from chatcore.formats.sight import is_tar
from chatcore.formats.streams import UNREADABLE, Damaged, Meter

__all__ = ["Tar"]

_MOST_HEADER_BYTES = 1 << 20
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE)
_ZEROS_BYTES = 1 << 16
_CUT = "The archive is cut short or damaged: what comes behind this place is not read."
_BEHIND = "Behind the end of the archive comes something that is no archive: it is not read."


class Tar(ArchiveBase):
    """A tar file that is not packed; of members with one name the last holds, as where it is unpacked.

    Where further archives follow the first one in the file (somebody has joined them), it is all of them.

    Args:
        file: Can be read at any place; stays open.
        problem: Why its end is not there; None: nobody knows of any reason.
    """

    def __init__(
        self, file: BinaryIO, name: str, meter: Meter, scratch: Scratch, problem: str | None = None
    ) -> None:
        super().__init__(scratch)
        self._infos: dict[str, tarfile.TarInfo] = {}
        self._file = _Bounded(file)
        try:
            self._tar = self._opened()
        except UNREADABLE as error:
            raise Damaged(f"{name} can't be opened as a tar archive: {error}.") from error
        try:
            for number, info in enumerate(self._headers(meter)):
                if number >= MOST_MEMBERS:
                    raise InvalidInput(
                        f"{name} has more than {MOST_MEMBERS:,} members; that many are refused."
                    )
                self._note(info)
        except Damaged as error:
            problem = problem or error.sentence
        except UNREADABLE:
            problem = problem or _CUT
        self.problem = problem
        self._file.most_bytes = None

    def _opened(self) -> tarfile.TarFile:
        """The archive that begins where the file is."""
        return tarfile.TarFile(fileobj=cast(BinaryIO, self._file), encoding="utf-8", errors="surrogateescape")

    def _headers(self, meter: Meter) -> Iterator[tarfile.TarInfo]:
        """One after the other; each further on than that before it, whatever it says of its size."""
        at = -1
        tar = self._tar
        while True:
            while (info := tar.next()) is not None:
                meter.check()
                if info.size < 0 or info.offset <= at:
                    raise Damaged(_CUT)
                at = info.offset
                yield info
            if not self._has_end(tar.offset):
                raise Damaged(_CUT)
            if not self._is_followed(tar.offset, meter):
                return
            tar = self._opened()

    def _note(self, info: tarfile.TarInfo) -> None:
        name = info.name.removeprefix("./")
        if info.isdir():
            return
        if self._infos.pop(name, None) is not None:
            self._forget(name)
        self.refused.pop(name, None)
        self.passed.pop(name, None)
        if leads_out(name):
            self.refused[name] = LEADS_OUT
        elif info.issym() or info.islnk():
            self.refused[name] = LINK
        elif info.type not in _FILES or info.issparse():
            self.passed[name] = "It is no plain file (but a pipe, a device, or one with holes)."
        else:
            self._infos[name] = info

    def _has_end(self, at: int) -> bool:
        """Whether a block of NULs is there: of an archive that is cut, `tarfile` says nothing."""
        self._file.seek(at)
        block = self._file.read(tarfile.BLOCKSIZE)
        return len(block) == tarfile.BLOCKSIZE and not any(block)

    def _is_followed(self, at: int, meter: Meter) -> bool:
        """Whether another archive comes behind the NULs from here on; the file is at its beginning then.

        Raises:
            Damaged: Something else comes.
        """
        self._file.seek(at)
        while zeros := self._file.read(_ZEROS_BYTES):
            meter.check()
            if left := len(zeros.lstrip(b"\0")):
                begin = at + (len(zeros) - left) // tarfile.BLOCKSIZE * tarfile.BLOCKSIZE
                self._file.seek(begin)
                if not is_tar(self._file.read(tarfile.BLOCKSIZE)):
                    raise Damaged(_BEHIND)
                self._file.seek(begin)
                return True
            at += len(zeros)
        return False

    def names(self) -> Sequence[str]:
        """See `chatcore.formats.format.Archive`."""
        return list(self._infos)

    def size(self, name: str) -> int | None:
        """Length of a member; None: there is none."""
        info = self._infos.get(name)
        return None if info is None else info.size

    def packed_size(self, name: str) -> int:
        """The same as `size`."""
        return self._infos[name].size

    def open(self, name: str) -> BinaryIO:
        """See `Members`."""
        if name not in self._infos:
            raise Damaged(self.refused.get(name, "It is not there."))
        try:
            file = self._tar.extractfile(self._infos[name])
        except UNREADABLE as error:
            raise Damaged(f"It can't be unpacked: {error}.") from error
        assert file is not None  # it is a plain file
        return cast(BinaryIO, file)

    def close(self) -> None:
        """Let go of it; the file stays open."""
        self._tar.close()


class _Bounded:
    """A file of which headers can't ask for more than headers have; `tarfile` holds each as a whole.

    Attributes:
        most_bytes: That are read at once; None: as many as are asked for.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.most_bytes: int | None = _MOST_HEADER_BYTES
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        if self.most_bytes is not None and not 0 <= size <= self.most_bytes:
            raise Damaged("A header of the archive is longer than headers are.")
        return self._file.read(size)

    def seek(self, at: int, whence: int = 0) -> int:
        """Go there."""
        return self._file.seek(at, whence)

    def tell(self) -> int:
        """Where it is."""
        return self._file.tell()
