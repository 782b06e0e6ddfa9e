"""A draft: what a running answer has said so far, and what of it is not committed yet."""

from msgspec import Struct

from chatcore.commands import PartOpened, TextAdded
from chatcore.messages import Part, Reasoning, Text, ToolCall, ToolResult, clean_text

__all__ = ["Draft", "Outgrown"]


class Outgrown(Exception):
    """The answer is longer than it may be; what fits was kept."""


class _Growing(Struct):
    """A part being built; `chunks` are joined once, at the end."""

    kind: type[Text] | type[Reasoning]
    chunks: list[str]
    length: int = 0


class Draft:
    """The parts of one answer.

    Attributes:
        chars: Code points so far, tool steps included.
        pending_bytes: About how much is not committed (UTF-8 bytes; what is in flight counts too).
    """

    def __init__(self, message_id: str, max_chars: int) -> None:
        self._message_id = message_id
        self._max_chars = max_chars
        self._parts: list[_Growing | Part] = []
        self._pending: list[PartOpened | TextAdded] = []
        self._tail: list[str] = []
        self._in_flight: tuple[PartOpened | TextAdded, ...] = ()
        self.chars = 0
        self.pending_bytes = 0

    def add(self, part: Part) -> None:
        """Say more: text joins the text before it, other parts come whole.

        Raises:
            Outgrown: It did not fit any more.
        """
        if isinstance(part, Text | Reasoning):
            self.say(part.text, type(part))
            return
        if isinstance(part, ToolCall):
            texts = [clean_text(text) for text in (part.call_id, part.name, part.arguments)]
            self._grow(sum(map(len, texts)))
            part = ToolCall(*texts)
        elif isinstance(part, ToolResult):
            call_id, output = clean_text(part.call_id), clean_text(part.output)
            self._grow(len(call_id) + len(output))
            part = ToolResult(call_id, output, part.is_error)
        self._open(part)

    def say(self, text: str, kind: type[Text] | type[Reasoning] = Text) -> None:
        """Add text to the open part of this kind, or open one.

        Raises:
            Outgrown: Not all of it did fit.
        """
        if not text.isascii() or "\0" in text:
            text = clean_text(text)
        room = self._max_chars - self.chars
        if len(text) > room:
            self._say(text[: max(room, 0)], kind)
            raise Outgrown
        self._say(text, kind)

    def take(self) -> tuple[PartOpened | TextAdded, ...]:
        """What is to be committed now; it is in flight until `committed` or `failed`."""
        self._close_tail()
        self._in_flight, self._pending = tuple(self._pending), []
        return self._in_flight

    def committed(self) -> None:
        """What was in flight is on the disk."""
        self._in_flight = ()
        self.pending_bytes = sum(map(_size, self._pending)) + sum(map(len, self._tail))

    def failed(self) -> None:
        """What was in flight is not on the disk: it comes first with the next `take`."""
        self._close_tail()
        self._pending[:0] = self._in_flight
        self._in_flight = ()

    @property
    def waits(self) -> bool:
        """Whether there is anything to be taken."""
        return bool(self._pending or self._tail)

    def parts(self) -> tuple[Part, ...]:
        """All that was said, whole; empty texts are left out."""
        built = [_built(part) for part in self._parts]
        return tuple(part for part in built if not isinstance(part, Text | Reasoning) or part.text)

    def _say(self, text: str, kind: type[Text] | type[Reasoning]) -> None:
        if not text:
            return
        last = self._parts[-1] if self._parts else None
        if not isinstance(last, _Growing) or last.kind is not kind:
            self._close_tail()
            last = _Growing(kind, [])
            self._parts.append(last)
            self._pending.append(PartOpened(self._message_id, len(self._parts) - 1, kind("")))
        self._tail.append(text)
        last.chunks.append(text)
        last.length += len(text)
        self.chars += len(text)
        self.pending_bytes += len(text)

    def _close_tail(self) -> None:
        """Make one delta of the texts since the last one."""
        if self._tail:
            growing = self._parts[-1]
            assert isinstance(growing, _Growing)
            text = "".join(self._tail)
            self._tail = []
            start = growing.length - len(text)
            self._pending.append(TextAdded(self._message_id, len(self._parts) - 1, start, text))

    def _open(self, part: Part) -> None:
        self._close_tail()
        self._parts.append(part)
        opened = PartOpened(self._message_id, len(self._parts) - 1, part)
        self._pending.append(opened)
        self.pending_bytes += _size(opened)

    def _grow(self, chars: int) -> None:
        if self.chars + chars > self._max_chars:
            raise Outgrown
        self.chars += chars


def _built(part: _Growing | Part) -> Part:
    return part.kind("".join(part.chunks)) if isinstance(part, _Growing) else part


def _size(delta: PartOpened | TextAdded) -> int:
    match delta:
        case TextAdded(text=text):
            return len(text)
        case PartOpened(part=ToolCall(arguments=text)) | PartOpened(part=ToolResult(output=text)):
            return len(text)
    return 0
