"""Conversations of LibreChat: a list of messages, or a tree of them (`children`), under one of two names.

Seen in files of danny-avila/LibreChat, ``api/server/utils/import``; odd cases: its pull request 15682.
"""

from collections.abc import Iterator, Mapping

from chatcore.formats.format import ReadFormat, ReadOptions, Record
from chatcore.formats.librechat.contents import parts_of
from chatcore.formats.pieces import RecordFormat, feedback_of, newest_leaf, role_of, span_us, unread
from chatcore.formats.values import (
    fields,
    ident,
    integer,
    keys_seen,
    listed,
    rest,
    text_in,
    time_us,
    title_in,
)
from chatcore.incoming import Incoming, IncomingMessage, Unread
from chatcore.messages import Role, Settings, Status, Usage

__all__ = ["FORMAT"]

NO_PARENT = "00000000-0000-0000-0000-000000000000"

_CUT_OFF = frozenset({"incomplete", "length", "max_tokens"})
_KNOWN = frozenset(
    {"attachments", "children", "content", "conversationId", "createdAt", "error", "feedback", "files"}
    | {"isCreatedByUser", "messageId", "model", "parentMessageId", "text", "unfinished"}
)
_USUAL: Mapping[str, object] = {"isEdited": False}
_KNOWN_CONVERSATION = frozenset(
    {"conversationId", "createdAt", "updatedAt", "isArchived", "messages", "messagesTree", "title"}
)

Told = tuple[Mapping[str, object], str | None]
"""A message, and the id of the one that it is nested in."""


def _signature(value: Mapping[str, object]) -> bool:
    return "conversationId" in value and ("messages" in value or "messagesTree" in value)


def _conversations(
    value: Mapping[str, object], record: Record, options: ReadOptions
) -> Iterator[Incoming | Unread]:
    conversation_id = ident(value.get("conversationId"))
    given = value.get("messagesTree") or value.get("messages")
    if given is not None and not isinstance(given, list):
        reason = f"The messages are {keys_seen(given)}, no list."
        yield unread(record, "failed", reason, conversation_id)
        return
    told = list(_flat(listed(given)))
    if not told:
        known = "conversationId" in value
        reason = "This conversation has no messages."
        if not known:
            reason = f"This is {keys_seen(value)}, no LibreChat conversation."
        yield unread(record, "skipped" if known else "failed", reason, conversation_id)
        return
    messages = [_message(message, above) for message, above in told]
    linear = not any(above or ident(message.get("parentMessageId")) for message, above in told)
    created_us, updated_us = span_us(
        messages, time_us(value.get("createdAt")), time_us(value.get("updatedAt"))
    )
    asked = fields(value.get("options"))
    yield Incoming(
        source=options.source or "librechat",
        id=conversation_id,
        title=title_in(value.get("title")),
        messages=messages,
        linear=linear,
        head=None if linear else newest_leaf(messages),
        created_at_us=created_us,
        updated_at_us=updated_us,
        archived=value.get("isArchived") is True,
        settings=Settings(system_prompt=title_in(asked.get("promptPrefix"))),
        file=record.file,
        place=record.place,
        raw=rest(value, _KNOWN_CONVERSATION) or None,
    )


def _flat(messages: object) -> Iterator[Told]:
    """All messages, each after the one that it is nested in; however deep, without recursion."""
    waiting: list[Told] = [(fields(value), None) for value in reversed(listed(messages))]
    while waiting:
        message, above = waiting.pop()
        if not message:
            continue
        yield message, above
        below = ident(message.get("messageId"))
        waiting.extend((fields(child), below) for child in reversed(listed(message.get("children"))))


def _message(value: Mapping[str, object], above: str | None) -> IncomingMessage:
    role = _role(value)
    is_answer = role == "assistant"
    raw = rest(value, _KNOWN, _USUAL)
    parts = parts_of(value, raw)
    feedback = None
    if vote := fields(value.get("feedback")):
        tag = vote.get("tag")
        reason = fields(tag).get("key", tag)
        feedback = feedback_of(vote.get("rating"), vote.get("text"), reason)
        known = frozenset({"rating", "tag", "text"} if feedback is not None else ())
        if more := rest(vote, known - ({"tag"} if isinstance(tag, dict) else frozenset())):
            raw["feedback"] = more
    count = integer(value.get("tokenCount"))
    if is_answer and count is not None:
        raw.pop("tokenCount", None)
    parent = ident(value.get("parentMessageId"))
    status, reason_text = _ending(value) if is_answer else ("complete", None)
    return IncomingMessage(
        role=role,
        parts=parts,
        id=ident(value.get("messageId")),
        parent=above if parent in {None, NO_PARENT} else parent,
        created_at_us=time_us(value.get("createdAt")),
        model=ident(value.get("model")) if is_answer else None,
        status=status,
        reason=reason_text,
        usage=Usage(completion_tokens=count) if is_answer and count is not None else None,
        feedback=feedback,
        raw=raw or None,
    )


def _role(value: Mapping[str, object]) -> Role:
    """Not by `sender`, which is a name for people, unless nothing else is there."""
    by_user = value.get("isCreatedByUser")
    if isinstance(by_user, bool):
        return "user" if by_user else "assistant"
    return role_of(value.get("role")) or role_of(value.get("sender")) or "assistant"


def _ending(value: Mapping[str, object]) -> tuple[Status, str | None]:
    if value.get("error"):
        told = next(
            (text for block in listed(value.get("content")) if (text := text_in(fields(block).get("error")))),
            None,
        )
        return "failed", told or text_in(value.get("text")) or "Its source says that it failed."
    if value.get("unfinished") is True:
        return "stopped", None
    finish = value.get("finish_reason")
    if isinstance(finish, str) and finish in _CUT_OFF:
        return "stopped", "The limit of tokens was reached."
    return "complete", None


FORMAT: ReadFormat = RecordFormat(
    name="librechat",
    title="LibreChat export",
    order=130,
    signature=_signature,
    conversations=_conversations,
)
