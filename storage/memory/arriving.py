"""`storage.arriving.IngestRows` over dicts."""

from collections.abc import Collection, Mapping, Sequence
from itertools import islice

from chatcore.arrivals import IngestConversation, IngestMessage, id_origin
from chatcore.messages import Message
from storage.arriving import (
    Gathered,
    Keys,
    NewConversation,
    NewMessage,
    NewVote,
    Origin,
    Placed,
    gather,
    id_at,
)
from storage.ids import from_us
from storage.memory.rows import MemoryRows
from storage.memory.tables import FeedbackRow, SourceRow
from storage.rows import ConversationRow, MessageRow

__all__ = ["ArrivingRows"]


class ArrivingRows(MemoryRows):
    """The tables as one unit sees them, those of ingestion too."""

    def new_ids(self, count: int) -> bytes:
        return self._ids.many(count)

    def gathered(self, sources: Sequence[IngestConversation], *, index: bool) -> Gathered:
        return gather(sources)

    def origins(self, owner: int, origins: Collection[bytes]) -> dict[bytes, Origin]:
        tables = self._tables
        found: dict[bytes, Origin] = {}
        for origin in origins:
            key = tables.origins.get((owner, origin))
            if key is not None:
                row, source = tables.conversations[key], tables.conversation_sources[key]
                found[origin] = Origin(
                    key, row.conversation.id, source.digest, row.conversation.deleted, source.dated_us
                )
        return found

    def conversation_keys(self, count: int) -> range:
        keys = list(islice(self._tables.keys, count))
        return range(keys[0], keys[-1] + 1) if keys else range(0)

    def message_keys(self, count: int) -> range:
        return self.conversation_keys(count)

    def insert_conversations(self, new: Sequence[NewConversation], owner: int) -> None:
        tables, put = self._tables, self._journal.put
        names = {key: name for name, key in tables.users.items()}
        for one in new:
            unfinished = one.digest is None
            row = ConversationRow(
                key=one.key,
                owner=owner,
                conversation=one.conversation(names[owner]),
                head=one.head,
                head_depth=one.head_depth,
                counter=one.seq,
                changed_at=self.now,
                deleted_at=self.now if unfinished else None,
                unfinished=unfinished,
            )
            put(tables.conversations, one.key, row)
            put(tables.conversation_keys, row.conversation.id, one.key)
            put(tables.origins, (owner, one.source.origin), one.key)
            came = SourceRow(one.source.origin, one.digest, one.source.raw, one.source.dated_us)
            put(tables.conversation_sources, one.key, came)
            self._note_activity(owner, one.activity)

    def insert_gathered(self, new: Gathered, keys: Keys, owner: int, *, index: bool) -> None:
        messages: list[NewMessage] = []
        for number, source in enumerate(new.sources):
            for seq, one in enumerate(source.messages, 1):
                place = len(messages)
                parent, depth = new.parents[place], new.depths[place]
                above = None if parent < 0 else keys.messages[parent]
                key, public = keys.messages[place], id_at(keys.message_ids, place)
                messages.append(NewMessage(key, public, keys.conversations[number], above, depth, seq, one))
        self.insert_messages(messages, owner, index=index)

    def insert_messages(self, new: Sequence[NewMessage], owner: int, *, index: bool) -> None:
        tables, journal = self._tables, self._journal
        for one in new:
            conversation = tables.conversations[one.conversation].conversation.id
            parent = None if one.parent is None else tables.messages[one.parent].message.id
            message = _message(one, conversation, parent)
            journal.put(tables.messages, one.key, MessageRow(one.key, one.conversation, one.parent, message))
            journal.put(tables.message_keys, message.id, one.key)
            journal.append(tables.members[one.conversation], one.key)
            journal.append(tables.children[one.conversation, one.parent], one.key)
            journal.put(tables.message_sources, one.key, _source(one.source))
            self._refer(message, 1)

    def replace_messages(self, changed: Sequence[NewMessage], owner: int, *, index: bool) -> None:
        for one in changed:
            before = self._tables.messages[one.key].message
            self.update_message(one.key, _message(one, before.conversation_id, before.parent))
            self._journal.put(self._tables.message_sources, one.key, _source(one.source))

    def insert_votes(self, new: Sequence[NewVote]) -> None:
        for vote in new:
            row = FeedbackRow(vote.feedback, vote.seq, self.now)
            self._journal.put(self._tables.feedback[vote.message], self.user(vote.user), row)

    def ingested(self, conversation: int) -> Mapping[bytes, Placed]:
        tables = self._tables
        return {
            source.origin: Placed(key, tables.messages[key].message.depth)
            for key in tables.members.get(conversation, ())
            if (source := tables.message_sources.get(key)) is not None
        }

    def written(self, conversation: int) -> Mapping[bytes, Placed]:
        messages = self._tables.messages
        return {
            id_origin(messages[key].message.id): Placed(key, messages[key].message.depth)
            for key in self._tables.members.get(conversation, ())
        }

    def messages_at(self, keys: Collection[int]) -> dict[int, tuple[MessageRow, str | None]]:
        sources = self._tables.message_sources
        return {
            key: (self._tables.messages[key], sources[key].raw if key in sources else None) for key in keys
        }

    def voted(self, messages: Collection[int], user: int) -> frozenset[int]:
        return frozenset(key for key in messages if user in self._tables.feedback.get(key, {}))

    def set_version(self, conversation: int, source: IngestConversation) -> None:
        row = SourceRow(source.origin, source.digest, source.raw, source.dated_us)
        self._journal.put(self._tables.conversation_sources, conversation, row)


def _source(one: IngestMessage) -> SourceRow:
    return SourceRow(one.origin, None, one.raw)


def _message(one: NewMessage, conversation_id: str, parent: str | None) -> Message:
    source = one.source
    return Message(
        id=one.id.hex(),
        conversation_id=conversation_id,
        parent=parent,
        depth=one.depth,
        role=source.role,
        status=source.status,
        parts=source.parts,
        created_at=from_us(source.created_at_us),
        seq=one.seq,
        reason=source.reason,
        model=source.model,
        usage=source.usage,
        hidden=source.hidden,
    )
