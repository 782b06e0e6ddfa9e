"""Which format a text is in: the first of its records that matches a signature decides."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from chatcore.errors import Unrecognised
from chatcore.formats.format import Archive, Kind, ReadFormat, Record
from chatcore.formats.json_piece import NO_OBJECT
from chatcore.formats.records import Faults, records_of
from chatcore.formats.streams import Stream

__all__ = ["Broken", "detect", "in_format", "member_names", "unrecognised"]

_ITEMS = 50
_HEAD_BYTES = 65_536
_MOST_BYTES = 64 * 2**20
_KEYS = 20
_BY_SIGHT: tuple[Kind, ...] = ("csv", "text")
"""Kinds that are told from the first lines; what is none of them is looked at as JSON."""


class Broken(Unrecognised):
    """In no format that is known, because it is damaged where it begins.

    Attributes:
        reason: In what way.
    """

    code = "broken"

    def __init__(self, sentence: str, reason: str) -> None:
        super().__init__(sentence, keys="")
        self.reason = reason


def detect(
    stream: Stream, file: str, archive: Archive | None, faults: Faults, formats: Sequence[ReadFormat]
) -> tuple[ReadFormat, Iterator[Record]]:
    """The format of a text, and its records from the first on.

    Raises:
        Unrecognised: None of its first records is of any format; `Broken` where that may be why.
    """
    head = stream.peek(_HEAD_BYTES)
    if len(head) >= _HEAD_BYTES:
        head = head[: head.rfind(b"\n") + 1]  # the last line may go on
    for kind in _BY_SIGHT:
        of_kind = [one for one in formats if one.kind == kind]
        if of_kind and head:
            sample = records_of(Stream(iter([head])), kind, file, archive, Faults(), _nobody)
            found, _ = _first_known(sample, of_kind)
            if found is not None:
                return found, in_format(stream, found, file, archive, faults)
    of_kind = [one for one in formats if one.kind == "json"]
    before = len(faults)
    records = records_of(stream, "json", file, archive, faults, _any_of(of_kind))
    found, seen = _first_known(records, of_kind)
    if found is not None:
        return found, chain(seen, records)
    problem = faults.forget(before)
    error = unrecognised(file, seen, problem)
    if seen or problem is None or problem == NO_OBJECT:  # of some other kind, or plain text
        raise error
    raise Broken(error.sentence, problem)


def in_format(
    stream: Stream, known: ReadFormat, file: str, archive: Archive | None, faults: Faults
) -> Iterator[Record]:
    """The records of a text that is in this format."""
    kind: Kind = "json" if known.kind == "members" else known.kind
    return records_of(stream, kind, file, archive, faults, known.recognises)


def member_names(names: Iterable[str], known: ReadFormat) -> tuple[str, ...]:
    """Which members of an archive hold records of this format, in the order of their names."""
    if known.members is None:
        return ()
    pattern = re.compile(known.members)
    return tuple(sorted((one for one in names if pattern.fullmatch(one.rpartition("/")[2])), key=_natural))


def unrecognised(file: str, seen: Sequence[Record], problem: str | None = None) -> Unrecognised:
    """The error that says what was seen instead."""
    keys: list[str] = []
    for record in seen:
        if isinstance(record.value, dict):
            keys += [str(key) for key in record.value if str(key) not in keys]
    shown = ", ".join(keys[:_KEYS]) + (", …" if len(keys) > _KEYS else "")
    if keys:
        what = f"the keys seen are: {shown}"
    elif seen:
        what = "its items are no objects"
    else:
        what = "no record can be read in it" + (f" ({problem.removesuffix('.')})" if problem else "")
    return Unrecognised(f"{file} is in no format that is known here; {what}.", keys=shown)


def _first_known(
    records: Iterator[Record], formats: Sequence[ReadFormat]
) -> tuple[ReadFormat | None, list[Record]]:
    """The format of the first record that has one, and the records taken until then, that one included."""
    seen: list[Record] = []
    size = 0
    for record in records:
        seen.append(record)
        size += len(record.body)
        for one in formats:
            if one.recognises(record):
                return one, seen
        if len(seen) >= _ITEMS or size > _MOST_BYTES:
            break
    return None, seen


def _any_of(formats: Sequence[ReadFormat]) -> Callable[[Record], bool]:
    def known(record: Record) -> bool:
        return any(one.recognises(record) for one in formats)

    return known


def _nobody(record: Record) -> bool:
    return False


def _natural(name: str) -> list[tuple[int, str]]:
    """``part-2`` before ``part-10``."""
    return [(int(digits) if digits else 0, words) for digits, words in re.findall(r"(\d{1,18})|(\D+)", name)]
