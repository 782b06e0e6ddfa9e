"""Conversations, their owners, and the keys by which things were made."""

import sqlite3

from chatcore.messages import Conversation
from chatcore.ports import ANYBODY, Anybody
from storage.ids import to_us
from storage.rows import ConversationRow, Keyed, Made
from storage.sqlite.beginnings import words_by_key
from storage.sqlite.statements import load
from storage.sqlite.tables.index import Index
from storage.sqlite.tables.runs import Runs
from storage.sqlite.values import blob, conversation_row, text, time

__all__ = ["Conversations"]

_SQL = load("units")
_COUNTER = 18  # its place in `conversation_row`
_WORDS_KEPT = 1_000


class Conversations(Runs, Index):
    """The tables `user` and `conversation`; over `Runs`, which knows how far running answers have counted."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._users: dict[str, int] = {}
        self._list_seqs: dict[int, int] = {}
        self._activities: dict[int, int] = {}
        self._last_conversation = 0  # the highest key given out
        self._seen: ConversationRow | None = None
        self._words: dict[int, str | None] = {}  # what conversations without a title are called by

    def undo(self, ended: int) -> None:
        super().undo(ended)
        self._users.clear()
        self._words.clear()
        self._seen = None

    def touch(self) -> None:
        for _ in range(2):  # SQLite writes no page that stays as it was
            self._execute(_SQL["touch"])

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

    def next_activity(self, owner: int) -> int:
        # remembered and never taken back, as above
        last = self._activities.get(owner)
        if last is None:
            last = self._execute(_SQL["last_activity"], (owner,)).fetchone()[0]
        now = self._activities[owner] = max(to_us(self.now), last + 1)
        return now

    def made(self, user: str, key: str) -> Made | None:
        row = self._execute(_SQL["made_message"], (user, key)).fetchone()
        if row is not None:
            return Made(row[0], row[1].hex(), row[2].hex())
        row = self._execute(_SQL["made_conversation"], (user, key)).fetchone()
        return Made(row[0], row[1].hex(), None) if row is not None else None

    def conversation(self, conversation_id: str, user: str | Anybody) -> ConversationRow | None:
        row = self._execute(_SQL["conversation"], (blob(conversation_id),)).fetchone()
        if row is None or user not in {ANYBODY, row[3]}:
            return None
        found = self._seen = conversation_row(row, self._counter(row[0], row[_COUNTER]), lenient=True)
        return found

    def insert_conversation(
        self, conversation: Conversation, owner: int, counter: int, keyed: Keyed | None
    ) -> None:
        created = to_us(conversation.created_at)
        key = self._insert(
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
        self._last_conversation = max(self._last_conversation, key)
        self.titled(key, owner, None, conversation.title)

    def first_words(self, conversation: int) -> str | None:
        if conversation not in self._words:
            if len(self._words) >= _WORDS_KEPT:
                self._words.clear()
            self._words[conversation] = words_by_key(self._connection, [conversation]).get(conversation)
        return self._words[conversation]

    def begun_otherwise(self, conversation: int) -> None:
        self._words.pop(conversation, None)

    def update_conversation(self, row: ConversationRow) -> None:
        self._counted(row.key, row.counter)
        seen, self._seen, new = self._seen, None, row.conversation
        if seen is not None and seen.key != row.key:
            seen = None  # another one was read since: all is written
        if seen is not None and seen.conversation == new:
            self._execute(_SQL["count_change"], (row.counter, row.key))
            return
        # Null leaves them: those that can't be decoded stay as they are until others are given.
        settings = None if seen and seen.conversation.settings == new.settings else text(new.settings)
        changed = (row.head, settings, to_us(row.changed_at), new.seq, row.counter)
        if seen is not None and seen.conversation.list_seq == new.list_seq:
            self._execute(_SQL["update_conversation"], (*changed, row.key))
            return
        self._retitled(row, seen)
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

    def _retitled(self, row: ConversationRow, seen: ConversationRow | None) -> None:
        new = row.conversation.title
        if seen is None:
            self._forget_title(row.key)
            self.titled(row.key, row.owner, None, new)
        elif seen.conversation.title != new:
            self.titled(row.key, row.owner, seen.conversation.title, new)
