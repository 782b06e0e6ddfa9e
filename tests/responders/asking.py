"""A conversation made by hand, and asking a responder about it without an engine."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import anyio
import anyio.lowlevel

from chatcore.asked import Asked
from chatcore.errors import NotFound
from chatcore.messages import (
    Attachment,
    Conversation,
    File,
    Message,
    Part,
    Role,
    Settings,
    Text,
    text_of,
)
from chatcore.ports import FileStore, Output, Responder, Store

START = datetime(2026, 1, 1, tzinfo=UTC)


class Folder:
    """A file store that is just a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def put(self, source: Path | AsyncIterator[bytes], name: str, *, max_bytes: int) -> Attachment:
        raise NotImplementedError

    def path(self, attachment: Attachment) -> Path:  # stats, as a real one does
        path = self.folder / attachment.path
        if not path.exists():
            raise NotFound(f"{attachment.name} is not there.")
        return path

    async def collect(self, store: Store, *, untouched_seconds: float) -> int:
        raise NotImplementedError


class Talk:
    """A conversation that grows; it is the store of its own messages.

    Attributes:
        loaded: How many messages have been read.
        memory_from: Where the memory of the last answer began.
    """

    def __init__(self, settings: Settings | None = None, folder: Path = Path("/nonexistent")) -> None:
        self.messages: dict[str, Message] = {}
        self.head: str | None = None
        self.settings = settings or Settings()
        self.folder = folder
        self.files: FileStore = Folder(folder)
        self.loaded = 0
        self.memory_from: str | None = None

    async def ancestors(self, message_id: str, *, limit: int) -> list[Message]:
        await anyio.lowlevel.checkpoint()
        found: list[Message] = []
        cursor: str | None = message_id
        while cursor is not None and len(found) < limit:
            found.append(self.messages[cursor])
            cursor = found[-1].parent
        self.loaded += len(found)
        return found

    def add(
        self, role: Role, *parts: Part | str, memory_from: str | None = None, hidden: bool = False
    ) -> Message:
        """Put a message below the head."""
        message = Message(
            id=f"m{len(self.messages):04}",
            conversation_id="c1",
            parent=self.head,
            depth=self.messages[self.head].depth + 1 if self.head else 0,
            role=role,
            status="complete",
            parts=tuple(Text(part) if isinstance(part, str) else part for part in parts),
            created_at=START,
            seq=len(self.messages) + 1,
            memory_from=memory_from,
            hidden=hidden,
        )
        self.messages[message.id] = message
        self.head = message.id
        return message

    async def file(self, name: str, media_type: str, content: bytes) -> File:
        """A file in the folder."""
        digest = sha256(content).hexdigest()
        await anyio.Path(self.folder / digest).write_bytes(content)
        return File(
            Attachment(name=name, media_type=media_type, size_bytes=len(content), sha256=digest, path=digest)
        )

    def asked(self, *, beginning: str = "") -> Asked:
        """About the question at the head."""
        assert self.head is not None
        conversation = Conversation(
            id="c1",
            owner="local",
            title=None,
            head=self.head,
            settings=self.settings,
            pinned=False,
            archived=False,
            deleted=False,
            running=True,
            created_at=START,
            updated_at=START,
            seq=1,
            list_seq=1,
            activity=1,
        )
        return Asked(self, conversation, self.messages[self.head], beginning=beginning)

    async def ask(self, responder: Responder, *parts: Part | str) -> list[Output]:
        """Ask, wait for the whole answer and put it below the question."""
        self.add("user", *parts)
        asked = self.asked()
        outputs = [output async for output in responder.respond(asked) if output != ""]
        self.add("assistant", said(outputs), memory_from=asked.memory_from)
        self.memory_from = asked.memory_from
        return outputs


def said(outputs: list[Output]) -> str:
    """The words of an answer."""
    return "".join(output if isinstance(output, str) else "" for output in outputs)


def talk_about(*texts: str, parameters: Mapping[str, str | int | float | bool | None] | None = None) -> Talk:
    """A conversation of these texts: a question, an answer, a question, …"""
    talk = Talk(Settings(parameters=parameters or {}))
    for number, text in enumerate(texts):
        talk.add("assistant" if number % 2 else "user", text)
    return talk


def words(message: Message) -> str:
    return text_of(message.parts)
