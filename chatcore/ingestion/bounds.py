"""What an imported conversation is cut to: titles, votes and settings within the limits, texts that fit."""

from collections.abc import Mapping, Sequence

import msgspec

from chatcore.incoming import IncomingFile, IncomingMessage, IncomingPart
from chatcore.limits import Limits
from chatcore.messages import ENDINGS, Feedback, Reasoning, Settings, Status, Text, ToolCall, ToolResult

__all__ = [
    "MAX_MESSAGE_CHARS",
    "bounded_feedback",
    "bounded_settings",
    "bounded_title",
    "ended_status",
    "raw_text",
    "too_long",
    "without_content",
]

MAX_MESSAGE_CHARS = 4_000_000
"""Of one imported message, all of its parts together. Far more than what can be sent or answered here: what
people have is not cut off; but a page of such messages must still fit into memory."""

_MAX_RAW_BYTES = 4 * 2**20
_encode = msgspec.json.Encoder().encode


def bounded_title(title: str | None, limits: Limits) -> str | None:
    """In one line, and cut off where it is too long."""
    if title is None or not (words := " ".join(title.split())):
        return None
    most = limits.title_chars
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def bounded_feedback(feedback: Feedback, limits: Limits) -> Feedback:
    """With so much of the comment, and so many of the reasons, as a vote may have."""
    reasons: list[str] = []
    left = limits.comment_chars
    for reason in feedback.reasons:
        if reason.strip() and len(reason) <= left:
            reasons.append(reason)
            left -= len(reason)
    comment = feedback.comment[: limits.comment_chars] if feedback.comment else None
    return Feedback(rating=feedback.rating, comment=comment, reasons=tuple(reasons))


def bounded_settings(settings: Settings, limits: Limits) -> Settings:
    """Without what no conversation here may have, and without what answered there: it is not here."""
    prompt = settings.system_prompt
    if prompt is not None and len(prompt) > limits.text_chars:
        prompt = None
    parameters = settings.parameters
    if len(_encode(parameters)) > limits.parameters_bytes:
        parameters = {}
    return Settings(system_prompt=prompt, parameters=parameters)


def ended_status(message: IncomingMessage) -> Status:
    """Its status here: only answers can have ended badly, and none goes on."""
    if message.status == "complete" or message.role != "assistant":
        return "complete"
    return message.status if message.status in ENDINGS else "interrupted"


def raw_text(raw: Mapping[str, object] | None) -> str | None:
    """Raw fields as JSON text; of what is too large, how large it was."""
    if not raw:
        return None
    encoded = _encode(raw)
    if len(encoded) > _MAX_RAW_BYTES:
        return f'{{"left_out_bytes":{len(encoded)}}}'
    return encoded.decode()


def too_long(messages: Sequence[IncomingMessage]) -> str | None:
    """The sentence about a message that is too long; None: there is none."""
    for message in messages:
        chars = sum(map(_chars, message.parts))
        if chars > MAX_MESSAGE_CHARS:
            most = f"{MAX_MESSAGE_CHARS:,}"
            return f"A message has {chars:,} characters, more than the {most} that one may have."
    return None


_BY_POINTER: Mapping[str, str] = {
    "data:": "Its content, which stands in the record, is too long or damaged.",
    "http:": "Only its address came along, and addresses are not followed.",
    "https:": "Only its address came along, and addresses are not followed.",
}


def without_content(file: IncomingFile) -> str:
    """The sentence about a file that came without its content."""
    scheme = (file.pointer or "").partition(":")[0].lower()
    return _BY_POINTER.get(f"{scheme}:", "Its content did not come along.")


def _chars(part: IncomingPart) -> int:
    match part:
        case Text() | Reasoning():
            return len(part.text)
        case ToolCall():
            return len(part.arguments)
        case ToolResult():
            return len(part.output)
        case _:
            return 0
