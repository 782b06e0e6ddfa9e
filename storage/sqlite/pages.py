"""Pages of the visible path, read on a reader's thread."""

import sqlite3

from msgspec import Struct

from chatcore.errors import NotFound
from chatcore.views import MessageFeedback, StoredPage
from storage.rows import ConversationRow, MessageRow
from storage.sqlite.beginnings import first_words
from storage.sqlite.finding import own_conversation
from storage.sqlite.statements import load
from storage.sqlite.values import blob, feedback_of, message_row, text

__all__ = ["page", "path"]

_SQL = load("reads")


class _Window(Struct, frozen=True):
    """Where a page begins (its newest message; None: it is empty) and whether the path goes on below."""

    bottom: int | None
    has_newer: bool


class _Node(Struct, frozen=True):
    key: int
    conversation: int
    parent: int | None
    depth: int


def page(
    connection: sqlite3.Connection,
    user: str,
    conversation_id: str,
    before: str | None,
    around: str | None,
    limit: int,
) -> StoredPage:
    """See `chatcore.ports.Store.page`."""
    row = own_conversation(connection, user, conversation_id)
    if around is not None:
        window = _around(connection, row, _node(connection, row, around), limit)
    elif before is not None:
        window = _Window(_node(connection, row, before).parent, has_newer=True)
    else:
        window = _Window(row.head, has_newer=False)
    rows = path(connection, window.bottom, limit)[::-1]
    return StoredPage(
        conversation=row.conversation,
        messages=tuple(found.message for found in rows),
        feedback=_feedback(connection, rows),
        siblings=_siblings(connection, rows),
        has_older=bool(rows) and rows[0].parent is not None,
        has_newer=window.has_newer,
        seq=row.counter,
        first_words=first_words(connection, [row]).get(row.conversation.id),
    )


def path(connection: sqlite3.Connection, bottom: int | None, limit: int) -> list[MessageRow]:
    """The message and those above it, newest first, `limit` at most."""
    # All rows first, wherever one may be refused: an error that lives on would keep a cursor, and with it the
    # transaction, which is the reader's view of everything.
    rows = connection.execute(_SQL["path"], (bottom, limit)).fetchall()
    return [message_row(row) for row in rows]


def _node(connection: sqlite3.Connection, row: ConversationRow, message_id: str) -> _Node:
    found = connection.execute(_SQL["node"], (blob(message_id),)).fetchone()
    if found is None or found[1] != row.key:
        raise NotFound("There is no such message in this conversation.", message_id=message_id)
    return _Node(*found)


def _around(connection: sqlite3.Connection, row: ConversationRow, node: _Node, limit: int) -> _Window:
    # messages below it: half of the page (the odd one goes above), more where there are too few above
    wanted = max((limit - 1) // 2, limit - 1 - node.depth)
    if row.head is not None and _ancestor(connection, row.head, node.depth) == node.key:
        depth = min(node.depth + wanted, row.head_depth)
        return _Window(_ancestor(connection, row.head, depth), has_newer=depth < row.head_depth)
    down = [key for (key,) in connection.execute(_SQL["below"], (node.key, wanted + 2))]
    return _Window(down[: wanted + 1][-1], has_newer=len(down) > wanted + 1)


def _ancestor(connection: sqlite3.Connection, leaf: int, depth: int) -> int | None:
    found = connection.execute(_SQL["ancestor"], (leaf, depth)).fetchone()
    return None if found is None else int(found[0])


def _siblings(connection: sqlite3.Connection, rows: list[MessageRow]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    if rows and rows[0].parent is None:
        roots = connection.execute(_SQL["roots"], (rows[0].conversation,)).fetchall()
        found[rows[0].message.id] = [public.hex() for (public,) in roots]
    keys = text([row.key for row in rows])
    for public, sibling in connection.execute(_SQL["siblings"], (keys,)):
        found.setdefault(public.hex(), []).append(sibling.hex())
    return {message_id: tuple(ids) for message_id, ids in found.items() if len(ids) > 1}


def _feedback(connection: sqlite3.Connection, rows: list[MessageRow]) -> tuple[MessageFeedback, ...]:
    keys = text([row.key for row in rows])
    found = []
    for public, user, *rest in connection.execute(_SQL["feedback"], (keys,)).fetchall():
        feedback = feedback_of(public, *rest)
        if feedback is not None:
            found.append(MessageFeedback(message_id=public.hex(), user=user, feedback=feedback))
    return tuple(found)
