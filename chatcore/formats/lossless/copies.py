"""Copies of attachments that lie beside an export."""

import hashlib
from pathlib import Path

from chatcore.formats.format import Record
from chatcore.formats.lossless.lines import FilePart
from chatcore.formats.neighbours import Neighbours
from chatcore.incoming import IncomingFile

__all__ = ["Copies"]

_CHUNK_BYTES = 1 << 20


class Copies:
    """Where the files of a reading's records are; only beside or below the export, whatever a line says."""

    def __init__(self) -> None:
        self._neighbours = Neighbours()

    def file(self, part: FilePart, record: Record) -> IncomingFile:
        """The file that a part names; with its content when that is there and the very one."""
        at = None if part.at is None else self._neighbours.find(record, part.at)
        return IncomingFile(
            name=part.name,
            media_type=part.media_type,
            size_bytes=part.size_bytes,
            pointer=f"sha256:{part.sha256}",
            at=at if at is not None and _is_it(at, part) else None,
        )


def _is_it(path: Path, part: FilePart) -> bool:
    try:
        if path.stat().st_size != part.size_bytes:
            return False
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError:
        return False
    return digest.hexdigest() == part.sha256
