"""`storage.rows.Rows` over dicts."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import msgspec

from chatcore.events import ConversationEvent, ListChanged
from chatcore.messages import Conversation, Feedback, File, Message, Settings
from chatcore.ports import ANYBODY, Anybody, ListMoved
from storage.ids import IdSource, to_us
from storage.memory.journal import Journal
from storage.memory.tables import FeedbackRow, FileRow, Tables
from storage.rows import ConversationRow, Keyed, Live, Made, MessageRow, RunRow, Said

__all__ = ["MemoryRows"]

replace = msgspec.structs.replace


class MemoryRows:
    """The tables as one unit sees them, and how to undo what it did."""

    def __init__(self, tables: Tables, ids: IdSource) -> None:
        self.events: list[ConversationEvent | ListChanged | ListMoved] = []
        self._tables = tables
        self._ids = ids
        self._journal = Journal()
        self._now = datetime.now(UTC)

    def undo(self) -> None:
        """The unit was refused: all is as it was before it."""
        self._journal.undo()
        self.events.clear()

    @property
    def now(self) -> datetime:
        return self._now

    def new_id(self) -> str:
        return self._ids.new()

    def emit(self, event: ConversationEvent | ListChanged | ListMoved) -> None:
        self.events.append(event)

    def touch(self) -> None:
        """Nothing survives."""

    def user(self, name: str) -> int:
        users = self._tables.users
        if name not in users:
            self._journal.put(users, name, next(self._tables.keys))
        return users[name]

    def next_list_seq(self, owner: int) -> int:
        seq = self._tables.list_seqs.get(owner, 0) + 1
        self._journal.put(self._tables.list_seqs, owner, seq)
        return seq

    def next_activity(self, owner: int) -> int:
        activity = max(to_us(self._now), self._tables.activities.get(owner, 0) + 1)
        self._note_activity(owner, activity)
        return activity

    # Conversations

    def made(self, user: str, key: str) -> Made | None:
        return self._tables.made.get((user, key))

    def conversation(self, conversation_id: str, user: str | Anybody) -> ConversationRow | None:
        key = self._tables.conversation_keys.get(conversation_id)
        if key is None:
            return None
        row = self._tables.conversations[key]
        if user not in {ANYBODY, row.conversation.owner}:
            return None
        live = self._tables.live.get(key)
        return row if live is None else replace(row, counter=live.seq)

    def insert_conversation(
        self, conversation: Conversation, owner: int, counter: int, keyed: Keyed | None
    ) -> None:
        key = next(self._tables.keys)
        row = ConversationRow(
            key=key,
            owner=owner,
            conversation=conversation,
            head=None,
            head_depth=-1,
            counter=counter,
            changed_at=conversation.created_at,
            deleted_at=None,
        )
        self._journal.put(self._tables.conversations, key, row)
        self._journal.put(self._tables.conversation_keys, conversation.id, key)
        if keyed is not None:
            self._note_maker(conversation.owner, keyed, conversation.id, None)

    def first_words(self, conversation: int) -> str | None:
        return self._tables.first_words(conversation)

    def begun_otherwise(self, conversation: int) -> None:
        """Nothing is remembered."""

    def update_conversation(self, row: ConversationRow) -> None:
        source = self._tables.conversation_sources.get(row.key)
        unfinished = source is not None and source.digest is None
        self._journal.put(self._tables.conversations, row.key, replace(row, unfinished=unfinished))
        if (live := self._tables.live.get(row.key)) is not None:
            self._in_place(live).seq = row.counter

    # Messages

    def message(self, message_id: str) -> MessageRow | None:
        key = self._tables.message_keys.get(message_id)
        return None if key is None else self._tables.messages[key]

    def message_at(self, key: int) -> MessageRow:
        return self._tables.messages[key]

    def first_answer(self, question: int) -> MessageRow | None:
        asked = self.message_at(question)
        below = (
            self.message_at(key) for key in self._tables.children.get((asked.conversation, question), ())
        )
        return next((row for row in below if row.message.role == "assistant"), None)

    def newest_leaf(self, key: int) -> MessageRow:
        row = self.message_at(key)
        while below := self._tables.children.get((row.conversation, row.key)):
            row = self.message_at(below[-1])
        return row

    def insert_message(
        self, conversation: ConversationRow, parent: int | None, message: Message, keyed: Keyed | None
    ) -> int:
        tables, journal = self._tables, self._journal
        key = next(tables.keys)
        journal.put(tables.messages, key, MessageRow(key, conversation.key, parent, message))
        journal.put(tables.message_keys, message.id, key)
        journal.append(tables.members[conversation.key], key)
        journal.append(tables.children[conversation.key, parent], key)
        self._refer(message, 1)
        if keyed is not None:
            self._note_maker(conversation.conversation.owner, keyed, conversation.conversation.id, message.id)
        return key

    def update_message(self, key: int, message: Message) -> None:
        before = self._tables.messages[key]
        self._refer(message, 1)
        self._refer(before.message, -1)
        self._journal.put(self._tables.messages, key, replace(before, message=message))

    # Runs

    def runs(self, conversation: int) -> list[RunRow]:
        runs = self._tables.runs.get(conversation, {})
        return sorted(runs.values(), key=lambda run: run.message)

    def count_runs(self, user: int) -> int:
        conversations = self._tables.conversations
        return sum(len(runs) for key, runs in self._tables.runs.items() if conversations[key].owner == user)

    def insert_run(self, conversation: ConversationRow, message: int, owner: str, *, running: bool) -> None:
        self._journal.put(self._tables.runs[conversation.key], message, RunRow(message, owner, running))
        if running:
            self._go_live(message, conversation.counter)

    def start_run(self, message: int) -> None:
        conversation = self.message_at(message).conversation
        runs = self._tables.runs[conversation]
        self._journal.put(runs, message, replace(runs[message], running=True))
        self._go_live(message, self._tables.conversations[conversation].counter)

    def end_run(self, message: int) -> None:
        conversation = self.message_at(message).conversation
        self._journal.take(self._tables.runs[conversation], message)
        live = self._tables.live.get(conversation)
        if live is not None and live.message == message:
            row = self._tables.conversations[conversation]
            self._journal.put(self._tables.conversations, conversation, replace(row, counter=live.seq))
            self._journal.take(self._tables.live, conversation)
        self._journal.take(self._tables.said, message)

    def live(self, message_id: str, owner: str) -> Live | None:
        row = self.message(message_id)
        live = None if row is None else self._tables.live.get(row.conversation)
        if row is None or live is None or live.message != row.key:
            return None
        run = self._tables.runs[row.conversation][row.key]
        return self._in_place(live) if run.owner == owner else None

    def append_said(self, entries: Sequence[tuple[int, int, Said]]) -> None:
        for message, _seq, said in entries:
            self._journal.append(self._tables.said[message], said)

    def said(self, messages: Collection[int]) -> dict[int, list[Said]]:
        return {key: list(said) for key in messages if (said := self._tables.said.get(key))}

    # Feedback

    def feedback(self, message: int, user: int) -> Feedback | None:
        row = self._tables.feedback.get(message, {}).get(user)
        return None if row is None else row.feedback

    def put_feedback(
        self, message: MessageRow, user: int, feedback: Feedback | None, seq: int, at: datetime
    ) -> None:
        self._journal.put(self._tables.feedback[message.key], user, FeedbackRow(feedback, seq, at))

    # Removal

    def purgeable(self, before: datetime) -> ConversationRow | None:
        found = [
            (row.deleted_at, row.key)
            for row in self._tables.conversations.values()
            if row.deleted_at is not None and row.deleted_at <= before and row.key not in self._tables.emptied
        ]
        return self._tables.conversations[min(found)[1]] if found else None

    def purge_messages(self, conversation: int, limit: int) -> int:
        tables, journal = self._tables, self._journal
        members = tables.members.get(conversation, [])
        number = min(limit, len(members))
        for _ in range(number):
            # Newest first: it has nothing below it and is the last of its siblings.
            row = tables.messages[journal.pop(members)]
            journal.pop(tables.children[conversation, row.parent])
            journal.take(tables.messages, row.key)
            journal.take(tables.message_keys, row.message.id)
            journal.take(tables.feedback, row.key)
            journal.take(tables.message_sources, row.key)
            journal.take(tables.children, (conversation, row.key))
            self._forget_maker(row.message.id)
            self._refer(row.message, -1)
        return number

    def purge_conversation(self, conversation: int, *, whole: bool) -> None:
        tables, journal = self._tables, self._journal
        row = tables.conversations[conversation]
        headless = replace(row.conversation, head=None)
        row = replace(row, conversation=headless, head=None, head_depth=-1, purged=True, unfinished=False)
        source = journal.take(tables.conversation_sources, conversation)
        if source is not None:
            journal.take(tables.origins, (row.owner, source.origin))
        if whole:
            bare = replace(row.conversation, title=None, settings=Settings(), pinned=False, archived=False)
            row = replace(row, conversation=bare)
            self._forget_maker(bare.id)
            journal.put(tables.emptied, conversation, True)
            journal.take(tables.members, conversation)
            journal.take(tables.children, (conversation, None))
        journal.put(tables.conversations, conversation, row)

    def unreferenced(self, sha256s: Collection[str]) -> frozenset[str]:
        return frozenset(sha256 for sha256 in sha256s if sha256 not in self._tables.files)

    def reindex(self, limit: int, *, anew: bool) -> tuple[int, int]:
        return 0, 0  # there is no index: searching looks at all messages

    # What several of these need

    def _note_activity(self, owner: int, activity: int) -> None:
        if activity > self._tables.activities.get(owner, 0):
            self._journal.put(self._tables.activities, owner, activity)

    def _note_maker(self, user: str, keyed: Keyed, conversation_id: str, message_id: str | None) -> None:
        made = Made(keyed.digest, conversation_id, message_id)
        self._journal.put(self._tables.made, (user, keyed.key), made)
        self._journal.put(self._tables.makers, message_id or conversation_id, (user, keyed.key))

    def _forget_maker(self, made_id: str) -> None:
        if (maker := self._journal.take(self._tables.makers, made_id)) is not None:
            self._journal.take(self._tables.made, maker)

    def _refer(self, message: Message, times: int) -> None:
        """The message's files are referred to that many times more."""
        files = self._tables.files
        for part in message.parts:
            if isinstance(part, File):
                sha256 = part.attachment.sha256
                row = files.get(sha256) or FileRow(next(self._tables.keys), part.attachment, 0)
                if row.references + times:
                    self._journal.put(files, sha256, replace(row, references=row.references + times))
                else:
                    self._journal.take(files, sha256)

    def _go_live(self, message: int, counter: int) -> None:
        row = self.message_at(message)
        live = Live(message, row.message.conversation_id, counter)
        self._journal.put(self._tables.live, row.conversation, live)

    def _in_place(self, live: Live) -> Live:
        """The same, to be changed by the caller: its seq is restored when the unit is undone."""
        before = live.seq
        self._journal.restoring(lambda: setattr(live, "seq", before))
        return live
