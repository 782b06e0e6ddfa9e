"""The texts among an archive's members: what each is at first sight, its format and its records."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from chatcore.formats.calling import TEXTS
from chatcore.formats.detection import Broken, detect, in_format
from chatcore.formats.format import ReadFormat, Record
from chatcore.formats.members import Members
from chatcore.formats.shared import Shared, Text
from chatcore.formats.sight import HEAD_BYTES, Sight, sight_of
from chatcore.formats.streams import UNREADABLE, Damaged, Stream
from chatcore.formats.texts import open_text

__all__ = ["MemberTexts"]


class MemberTexts:
    """Opens members, of which one at a time is open; looks at each once.

    Args:
        share: See `Walk`.
    """

    def __init__(self, name: str, archive: Members, shared: Shared, share: float | None) -> None:
        self._name = name
        self._archive = archive
        self._shared = shared
        self._share = share
        self._open: BinaryIO | None = None
        self._sights: dict[str, Sight] = {}

    def close(self) -> None:
        """Close what is open."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def sight(self, member: str) -> Sight:
        """What it seems to be."""
        if (found := self._sights.get(member)) is None:
            try:
                with self._archive.open(member) as file:
                    found = sight_of(file.read(HEAD_BYTES))
            except UNREADABLE:
                found = "text"  # whoever reads it is told why that can't be done
            self._sights[member] = found
        return found

    def known(self, member: str, formats: Sequence[ReadFormat], *, as_named: bool = True) -> Text:
        """Its format and its records; `as_named`: it is in the format that was named.

        Raises:
            Unrecognised
        """
        try:
            stream = self.stream(member)
        except Damaged as error:
            raise Broken(error.sentence, error.sentence) from error
        return self.in_stream(stream, member, formats, as_named=as_named)

    def in_stream(
        self, stream: Stream, member: str, formats: Sequence[ReadFormat], *, as_named: bool
    ) -> Text:
        """Likewise of one that is open."""
        known, faults, file = self._shared.known, self._shared.faults, f"{self._name}:{member}"
        if known is None:
            return detect(stream, file, self._archive, faults, formats)
        if as_named and TEXTS.fullmatch(member):
            return known, in_format(stream, known, file, self._archive, faults)
        return detect(stream, file, self._archive, faults, [known])

    def records(self, member: str, known: ReadFormat) -> Iterator[Record]:
        """Its records, which are in this format."""
        file = f"{self._name}:{member}"
        try:
            stream = self.stream(member)
        except Damaged as error:
            self._shared.faults.end(error.sentence, file)
            return
        yield from in_format(stream, known, file, self._archive, self._shared.faults)

    def stream(self, member: str) -> Stream:
        """Its text.

        Raises:
            Damaged
        """
        size = self._archive.size(member)
        weight = self._archive.packed_size(member) / size if size else 0.0
        weight *= 1.0 if self._share is None else self._share
        self.close()  # they are read one after the other
        self._open = self._archive.open(member)
        return open_text(self._open, self._shared.meter, weight=weight)
