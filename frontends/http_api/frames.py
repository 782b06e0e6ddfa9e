"""Frames of server-sent events (WHATWG HTML, 9.2), and the position that stands in their ``id``.

A position is opaque to readers: the cursor of the conversation and that of the list, joined by ``~``; either
may be empty.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator

from msgspec import Struct

from chatcore.events import ConversationEvent, ListEvent, encode_event

__all__ = ["PING", "FrameCache", "FrameParser", "Position"]

PING = b": ping\n\n"
_CURSOR = re.compile(r"[A-Za-z0-9_-]{1,64}\.[0-9]{1,18}", re.ASCII)
_FOREIGN = "0.0"
_MAX_CACHED_BYTES = 4 * 1024 * 1024


class Position(Struct):
    """How far a stream has come in each of the two; empty: not begun, or not part of the stream."""

    conversation: str = ""
    list: str = ""

    def __str__(self) -> str:
        return f"{self.conversation}~{self.list}"

    @classmethod
    def parse(cls, text: str, *, only_list: bool = False) -> "Position":
        """The position that a reader gives back; one cursor alone is the conversation's (or the list's).

        What is no cursor becomes one of a foreign epoch, which is answered by a reset: nothing of the
        reader's own text gets into a frame.
        """
        first, joined, second = text.partition("~")
        if only_list and not joined:
            first, second = "", first
        return cls(_cursor(first), _cursor(second))


def _cursor(text: str) -> str:
    return text if not text or _CURSOR.fullmatch(text) else _FOREIGN


class FrameCache:
    """Events as frames without their ``id``: each event is encoded once for all readers that are in step.

    Bounded by the bytes held; the oldest go first.
    """

    def __init__(self, max_bytes: int = _MAX_CACHED_BYTES) -> None:
        # by identity: the same event object goes to all readers; being held, its id is nobody else's
        self._held: OrderedDict[int, tuple[ConversationEvent | ListEvent, bytes]] = OrderedDict()
        self._max_bytes = max_bytes
        self.size_bytes = 0

    def frame(self, event: ConversationEvent | ListEvent) -> bytes:
        """``event`` and ``data`` of a frame, with the blank line that ends it."""
        held = self._held.get(id(event))
        if held is not None:
            return held[1]
        data = encode_event(event)
        kind = event.__struct_config__.tag
        frame = b"event: %b\ndata: %b\n\n" % (str(kind).encode(), data)
        self._held[id(event)] = (event, frame)
        self.size_bytes += len(frame)
        while self.size_bytes > self._max_bytes:
            self.size_bytes -= len(self._held.popitem(last=False)[1][1])
        return frame


class FrameParser:
    """Frames of our own streams, from their bytes as they come.

    For what this server writes: lines end in a line feed, and data is one line. (Splitting at whatever else
    Unicode calls a line's end would cut events in two: U+2028 stands in JSON as it is.)
    """

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, chunk: bytes) -> Iterator[tuple[str | None, bytes | None]]:
        """The ``id`` and the ``data`` of each frame that is whole now; None where it has none."""
        seen = max(0, len(self._held) - 1)
        self._held += chunk
        while (end := self._held.find(b"\n\n", seen)) >= 0:
            fields = dict(line.partition(b": ")[::2] for line in bytes(self._held[:end]).split(b"\n"))
            del self._held[: end + 2]
            seen = 0
            position = fields.get(b"id")
            yield position.decode() if position is not None else None, fields.get(b"data")
