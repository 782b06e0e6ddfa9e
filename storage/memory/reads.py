"""What readers ask of the tables; each function is one snapshot, since nothing in it waits."""

from collections.abc import Iterator
from datetime import datetime

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
from chatcore.ports import ANYBODY, Anybody
from chatcore.views import Changes, ConversationPage, ListChanges, MessageFeedback, StoredPage
from storage.listing import name_of, place_named, place_of
from storage.memory.tables import Tables
from storage.rows import ConversationRow, MessageRow

__all__ = ["Reads"]


class Reads:
    """The reading half of the store."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def conversation(self, user: str | Anybody, conversation_id: str) -> Conversation:
        """The conversation, unless it is deleted or another user's."""
        return self._own(user, conversation_id).conversation

    def message(self, user: str | Anybody, message_id: str) -> Message:
        """The message, unless its conversation is deleted or another user's."""
        row = self._message(message_id)
        conversation = self._tables.conversations[row.conversation].conversation
        if user not in {ANYBODY, conversation.owner} or conversation.deleted:
            raise _no_message(message_id)
        return row.message

    def conversations(
        self, user: str, *, archived: bool, pinned: bool | None, after: str | None, limit: int
    ) -> ConversationPage:
        """Entries of the list, newest first."""
        below = place_named(after)
        found = [
            row
            for row in self._of(user)
            if not (entry := row.conversation).deleted
            and entry.archived == archived
            and pinned in {None, entry.pinned}
            and place_of(row) < below
        ]
        found.sort(key=place_of, reverse=True)
        shown, rest = found[:limit], found[limit:]
        return ConversationPage(
            conversations=tuple(row.conversation for row in shown),
            next=name_of(shown[-1]) if rest and shown else None,
            list_seq=self._list_seq(user),
            first_words=self._tables.words_for(shown),
        )

    def page(
        self, user: str, conversation_id: str, *, before: str | None, around: str | None, limit: int
    ) -> StoredPage:
        """Part of a path, oldest first."""
        row = self._own(user, conversation_id)
        if around is not None:
            path, first, end = self._around(row, self._within(row, around), limit)
        else:
            path = list(self._up_from(row.head))[::-1]
            end = len(path)
            if before is not None:
                below = self._within(row, before)
                path = list(self._up_from(below.key))[::-1]
                end = len(path) - 1
            first = max(0, end - limit)
        held = path[first:end]
        return StoredPage(
            conversation=row.conversation,
            messages=tuple(message.message for message in held),
            feedback=tuple(self._feedback(held)),
            siblings=dict(self._siblings(held)),
            has_older=first > 0,
            has_newer=end < len(path),
            seq=row.counter,
            first_words=self._tables.words_for([row]).get(row.conversation.id),
        )

    def changes(self, user: str, conversation_id: str, *, after: int, limit: int) -> Changes:
        """Rows with a higher seq, as events."""
        row = self._own(user, conversation_id, deleted_too=True)
        conversation = row.conversation
        if row.deleted_at is not None:
            gone = ConversationDeleted(
                conversation_id=conversation.id, seq=conversation.seq, at=row.deleted_at
            )
            return Changes(events=(gone,), seq=row.counter, more=False)
        events = sorted(
            (event for event in self._events(row) if event.seq > after), key=lambda event: event.seq
        )
        return Changes(events=tuple(events[:limit]), seq=row.counter, more=len(events) > limit)

    def list_changes(self, user: str, *, after: int, limit: int) -> ListChanges:
        """Entries of the list with a higher list_seq, deleted ones too."""
        changed = sorted(
            (row for row in self._of(user) if row.conversation.list_seq > after),
            key=lambda row: row.conversation.list_seq,
        )
        words = self._tables.words_for(row for row in changed[:limit] if not row.conversation.deleted)
        events = tuple(
            ListChanged(
                conversation_id=row.conversation.id,
                seq=row.conversation.list_seq,
                at=row.changed_at,
                conversation=row.conversation,
                first_words=words.get(row.conversation.id),
            )
            for row in changed[:limit]
        )
        return ListChanges(events=events, seq=self._list_seq(user), more=len(changed) > limit)

    def ancestors(self, message_id: str, limit: int) -> list[Message]:
        """The message and those above it, newest first."""
        above = self._up_from(self._message(message_id).key)
        return [row.message for row, _ in zip(above, range(limit), strict=False)]

    def orphans(self, owner: str) -> list[str]:
        """Queued and running answers of other owners, oldest first."""
        keys = sorted(
            run.message for runs in self._tables.runs.values() for run in runs.values() if run.owner != owner
        )
        return [self._tables.messages[key].message.id for key in keys]

    def attachments(self, after: int, limit: int) -> tuple[list[Attachment], int | None]:
        """Files that messages refer to, one for each content, and where to go on."""
        rows = sorted(
            (row for row in self._tables.files.values() if row.key > after), key=lambda row: row.key
        )
        following = rows[limit - 1].key if len(rows) > limit else None
        return [row.attachment for row in rows[:limit]], following

    def _own(
        self, user: str | Anybody, conversation_id: str, *, deleted_too: bool = False
    ) -> ConversationRow:
        key = self._tables.conversation_keys.get(conversation_id)
        row = None if key is None else self._tables.conversations[key]
        if (
            row is None
            or user not in {ANYBODY, row.conversation.owner}
            or (row.deleted_at is not None and not deleted_too)
        ):
            raise NotFound("There is no such conversation.", conversation_id=conversation_id)
        return row

    def _of(self, user: str) -> Iterator[ConversationRow]:
        return (row for row in self._tables.conversations.values() if row.conversation.owner == user)

    def _list_seq(self, user: str) -> int:
        return self._tables.list_seqs.get(self._tables.users.get(user, 0), 0)

    def _message(self, message_id: str) -> MessageRow:
        key = self._tables.message_keys.get(message_id)
        if key is None:
            raise _no_message(message_id)
        return self._tables.messages[key]

    def _within(self, conversation: ConversationRow, message_id: str) -> MessageRow:
        row = self._message(message_id)
        if row.conversation != conversation.key:
            raise _no_message(message_id)
        return row

    def _up_from(self, key: int | None) -> Iterator[MessageRow]:
        while key is not None:
            row = self._tables.messages[key]
            yield row
            key = row.parent

    def _around(
        self, conversation: ConversationRow, middle: MessageRow, limit: int
    ) -> tuple[list[MessageRow], int, int]:
        """The path through the message (the visible one, if it can be), and the window on it."""
        path = list(self._up_from(conversation.head))[::-1]
        place = middle.message.depth
        if place >= len(path) or path[place].key != middle.key:
            leaf = middle.key
            while below := self._tables.children.get((conversation.key, leaf)):
                leaf = below[-1]
            path = list(self._up_from(leaf))[::-1]
        first = max(0, min(place - limit // 2, len(path) - limit))
        return path, first, min(len(path), first + limit)

    def _feedback(self, held: list[MessageRow]) -> Iterator[MessageFeedback]:
        names = {key: name for name, key in self._tables.users.items()}
        for row in held:
            for user, vote in sorted(self._tables.feedback.get(row.key, {}).items()):
                if vote.feedback is not None:
                    yield MessageFeedback(message_id=row.message.id, user=names[user], feedback=vote.feedback)

    def _siblings(self, held: list[MessageRow]) -> Iterator[tuple[str, tuple[str, ...]]]:
        for row in held:
            beside = self._tables.children[row.conversation, row.parent]
            if len(beside) > 1:
                yield row.message.id, tuple(self._tables.messages[key].message.id for key in beside)

    def _events(self, row: ConversationRow) -> Iterator[ConversationEvent]:
        conversation, names = row.conversation, {key: name for name, key in self._tables.users.items()}
        yield ConversationChanged(
            conversation_id=conversation.id,
            seq=conversation.seq,
            at=row.changed_at,
            conversation=conversation,
        )
        for key in self._tables.members.get(row.key, ()):
            message = self._tables.messages[key].message
            yield MessageChanged(
                conversation_id=conversation.id, seq=message.seq, at=_changed_at(message), message=message
            )
            for user, vote in self._tables.feedback.get(key, {}).items():
                yield FeedbackChanged(
                    conversation_id=conversation.id,
                    seq=vote.seq,
                    at=vote.at,
                    message_id=message.id,
                    user=names[user],
                    feedback=vote.feedback,
                )


def _changed_at(message: Message) -> datetime:
    return message.ended_at or message.started_at or message.created_at


def _no_message(message_id: str) -> NotFound:
    return NotFound("There is no such message.", message_id=message_id)
