"""The conversation as its responder sees it: question, settings, and as much history as it can take."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, assert_never

from msgspec import Struct

from chatcore.messages import (
    Attachment,
    Conversation,
    File,
    Message,
    MissingFile,
    Part,
    Reasoning,
    Settings,
    Text,
    ToolCall,
    ToolResult,
    text_of,
)

__all__ = ["Asked", "AskedFile", "estimate_tokens", "part_tokens"]

_PAGE = 50


def estimate_tokens(text: str) -> int:
    """About how many tokens a model makes of `text`.

    A third of its UTF-8 bytes: on the safe side for English (about four characters a token), near the truth
    for code and for Chinese.
    """
    return len(text.encode("utf-8", "replace")) // 3 + 4


def part_tokens(part: Part, count: Callable[[str], int], count_file: Callable[[Attachment], int]) -> int:
    """About how many tokens a model makes of one part of a message."""
    match part:
        case Text(text) | Reasoning(text):
            return count(text)
        case ToolCall():
            return count(part.name + part.arguments)
        case ToolResult():
            return count(part.output)
        case File(attachment):
            return count_file(attachment)
        case MissingFile():
            return count(part.name)
        case _:
            assert_never(part)


def _no_tokens(attachment: Attachment) -> int:
    return 0


class AskedFile(Struct, frozen=True, kw_only=True):
    """A file of the conversation; `path` is absolute and may be read, never written."""

    name: str
    media_type: str
    size_bytes: int
    path: Path


class Contents(Protocol):
    """What is needed of a `chatcore.ports.FileStore` here."""

    def path(self, attachment: Attachment) -> Path: ...


class History(Protocol):
    """What is needed of a `chatcore.ports.Store` here."""

    @property
    def files(self) -> Contents: ...

    async def ancestors(self, message_id: str, *, limit: int) -> list[Message]: ...


class Asked:
    """What a responder is asked.

    Attributes:
        conversation: As it was when the run began.
        question: The message to answer.
        beginning: What was said already, when an answer is continued; else empty. A responder with
            `can_continue` yields only what comes after it.
        memory_from: Id of the oldest message that `newest` gave; None while it gave all.
    """

    def __init__(
        self, store: History, conversation: Conversation, question: Message, *, beginning: str = ""
    ) -> None:
        self._store = store
        self.conversation = conversation
        self.question = question
        self.beginning = beginning
        self.memory_from: str | None = None

    @property
    def settings(self) -> Settings:
        """The settings of the conversation."""
        return self.conversation.settings

    @property
    def text(self) -> str:
        """The words of the question."""
        return text_of(self.question.parts)

    @property
    def files(self) -> list[AskedFile]:
        """The files of the question."""
        return self.files_of(self.question)

    def files_of(self, message: Message) -> list[AskedFile]:
        """The files of a message of this conversation.

        Raises:
            NotFound: A file's content is not there any more.
        """
        return [self.file(part) for part in message.parts if isinstance(part, File)]

    def file(self, part: File) -> AskedFile:
        """One file of this conversation.

        Raises:
            NotFound: Its content is not there any more.
        """
        return AskedFile(
            name=part.attachment.name,
            media_type=part.attachment.media_type,
            size_bytes=part.attachment.size_bytes,
            path=self._store.files.path(part.attachment),
        )

    async def newest(
        self,
        max_tokens: int | None = None,
        count: Callable[[str], int] = estimate_tokens,
        count_file: Callable[[Attachment], int] = _no_tokens,
    ) -> list[Message]:
        """The path from where the model's memory begins to the question, oldest first.

        The memory begins where it did for the answer before. When that is more than `max_tokens` (None: the
        whole path), the oldest are left out until half of it is filled: the beginning then stays where it is
        for many questions, so that the model's prefix cache holds. The question itself is always given, and
        the exchange before it whenever it fits; system prompt and `beginning` are counted against the bound.
        Messages without parts are left out, and hidden ones. Never loads more of the path than it needs.

        A memory that fills less than a quarter was left by a model with a smaller one, or belongs to a path
        that has been left: it is filled up to half again.
        """
        if max_tokens is None:
            return self._remember(await self._walk(_Window(room=None, half=0)))
        prompt_tokens = count(self.settings.system_prompt or "")
        room = max_tokens - prompt_tokens - count(self.beginning)
        window = _Window(
            room=room,
            half=min((max_tokens - prompt_tokens) // 2, room),
            cost=lambda message: sum(
                part_tokens(part, count, count_file) for part in (() if message.hidden else message.parts)
            ),
        )
        return self._remember(await self._walk(window))

    async def _walk(self, window: "_Window") -> list[Message]:
        cursor: str | None = self.question.id
        while cursor is not None:
            batch = await self._store.ancestors(cursor, limit=_PAGE)
            if not all(window.add(message) for message in batch):
                break
            cursor = batch[-1].parent if batch else None
        return window.kept()

    def _remember(self, kept: list[Message]) -> list[Message]:
        self.memory_from = kept[-1].id if kept[-1].parent is not None else None
        return [message for message in reversed(kept) if message.parts and not message.hidden]


class _Window:
    """Takes the path newest first and decides how much of it is kept."""

    def __init__(
        self, *, room: int | None, half: int, cost: Callable[[Message], int] = lambda message: 0
    ) -> None:
        self.room = room
        self.half = half
        self.cost = cost
        self.path: list[Message] = []
        self.spent: list[int] = []  # with the message at the same place in `path`, all newer ones included
        self.before: str | None = None  # where the memory of the answer before began
        self.before_is_known = False
        self.before_count = 0  # how many of the newest that is

    def add(self, message: Message) -> bool:
        """Take the next older message; whether one more is wanted."""
        self.path.append(message)
        self.spent.append((self.spent[-1] if self.spent else 0) + self.cost(message))
        if self.room is None:
            return True
        if message.role == "assistant" and message.parts and not self.before_is_known:
            self.before, self.before_is_known = message.memory_from, True
        if self.spent[-1] > self.room:
            return False
        if message.id == self.before:
            self.before_count = len(self.path)
            return self.spent[-1] < self.half // 2
        return self.before_count == 0 or self.spent[-1] <= self.half

    def kept(self) -> list[Message]:
        """The newest of the path that the memory consists of, newest first."""
        refilled = 0 < self.before_count < len(self.path)
        if self.room is None or (self.spent[-1] <= self.room and not refilled):
            return self.path
        count = max(_fitting(self.spent, self.half), self.before_count)
        exchange = self._last_exchange()
        if self.spent[exchange - 1] <= self.room:
            count = max(count, exchange)
        # It begins with a question: an answer to nothing helps no model, and some refuse it.
        while count > 1 and not _is_question(self.path[count - 1]):
            count -= 1
        return self.path[:count]

    def _last_exchange(self) -> int:
        for number, message in enumerate(self.path[1:], 2):
            if _is_question(message):
                return number
        return 1


def _is_question(message: Message) -> bool:
    return message.role == "user" and bool(message.parts) and not message.hidden


def _fitting(spent: Sequence[int], bound: int) -> int:
    """How many of the newest fit into `bound`: at least one, the question."""
    return max(1, sum(tokens <= bound for tokens in spent))
