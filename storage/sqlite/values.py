"""Rows of tables as values, and values as the parameters of statements."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from chatcore.messages import (
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
    "conversation_row",
    "feedback_of",
    "files_of",
    "message_row",
    "part_of",
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


def conversation_row(row: Row, counter: int | None = None) -> ConversationRow:
    """The value of a row of the columns `conversation_row`, with a newer `counter` where one is known."""
    (
        key, owner, public, name, title, head, head_public, head_depth, settings, pinned, archived,
        running, created, updated, changed, deleted, purged, seq, stored, list_seq, activity,
    ) = row  # fmt: skip
    conversation = Conversation(
        id=public.hex(),
        owner=name,
        title=title,
        head=None if head is None else head_public.hex(),
        settings=_settings.decode(settings),
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
    )


def message_row(row: Row) -> MessageRow:
    """The value of a row of the columns `message_row`."""
    (
        key, conversation, parent, public, conversation_public, parent_public, depth, role, status, parts,
        reason, reason_code, continues, responder, model, usage, memory_from, created, started, ended, seq,
    ) = row  # fmt: skip
    message_role: Role = role
    message_status: Status = status
    message = Message(
        id=public.hex(),
        conversation_id=conversation_public.hex(),
        parent=None if parent is None else parent_public.hex(),
        depth=depth,
        role=message_role,
        status=message_status,
        parts=_parts.decode(parts),
        created_at=from_us(created),
        seq=seq,
        reason=reason,
        reason_code=reason_code,
        continues=None if continues is None else continues.hex(),
        responder=responder,
        model=model,
        usage=None if usage is None else _usage.decode(usage),
        memory_from=None if memory_from is None else memory_from.hex(),
        started_at=None if started is None else from_us(started),
        ended_at=None if ended is None else from_us(ended),
    )
    return MessageRow(key, conversation, parent, message)


def feedback_of(rating: Rating | None, comment: str | None, reasons: str) -> Feedback | None:
    """The feedback of a row; None: it was taken back."""
    if rating is None:
        return None
    return Feedback(rating=rating, comment=comment, reasons=_reasons.decode(reasons))


def part_of(body: str) -> Part:
    """A part that was stored by itself."""
    return _part.decode(body)


def attachment_of(body: str) -> Attachment:
    """An attachment that was stored by itself."""
    return _attachment.decode(body)


def files_of(parts: Iterable[Part]) -> Sequence[Attachment]:
    """The attachments among the parts."""
    return [part.attachment for part in parts if isinstance(part, File)]
