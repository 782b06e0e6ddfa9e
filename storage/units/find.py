"""Finding what a command speaks of, in the name of its user."""

from msgspec import UNSET, UnsetType

from chatcore.errors import HeadMoved, NotFound
from chatcore.messages import Conversation
from storage.rows import ConversationRow, MessageRow, Rows

__all__ = ["check_head", "message_in", "own_conversation", "own_message"]


def own_conversation(
    rows: Rows, user: str, conversation_id: str, *, deleted_too: bool = False
) -> ConversationRow:
    """The user's conversation.

    Raises:
        NotFound: There is none, it is another user's, or it is deleted.
    """
    row = rows.conversation(conversation_id, user)
    if row is None or row.purged or row.unfinished or (row.deleted_at is not None and not deleted_too):
        raise NotFound("There is no such conversation.", conversation_id=conversation_id)
    return row


def own_message(rows: Rows, user: str, message_id: str) -> tuple[ConversationRow, MessageRow]:
    """The message and the user's conversation in which it is.

    Raises:
        NotFound: There is none, or its conversation is not to be found.
    """
    found = rows.message(message_id)
    if found is not None:
        conversation = rows.conversation(found.message.conversation_id, user)
        if conversation is not None and conversation.deleted_at is None:
            return conversation, found
    raise NotFound("There is no such message.", message_id=message_id)


def message_in(rows: Rows, conversation: ConversationRow, message_id: str) -> MessageRow:
    """The message of this conversation.

    Raises:
        NotFound: There is none, or it is in another conversation.
    """
    found = rows.message(message_id)
    if found is None or found.conversation != conversation.key:
        raise NotFound("There is no such message in this conversation.", message_id=message_id)
    return found


def check_head(conversation: Conversation, expected: str | UnsetType | None) -> None:
    """Compare before setting.

    Raises:
        HeadMoved: The caller expected another head.
    """
    if expected is not UNSET and expected != conversation.head:
        raise HeadMoved("The conversation has moved on in the meantime.", head=conversation.head)
