"""Reading a source: a file, a folder, an archive or standard input, in whatever format it is.

What is held in memory is bounded by the largest conversation, whatever the size of the source.
"""

import os
import re
import sys
from collections.abc import Generator, Iterator, Sequence, Set
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from chatcore.errors import Unrecognised
from chatcore.formats.archive import Folder, Scratch, Zip
from chatcore.formats.detection import detect, in_format, member_names, unrecognised
from chatcore.formats.format import ReadFormat, ReadOptions, Record
from chatcore.formats.json_piece import MAX_RECORD_BYTES
from chatcore.formats.lenient import NotJson
from chatcore.formats.records import Faults, json_record
from chatcore.formats.registry import find_read_format, read_formats
from chatcore.formats.sources import Source, SourceInput, open_source
from chatcore.formats.streams import Damaged, Meter, Stream, open_stream
from chatcore.incoming import Incoming, Unread

__all__ = ["Reading", "read_source"]

_TEXTS = re.compile(r".*\.(json|jsonl|ndjson|csv|txt|log)(\.(gz|zst))?", re.IGNORECASE)
"""Files of an archive or folder that may hold conversations although no format knows their names."""

_BESIDE = re.compile(r"(?!file[-_])[^/]*\.(json|jsonl|ndjson|csv)(\.(gz|zst))?", re.IGNORECASE)
"""Files beside the records of an export that may be one by themselves, and are no attachments of it."""

_PACKED = re.compile(r"(?!file[-_])[^/]*\.zip", re.IGNORECASE)

NESTED = "It is an archive inside of an archive or folder: name it by itself."

Text = tuple[ReadFormat, Iterator[Record]]


