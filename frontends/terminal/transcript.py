"""What of a conversation is printed: pages and events in, pieces of text out. Does no input or output.

Paper can't be taken back, so each message is printed once. While an answer is being printed, everything else
waits for its end. Of what was printed, only the ids are held.
"""

from collections.abc import Iterator, Sequence
from typing import assert_never

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
from chatcore.messages import ENDINGS, Conversation, Message, Part, Reasoning, Text
from frontends.terminal.harmless import harmless, harmless_line
from frontends.terminal.screen import Piece, Style
from frontends.terminal.wording import asked, ending_of, step

__all__ = ["NewPage", "Transcript"]


class NewPage(Exception):
    """A page must be asked for: another path is shown now, or something was missed."""


class Transcript:
    """The printed part of one conversation.

    Attributes:
        answer: Id of the newest printed answer: what votes and retries are about.
        running: Id of the answer that is being printed.
        waiting: Messages that will be printed when that one has ended.
    """

    def __init__(self) -> None:
        self.answer: str | None = None
        self.running: str | None = None
        self.waiting: dict[str, Message] = {}
        self._notes: list[Piece] = []
        self._printed: set[str] = set()
        self._kinds_of_children: set[tuple[str | None, str]] = set()
        self._fresh: set[str | None] = set()  # came since the head was last heard of
        self._head: str | None = None
        self._title: str | None = None
        self._said: list[tuple[int, Style]] = []  # of each part of the running answer: code points printed

    def page(self, conversation: Conversation, messages: Sequence[Message]) -> Iterator[Piece]:
        """What is new on the newest page, or all of it when it shows another path than the printed one."""
        if self._head is not None and self._head not in {message.id for message in messages}:
            self._printed.clear()
            self._kinds_of_children.clear()
            self.waiting.clear()
            self.running, self._said = None, []
            yield Piece("\n── now shown ──\n", "faint")
        self._title, self._head = conversation.title, conversation.head
        for message in messages:
            yield from self.message(message)
        self._fresh.clear()

    def apply(self, event: ConversationEvent) -> Iterator[Piece]:
        """What the event adds to the paper.

        Raises:
            NewPage: Adding is not enough.
        """
        match event:
            case MessageChanged(message=message):
                yield from self.message(message)
            case PartAdded(message_id=message_id, index=index, part=part):
                if message_id == self.running:
                    yield from self._part(index, part)
            case TextDelta(message_id=message_id, index=index, start=start, text=text):
                if message_id == self.running:
                    yield from self._text(index, start, text)
            case ConversationChanged(conversation=conversation):
                yield from self._conversation(conversation)
            case FeedbackChanged(message_id=message_id, feedback=feedback):
                if message_id in self._printed:
                    yield from self._note(f"{feedback.rating}d" if feedback else "vote taken back")
            case ConversationDeleted():
                self.running = None
                yield Piece("\nThis conversation was deleted.\n", "alarm")
            case Reset():
                raise NewPage
            case _:
                assert_never(event)

    def _conversation(self, conversation: Conversation) -> Iterator[Piece]:
        if conversation.head != self._head:
            if conversation.head not in self._fresh:
                raise NewPage
            self._head = conversation.head
            self._fresh.clear()
        if conversation.title != self._title:
            self._title = conversation.title
            yield from self._note(f"title: {harmless_line(conversation.title or 'none')}")

    def _note(self, text: str) -> Iterator[Piece]:
        piece = Piece(f"({text})\n", "faint")
        if self.running is None:
            yield piece
        else:
            self._notes.append(piece)

    def message(self, message: Message) -> Iterator[Piece]:
        """What is new of a message: all of it, what it has grown by, or its ending."""
        if message.id == self.running:
            yield from self._answer(message)
        elif message.id not in self._printed:
            self._fresh.add(message.id)
            if message.status == "queued":
                return
            if self.running is not None:
                self.waiting[message.id] = message
            else:
                yield from self._whole(message)

    def _whole(self, message: Message) -> Iterator[Piece]:
        self._printed.add(message.id)
        if message.hidden:
            return
        kin = (message.parent, message.role)
        if kin in self._kinds_of_children:
            yield Piece("\n(another answer)" if message.role == "assistant" else "\n(reworded)", "faint")
        self._kinds_of_children.add(kin)
        yield Piece("\n", "faint")
        if message.role == "assistant":
            self.answer = self.running = message.id
            yield from self._answer(message)
        else:
            yield from asked(message)

    def _answer(self, message: Message) -> Iterator[Piece]:
        """A running answer as far as it has come, or its ending."""
        for index, part in enumerate(message.parts):
            yield from self._part(index, part)
        if message.status not in ENDINGS:
            return
        self.running, self._said = None, []
        yield Piece("\n")
        if ending := ending_of(message):
            yield Piece(f"({ending})\n", "faint")
        yield from self._notes
        self._notes.clear()
        waiting, self.waiting = self.waiting, {}
        for held in waiting.values():
            yield from self.message(held)

    def _part(self, index: int, part: Part) -> Iterator[Piece]:
        if index > len(self._said):
            raise NewPage
        if index == len(self._said):
            self._said.append((0, "faint" if isinstance(part, Reasoning) else "plain"))
            if index:
                yield Piece("\n", "faint")
            if not isinstance(part, Text | Reasoning):
                yield step(part)
        if isinstance(part, Text | Reasoning):
            yield from self._text(index, 0, part.text)

    def _text(self, index: int, start: int, text: str) -> Iterator[Piece]:
        if index >= len(self._said) or start > self._said[index][0]:
            raise NewPage
        length, style = self._said[index]
        if fresh := text[length - start :]:
            self._said[index] = length + len(fresh), style
            yield Piece(harmless(fresh), style)
