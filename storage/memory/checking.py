"""Whether the tables agree with one another."""

from collections.abc import Iterator

from chatcore.messages import ENDINGS
from storage.memory.tables import Tables
from storage.rows import ConversationRow, MessageRow

__all__ = ["problems"]


def problems(tables: Tables) -> Iterator[str]:
    """A sentence for each contradiction."""
    for conversation in tables.conversations.values():
        yield from _of_conversation(tables, conversation)
    for row in tables.messages.values():
        yield from _of_message(tables, row)
    for table in (tables.said, tables.feedback, tables.message_sources):
        kept = {key for key, entries in table.items() if entries}
        yield from (
            f"Something is kept of message {key}, which is gone." for key in kept - tables.messages.keys()
        )
    yield from _of_sources(tables)


def _of_sources(tables: Tables) -> Iterator[str]:
    for (owner, origin), key in tables.origins.items():
        row, source = tables.conversations[key], tables.conversation_sources.get(key)
        if source is None or (row.owner, source.origin) != (owner, origin):
            yield f"Conversation {row.conversation.id} is found by an origin that is not its own."
    for key, source in tables.conversation_sources.items():
        row = tables.conversations[key]
        if source.digest is None and row.deleted_at is None:
            yield f"Conversation {row.conversation.id} is shown before all of it is there."
        if row.unfinished != (source.digest is None):
            yield f"Conversation {row.conversation.id} is wrong about whether slices are missing."


def _of_conversation(tables: Tables, row: ConversationRow) -> Iterator[str]:
    shown = row.conversation
    name = f"Conversation {shown.id}"
    runs = tables.runs.get(row.key, {})
    if shown.running != bool(runs):
        yield f"{name}: running is {shown.running}, with {len(runs)} answers queued or running."
    if sum(run.running for run in runs.values()) > 1:
        yield f"{name}: more than one answer runs."
    if (row.deleted_at is not None) != shown.deleted:
        yield f"{name}: its mark of deletion has no time, or the other way round."
    if shown.list_seq > tables.list_seqs.get(row.owner, 0):
        yield f"{name}: the counter of its owner's list is behind it."
    if not row.purged:
        yield from _of_head(tables, row, name)
        yield from _of_seqs(tables, row, name)


def _of_head(tables: Tables, row: ConversationRow, name: str) -> Iterator[str]:
    head = None if row.head is None else tables.messages.get(row.head)
    expected = (None, -1) if head is None else (head.message.id, head.message.depth)
    if (row.conversation.head, row.head_depth) != expected:
        yield f"{name}: its head is not the message that it names."


def _of_seqs(tables: Tables, row: ConversationRow, name: str) -> Iterator[str]:
    seqs = [row.conversation.seq]
    for key in tables.members.get(row.key, ()):
        seqs.append(tables.messages[key].message.seq)
        seqs.extend(vote.seq for vote in tables.feedback.get(key, {}).values())
    if len(set(seqs)) != len(seqs):
        yield f"{name}: two rows have the same seq."
    if max(seqs) > row.counter:
        yield f"{name}: its counter {row.counter} is behind its rows."


def _of_message(tables: Tables, row: MessageRow) -> Iterator[str]:
    message = row.message
    name = f"Message {message.id}"
    conversation = tables.conversations[row.conversation]
    if message.conversation_id != conversation.conversation.id:
        yield f"{name} is in another conversation than it says."
    if row.key not in tables.children.get((row.conversation, row.parent), ()):
        yield f"{name} is missing below its parent."
    if (message.status not in ENDINGS) != (row.key in tables.runs.get(row.conversation, {})):
        yield f"{name} is {message.status}, which its run denies."
    if conversation.purged:
        return
    parent = None if row.parent is None else tables.messages.get(row.parent)
    if row.parent is not None and parent is None:
        yield f"{name}: its parent is gone."
    expected = (None, 0) if parent is None else (parent.message.id, parent.message.depth + 1)
    if (message.parent, message.depth) != expected:
        yield f"{name}: parent or depth is not where it hangs."
