"""Archives that lie in others."""

from contextlib import ExitStack

from chatcore.formats.archive import BOMB, FREE_BYTES, MOST_RATIO
from chatcore.formats.members import Members
from chatcore.formats.shared import Shared
from chatcore.formats.sources import Source, copy_of, open_file
from chatcore.formats.streams import Damaged, chunks_of

__all__ = ["NESTED", "open_nested"]

NESTED = "It is an archive inside of an archive: unpack the outer one, and name this one by itself."
"""Of those that are not looked into: they lie deeper than one level, or are packed once more."""


def open_nested(outer: Members, member: str, name: str, shared: Shared, stack: ExitStack) -> Source:
    """A member as a source of its own; where it does not lie on the disk as it is, it is copied there.

    Raises:
        InvalidInput: It can't be opened, or unpacks to more than texts can.
    """
    file = stack.enter_context(outer.open(member))
    if not outer.nests:
        file = copy_of(chunks_of(file, shared.meter, 0.0, waits=False), name, stack)
    total = shared.meter.total
    try:
        source = open_file(file, name, shared.meter, shared.scratch, stack)
    finally:
        shared.meter.total = total  # that of the outer one
    if source.archive is not None and not outer.nests:
        _check(source.archive, outer.packed_size(member))
    return source


def _check(inner: Members, packed_bytes: int) -> None:
    """Passes unless it is packed too tight through both: each may be within its bounds."""
    size = sum(inner.size(one) or 0 for one in inner.names())
    if size > FREE_BYTES and size > MOST_RATIO * packed_bytes:
        raise Damaged(BOMB)
