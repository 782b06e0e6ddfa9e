"""Collections that are one object, with a dialog under the id of each."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import structs

from chatcore.formats.format import Kind, ReadOptions, Record
from chatcore.formats.pieces import unread
from chatcore.formats.values import fields, keys_seen
from chatcore.incoming import Incoming, Unread

__all__ = ["Dialog", "KeyedFormat"]

Dialog = Mapping[str, object]
LOOKED_AT = 20


class KeyedFormat:
    """A `ReadFormat` of such a collection, of which a record may also be one dialog by itself.

    Attributes:
        name: As of `ReadFormat`, likewise the others.
    """

    kind: Kind = "json"
    members: str | None = None

    def __init__(
        self,
        name: str,
        title: str,
        order: int,
        signature: Callable[[Dialog], bool],
        convert: Callable[[Dialog], Incoming],
    ) -> None:
        """`convert` makes a conversation of a dialog."""
        self.name = name
        self.title = title
        self.order = order
        self._signature = signature
        self._convert = convert

    def recognises(self, record: Record) -> bool:
        """Whether it is a dialog, or has one under one of its first keys."""
        value = fields(record.value)
        near = (dialog for dialog, _ in zip(value.values(), range(LOOKED_AT), strict=False))
        return self._signature(value) or any(self._signature(fields(dialog)) for dialog in near)

    def read(self, records: Iterable[Record], options: ReadOptions) -> Iterator[Incoming | Unread]:
        """A conversation for each dialog."""
        source = options.source or self.name
        for record in records:
            value = record.value
            if not isinstance(value, dict) or not value:
                yield unread(
                    record, "failed", f"This is no record of “{self.title}”: it is {keys_seen(value)}."
                )
            elif self._signature(value):
                yield self._one(value, None, source, record)
            else:
                for known, dialog in value.items():
                    inside = " ".join(filter(None, (record.place, f"under {str(known)[:80]}")))
                    # the body is that of the whole collection: of one dialog it would tell nothing
                    part = Record(value=dialog, body=b"", file=record.file, place=inside)
                    yield self._one(fields(dialog), str(known), source, part)

    def _one(self, dialog: Dialog, known: str | None, source: str, record: Record) -> Incoming | Unread:
        if not self._signature(dialog):
            reason = f"This is no dialog of “{self.title}”: it is {keys_seen(record.value)}."
            return unread(record, "failed", reason, known)
        found = self._convert(dialog)
        if not found.messages:
            return unread(record, "skipped", "It has no messages.", known)
        return structs.replace(found, source=source, id=known, file=record.file, place=record.place)
