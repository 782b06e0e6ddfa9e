"""Finding a conversation in its owner's name, on a reader's thread."""

import sqlite3

from chatcore.errors import NotFound
from chatcore.ports import ANYBODY, Anybody
from storage.rows import ConversationRow
from storage.sqlite.statements import load
from storage.sqlite.values import blob, conversation_row

__all__ = ["own_conversation", "owned_by"]

_SQL = load("reads")


def own_conversation(
    connection: sqlite3.Connection, user: str | Anybody, conversation_id: str, *, deleted_too: bool = False
) -> ConversationRow:
    """The conversation of the user.

    Raises:
        NotFound: There is none, it is another user's, or it is deleted.
    """
    row = connection.execute(_SQL["conversation"], (blob(conversation_id), *owned_by(user))).fetchone()
    found = None if row is None else conversation_row(row)
    if found is None or (found.conversation.deleted and not deleted_too):
        raise NotFound("There is no such conversation.", conversation_id=conversation_id)
    return found


def owned_by(user: str | Anybody) -> tuple[bool, str | None]:
    """The parameters of "it is the user's": whether it may be anybody's, and the name (null equals none)."""
    return (True, None) if user is ANYBODY else (False, user)
