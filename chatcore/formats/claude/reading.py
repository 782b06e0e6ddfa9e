"""Claude's export: an array of conversations, or one conversation as its app's API gives it.

Shapes and odd cases: osteele/claude-chat-viewer, ``testdata``; CherryHQ/cherry-studio, #16164 and #18135;
yetanotherchris/openwebui-importer, #41. The bytes of files are never in it; what the text in them was, is.
"""

from collections.abc import Iterator, Mapping, Sequence

from chatcore.formats.claude.blocks import parts_of
from chatcore.formats.format import ReadFormat, ReadOptions, Record
from chatcore.formats.pieces import RecordFormat, newest_leaf, role_of, span_us, unread
from chatcore.formats.values import (
    fields,
    first_ident,
    ident,
    keys_seen,
    rest,
    time_us,
    title_in,
)
from chatcore.incoming import Incoming, IncomingMessage, Unread
from chatcore.messages import Role, Status

__all__ = ["FORMAT"]

NO_PARENT = "00000000-0000-4000-8000-000000000000"

ENDINGS: Mapping[str, tuple[Status, str | None]] = {
    "user_canceled": ("stopped", None),
    "max_tokens": ("stopped", "The limit of tokens was reached."),
}
"""By `stop_reason`, which only the app's own form has: which answers are not whole."""

_KNOWN = frozenset(
    {"uuid", "text", "content", "sender", "created_at", "attachments", "files", "files_v2", "model"}
    | {"parent_message_uuid", "index"}
)
_KNOWN_CONVERSATION = frozenset(
    {"uuid", "name", "created_at", "chat_messages", "is_starred", "current_leaf_message_uuid", "account"}
    | {"updated_at", "conversation_id", "title", "create_time", "update_time"}
)
_TELLING = ("uuid", "name", "account", "summary")


def _is_conversation(value: Mapping[str, object]) -> bool:
    return "chat_messages" in value


def _conversations(
    value: Mapping[str, object], record: Record, options: ReadOptions
) -> Iterator[Incoming | Unread]:
    conversation_id = first_ident(value, "uuid", "conversation_id", "id")
    given = value.get("chat_messages")
    if given is None and ("chat_messages" in value or any(name in value for name in _TELLING)):
        yield unread(record, "skipped", "This entry has no messages (no chat_messages).", conversation_id)
        return
    if not isinstance(given, list):
        reason = f"This is {keys_seen(value)}, no Claude conversation."
        if given is not None:
            reason = f"The chat_messages are {keys_seen(given)}, no list of messages."
        yield unread(record, "failed", reason, conversation_id)
        return
    told = [fields(item) for item in given if isinstance(item, dict) and item]
    if not told:
        yield unread(record, "skipped", "This conversation has no messages.", conversation_id)
        return
    branches = any(ident(message.get("parent_message_uuid")) for message in told)
    messages: list[IncomingMessage] = []
    for message in told:
        messages.append(_message(message, messages, branches, ident(value.get("model"))))
    created_us, updated_us = span_us(
        messages, _time(value, "created_at", "create_time"), _time(value, "updated_at", "update_time")
    )
    head = ident(value.get("current_leaf_message_uuid"))
    yield Incoming(
        source=options.source or "claude",
        id=conversation_id,
        title=title_in(value.get("name")) or title_in(value.get("title")),
        messages=messages,
        linear=not branches,
        head=head if any(head == message.id for message in messages) else newest_leaf(messages),
        created_at_us=created_us,
        updated_at_us=updated_us,
        pinned=value.get("is_starred") is True,
        skipped=_no_messages(len(given) - len(told)),
        file=record.file,
        place=record.place,
        raw=_conversation_raw(value) or None,
    )


def _time(value: Mapping[str, object], *names: str) -> int | None:
    return next((found for name in names if (found := time_us(value.get(name))) is not None), None)


def _no_messages(count: int) -> Mapping[str, int]:
    return {"an entry that is no message": count} if count else {}


def _conversation_raw(value: Mapping[str, object]) -> dict[str, object]:
    raw = rest(value, _KNOWN_CONVERSATION)
    if account := ident(fields(value.get("account")).get("uuid")):  # and nothing else of a person
        raw["account"] = {"uuid": account}
    return raw


def _message(
    value: Mapping[str, object], before: Sequence[IncomingMessage], branches: bool, model: str | None
) -> IncomingMessage:
    previous = before[-1] if before else None
    message_id = ident(value.get("uuid"))
    if message_id is None and branches:
        message_id = f"message {len(before) + 1}"  # others may stand below it
    parent = ident(value.get("parent_message_uuid"))
    if parent is None and previous is not None:
        parent = previous.id
    sender = value.get("sender", value.get("role"))
    role = role_of(sender)
    raw = rest(value, _KNOWN, {"updated_at": ident(value.get("created_at"))})
    if role is None:
        if sender is not None:
            raw["sender"] = sender
        role = "assistant" if previous is not None and previous.role == "user" else "user"
    status, reason = _ending(value, role)
    return IncomingMessage(
        role=role,
        parts=parts_of(value, raw),
        id=message_id,
        parent=None if parent == NO_PARENT else parent,
        created_at_us=_time(value, "created_at", "create_time"),
        model=(ident(value.get("model")) or model) if role == "assistant" else None,
        status=status,
        reason=reason,
        raw=raw or None,
    )


def _ending(value: Mapping[str, object], role: Role) -> tuple[Status, str | None]:
    stop = value.get("stop_reason")
    if role == "assistant" and isinstance(stop, str) and stop in ENDINGS:
        return ENDINGS[stop]
    return "complete", None


FORMAT: ReadFormat = RecordFormat(
    name="claude",
    title="Claude export",
    order=110,
    members=r"conversations\.json",
    signature=_is_conversation,
    conversations=_conversations,
)
