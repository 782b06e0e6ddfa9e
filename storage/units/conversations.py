"""Conversations themselves: made, changed, deleted, brought back, removed; and their heads."""

from msgspec import UNSET

from chatcore.commands import (
    ChangeConversation,
    CreateConversation,
    DeleteConversation,
    MoveHead,
    UndeleteConversation,
)
from chatcore.errors import Busy, InvalidInput
from chatcore.events import ConversationChanged, ListChanged
from chatcore.messages import Conversation
from storage.rows import Rows
from storage.units.draft import ROOT, Draft, Place
from storage.units.endings import end_all
from storage.units.find import check_head, message_in, own_conversation
from storage.units.keys import key_of, made_before

__all__ = [
    "change_conversation",
    "create_conversation",
    "delete_conversation",
    "move_head",
    "undelete_conversation",
]


def create_conversation(rows: Rows, command: CreateConversation) -> Conversation:
    """Make a conversation without messages, the newest of its owner's list."""
    keyed = key_of(command)
    if (made := made_before(rows, command.user, keyed)) is not None:
        return own_conversation(rows, command.user, made.conversation_id).conversation
    owner = rows.user(command.user)
    list_seq = rows.next_list_seq(owner)
    conversation = Conversation(
        id=rows.new_id(),
        owner=command.user,
        title=command.title,
        head=None,
        settings=command.settings,
        pinned=False,
        archived=False,
        deleted=False,
        running=False,
        created_at=rows.now,
        updated_at=rows.now,
        seq=1,
        list_seq=list_seq,
        activity=rows.next_activity(owner),
    )
    rows.insert_conversation(conversation, owner, 1, keyed)
    at = rows.now
    rows.emit(ConversationChanged(conversation_id=conversation.id, seq=1, at=at, conversation=conversation))
    rows.emit(ListChanged(conversation_id=conversation.id, seq=list_seq, at=at, conversation=conversation))
    return conversation


def change_conversation(rows: Rows, command: ChangeConversation) -> Conversation:
    """Change the fields that were given."""
    draft = Draft(rows, own_conversation(rows, command.user, command.conversation_id))
    given = {
        "title": command.title,
        "pinned": command.pinned,
        "archived": command.archived,
        "settings": command.settings,
    }
    if command.only_untitled and draft.row.conversation.title is not None:
        given["title"] = UNSET
    draft.set(**{field: value for field, value in given.items() if value is not UNSET})
    return draft.save()


def delete_conversation(rows: Rows, command: DeleteConversation) -> Conversation:
    """Mark as deleted and end its answers; nothing changes when it is so already."""
    draft = Draft(rows, own_conversation(rows, command.user, command.conversation_id, deleted_too=True))
    end_all(rows, draft, command.ends)
    draft.set(deleted=True)
    return draft.save()


def undelete_conversation(rows: Rows, command: UndeleteConversation) -> Conversation:
    """Take the mark away; nothing changes when there is none."""
    draft = Draft(rows, own_conversation(rows, command.user, command.conversation_id, deleted_too=True))
    draft.set(deleted=False)
    return draft.save()


def move_head(rows: Rows, command: MoveHead) -> Conversation:
    """Show another path."""
    row = own_conversation(rows, command.user, command.conversation_id)
    check_head(row.conversation, command.expected_head)
    if row.conversation.running:
        raise Busy("An answer is being written in this conversation.", conversation_id=row.conversation.id)
    draft = Draft(rows, row)
    if command.message_id is not None:
        found = message_in(rows, row, command.message_id)
        draft.head = Place.of(found if command.exact else rows.newest_leaf(found.key))
    elif command.exact:
        draft.head = ROOT
    else:
        raise InvalidInput("Name the message to be shown.")
    return draft.save()
