"""Whole conversations."""

from collections.abc import Iterator, Sequence

from chatcore.errors import NotFound
from chatcore.views import MessageFeedback, Node, Tree, Trees
from storage.listing import count_named
from storage.memory.tables import Tables
from storage.rows import ConversationRow

__all__ = ["trees"]


def trees(
    tables: Tables, user: str, conversation_ids: Sequence[str] | None, after: str | None, messages: int
) -> Trees:
    """See `chatcore.ports.Store.trees`."""
    begin = count_named(after)
    if conversation_ids is None:
        found = _all(tables, user, begin)
    else:
        found = _given(tables, user, conversation_ids, begin)
    batch: list[Tree] = []
    count = 0
    for place, row in found:
        batch.append(_tree(tables, row))
        count += len(batch[-1].nodes)
        if count >= messages:
            more = (
                next(found, None) is not None if conversation_ids is None else place < len(conversation_ids)
            )
            return Trees(trees=tuple(batch), next=str(place) if more else None)
    return Trees(trees=tuple(batch), next=None)


def _all(tables: Tables, user: str, after: int) -> Iterator[tuple[int, ConversationRow]]:
    for key in sorted(key for key in tables.conversations if key > after):
        row = tables.conversations[key]
        if row.conversation.owner == user and row.deleted_at is None:
            yield key, row


def _given(
    tables: Tables, user: str, conversation_ids: Sequence[str], begin: int
) -> Iterator[tuple[int, ConversationRow]]:
    for number, conversation_id in enumerate(conversation_ids[begin:], begin + 1):
        row = tables.conversations.get(tables.conversation_keys.get(conversation_id, 0))
        if row is None or row.conversation.owner != user or row.deleted_at is not None:
            raise NotFound("There is no such conversation.", conversation_id=conversation_id)
        yield number, row


def _tree(tables: Tables, row: ConversationRow) -> Tree:
    names = {key: name for name, key in tables.users.items()}
    members = [tables.messages[key] for key in tables.members.get(row.key, ())]
    nodes = []
    for member in sorted(members, key=lambda member: (member.message.depth, member.key)):
        votes = [
            MessageFeedback(message_id=member.message.id, user=names[user], feedback=vote.feedback)
            for user, vote in sorted(tables.feedback.get(member.key, {}).items())
            if vote.feedback is not None
        ]
        source = tables.message_sources.get(member.key)
        nodes.append(
            Node(message=member.message, feedback=tuple(votes), raw=None if source is None else source.raw)
        )
    source = tables.conversation_sources.get(row.key)
    return Tree(conversation=row.conversation, nodes=tuple(nodes), raw=None if source is None else source.raw)
