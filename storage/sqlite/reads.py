"""Everything that is read but pages, on a reader's thread."""

import sqlite3
from collections.abc import Iterator

from chatcore.errors import NotFound
from chatcore.events import (
    ConversationChanged,
    ConversationDeleted,
    ConversationEvent,
    FeedbackChanged,
    ListChanged,
    MessageChanged,
)
from chatcore.messages import Attachment, Conversation, Message
from chatcore.ports import Anybody
from chatcore.views import Changes, ConversationPage, ListChanges
from storage.ids import from_us
from storage.listing import name_of, place_named, place_of
from storage.rows import ConversationRow
from storage.sqlite.beginnings import first_words
from storage.sqlite.finding import own_conversation, owned_by
from storage.sqlite.pages import path
from storage.sqlite.statements import load
from storage.sqlite.values import (
    attachment_of,
    blob,
    conversation_row,
    feedback_of,
    message_row,
)

__all__ = [
    "ancestors",
    "attachments",
    "changes",
    "conversation",
    "conversations",
    "list_changes",
    "message",
    "orphans",
]

_SQL = load("reads")


def conversation(connection: sqlite3.Connection, user: str | Anybody, conversation_id: str) -> Conversation:
    """See `chatcore.ports.Store`, as for all of these: the user's conversation."""
    return own_conversation(connection, user, conversation_id).conversation


def message(connection: sqlite3.Connection, user: str | Anybody, message_id: str) -> Message:
    """The user's message."""
    row = connection.execute(_SQL["message"], (blob(message_id), *owned_by(user))).fetchone()
    if row is None:
        raise NotFound("There is no such message.", message_id=message_id)
    return message_row(row).message


def conversations(
    connection: sqlite3.Connection,
    user: str,
    archived: bool,
    pinned: bool | None,
    after: str | None,
    limit: int,
) -> ConversationPage:
    """A page of the user's list: one stretch of the index for each kind. No damaged entry takes it away."""
    below = place_named(after)
    kinds = (True, False) if pinned is None else (pinned,)
    found = [
        conversation_row(row, lenient=True)
        for kind in kinds
        for row in connection.execute(_SQL["conversations"], (user, archived, kind, *below, limit + 1))
    ]
    found.sort(key=place_of, reverse=True)
    shown = found[:limit]
    (list_seq,) = connection.execute(_SQL["list_seq"], (user,)).fetchone()
    return ConversationPage(
        conversations=tuple(row.conversation for row in shown),
        next=name_of(shown[-1]) if shown and len(found) > limit else None,
        list_seq=list_seq,
        first_words=first_words(connection, shown),
    )


def list_changes(connection: sqlite3.Connection, user: str, after: int, limit: int) -> ListChanges:
    """What has changed in the user's list."""
    found = connection.execute(_SQL["list_changes"], (user, after, limit + 1)).fetchall()
    rows = [conversation_row(row, lenient=True) for row in found[:limit]]
    words = first_words(connection, [row for row in rows if not row.conversation.deleted])
    events = [_list_changed(row, words.get(row.conversation.id)) for row in rows]
    (seq,) = connection.execute(_SQL["list_seq"], (user,)).fetchone()
    return ListChanges(events=tuple(events), seq=seq, more=len(found) > limit)


def changes(
    connection: sqlite3.Connection, user: str, conversation_id: str, after: int, limit: int
) -> Changes:
    """What has changed in the conversation: stretches of three indexes, merged."""
    row = own_conversation(connection, user, conversation_id, deleted_too=True)
    own = row.conversation
    if row.deleted_at is not None:
        gone = ConversationDeleted(conversation_id=own.id, seq=own.seq, at=row.changed_at)
        return Changes(events=(gone,), seq=row.counter, more=False)
    events: list[ConversationEvent] = [
        *_changed_messages(connection, row.key, after, limit + 1),
        *_changed_feedback(connection, row.key, own.id, after, limit + 1),
    ]
    if own.seq > after:
        events.append(
            ConversationChanged(conversation_id=own.id, seq=own.seq, at=row.changed_at, conversation=own)
        )
    events.sort(key=lambda event: event.seq)
    return Changes(events=tuple(events[:limit]), seq=row.counter, more=len(events) > limit)


def ancestors(connection: sqlite3.Connection, message_id: str, limit: int) -> list[Message]:
    """The message and those above it."""
    found = connection.execute(_SQL["node"], (blob(message_id),)).fetchone()
    if found is None:
        raise NotFound("There is no such message.", message_id=message_id)
    return [row.message for row in path(connection, found[0], limit)]


def orphans(connection: sqlite3.Connection, owner: str) -> list[str]:
    """Answers of other processes."""
    return [public.hex() for (public,) in connection.execute(_SQL["orphans"], (owner,))]


def attachments(
    connection: sqlite3.Connection, after: int, limit: int
) -> tuple[list[Attachment], int | None]:
    """A batch of what is referred to; of rows that can't be decoded `check` speaks."""
    rows = connection.execute(_SQL["attachments"], (after, limit + 1)).fetchall()
    found = [one for _, body in rows[:limit] if (one := attachment_of(body)) is not None]
    return found, rows[limit - 1][0] if len(rows) > limit else None


def _list_changed(row: ConversationRow, words: str | None) -> ListChanged:
    entry = row.conversation
    return ListChanged(
        conversation_id=entry.id,
        seq=entry.list_seq,
        at=row.changed_at,
        conversation=entry,
        first_words=words,
    )


def _changed_messages(
    connection: sqlite3.Connection, conversation: int, after: int, limit: int
) -> Iterator[MessageChanged]:
    for row in connection.execute(_SQL["changed_messages"], (conversation, after, limit)).fetchall():
        changed = message_row(row).message
        yield MessageChanged(
            conversation_id=changed.conversation_id,
            seq=changed.seq,
            at=changed.ended_at or changed.started_at or changed.created_at,
            message=changed,
        )


def _changed_feedback(
    connection: sqlite3.Connection, conversation: int, conversation_id: str, after: int, limit: int
) -> Iterator[FeedbackChanged]:
    found = connection.execute(_SQL["changed_feedback"], (conversation, after, limit)).fetchall()
    for seq, changed, public, user, *rest in found:
        yield FeedbackChanged(
            conversation_id=conversation_id,
            seq=seq,
            at=from_us(changed),
            message_id=public.hex(),
            user=user,
            feedback=feedback_of(public, *rest),
        )
