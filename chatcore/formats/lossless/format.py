"""Our own format: read and written."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

import msgspec

from chatcore.formats.format import Kind, ReadOptions, Record, WriteOptions
from chatcore.formats.lossless.copies import Copies
from chatcore.formats.lossless.lines import VERSION, ConversationLine
from chatcore.formats.lossless.reading import incoming_of
from chatcore.formats.lossless.votes import parted
from chatcore.formats.lossless.writing import line_of
from chatcore.formats.values import fields
from chatcore.incoming import Incoming, Unread
from chatcore.views import Tree

__all__ = ["LOSSLESS", "Lossless"]


class Lossless:
    """One line for a conversation, with everything; see docs/format.md."""

    name = "chatcore"
    title = "chatcore's own, lossless"
    suffix = ".jsonl"
    apart = False
    kind: Kind = "json"
    members: str | None = r"conversations.*\.jsonl"
    order = 0

    def recognises(self, record: Record) -> bool:
        """By the version that each line begins with."""
        return _version(record.value) is not None

    def read(self, records: Iterable[Record], options: ReadOptions) -> Iterator[Incoming | Unread]:
        """The conversations; a line of another version, or one that breaks the rules, is not read."""
        copies = Copies()
        for record in records:
            yield _read(record, options.source or self.name, copies)

    def write(self, tree: Tree, options: WriteOptions) -> Iterator[Mapping[str, object]]:
        """One line, whatever the options say but for where copies of files lie."""
        yield msgspec.to_builtins(line_of(tree, options))


def _version(value: object) -> int | None:
    version = value.get("chatcore") if isinstance(value, dict) else None
    return version if isinstance(version, int) and not isinstance(version, bool) else None


def _read(record: Record, source: str, copies: Copies) -> Incoming | Unread:
    version = _version(record.value)
    if version is None or not 1 <= version <= VERSION:
        return _unread(record, _why_not(version))
    try:
        line, left_out = _line(record.value)
        found = incoming_of(line, source, partial(copies.file, record=record))
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        return _unread(record, f"It is no conversation of format 1: {error}.")
    return msgspec.structs.replace(found, votes_skipped=left_out, file=record.file, place=record.place)


def _line(value: object) -> tuple[ConversationLine, Mapping[str, int]]:
    """The line, and how many of its votes were left out, by reason."""
    try:
        return msgspec.convert(value, ConversationLine), {}
    except msgspec.ValidationError:
        without, counts = parted(fields(value))
        if not counts:
            raise
        return msgspec.convert(without, ConversationLine), counts


def _why_not(version: int | None) -> str:
    if version is None:
        return "It has no version, as each line of this format does."
    return f"It is of format {version}, which a newer chatcore wrote; this one reads format {VERSION}."


def _unread(record: Record, reason: str) -> Unread:
    id_ = record.value.get("id") if isinstance(record.value, dict) else None
    return Unread(
        kind="failed",
        reason=reason,
        file=record.file,
        place=record.place,
        id=id_ if isinstance(id_, str) else None,
        record=record.body,
    )


LOSSLESS = Lossless()