class Reading(Iterator[Incoming | Unread]):
    """The conversations of a source, one by one; made by `read_source`.

    Attributes:
        meter: How far it is.
    """

    def __init__(self, source: SourceInput, known: ReadFormat | None, options: ReadOptions) -> None:
        self.meter = Meter()
        self._scratch = Scratch()
        self._source = source
        self._beside = Path(source).absolute().parent if isinstance(source, str | os.PathLike) else None
        self._known = known
        self._options = options
        self._faults = Faults()
        self._items = self._read()
        self._held: Incoming | Unread | None = None
        self._last: Record | None = None
        self._member_file: BinaryIO | None = None
        self._taken = 0

    def __next__(self) -> Incoming | Unread:
        if self._held is None:
            self._held = next(self._items, None)
        if (fault := self._faults.take()) is not None:
            return fault  # it was found on the way to the next conversation
        if self._held is None:
            raise StopIteration
        item, self._held = self._held, None
        return item

    def stop(self) -> None:
        """Have it end soon, also where it waits for a pipe; may be called from any thread."""
        self.meter.stop()

    def close(self) -> None:
        """Close what is open and remove what was unpacked; not while another thread reads."""
        self.meter.stop()
        self._items.close()
        self._scratch.close()

    def progress(self) -> tuple[int, int | None]:
        """Bytes that were read, and how many there are; None: nobody knows."""
        return int(self.meter.read), self.meter.total

    def release(self, path: Path) -> None:
        """Remove a file that was unpacked (`IncomingFile.at`); others stay."""
        self._scratch.release(path)

    def record_of(self, item: Incoming) -> bytes | None:
        """The record that the newest conversation was made of, where it was made of one."""
        last = self._last
        return last.body if last is not None and (last.file, last.place) == (item.file, item.place) else None

    def _read(self) -> Generator[Incoming | Unread, None, None]:
        with ExitStack() as stack:
            stack.callback(self._close_member)
            source = open_source(self._source, self.meter, self._scratch, stack)
            if source.archive is None:
                known, records = self._text(source)
                yield from self._in(known, records)
            else:
                yield from self._archive(source.name, source.archive)

    def _text(self, source: Source) -> Text:
        assert source.stream is not None
        if self._known is not None:
            return self._known, in_format(source.stream, self._known, source.name, None, self._faults)
        return detect(source.stream, source.name, None, self._faults, read_formats())

    def _archive(self, name: str, archive: Zip | Folder) -> Iterator[Incoming | Unread]:
        for member, reason in archive.refused.items():
            yield Unread(kind="failed", reason=reason, file=f"{name}:{member}")
        for names, formats in self._candidates(archive):
            self.meter.total = sum(archive.packed_size(one) for one in names)
            try:
                known, records = self._members(name, archive, names, formats)
            except Unrecognised:
                continue
            yield from self._in(known, records)
            yield from self._others(name, archive, set(names))
            return
        yield from self._one_by_one(name, archive)

    def _others(self, name: str, archive: Zip | Folder, seen: Set[str]) -> Iterator[Incoming | Unread]:
        """What stands beside the records of an export and is one by itself; the rest belongs to it."""
        for member in archive.names():
            if _PACKED.fullmatch(member):
                yield Unread(kind="failed", reason=NESTED, file=f"{name}:{member}")
            elif member not in seen and _BESIDE.fullmatch(member):
                try:
                    known, records = self._member(name, archive, member, read_formats())
                except Unrecognised:
                    continue
                yield from self._in(known, records)

    def _candidates(self, archive: Zip | Folder) -> Sequence[tuple[tuple[str, ...], list[ReadFormat]]]:
        """Which members may hold the records of which formats."""
        found: dict[tuple[str, ...], list[ReadFormat]] = {}
        for one in read_formats() if self._known is None else [self._known]:
            names = member_names(archive.names(), one)
            if names:
                found.setdefault(names, []).append(one)
        # a format of one file a day is told apart by its whole folder, so it comes first
        return sorted(found.items(), key=lambda entry: all(one.kind != "members" for one in entry[1]))

    def _members(
        self, name: str, archive: Zip | Folder, names: Sequence[str], formats: Sequence[ReadFormat]
    ) -> Text:
        """The format of these members, and all their records.

        Raises:
            Unrecognised
        """
        for one in formats:
            if one.kind == "members":
                whole = self._whole(name, archive, names)
                first = next(whole, None)
                if first is not None and (self._known is one or one.recognises(first)):
                    return one, chain([first], whole)
        texts = [one for one in formats if one.kind != "members"]
        for number, member in enumerate(names):
            try:
                known, records = self._member(name, archive, member, texts)
            except Unrecognised:
                continue
            rest = (
                record
                for other in names[number + 1 :]
                for record in self._opened(name, archive, other, known)
            )
            return known, chain(records, rest)
        raise unrecognised(name, [])

    def _member(self, name: str, archive: Zip | Folder, member: str, formats: Sequence[ReadFormat]) -> Text:
        if self._known is not None:
            return self._known, self._opened(name, archive, member, self._known)
        stream = self._stream(name, archive, member)
        if stream is None:
            raise unrecognised(member, [])
        return detect(stream, f"{name}:{member}", archive, self._faults, formats)

    def _opened(self, name: str, archive: Zip | Folder, member: str, known: ReadFormat) -> Iterator[Record]:
        stream = self._stream(name, archive, member)
        if stream is not None:
            yield from in_format(stream, known, f"{name}:{member}", archive, self._faults)

    def _stream(self, name: str, archive: Zip | Folder, member: str) -> Stream | None:
        size = archive.size(member)
        weight = archive.packed_size(member) / size if size else 0.0
        self._close_member()  # they are read one after the other
        try:
            self._member_file = archive.open(member)
            return open_stream(self._member_file, self.meter, weight=weight)
        except Damaged as error:
            self._faults.add(error.sentence, f"{name}:{member}")
            return None

    def _close_member(self) -> None:
        if self._member_file is not None:
            self._member_file.close()
            self._member_file = None

    def _whole(self, name: str, archive: Zip | Folder, names: Sequence[str]) -> Iterator[Record]:
        for member in names:
            file = f"{name}:{member}"
            stream = self._stream(name, archive, member)
            if stream is None:
                continue
            try:
                body = stream.whole(MAX_RECORD_BYTES)
                if body is None:
                    self._faults.add("It is longer than any record may be.", file)
                else:
                    yield json_record(body, file, archive)
            except (Damaged, NotJson) as error:
                self._faults.add(f"It can't be read: {error}", file)

    def _one_by_one(self, name: str, archive: Zip | Folder) -> Iterator[Incoming | Unread]:
        """Each file by itself."""
        for member in archive.names():
            if _PACKED.fullmatch(member):
                yield Unread(kind="failed", reason=NESTED, file=f"{name}:{member}")
        names = [one for one in archive.names() if _TEXTS.fullmatch(one)]
        self.meter.total = sum(archive.packed_size(one) for one in names)
        recognised = False
        left: list[Unrecognised] = []
        for member in names:
            try:
                known, records = self._member(name, archive, member, read_formats())
            except Unrecognised as error:
                left.append(error)
                if recognised:
                    yield Unread(kind="skipped", reason=error.sentence, file=f"{name}:{member}")
                continue
            if not recognised:
                recognised = True
                for earlier in left:
                    yield Unread(kind="skipped", reason=earlier.sentence, file=name)
            yield from self._in(known, records)
        if not recognised:
            raise left[0] if left else unrecognised(name, [])

    def _in(self, known: ReadFormat, records: Iterator[Record]) -> Iterator[Incoming | Unread]:
        """What a format makes of the records; one that raises has that record's failure, and goes on."""
        watched = self._watched(records)
        while True:
            taken = self._taken
            try:
                yield from known.read(watched, self._options)
                return
            except Exception as error:
                last = self._last
                yield Unread(
                    kind="failed",
                    reason=f"The format {known.name} can't cope with it: {type(error).__name__}: {error}.",
                    file=last.file if last is not None else "",
                    place=last.place if last is not None else "",
                    record=last.body if last is not None else None,
                )
                if self._taken == taken:
                    return

    def _watched(self, records: Iterator[Record]) -> Iterator[Record]:
        for record in records:
            if record.archive is None and self._beside is not None:
                record = replace(record, folder=self._beside)  # noqa: PLW2901
            self._last = record
            self._taken += 1
            yield record


def read_source(
    source: SourceInput,
    *,
    format: str | None = None,  # noqa: A002 -- as the command calls it
    options: ReadOptions = ReadOptions(),
) -> Reading:
    """The conversations of a source as they stand there, and what of it can't be read, in its order.

    Args:
        source: A path (a file, packed or not, a ZIP, a folder), ``-`` for standard input, or an open binary
            file, which stays open.
        format: Name of its format; None: by its first records.

    Raises:
        InvalidInput: There is no such format or file.
        Unrecognised: While reading: it is in no known format.
    """
    known = find_read_format(format) if format is not None else None
    return Reading(sys.stdin.buffer if source == "-" else source, known, options)
