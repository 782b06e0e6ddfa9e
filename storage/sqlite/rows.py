"""`storage.rows.Rows` over the writing connection."""

import sqlite3
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from chatcore.events import ConversationEvent, ListChanged
from chatcore.messages import Conversation, Feedback, Message, Part
from storage.ids import IdSource, to_us
from storage.rows import ConversationRow, Keyed, Live, Made, MessageRow, RunRow, Said
from storage.sqlite.jumps import jump_length
from storage.sqlite.saying import Saying
from storage.sqlite.statements import load
from storage.sqlite.values import blob, conversation_row, feedback_of, files_of, message_row, text, time

__all__ = ["Mark", "SqliteRows"]

_SQL = load("units")
_COUNTER = 18  # its place in `conversation_row`


class Mark(Struct, frozen=True):
    """Where a unit began."""

    events: int
    saying: int


class SqliteRows:
    """The tables as units see them, and the events that wait for the commit.

    Attributes:
        now: The time of the unit that is being done.
        events: What the group's units have emitted so far.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._saying = Saying(connection)
        self._users: dict[str, int] = {}
        self._list_seqs: dict[int, int] = {}
        self._ids = IdSource()
        self._seen: ConversationRow | None = None
        self.now = datetime.now(UTC)
        self.events: list[ConversationEvent | ListChanged] = []

    def open(self) -> None:
        """Take up the numbers of what is stored."""
        (newest,) = self._execute(_SQL["newest_id"]).fetchone()
        self._ids = IdSource(newest.hex() or None)
        self._saying.open()

    def begin(self) -> Mark:
        """A unit begins."""
        self.now = datetime.now(UTC)
        return Mark(len(self.events), self._saying.mark())

    def undo(self, mark: Mark) -> None:
        """All that was done since the mark has been undone in the tables."""
        del self.events[mark.events :]
        self._saying.undo(mark.saying)
        self._users.clear()

    def committed(self) -> list[ConversationEvent | ListChanged]:
        """All has been committed; gives its events."""
        self._saying.committed()
        events, self.events = self.events, []
        return events

    def new_id(self) -> str:
        """See `Rows`, as for all of these."""
        return self._ids.new()

    def emit(self, event: ConversationEvent | ListChanged) -> None:
        self.events.append(event)

    # users, keys

    def user(self, name: str) -> int:
        found = self._users.get(name)
        if found is None:
            row = self._execute(_SQL["user"], (name,)).fetchone()
            found = row[0] if row else self._insert(_SQL["insert_user"], (name,))
            self._users[name] = found
        return found

    def next_list_seq(self, owner: int) -> int:
        # remembered and never taken back: no other connection counts, and gaps are legal
        last = self._list_seqs.get(owner)
        if last is None:
            last = self._execute(_SQL["last_list_seq"], (owner,)).fetchone()[0] or 0
        self._list_seqs[owner] = last + 1
        return last + 1

    def made(self, user: str, key: str) -> Made | None:
        row = self._execute(_SQL["made_message"], (user, key)).fetchone()
        if row is not None:
            return Made(row[0], row[1].hex(), row[2].hex())
        row = self._execute(_SQL["made_conversation"], (user, key)).fetchone()
        return Made(row[0], row[1].hex(), None) if row is not None else None

    # conversations

    def conversation(self, conversation_id: str, user: str | None) -> ConversationRow | None:
        row = self._execute(_SQL["conversation"], (blob(conversation_id),)).fetchone()
        if row is None or (user is not None and row[3] != user):
            return None
        found = self._seen = conversation_row(row, self._saying.counter(row[0], row[_COUNTER]))
        return found

    def insert_conversation(
        self, conversation: Conversation, owner: int, counter: int, keyed: Keyed | None
    ) -> None:
        created = to_us(conversation.created_at)
        self._execute(
            _SQL["insert_conversation"],
            (
                blob(conversation.id),
                owner,
                conversation.title,
                text(conversation.settings),
                conversation.pinned,
                conversation.archived,
                conversation.running,
                created,
                to_us(conversation.updated_at),
                created,
                conversation.seq,
                counter,
                conversation.list_seq,
                conversation.activity,
                keyed and keyed.key,
                keyed and keyed.digest,
            ),
        )

    def update_conversation(self, row: ConversationRow) -> None:
        self._saying.counted(row.key, row.counter)
        seen, new = self._seen, row.conversation
        if seen is not None and seen.key == row.key and seen.conversation == new:
            self._execute(_SQL["count_change"], (row.counter, row.key))
            return
        changed = (row.head, text(new.settings), to_us(row.changed_at), new.seq, row.counter)
        if seen is not None and seen.key == row.key and seen.conversation.list_seq == new.list_seq:
            self._execute(_SQL["update_conversation"], (*changed, row.key))
            return
        listed = (
            new.title,
            new.pinned,
            new.archived,
            new.running,
            to_us(new.updated_at),
            time(row.deleted_at),
            new.list_seq,
            new.activity,
        )
        self._execute(_SQL["update_listed_conversation"], (*changed, *listed, row.key))

    # messages

    def message(self, message_id: str) -> MessageRow | None:
        row = self._execute(_SQL["message"], (blob(message_id),)).fetchone()
        return None if row is None else message_row(row)

    def message_at(self, key: int) -> MessageRow:
        return message_row(self._execute(_SQL["message_at"], (key,)).fetchone())

    def first_answer(self, question: int) -> MessageRow | None:
        row = self._execute(_SQL["first_answer"], (question,)).fetchone()
        return None if row is None else message_row(row)

    def newest_leaf(self, key: int) -> MessageRow:
        (leaf,) = self._execute(_SQL["newest_leaf"], (key,)).fetchone()
        return self.message_at(leaf)

    def insert_message(
        self, conversation: ConversationRow, parent: int | None, message: Message, keyed: Keyed | None
    ) -> int:
        key = self._insert(
            _SQL["insert_message"],
            (
                blob(message.id),
                conversation.key,
                parent,
                parent is not None and jump_length(message.depth) > 1,
                message.depth,
                message.role,
                message.status,
                text(message.parts),
                message.continues and blob(message.continues),
                message.responder,
                message.model,
                to_us(message.created_at),
                time(message.started_at),
                message.seq,
                keyed and conversation.owner,
                keyed and keyed.key,
                keyed and keyed.digest,
            ),
        )
        self._refer(key, message.parts)
        return key

    def update_message(self, key: int, message: Message) -> None:
        self._execute(
            _SQL["update_message"],
            (
                message.status,
                text(message.parts),
                message.reason,
                message.reason_code,
                message.model,
                None if message.usage is None else text(message.usage),
                message.memory_from and blob(message.memory_from),
                time(message.started_at),
                time(message.ended_at),
                message.seq,
                key,
            ),
        )
        self._refer(key, message.parts)

    # runs

    def runs(self, conversation: int) -> list[RunRow]:
        rows = self._execute(_SQL["runs"], (conversation,)).fetchall()
        return [RunRow(message, owner, running == 1) for message, owner, running in rows]

    def count_runs(self, user: int) -> int:
        count: int = self._execute(_SQL["count_runs"], (user,)).fetchone()[0]
        return count

    def insert_run(self, conversation: ConversationRow, message: int, owner: str, *, running: bool) -> None:
        values = (message, conversation.key, conversation.owner, owner, running)
        self._execute(_SQL["insert_run"], values)

    def start_run(self, message: int) -> None:
        self._execute(_SQL["start_run"], (message,))

    def end_run(self, message: int) -> None:
        self._saying.end(message)

    def live(self, message_id: str, owner: str) -> Live | None:
        return self._saying.live(message_id, owner)

    def append_said(self, entries: Sequence[tuple[int, int, Said]]) -> None:
        self._saying.append(entries)

    def said(self, messages: Collection[int]) -> dict[int, list[Said]]:
        return self._saying.said(messages)

    # feedback

    def feedback(self, message: int, user: int) -> Feedback | None:
        row = self._execute(_SQL["feedback"], (message, user)).fetchone()
        return None if row is None else feedback_of(*row)

    def put_feedback(
        self, message: MessageRow, user: int, feedback: Feedback | None, seq: int, at: datetime
    ) -> None:
        held: tuple[str | None, str | None, str] = (None, None, "[]")
        if feedback is not None:
            held = (feedback.rating, feedback.comment, text(feedback.reasons))
        values = (message.key, user, message.conversation, *held, to_us(at), seq)
        self._execute(_SQL["put_feedback"], values)

    # removal

    def purgeable(self, before: datetime) -> ConversationRow | None:
        row = self._execute(_SQL["purgeable"], (to_us(before),)).fetchone()
        return None if row is None else conversation_row(row)

    def purge_messages(self, conversation: int, limit: int) -> int:
        keys = self._execute(_SQL["purge_candidates"], (conversation, limit)).fetchall()
        for statement in ("purge_feedback", "purge_message_files", "purge_message"):
            self._connection.executemany(_SQL[statement], keys)
        return len(keys)

    def purge_conversation(self, conversation: int, *, whole: bool) -> None:
        self._execute(_SQL["end_purge" if whole else "begin_purge"], (conversation,))

    def unreferenced(self, sha256s: Collection[str]) -> frozenset[str]:
        unused = [name for name in sha256s if not self._is_referenced(bytes.fromhex(name))]
        self._connection.executemany(_SQL["forget_file"], [(bytes.fromhex(name),) for name in unused])
        return frozenset(unused)

    def _is_referenced(self, sha256: bytes) -> bool:
        return self._execute(_SQL["referenced"], (sha256,)).fetchone() is not None

    def _refer(self, message: int, parts: Sequence[Part]) -> None:
        for attachment in files_of(parts):
            sha256 = bytes.fromhex(attachment.sha256)
            self._execute(_SQL["insert_file"], (sha256, text(attachment)))
            self._execute(_SQL["insert_message_file"], (message, sha256))

    def _insert(self, sql: str, parameters: tuple[Any, ...]) -> int:
        key = self._execute(sql, parameters).lastrowid
        return -1 if key is None else key  # always set after an INSERT
