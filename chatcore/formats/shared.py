"""What all parts of one reading use."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from chatcore.formats.format import ReadFormat, Record
from chatcore.formats.records import Faults
from chatcore.formats.scratch import Scratch
from chatcore.formats.streams import Meter
from chatcore.incoming import Incoming, Unread

__all__ = ["Items", "Shared", "Text"]

Text = tuple[ReadFormat, Iterator[Record]]
Items = Iterator[Incoming | Unread]


class Shared(Struct, frozen=True):
    """What all of one reading use.

    Attributes:
        known: The format that the person named; None: each file by its first records.
        read: What a format makes of records.
    """

    known: ReadFormat | None
    faults: Faults
    meter: Meter
    scratch: Scratch
    read: Callable[[ReadFormat, Iterator[Record]], Items]
