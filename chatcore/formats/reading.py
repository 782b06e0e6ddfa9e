"""Reading a source: a file, a folder, an archive or standard input, in whatever format it is.

What is held in memory is bounded by the largest conversation, whatever the size of the source.
"""

import os
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from msgspec.structs import replace

from chatcore.errors import StorageError
from chatcore.formats.detection import detect, in_format
from chatcore.formats.format import ReadFormat, ReadOptions, Record
from chatcore.formats.records import Faults
from chatcore.formats.registry import find_read_format, read_formats
from chatcore.formats.scratch import Scratch
from chatcore.formats.shared import Shared, Text
from chatcore.formats.sources import Source, SourceInput, open_source
from chatcore.formats.streams import Meter
from chatcore.formats.walk import Walk
from chatcore.incoming import Incoming, Unread
from chatcore.strangers import described

__all__ = ["Reading", "read_source"]


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
        self._taken = 0
        self._repaired: dict[str, int] = {}
        self._repaired_last: Mapping[str, int] = {}

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
            source = open_source(self._source, self.meter, self._scratch, stack)
            if source.archive is None:
                known, records = self._text(source)
                yield from self._in(known, records)
            else:
                shared = Shared(self._known, self._faults, self.meter, self._scratch, self._in)
                yield from Walk(source.name, source.archive, shared, stack).items()

    def _text(self, source: Source) -> Text:
        assert source.stream is not None
        if self._known is not None:
            return self._known, in_format(source.stream, self._known, source.name, None, self._faults)
        return detect(source.stream, source.name, None, self._faults, read_formats())

    def _in(self, known: ReadFormat, records: Iterator[Record]) -> Iterator[Incoming | Unread]:
        """What a format makes of the records; one that raises has that record's failure, and goes on."""
        watched = self._watched(records)
        while True:
            taken = self._taken
            try:
                for item in known.read(watched, self._options):
                    yield self._put_right(item)
                return
            except OSError as error:  # what is read is spared them: it is the folder for temporary files
                reason = error.strerror or str(error)
                raise StorageError(f"The folder for temporary files can't be used: {reason}.") from error
            except Exception as error:  # a format may be a stranger's, by an entry point of whichever package
                last = self._last
                yield Unread(
                    kind="failed",
                    reason=f"The format {known.name} can't cope with it: {described(error)}.",
                    file=last.file if last is not None else "",
                    place=last.place if last is not None else "",
                    record=last.body if last is not None else None,
                )
                if self._taken == taken:
                    return

    def _put_right(self, item: Incoming | Unread) -> Incoming | Unread:
        """With what had to be put right in the records since the last one: of most formats, in its own."""
        last = self._last
        if isinstance(item, Unread):
            if last is not None and (last.file, last.place) == (item.file, item.place):
                self._repaired_last = {}  # nothing was made of it
            return item
        if not self._repaired and not self._repaired_last:
            return item
        self._add_repaired()
        put_right, self._repaired = self._repaired, {}
        return replace(item, repaired={**put_right, **item.repaired})

    def _add_repaired(self) -> None:
        for what, count in self._repaired_last.items():
            self._repaired[what] = self._repaired.get(what, 0) + count
        self._repaired_last = {}

    def _watched(self, records: Iterator[Record]) -> Iterator[Record]:
        for record in records:
            if record.archive is None and self._beside is not None:
                record = replace(record, folder=self._beside)  # noqa: PLW2901
            self._last = record
            self._taken += 1
            if record.repaired or self._repaired_last:
                self._add_repaired()
                self._repaired_last = record.repaired
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
