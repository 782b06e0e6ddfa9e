"""Files that lie beside a record: members of the same archive, or files in the same folder."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from chatcore.formats.format import Archive, Record
from chatcore.formats.values import integer
from chatcore.incoming import IncomingFile

__all__ = ["Neighbours", "member_of"]


def member_of(record: Record) -> str:
    """The name, with ``/``, of the file that `record` is in: of an archive its member."""
    return str(Neighbours().member(record))


class Neighbours:
    """Where the files that records name can be read; never what lies outside of their archive or folder."""

    def __init__(self) -> None:
        self._archive: Archive | None = None
        self._names: frozenset[str] = frozenset()

    def member(self, record: Record) -> PurePosixPath:
        """The file that `record` is in: of an archive its member.

        A record of an archive is called ``archive:member``; either may hold a colon of its own, so the
        archive's names decide.
        """
        if record.archive is None:
            return PurePosixPath(record.file)
        if record.archive is not self._archive:
            self._archive, self._names = record.archive, frozenset(record.archive.names())
        place = record.file.find(":")
        while place >= 0:
            if (name := record.file[place + 1 :]) in self._names:
                return PurePosixPath(name)
            place = record.file.find(":", place + 1)
        return PurePosixPath(record.file.rpartition(":")[2])

    def file(
        self,
        record: Record,
        path: str,
        *,
        name: str | None = None,
        media_type: object = None,
        size: object = None,
    ) -> IncomingFile:
        """The file that `record` names by `path`, with its content where it came along.

        Args:
            record: Which names it.
            path: As written there.
            name: What to call it; None: by the end of `path`.
            media_type: As the source says, if it does.
            size: Likewise, in bytes.
        """
        return IncomingFile(
            name=name or PurePosixPath(path).name or path,
            media_type=media_type if isinstance(media_type, str) and media_type else None,
            size_bytes=integer(size),
            pointer=path,
            at=self.find(record, path),
        )

    def find(self, record: Record, path: str) -> Path | None:
        """The file that lies beside `record` under `path`; None: there is none."""
        if record.archive is not None:
            return self._in_archive(record, record.archive, path)
        if record.folder is None or "\0" in path:
            return None
        for wanted in _readings(path):
            try:
                found = (record.folder / wanted).resolve()
                if found.is_relative_to(record.folder.resolve()) and found.is_file():
                    return found
            except (OSError, RuntimeError, ValueError):  # a name that no file can have, a loop of links
                continue
        return None

    def _in_archive(self, record: Record, archive: Archive, path: str) -> Path | None:
        folder = self.member(record).parent
        for wanted in _readings(path):
            for name in (str(folder / wanted), wanted):
                if name in self._names:
                    return archive.unpack(name)
        return None


def _readings(path: str) -> Iterator[str]:
    """What a path may mean: from the folder of the record; or only its end, where the rest leads there."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in {"", "."}]
    if not parts or ".." in parts:
        return
    yield "/".join(parts)
    if len(parts) > 2:
        yield "/".join(parts[-2:])
