"""What comes from elsewhere, hundreds of rows at a time."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence

from chatcore.arrivals import IngestConversation, id_origin
from chatcore.messages import File, Message
from storage.arriving import Gathered, Keys, NewConversation, NewMessage, NewVote, Origin, Placed
from storage.ids import to_us
from storage.rows import ConversationRow, Keyed, MessageRow
from storage.sqlite.jumps import jump_length
from storage.sqlite.many import flat_batches, widened
from storage.sqlite.ready import Ready, Shelf
from storage.sqlite.statements import load
from storage.sqlite.tables.conversations import Conversations
from storage.sqlite.tables.messages import Messages
from storage.sqlite.values import message_row, text

__all__ = ["Arriving"]

_SQL = load("units")


class Arriving(Conversations, Messages):
    """`storage.arriving.IngestRows` over all of the tables.

    The driver looks for an adapter of each parameter that is no int, str or bytearray, which takes more time
    than all else that it does with it: so there are no None, bytes and bool where it matters.

    Keys are given out from numbers that are remembered and only ever grow. The places of the messages of one
    conversation are remembered too, so that the slices of a long one do not each look through all of it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._last_conversation, self._last_message = self._execute(_SQL["last_keys"]).fetchone()
        self.shelf = Shelf()
        self._placed: dict[bytes, Placed] = {}
        self._placed_in = 0  # key of the conversation; 0: of none
        self._written: dict[bytes, Placed] = {}
        self._written_in = 0  # likewise

    def insert_message(
        self, conversation: ConversationRow, parent: int | None, message: Message, keyed: Keyed | None
    ) -> int:
        key = super().insert_message(conversation, parent, message, keyed)
        self._last_message = max(self._last_message, key)
        if conversation.key == self._written_in:
            self._written_in = 0
        return key

    def forget_places(self) -> None:
        """Something was undone, or removed."""
        self._placed, self._placed_in = {}, 0
        self._written, self._written_in = {}, 0

    def origins(self, owner: int, origins: Collection[bytes]) -> dict[bytes, Origin]:
        found: dict[bytes, Origin] = {}
        for sql, wanted in widened(_SQL["origins"], tuple(origins)):
            for origin, key, public, digest, deleted, dated in self._execute(sql, (owner, *wanted)):
                found[origin] = Origin(key, public.hex(), digest, deleted == 1, dated)
        return found

    def conversation_keys(self, count: int) -> range:
        first = self._last_conversation + 1
        self._last_conversation += count
        return range(first, first + count)

    def message_keys(self, count: int) -> range:
        first = self._last_message + 1
        self._last_message += count
        return range(first, first + count)

    def insert_conversations(self, new: Sequence[NewConversation], owner: int) -> None:
        now = to_us(self.now)
        values: list[object] = []
        for one in new:
            source = one.source
            values += (
                one.key,
                bytearray(one.id),
                owner,
                source.title,
                one.head or 0,
                text(source.settings),
                int(source.pinned),
                int(source.archived),
                source.created_at_us,
                one.activity,
                now,
                now if one.digest is None else 0,
                one.seq,
                one.seq,
                one.list_seq,
                one.activity,
                bytearray(source.origin),
                None if one.digest is None else bytearray(one.digest),
                source.raw or "",
                source.dated_us,
            )
            self.titled(one.key, owner, None, source.title)
        self._insert_all("insert_conversations", values)
        if new and owner in self._activities:
            self._activities[owner] = max(self._activities[owner], *(one.activity for one in new))

    def gathered(self, sources: Sequence[IngestConversation], *, index: bool) -> Gathered:
        return self.shelf.of(sources, index=index)

    def insert_gathered(self, new: Gathered, keys: Keys, owner: int, *, index: bool) -> None:
        assert isinstance(new, Ready)  # `gathered` gave it
        first = keys.messages.start
        statement = _SQL["insert_gathered_plain" if new.is_plain else "insert_gathered"]
        before = (first - 1, keys.message_ids, keys.conversations.start, new.origins)
        for sql, parameters in flat_batches(statement, new.values, before):
            self._execute(sql, parameters)
        for place, parts in new.files:
            self._refer(first + place, parts)
        if index:
            self.spoken_by_many(first - 1, owner, new.said)
        elif keys.messages:
            self.leave_out(first, keys.messages[-1])

    def insert_messages(self, new: Sequence[NewMessage], owner: int, *, index: bool) -> None:
        if not new:
            return
        jumps = _Jumps(self._connection)
        values: list[object] = []
        for one in new:
            source, parent, depth = one.source, one.parent or 0, one.depth
            # that of a root is 0, as its parent
            far = depth > 0 and jump_length(depth) > 1
            jump = jumps[one.key] = jumps[jumps[parent]] if far else parent
            values += (
                one.key,
                bytearray(one.id),
                one.conversation,
                parent,
                jump,
                depth,
                one.seq,
                source.role,
                source.status,
                text(source.parts),
                source.model or "",
                source.created_at_us,
                bytearray(source.origin),
                source.reason or "",
                "" if source.usage is None else text(source.usage),
                source.raw or "",
                int(source.hidden),
            )
        self._insert_all("insert_messages", values)
        for one in new:
            if any(type(part) is File for part in one.source.parts):
                self._refer(one.key, one.source.parts)
            if index and not one.source.hidden:
                self.spoken(one.key, owner, one.source.parts)
        if not index:
            self.leave_out(new[0].key, new[-1].key)
        if self._placed_in:
            here = [one for one in new if one.conversation == self._placed_in]
            self._placed |= {one.source.origin: Placed(one.key, one.depth) for one in here}
        if self._written_in:
            here = [one for one in new if one.conversation == self._written_in]
            self._written |= {id_origin(one.id.hex()): Placed(one.key, one.depth) for one in here}

    def replace_messages(self, changed: Sequence[NewMessage], owner: int, *, index: bool) -> None:
        for one in changed:
            source, before = one.source, self.message_at(one.key).message
            self._execute(
                _SQL["replace_message"],
                (
                    source.role,
                    source.status,
                    text(source.parts),
                    source.reason,
                    source.model,
                    None if source.usage is None else text(source.usage),
                    source.created_at_us,
                    one.seq,
                    source.raw,
                    source.hidden,
                    one.key,
                ),
            )
            self._execute(_SQL["purge_message_files"], (one.key,))
            self._refer(one.key, source.parts)
            self.respoken(
                one.key,
                owner,
                None if before.hidden else before.parts,
                None if source.hidden else source.parts,
            )

    def insert_votes(self, new: Sequence[NewVote]) -> None:
        now = to_us(self.now)
        values: list[object] = []
        for vote in new:
            said = vote.feedback
            values += (vote.message, self.user(vote.user), vote.conversation, said.rating, said.comment)
            values += (text(said.reasons), now, vote.seq)
        self._insert_all("insert_votes", values)

    def ingested(self, conversation: int) -> Mapping[bytes, Placed]:
        if self._placed_in != conversation:
            found = self._execute(_SQL["ingested"], (conversation,))
            self._placed = {origin: Placed(key, depth) for origin, key, depth in found}
            self._placed_in = conversation
        return self._placed

    def written(self, conversation: int) -> Mapping[bytes, Placed]:
        if self._written_in != conversation:
            found = self._execute(_SQL["written"], (conversation,))
            self._written = {id_origin(public.hex()): Placed(key, depth) for public, key, depth in found}
            self._written_in = conversation
        return self._written

    def messages_at(self, keys: Collection[int]) -> dict[int, tuple[MessageRow, str | None]]:
        rows = self._execute(_SQL["messages_at"], (text(list(keys)),)).fetchall()
        return {row[0]: (message_row(row[:-1]), row[-1]) for row in rows}

    def voted(self, messages: Collection[int], user: int) -> frozenset[int]:
        found = self._execute(_SQL["voted"], (text(list(messages)), user))
        return frozenset(key for (key,) in found)

    def set_version(self, conversation: int, source: IngestConversation) -> None:
        values = (source.digest, source.raw, source.dated_us or None, conversation)
        self._execute(_SQL["set_version"], values)

    def _insert_all(self, statement: str, values: Sequence[object]) -> None:
        for sql, parameters in flat_batches(_SQL[statement], values):
            self._execute(sql, parameters)


class _Jumps(dict[int | None, int | None]):
    """Message to where its jump goes; those that are not here yet are looked up."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self._connection = connection

    def __missing__(self, key: int | None) -> int | None:
        jump: int | None = self._connection.execute(_SQL["jump"], (key,)).fetchone()[0]
        self[key] = jump
        return jump
