"""Rows of tables as values, and values as the parameters of statements."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from chatcore.errors import StorageCorrupt
from chatcore.messages import (
    ENDINGS,
    Attachment,
    Conversation,
    Feedback,
    File,
    Message,
    Part,
    Rating,
    Role,
    Settings,
    Status,
    Usage,
)
from storage.ids import from_us, to_us
from storage.rows import ConversationRow, MessageRow

__all__ = [
    "attachment_of",
    "blob",
    "can_be_decoded",
    "conversation_row",
    "feedback_of",
    "files_of",
    "message_row",
    "part_of",
    "parts_or_none",
    "text",
    "time",
]

_encode = msgspec.json.Encoder().encode
_parts = msgspec.json.Decoder(tuple[Part, ...])
_part: msgspec.json.Decoder[Part] = msgspec.json.Decoder(Part)
_settings = msgspec.json.Decoder(Settings)
_usage = msgspec.json.Decoder(Usage)
_reasons = msgspec.json.Decoder(tuple[str, ...])
_attachment = msgspec.json.Decoder(Attachment)

_JSON: Mapping[str, msgspec.json.Decoder[Any]] = {
    "attachment": _attachment,
    "parts": _parts,
    "settings": _settings,
    "usage": _usage,
}

_ID_DIGITS = 32

Row = tuple[Any, ...]
"""What the driver gives for a row: SQLite's types, known from the statement alone."""


def text(value: object) -> str:
    """The value as JSON, for a column of type TEXT."""
    return _encode(value).decode()


def time(at: datetime | None) -> int | None:
    """The time as it is stored."""
    return None if at is None else to_us(at)


def blob(public: str) -> bytes | None:
    """The id as it is stored; None when this is no id at all."""
    # fromhex alone would also take blanks and capitals: two spellings of one id
    if len(public) != _ID_DIGITS or public != public.lower():
        return None
    try:
        found = bytes.fromhex(public)
    except ValueError:
        return None
    return found if len(found) * 2 == _ID_DIGITS else None


def conversation_row(row: Row, counter: int | None = None, *, lenient: bool = False) -> ConversationRow:
    """The value of a row of the columns `conversation_row`, with a newer `counter` where one is known.

    `lenient`: settings that can't be decoded are taken as none, as those of a deleted one always are.

    Raises:
        StorageCorrupt: They can't be decoded.
    """
    (
        key, owner, public, name, title, head, head_public, head_depth, settings, pinned, archived,
        running, created, updated, changed, deleted, purged, seq, stored, list_seq, activity, unfinished,
    ) = row  # fmt: skip
    conversation = Conversation(
        id=public.hex(),
        owner=name,
        title=title,
        head=None if head is None else head_public.hex(),
        settings=_settings_of(settings, public, lenient=lenient or deleted is not None),
        pinned=pinned == 1,
        archived=archived == 1,
        deleted=deleted is not None,
        running=running == 1,
        created_at=from_us(created),
        updated_at=from_us(updated),
        seq=seq,
        list_seq=list_seq,
        activity=activity,
    )
    return ConversationRow(
        key=key,
        owner=owner,
        conversation=conversation,
        head=head,
        head_depth=-1 if head is None else head_depth,
        counter=stored if counter is None else counter,
        changed_at=from_us(changed),
        deleted_at=None if deleted is None else from_us(deleted),
        purged=purged != 0,
        unfinished=unfinished == 1,
    )


def message_row(row: Row) -> MessageRow:
    """The value of a row of the columns `message_row`.

    Raises:
        StorageCorrupt: What it says can't be decoded.
    """
    (
        key, conversation, parent, public, conversation_public, parent_public, depth, role, status, parts,
        reason, reason_code, continues, responder, model, usage, memory_from, created, started, ended,
        first, seq, hidden,
    ) = row  # fmt: skip
    message_role: Role = role
    message_status: Status = status
    said, tokens = _said_of(public, parts, usage) if status in ENDINGS else ((), None)
    message = Message(
        id=public.hex(),
        conversation_id=conversation_public.hex(),
        parent=None if parent is None else parent_public.hex(),
        depth=depth,
        role=message_role,
        status=message_status,
        parts=said,
        created_at=from_us(created),
        seq=seq,
        reason=reason,
        reason_code=reason_code,
        continues=None if continues is None else continues.hex(),
        responder=responder,
        model=model,
        usage=tokens,
        memory_from=None if memory_from is None else memory_from.hex(),
        started_at=None if started is None else from_us(started),
        ended_at=None if ended is None else from_us(ended),
        first_token_seconds=None if first is None else first / 1e6,
        hidden=hidden == 1,
    )
    return MessageRow(key, conversation, parent, message)


def feedback_of(message: bytes, rating: Rating | None, comment: str | None, reasons: str) -> Feedback | None:
    """The feedback of a row on the message; None: it was taken back.

    Raises:
        StorageCorrupt: Its reasons can't be decoded.
    """
    if rating is None:
        return None
    try:
        return Feedback(rating=rating, comment=comment, reasons=_reasons.decode(reasons))
    except msgspec.DecodeError as error:
        raise _damaged(f"The vote on message {message.hex()}", message_id=message.hex()) from error


def part_of(body: str) -> Part | None:
    """A part that was stored by itself; None: it can't be decoded."""
    try:
        return _part.decode(body)
    except msgspec.DecodeError:
        return None


def parts_or_none(body: bytes | str) -> tuple[Part, ...] | None:
    """The parts of a message; None: they can't be decoded."""
    try:
        return _parts.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def attachment_of(body: str) -> Attachment | None:
    """An attachment that was stored by itself; None: it can't be decoded."""
    try:
        return _attachment.decode(body)
    except msgspec.DecodeError:
        return None


def can_be_decoded(column: str, body: bytes | None) -> bool:
    """Whether this is what the column of JSON should hold, or nothing."""
    try:
        return body is None or _JSON[column].decode(body) is not None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def files_of(parts: Iterable[Part]) -> Sequence[Attachment]:
    """The attachments among the parts."""
    return [part.attachment for part in parts if isinstance(part, File)]


def _settings_of(body: str, conversation: bytes, *, lenient: bool) -> Settings:
    try:
        return _settings.decode(body)
    except msgspec.DecodeError as error:
        if lenient:
            return Settings()
        public = conversation.hex()
        raise _damaged(f"Conversation {public}", conversation_id=public) from error


def _said_of(message: bytes, parts: str, usage: str | None) -> tuple[tuple[Part, ...], Usage | None]:
    try:
        return _parts.decode(parts), None if usage is None else _usage.decode(usage)
    except msgspec.DecodeError as error:
        raise _damaged(f"Message {message.hex()}", message_id=message.hex()) from error


def _damaged(what: str, **ids: str) -> StorageCorrupt:
    return StorageCorrupt(f"{what} can't be read: what is stored of it is damaged.", **ids)
