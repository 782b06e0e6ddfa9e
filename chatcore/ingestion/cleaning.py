"""Texts and values that no store can hold, made harmless."""

from collections.abc import Mapping

import msgspec

from chatcore.incoming import Incoming, IncomingFile, IncomingMessage, IncomingPart
from chatcore.messages import Feedback, Reasoning, Settings, Text, ToolCall, ToolResult, clean_text

__all__ = ["UNCLEAN", "clean_incoming"]

_MOST_INTEGER = 2**63
_MOST_DEPTH = 200

UNCLEAN = "a message with halves of characters, NUL, or numbers that can't be stored"


def clean_incoming(given: Incoming) -> Incoming:
    """The conversation with clean texts everywhere and plain JSON values as raw fields; that is counted."""
    messages = [_clean_message(message) for message in given.messages]
    changed = sum(old != new for old, new in zip(given.messages, messages, strict=True))
    return msgspec.structs.replace(
        given,
        repaired={**given.repaired, UNCLEAN: max(1, changed)},
        source=clean_text(given.source),
        id=_clean(given.id),
        title=_clean(given.title),
        head=_clean(given.head),
        settings=_clean_settings(given.settings),
        messages=messages,
        raw=_clean_raw(given.raw),
        votes={
            clean_text(id_): {clean_text(user): _clean_feedback(vote) for user, vote in votes.items()}
            for id_, votes in given.votes.items()
        },
        file=clean_text(given.file),
    )


def _clean_message(message: IncomingMessage) -> IncomingMessage:
    return msgspec.structs.replace(
        message,
        id=_clean(message.id),
        parent=_clean(message.parent),
        parts=tuple(_clean_part(part) for part in message.parts),
        model=_clean(message.model),
        reason=_clean(message.reason),
        feedback=None if message.feedback is None else _clean_feedback(message.feedback),
        raw=_clean_raw(message.raw),
    )


def _clean_feedback(given: Feedback) -> Feedback:
    return Feedback(
        rating=given.rating,
        comment=_clean(given.comment),
        reasons=tuple(clean_text(reason) for reason in given.reasons),
    )


def _clean_part(part: IncomingPart) -> IncomingPart:
    match part:
        case Text() | Reasoning():
            return type(part)(clean_text(part.text))
        case ToolCall():
            return ToolCall(clean_text(part.call_id), clean_text(part.name), clean_text(part.arguments))
        case ToolResult():
            return ToolResult(clean_text(part.call_id), clean_text(part.output), part.is_error)
        case IncomingFile():
            return msgspec.structs.replace(
                part,
                name=clean_text(part.name),
                media_type=_clean(part.media_type),
                pointer=_clean(part.pointer),
            )


def _clean_settings(settings: Settings) -> Settings:
    return Settings(
        responder=_clean(settings.responder),
        system_prompt=_clean(settings.system_prompt),
        parameters={
            clean_text(name): value
            if isinstance(value, bool | int | float) or value is None
            else _words(value)
            for name, value in settings.parameters.items()
        },
    )


def _words(value: object) -> str | list[str]:
    return clean_text(value) if isinstance(value, str) else [clean_text(str(one)) for one in _listed(value)]


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _clean(text: str | None) -> str | None:
    return None if text is None else clean_text(text)


def _clean_raw(raw: Mapping[str, object] | None) -> Mapping[str, object] | None:
    if raw is None:
        return None
    return {clean_text(str(key)): _clean_value(value, 1) for key, value in raw.items()}


def _clean_value(value: object, depth: int) -> object:
    if depth > _MOST_DEPTH:
        return "…"
    match value:
        case str():
            return clean_text(value)
        case bool() | float() | None:
            return value
        case int():
            return value if -_MOST_INTEGER <= value < _MOST_INTEGER else str(value)
        case list() | tuple():
            return [_clean_value(one, depth + 1) for one in value]
        case dict():
            return {clean_text(str(key)): _clean_value(one, depth + 1) for key, one in value.items()}
        case _:
            return clean_text(str(value))
