"""The records of one text: JSON values, rows of CSV, or lines, with where each stands."""

import csv
from collections import deque
from collections.abc import Callable, Iterator, Mapping

import msgspec

from chatcore.formats.format import Archive, Kind, Record
from chatcore.formats.json_document import WRAPPERS
from chatcore.formats.json_piece import MAX_RECORD_BYTES, Piece
from chatcore.formats.json_stream import split
from chatcore.formats.lenient import NotJson, repaired_json
from chatcore.formats.streams import Damaged, Stream
from chatcore.incoming import Unread

__all__ = ["Faults", "json_record", "records_of"]

_MOST_FAULTS = 10_000
_BODY_BYTES = 16 * 2**20
"""Of records that can't be read so much text is kept for the file of rejects, while nobody takes them; of one
in any case, however long."""

_WINDOWS = "a line that is not UTF-8, read as Windows-1252"


class Faults:
    """Records that can't be read, until somebody takes them."""

    def __init__(self) -> None:
        self._found: deque[Unread] = deque()
        self._held_bytes = 0

    def add(self, reason: str, file: str, place: str = "", record: bytes | None = None) -> None:
        """One more.

        Raises:
            Damaged: So many came one after the other that it makes no sense to go on.
        """
        if len(self._found) >= _MOST_FAULTS:
            raise Damaged(f"More than {_MOST_FAULTS:,} records in a row can't be read; the rest is left.")
        self.end(reason, file, place, record)

    def end(self, reason: str, file: str, place: str = "", record: bytes | None = None) -> None:
        """The last one of a file, however many there are."""
        if record is not None and self._held_bytes and self._held_bytes + len(record) > _BODY_BYTES:
            record = None
        self._held_bytes += len(record or b"")
        self._found.append(Unread(kind="failed", reason=reason, file=file, place=place, record=record))

    def __len__(self) -> int:
        return len(self._found)

    def forget(self, since: int) -> str | None:
        """Forget those that came after there were so many: they were of a text that is in no format.

        Gives what the first of them was; None: there was none.
        """
        reason = None
        while len(self._found) > since:
            fault = self._found.pop()
            self._held_bytes -= len(fault.record or b"")
            reason = fault.reason
        return reason

    def take(self) -> Unread | None:
        """The oldest; None: there is none."""
        if not self._found:
            return None
        fault = self._found.popleft()
        self._held_bytes -= len(fault.record or b"")
        return fault


def records_of(
    stream: Stream,
    kind: Kind,
    file: str,
    archive: Archive | None,
    faults: Faults,
    recognised: Callable[[Record], bool],
) -> Iterator[Record]:
    """The records of a text, one after the other; what can't be read goes to `faults`.

    Args:
        file: Its name.
        archive: What it is a part of.
        recognised: Whether a format knows a record: else a file's one object may hold the records.
    """
    try:
        match kind:
            case "csv":
                yield from _rows(stream, file, archive, faults)
            case "text":
                yield from _lines(stream, file, archive)
            case _:
                for piece in split(stream):
                    yield from _json_records(piece, file, archive, faults, recognised)
    except Damaged as error:
        faults.end(error.sentence, file)


def json_record(body: bytes, file: str, archive: Archive | None, place: str = "") -> Record:
    """A whole JSON text as a record.

    Raises:
        NotJson
    """
    value, repaired = repaired_json(body)
    return Record(value=value, body=body, file=file, place=place, archive=archive, repaired=repaired)


def _json_records(
    piece: Piece,
    file: str,
    archive: Archive | None,
    faults: Faults,
    recognised: Callable[[Record], bool],
) -> Iterator[Record]:
    if piece.problem is not None:
        faults.add(piece.problem, file, piece.place, piece.body)
        return
    try:
        record = json_record(piece.body, file, archive, piece.place)
    except NotJson as error:
        faults.add(f"It is no JSON: {error}.", file, piece.place, piece.body)
        return
    if piece.alone and isinstance(record.value, dict) and not recognised(record):
        for wrapped in _wrapped(record.value):
            yield from _elements(wrapped, record)
            return
    yield record


def _wrapped(value: dict[object, object]) -> Iterator[list[object]]:
    for key in WRAPPERS:
        inside = value.get(key)
        if isinstance(inside, list) and inside and all(isinstance(one, dict) for one in inside):
            yield inside


def _elements(values: list[object], whole: Record) -> Iterator[Record]:
    repaired = whole.repaired  # nobody knows in which of them
    for number, value in enumerate(values, 1):
        yield Record(
            value=value,
            body=_written(value),
            file=whole.file,
            place=f"item {number}",
            archive=whole.archive,
            repaired=repaired,
        )
        repaired = {}


def _written(value: object) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return repr(value).encode("utf-8", "replace")


Line = tuple[str, Mapping[str, int]]
"""Its text, and what had to be put right in it."""


def _text_lines(stream: Stream) -> Iterator[Line]:
    held = b""
    for chunk in stream:
        lines = (held + chunk).split(b"\n")
        held = lines.pop()
        for line in lines:
            yield _decoded(line)
        if len(held) > MAX_RECORD_BYTES:
            raise Damaged("A line is longer than any record may be; the rest is left.")
    if held:
        yield _decoded(held)


def _decoded(line: bytes) -> Line:
    try:
        return line.decode(), {}
    except UnicodeDecodeError:
        pass
    try:
        return line.decode("utf-8", "surrogatepass"), {}  # counted where halves of characters are
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace"), {_WINDOWS: 1}


def _lines(stream: Stream, file: str, archive: Archive | None) -> Iterator[Record]:
    for number, (line, repaired) in enumerate(_text_lines(stream), 1):
        text = line.removesuffix("\r")
        yield Record(
            value=text,
            body=text.encode("utf-8", "replace"),
            file=file,
            place=f"line {number}",
            archive=archive,
            repaired=repaired,
        )


def _rows(stream: Stream, file: str, archive: Archive | None, faults: Faults) -> Iterator[Record]:
    # of the whole process, and only ever raised: 131,072 characters is less than a long conversation
    csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD_BYTES))
    repaired: dict[str, int] = {}
    reader = csv.reader(_repairing(stream, repaired))
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            faults.add(f"It is no row of a CSV file: {error}.", file, f"line {line}")
            continue
        if row:
            yield Record(
                value=row,
                body=_written(row),
                file=file,
                place=f"line {line}",
                archive=archive,
                repaired={**repaired},
            )
            repaired.clear()


def _repairing(stream: Stream, repaired: dict[str, int]) -> Iterator[str]:
    """The lines, with what was put right in them noted in `repaired`."""
    for line, put_right in _text_lines(stream):
        for what, count in put_right.items():
            repaired[what] = repaired.get(what, 0) + count
        yield f"{line}\n"
