"""Whole conversations, a batch of them in one snapshot, on a reader's thread."""

import sqlite3
from collections.abc import Iterator, Sequence

from chatcore.views import MessageFeedback, Node, Tree, Trees
from storage.listing import count_named
from storage.rows import ConversationRow
from storage.sqlite.finding import own_conversation
from storage.sqlite.statements import load
from storage.sqlite.values import conversation_row, feedback_of, message_row

__all__ = ["trees"]

_SQL = load("reads")


def trees(
    connection: sqlite3.Connection,
    user: str,
    conversation_ids: Sequence[str] | None,
    after: str | None,
    messages: int,
) -> Trees:
    """See `chatcore.ports.Store.trees`."""
    begin = count_named(after)
    if conversation_ids is None:
        found = _all(connection, user, begin)
    else:
        found = _given(connection, user, conversation_ids, begin)
    batch: list[Tree] = []
    count = 0
    for place, row in found:
        batch.append(_tree(connection, row))
        count += len(batch[-1].nodes)
        if count >= messages:
            more = (
                next(found, None) is not None if conversation_ids is None else place < len(conversation_ids)
            )
            return Trees(trees=tuple(batch), next=str(place) if more else None)
    return Trees(trees=tuple(batch), next=None)


def _all(connection: sqlite3.Connection, user: str, after: int) -> Iterator[tuple[int, ConversationRow]]:
    """Each with its key. One by one: a cursor left open would keep the transaction."""
    while (row := connection.execute(_SQL["next_of_owner"], (user, after)).fetchone()) is not None:
        found = conversation_row(row)
        after = found.key
        yield after, found


def _given(
    connection: sqlite3.Connection, user: str, conversation_ids: Sequence[str], begin: int
) -> Iterator[tuple[int, ConversationRow]]:
    """Each with the number of those up to it."""
    for number, conversation_id in enumerate(conversation_ids[begin:], begin + 1):
        yield number, own_conversation(connection, user, conversation_id)


def _tree(connection: sqlite3.Connection, row: ConversationRow) -> Tree:
    (raw,) = connection.execute(_SQL["conversation_raw"], (row.key,)).fetchone()
    votes: dict[str, list[MessageFeedback]] = {}
    for public, user, *rest in connection.execute(_SQL["all_feedback"], (row.key,)).fetchall():
        feedback = feedback_of(public, *rest)
        if feedback is not None:
            vote = MessageFeedback(message_id=public.hex(), user=user, feedback=feedback)
            votes.setdefault(vote.message_id, []).append(vote)
    nodes = []
    for *columns, said in connection.execute(_SQL["all_messages"], (row.key,)).fetchall():
        message = message_row(tuple(columns)).message
        nodes.append(Node(message=message, feedback=tuple(votes.get(message.id, ())), raw=said))
    return Tree(conversation=row.conversation, nodes=tuple(nodes), raw=raw)
