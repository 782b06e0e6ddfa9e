"""How things of a conversation are put into words on paper."""

from collections.abc import Iterator

from chatcore.messages import (
    ENDINGS,
    Conversation,
    File,
    Message,
    MissingFile,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    text_of,
)
from frontends.terminal.harmless import harmless, harmless_line
from frontends.terminal.screen import Piece

__all__ = ["asked", "counted", "ending_of", "message_text", "size", "step", "title_of"]

_LONGEST_STEP = 200


def title_of(conversation: Conversation, first_words: str | None, width: int | None = None) -> str:
    """What it is called in lists and above what was said in it; `first_words` are for one without a title."""
    return harmless_line(conversation.title or first_words or "untitled", width)


def counted(number: int, what: str) -> str:
    """“1 file”, “2,000 files”."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def asked(message: Message) -> Iterator[Piece]:
    """A message that nobody wrote live: a person's, as one types it, with its files below."""
    words = harmless(text_of(message.parts)).replace("\n", "\n  ")
    if words:
        yield Piece(f"> {words}\n", "strong")
    for part in message.parts:
        if not isinstance(part, Text):
            yield step(part)
            yield Piece("\n")


def step(part: Part) -> Piece:
    """A part that has no growing text, in one line without an end."""
    match part:
        case File(attachment=attachment):
            shown = f"{harmless_line(attachment.name, 80)}, {size(attachment.size_bytes)}"
            return Piece(f"  [file: {shown}]", "faint")
        case MissingFile(name=name):
            return Piece(f"  [file: {harmless_line(name, 80)}, not here]", "faint")
        case ToolCall(name=name, arguments=arguments):
            return Piece(f"  [{harmless_line(name, 80)} {harmless_line(arguments, _LONGEST_STEP)}]", "faint")
        case ToolResult(output=output, is_error=is_error):
            failed = "failed: " if is_error else ""
            return Piece(f"  [{failed}{harmless_line(output, _LONGEST_STEP)}]", "faint")
        case Text(text=text) | Reasoning(text=text):
            return Piece(harmless(text), "faint" if isinstance(part, Reasoning) else "plain")


def message_text(message: Message) -> str:
    """The whole message as plain text for paper, its steps in brackets."""
    return "\n".join(step(part).text for part in message.parts)


def ending_of(message: Message) -> str | None:
    """Why the answer is not whole; None where there is nothing to say."""
    if message.status == "complete":
        return None
    if message.status not in ENDINGS:
        return "being answered"
    reason = harmless_line(message.reason or "")
    return f"{message.status}: {reason}" if reason else message.status


def size(size_bytes: int) -> str:
    """Such as ``4.2 MB``."""
    for unit, length in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size_bytes >= length:
            return f"{size_bytes / length:.1f} {unit}"
    return f"{size_bytes} bytes"
