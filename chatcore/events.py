"""Events: each says what a thing *is* now, so applying one twice is harmless.

Every event carries `conversation_id`, `seq` (unique within its conversation, rising) and `at`.
A reader that has applied all events up to a cursor holds what the store held there (`chatcore.fold`).
"""

from datetime import datetime

import msgspec
from msgspec import Struct

from chatcore.messages import Conversation, Feedback, Message, Part

__all__ = [
    "ConversationChanged",
    "ConversationDeleted",
    "ConversationEvent",
    "Cursor",
    "FeedbackChanged",
    "ListChanged",
    "ListEvent",
    "ListReset",
    "MessageChanged",
    "PartAdded",
    "Reset",
    "TextDelta",
    "decode_event",
    "encode_event",
]


class ConversationChanged(Struct, frozen=True, kw_only=True, tag_field="type", tag="conversation_changed"):
    """The conversation is now this: created, renamed, archived, settings, head moved, undeleted."""

    conversation_id: str
    seq: int
    at: datetime
    conversation: Conversation


class MessageChanged(Struct, frozen=True, kw_only=True, tag_field="type", tag="message_changed"):
    """The message is now this: at its creation, its start (without parts) and its ending (with all parts)."""

    conversation_id: str
    seq: int
    at: datetime
    message: Message


class PartAdded(Struct, frozen=True, kw_only=True, tag_field="type", tag="part_added"):
    """Part number `index` of a running message exists now; tool calls and results come whole."""

    conversation_id: str
    seq: int
    at: datetime
    message_id: str
    index: int
    part: Part


# gc=False: it can hold no cycle, and a running answer keeps thousands that a collection would walk through
class TextDelta(Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag="text_delta"):
    """`text` stands at code point `start` of part `index`.

    A reader that holds exactly `start` code points appends; that holds more skips what it has; that holds
    fewer has missed something and catches up.
    """

    conversation_id: str
    seq: int
    at: datetime
    message_id: str
    index: int
    start: int
    text: str


class FeedbackChanged(Struct, frozen=True, kw_only=True, tag_field="type", tag="feedback_changed"):
    """This is what `user` thinks of the message; None: nothing (any more)."""

    conversation_id: str
    seq: int
    at: datetime
    message_id: str
    user: str
    feedback: Feedback | None


class ConversationDeleted(Struct, frozen=True, kw_only=True, tag_field="type", tag="conversation_deleted"):
    """The conversation is gone from every view; its stream ends after this event."""

    conversation_id: str
    seq: int
    at: datetime


class Reset(Struct, frozen=True, kw_only=True, tag_field="type", tag="reset"):
    """Forget what you hold of the conversation: what follows is from the beginning. `seq` is 0."""

    conversation_id: str
    seq: int
    at: datetime


class ListChanged(Struct, frozen=True, kw_only=True, tag_field="type", tag="list_changed"):
    """An entry of the user's list is now this; one with `deleted` is to be taken out.

    `seq` counts the changes of the *list* of its owner, not those of the conversation. `first_words` is what
    an entry without a title is called by (see `ConversationPage`); None: it has one, or no such words.
    """

    conversation_id: str
    seq: int
    at: datetime
    conversation: Conversation
    first_words: str | None = None


class ListReset(Struct, frozen=True, kw_only=True, tag_field="type", tag="list_reset"):
    """Too much has changed: forget the list and page it anew; the stream goes on behind `seq`."""

    seq: int
    at: datetime


ConversationEvent = (
    ConversationChanged
    | MessageChanged
    | PartAdded
    | TextDelta
    | FeedbackChanged
    | ConversationDeleted
    | Reset
)
ListEvent = ListChanged | ListReset

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[ConversationEvent | ListEvent] = msgspec.json.Decoder(
    ConversationEvent | ListEvent
)


def encode_event(event: ConversationEvent | ListEvent) -> bytes:
    """The event as one line of JSON, its kind in the field ``type``."""
    return _encoder.encode(event)


def decode_event(data: bytes | str) -> ConversationEvent | ListEvent:
    """The event that `encode_event` wrote.

    Raises:
        msgspec.ValidationError: The data is no event.
    """
    return _decoder.decode(data)


class Cursor(Struct, frozen=True):
    """The place in the changes that a reader has reached: written ``epoch.seq``, opaque to readers.

    A cursor of another epoch than the store's, or beyond the end, is answered by a `Reset`.
    """

    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.seq}"

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        """The cursor, or None when `text` is no cursor at all (which readers treat as another epoch)."""
        epoch, _, seq = text.rpartition(".")
        # isascii: int() takes any Unicode digit; the length bound keeps hostile input out of int()
        if not epoch or not (seq.isascii() and seq.isdigit() and len(seq) < 19):
            return None
        return cls(epoch, int(seq))
