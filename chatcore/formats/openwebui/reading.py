"""Chats of Open WebUI, in all forms in which it has exported them; and votes, each with the chat it is about.

Shapes: open-webui/docs, ``features/chat-conversations/data-controls/import-export.md``. Odd cases: open-webui
#8752, #23505, #24910.
"""

from collections.abc import Iterator, Mapping

from chatcore.formats.format import ReadFormat, ReadOptions, Record
from chatcore.formats.openwebui.telling import message_of
from chatcore.formats.pieces import RecordFormat, newest_leaf, span_us, unread
from chatcore.formats.values import (
    fields,
    ident,
    keys_seen,
    listed,
    rest,
    text_in,
    time_us,
    title_in,
)
from chatcore.incoming import Incoming, IncomingMessage, Unread
from chatcore.messages import Settings

__all__ = ["FORMAT"]

_KNOWN = frozenset({"archived", "chat", "created_at", "id", "pinned", "title", "updated_at"})
_KNOWN_CHAT = frozenset({"history", "id", "messages", "system", "timestamp", "title"})
"""`messages` repeats the path that `history` shows."""

_KNOWN_VOTE = frozenset({"data", "id", "snapshot", "type"})
_TELLING = ("user_id", "folder_id", "share_id", "title", "chat", "history")


def _is_vote(value: Mapping[str, object]) -> bool:
    data = value.get("data")
    return (
        value.get("type") == "rating" and isinstance(data, dict) and ("meta" in value or "snapshot" in value)
    )


def _is_chat(value: Mapping[str, object]) -> bool:
    chat = fields(value.get("chat"))
    if chat:
        return isinstance(chat.get("history"), dict) or isinstance(chat.get("messages"), list)
    return "messages" in fields(value.get("history"))


def _signature(value: Mapping[str, object]) -> bool:
    return _is_chat(value) or _is_vote(value)


def _conversations(
    value: Mapping[str, object], record: Record, options: ReadOptions
) -> Iterator[Incoming | Unread]:
    source = options.source or "openwebui"
    if not _is_vote(value):
        yield _conversation(value, record, source, {})
        return
    about = fields(value.get("meta"))
    chat = fields(fields(value.get("snapshot")).get("chat"))
    if not chat:
        reason = "This vote comes without the conversation that it is about."
        yield unread(record, "skipped", reason, ident(value.get("id")))
        return
    if "chat" not in chat:
        chat = {"chat": chat, "id": about.get("chat_id"), "title": chat.get("title")}
    message_id = ident(about.get("message_id")) or ""
    vote = {**fields(value.get("data")), **rest(value, _KNOWN_VOTE)}
    found = _conversation(chat, record, source, {message_id: vote})
    yield found
    if isinstance(found, Incoming) and all(message.id != message_id for message in found.messages):
        yield unread(record, "failed", "The message of this vote is not in its conversation.", message_id)


def _conversation(
    value: Mapping[str, object], record: Record, source: str, votes: Mapping[str, Mapping[str, object]]
) -> Incoming | Unread:
    bare = "chat" not in value
    chat = value if bare else fields(value.get("chat"))
    conversation_id = ident(value.get("id")) or ident(chat.get("id"))
    history = fields(chat.get("history"))
    linear = False
    told = _told(history.get("messages"))
    if not told:
        told = _told(chat.get("messages"))
        linear = not any(ident(message.get("parentId")) for _, message in told)
    if not told:
        known = any(name in value for name in _TELLING)
        reason = "This chat has no messages." if known else f"This is {keys_seen(value)}, no Open WebUI chat."
        return unread(record, "skipped" if known else "failed", reason, conversation_id)
    messages = list(_messages(told, votes))
    created_us, updated_us = span_us(
        messages,
        time_us(value.get("created_at")) or time_us(chat.get("timestamp")),
        time_us(value.get("updated_at")),
    )
    head = ident(history.get("currentId"))
    raw = {} if bare else rest(value, _KNOWN)
    if more := rest(chat, _KNOWN_CHAT):
        raw |= more if bare else {"chat": more}
    return Incoming(
        source=source,
        id=conversation_id,
        title=title_in(value.get("title")) or title_in(chat.get("title")),
        messages=messages,
        linear=linear,
        head=head if any(head == message.id for message in messages) else newest_leaf(messages),
        created_at_us=created_us,
        updated_at_us=updated_us,
        pinned=value.get("pinned") is True,
        archived=value.get("archived") is True,
        settings=Settings(system_prompt=_system_prompt(chat)),
        file=record.file,
        place=record.place,
        raw=raw or None,
    )


def _told(messages: object) -> list[tuple[str | None, Mapping[str, object]]]:
    """The messages with their ids: an object by id, or a list."""
    if isinstance(messages, dict):
        return [(str(name), found) for name, value in messages.items() if (found := fields(value))]
    return [(ident(found.get("id")), found) for value in listed(messages) if (found := fields(value))]


def _messages(
    told: list[tuple[str | None, Mapping[str, object]]], votes: Mapping[str, Mapping[str, object]]
) -> Iterator[IncomingMessage]:
    above: dict[str, str] = {}  # for messages that do not name the one above them
    for message_id, message in told:
        for child in listed(message.get("childrenIds")):
            if message_id is not None and isinstance(child, str) and child != message_id:
                above.setdefault(child, message_id)
    for message_id, message in told:
        parent = ident(message.get("parentId"))
        if parent is None and message_id is not None:
            parent = above.get(message_id)
        yield message_of(message, message_id, parent, votes.get(message_id or ""))


def _system_prompt(chat: Mapping[str, object]) -> str | None:
    for place in (chat, fields(chat.get("params"))):
        if (prompt := text_in(place.get("system"))).strip():
            return prompt
    return None


FORMAT: ReadFormat = RecordFormat(
    name="openwebui",
    title="Open WebUI export",
    order=120,
    signature=_signature,
    conversations=_conversations,
)
