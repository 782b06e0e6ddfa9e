"""Pages: a stretch of the visible path, and the cursor at which it is true."""

from msgspec import Struct

from chatcore.events import ConversationEvent, Cursor, PartAdded, TextDelta
from chatcore.fold import Fold, MissedText
from chatcore.hub import Hub, merged
from chatcore.messages import Conversation, Message
from chatcore.ports import Store
from chatcore.views import MessageFeedback

__all__ = ["Page", "read_page", "with_text_so_far"]


class Page(Struct, frozen=True, kw_only=True):
    """Messages of the visible path, oldest first; a running answer has its text so far.

    Attributes:
        feedback: Of the messages held.
        siblings: For each message that has siblings: all of their ids including its own, oldest first.
        has_older: Whether there are messages above the first.
        has_newer: Whether there are messages below the last on the same path.
        first_words: What the conversation is called by while it has no title, the beginning of its first
            question; None: it has a title, or no such words.
        cursor: Following from here misses nothing and repeats little; repeating is harmless.
    """

    conversation: Conversation
    messages: tuple[Message, ...]
    feedback: tuple[MessageFeedback, ...]
    siblings: dict[str, tuple[str, ...]]
    has_older: bool
    has_newer: bool
    first_words: str | None
    cursor: str


async def read_page(
    hub: Hub,
    store: Store,
    user: str,
    conversation_id: str,
    before: str | None,
    around: str | None,
    limit: int,
) -> Page:
    """Rows in one snapshot, with the text of the running answer from the log, which is held meanwhile."""
    with hub.reading(conversation_id) as log:
        rows = await store.page(user, conversation_id, before=before, around=around, limit=limit)
        tail = log.since(0)
        fresh = any(event.seq > rows.seq and not isinstance(event, PartAdded | TextDelta) for event in tail)
        known_to = log.end if tail and not fresh else min(rows.seq, log.end or rows.seq)
    return Page(
        conversation=rows.conversation,
        messages=tuple(with_text_so_far(message, tail) for message in rows.messages),
        feedback=rows.feedback,
        siblings=rows.siblings,
        has_older=rows.has_older,
        has_newer=rows.has_newer,
        first_words=rows.first_words,
        cursor=str(Cursor(store.epoch, known_to)),
    )


def with_text_so_far(message: Message, tail: list[ConversationEvent]) -> Message:
    """The running `message` with the text that was published; any other as it is."""
    if message.status != "running":
        return message
    fold = Fold()
    fold.messages[message.id] = message
    said = [e for e in tail if isinstance(e, PartAdded | TextDelta) and e.message_id == message.id]
    try:
        for event in merged(said):
            fold.apply(event)
    except MissedText:
        return message  # it has ended since its row was read, and the log let go: its ending comes next
    return fold.messages[message.id]
