"""Rows of new conversations, made ready while the writer is still busy with what came before.

The writer's thread is what everybody waits for, and while SQLite works it lets go of Python's lock: so what
can be made of rows without the database is made on other threads. Keys and ids are not known then: rows say
their place, from 1 on, and the statement that inserts them adds what goes before.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from chatcore.arrivals import IngestConversation, IngestMessage
from chatcore.messages import Feedback, File, Part
from storage.arriving import Gathered, gather
from storage.search.words import folded, said_in
from storage.sqlite.jumps import jump_length
from storage.sqlite.values import text

__all__ = ["Ready", "Shelf", "make_ready", "pack", "unpack"]


class Ready(Gathered, frozen=True, kw_only=True):
    """Gathered conversations with the rows of their messages.

    Attributes:
        is_plain: No message has a reason, usage, raw fields, or is hidden: their columns are left out.
        values: The parameters of all rows, one after the other.
        origins: Of the messages, 8 bytes each.
        said: Place and words of each message that is to be found by searching, by turns.
        files: Place and parts of each message that may have files.
    """

    is_plain: bool
    values: Sequence[object]
    origins: bytes
    said: Sequence[object]
    files: Sequence[tuple[int, tuple[Part, ...]]]


def make_ready(sources: Sequence[IngestConversation], *, index: bool) -> Ready:
    """The rows of new conversations, as the driver takes them fastest: no None, no bytes, no bool.

    Raises:
        InvalidInput: As `gather`.
    """
    gathered = gather(sources)
    every = [one for source in sources for one in source.messages]
    is_plain = not any(one.raw or one.reason or one.usage or one.hidden for one in every)
    parents, depths = gathered.parents, gathered.depths
    jumps: list[int] = []  # of a root: -1, as its parent
    values: list[object] = []
    place = 0
    for number, source in enumerate(sources):
        for seq, one in enumerate(source.messages, 1):
            depth, parent = depths[place], parents[place]
            jump = jumps[jumps[parent]] if depth > 1 and jump_length(depth) > 1 else parent
            jumps.append(jump)
            place += 1
            values += (
                place,
                number,
                parent + 1,
                jump + 1,
                depth,
                seq,
                one.role,
                one.status,
                text(one.parts),
                one.model or "",
                one.created_at_us,
            )
            if not is_plain:
                usage = "" if one.usage is None else text(one.usage)
                values += (one.reason or "", usage, one.raw or "", int(one.hidden))
    return Ready(
        sources=sources,
        starts=gathered.starts,
        parents=parents,
        depths=depths,
        votes=gathered.votes,
        is_plain=is_plain,
        values=values,
        origins=b"".join([one.origin for one in every]),
        said=_said(every) if index else (),
        files=[
            (place, one.parts)
            for place, one in enumerate(every)
            if len(one.parts) != 1 or type(one.parts[0]) is File
        ],
    )


class _Packed(Struct, frozen=True, array_like=True):
    """All of `Ready` but the conversations themselves."""

    starts: list[int]
    parents: list[int]
    depths: list[int]
    votes: list[tuple[int, int, str | None, Feedback]]
    is_plain: bool
    values: list[object]
    origins: bytes
    said: list[object]
    files: list[tuple[int, tuple[Part, ...]]]


_encode = msgspec.msgpack.Encoder().encode
_packed = msgspec.msgpack.Decoder(_Packed)


def pack(sources: Sequence[IngestConversation], index: bool) -> bytes:
    """What `make_ready` makes of these, as bytes; see `chatcore.ports.Store.packer`."""
    ready = make_ready(sources, index=index)
    return _encode([getattr(ready, name) for name in _Packed.__struct_fields__])


def unpack(packed: bytes, sources: Sequence[IngestConversation]) -> Ready:
    """What was packed of these."""
    found = _packed.decode(packed)
    return Ready(sources=sources, **{name: getattr(found, name) for name in _Packed.__struct_fields__})


def _said(messages: Sequence[IngestMessage]) -> list[object]:
    said: list[object] = []
    for place, one in enumerate(messages, 1):
        if not one.hidden:
            said += (place, folded(said_in(one.parts)))
    return said


class Shelf:
    """Where ready rows lie for the unit that stores them: by the very sequence that they were made of."""

    def __init__(self) -> None:
        self._ready: dict[int, Ready] = {}

    def put(self, sources: Sequence[IngestConversation], ready: Ready) -> None:
        """Keep them; `sources` must live until they are dropped."""
        self._ready[id(sources)] = ready

    def drop(self, sources: Sequence[IngestConversation]) -> None:
        """They are needed no more."""
        self._ready.pop(id(sources), None)

    def of(self, sources: Sequence[IngestConversation], *, index: bool) -> Ready:
        """Those of these sources, made now if they do not lie here."""
        return self._ready.get(id(sources)) or make_ready(sources, index=index)
