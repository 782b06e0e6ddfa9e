"""The fold: what a reader holds after applying events. Folding all of them from 0 gives exactly the store."""

from typing import assert_never

import msgspec

from chatcore.events import (
    ConversationChanged,
    ConversationDeleted,
    ConversationEvent,
    FeedbackChanged,
    MessageChanged,
    PartAdded,
    Reset,
    TextDelta,
)
from chatcore.messages import ENDINGS, Conversation, Feedback, Message, Reasoning, Text

__all__ = ["Fold", "MissedText"]


class MissedText(Exception):
    """A delta begins behind the text that is held: the reader has missed something and must catch up."""


class Fold:
    """The state of one conversation, made of events.

    A child may come before its parent, feedback before its message, and any event twice.

    Attributes:
        conversation: None until its first event.
        messages: By id; running answers with the text so far.
        feedback: By message id and user; only what is held now.
        deleted: Whether the conversation is gone.
        seq: The highest seq that was applied.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Hold nothing."""
        self.conversation: Conversation | None = None
        self.messages: dict[str, Message] = {}
        self.feedback: dict[tuple[str, str], Feedback] = {}
        self.deleted = False
        self.seq = 0

    def apply(self, event: ConversationEvent) -> None:
        """Make what is held what the event says.

        Raises:
            MissedText: The delta does not join on to the text held; nothing was changed.
        """
        match event:
            case ConversationChanged(conversation=conversation):
                if self.conversation is None or conversation.seq >= self.conversation.seq:
                    self.conversation = conversation
                self.deleted = False
            case MessageChanged(message=message):
                self._message(message)
            case PartAdded():
                self._part(event)
            case TextDelta():
                self._text(event)
            case FeedbackChanged(message_id=message_id, user=user, feedback=feedback):
                if feedback is None:
                    self.feedback.pop((message_id, user), None)
                else:
                    self.feedback[message_id, user] = feedback
            case ConversationDeleted():
                self.clear()
                self.deleted = True
            case Reset():
                self.clear()
                return
            case _:
                assert_never(event)
        self.seq = max(self.seq, event.seq)

    def path(self) -> list[Message]:
        """The visible path as far as its messages are held, oldest first."""
        found: list[Message] = []
        cursor = self.conversation.head if self.conversation else None
        while cursor is not None and (message := self.messages.get(cursor)) is not None:
            found.append(message)
            cursor = message.parent
        return found[::-1]

    def _message(self, message: Message) -> None:
        held = self.messages.get(message.id)
        if held is not None and held.seq >= message.seq:
            return  # an older word about it, or the same again: the text held since must stay
        self.messages[message.id] = message

    def _part(self, event: PartAdded) -> None:
        held = self.messages.get(event.message_id)
        if held is None or held.status in ENDINGS or event.index < len(held.parts):
            return
        if event.index > len(held.parts):
            raise MissedText(f"part {event.index} of {event.message_id} came before part {len(held.parts)}")
        self.messages[held.id] = msgspec.structs.replace(held, parts=(*held.parts, event.part))

    def _text(self, event: TextDelta) -> None:
        held = self.messages.get(event.message_id)
        if held is None or held.status in ENDINGS:
            return
        if event.index >= len(held.parts):
            raise MissedText(f"text of part {event.index} of {event.message_id} came before the part")
        part = held.parts[event.index]
        if not isinstance(part, Text | Reasoning):
            return
        if event.start > len(part.text):
            raise MissedText(f"text at {event.start} of {event.message_id}, but only {len(part.text)} held")
        fresh = event.text[len(part.text) - event.start :]
        grown = msgspec.structs.replace(part, text=part.text + fresh)
        parts = (*held.parts[: event.index], grown, *held.parts[event.index + 1 :])
        self.messages[held.id] = msgspec.structs.replace(held, parts=parts)
