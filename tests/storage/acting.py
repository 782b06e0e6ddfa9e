"""A person who uses a store, in few words; every command is spelled out here once."""

from collections.abc import AsyncIterator, Sequence

from msgspec import UNSET, UnsetType

from chatcore.commands import (
    AnswerMessage,
    AppendDeltas,
    ChangeConversation,
    CreateConversation,
    DeleteConversation,
    EndRun,
    MoveHead,
    PartOpened,
    PostMessage,
    Rate,
    RunSpec,
    SendMessage,
    Sent,
    TextAdded,
    UndeleteConversation,
)
from chatcore.messages import (
    Attachment,
    Conversation,
    Feedback,
    File,
    Message,
    Part,
    Policy,
    Rating,
    Role,
    Settings,
    Status,
    Text,
    text_of,
)
from chatcore.ports import Store
from chatcore.views import StoredPage

__all__ = ["PROCESS", "Person", "ending", "pieces", "run_spec", "texts"]

PROCESS = "process-1"


def run_spec(*, owner: str = PROCESS, max_open_runs: int = 100) -> RunSpec:
    """A run of this process."""
    return RunSpec(owner=owner, responder="echo", model="echo-1", max_open_runs=max_open_runs)


def ending(answer: Message, text: str = "", *, status: Status = "stopped", owner: str = PROCESS) -> EndRun:
    """The ending of an answer that has said `text`."""
    parts = (Text(text),) if text else ()
    return EndRun(owner=owner, message_id=answer.id, status=status, parts=parts)


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    """A content that comes bit by bit."""
    for piece in data:
        yield piece


def texts(messages: Sequence[Message]) -> list[str]:
    """What each of them says."""
    return [text_of(message.parts) for message in messages]


class Person:
    """A user of `store` whose answers are written by the process `owner`."""

    def __init__(self, store: Store, name: str = "ann", *, owner: str = PROCESS) -> None:
        self.store = store
        self.name = name
        self.owner = owner

    async def new(
        self, title: str | None = None, *, settings: Settings = Settings(), key: str | None = None
    ) -> Conversation:
        command = CreateConversation(user=self.name, title=title, settings=settings, key=key)
        return await self.store.write(command)

    async def change(
        self,
        conversation: Conversation,
        *,
        title: str | None | UnsetType = UNSET,
        pinned: bool | UnsetType = UNSET,
        archived: bool | UnsetType = UNSET,
        settings: Settings | UnsetType = UNSET,
        only_untitled: bool = False,
    ) -> Conversation:
        return await self.store.write(
            ChangeConversation(
                user=self.name,
                conversation_id=conversation.id,
                title=title,
                pinned=pinned,
                archived=archived,
                settings=settings,
                only_untitled=only_untitled,
            )
        )

    async def file(self, content: str) -> Attachment:
        """A stored file."""
        data = content.encode()
        return await self.store.files.put(pieces(data), f"{content}.txt", max_bytes=len(data))

    async def post(
        self,
        conversation: Conversation,
        text: str,
        *,
        files: Sequence[Attachment] = (),
        role: Role = "user",
        parent: str | None | UnsetType = UNSET,
        expected_head: str | None | UnsetType = UNSET,
        key: str | None = None,
    ) -> Message:
        return await self.store.write(
            PostMessage(
                user=self.name,
                conversation_id=conversation.id,
                parts=_parts(text, files),
                role=role,
                parent=parent,
                expected_head=expected_head,
                key=key,
            )
        )

    async def send(
        self,
        conversation: Conversation,
        text: str,
        *,
        parent: str | None | UnsetType = UNSET,
        expected_head: str | None | UnsetType = UNSET,
        policy: Policy = "reject",
        key: str | None = None,
        ends: EndRun | None = None,
        max_open_runs: int = 100,
    ) -> Sent:
        return await self.store.write(
            SendMessage(
                user=self.name,
                conversation_id=conversation.id,
                parts=_parts(text),
                run=run_spec(owner=self.owner, max_open_runs=max_open_runs),
                parent=parent,
                expected_head=expected_head,
                policy=policy,
                key=key,
                ends=ends,
            )
        )

    async def again(
        self,
        message: Message,
        *,
        continues: bool = False,
        policy: Policy = "reject",
        key: str | None = None,
        ends: EndRun | None = None,
        max_open_runs: int = 100,
    ) -> Sent:
        return await self.store.write(
            AnswerMessage(
                user=self.name,
                message_id=message.id,
                run=run_spec(owner=self.owner, max_open_runs=max_open_runs),
                continues=continues,
                policy=policy,
                key=key,
                ends=ends,
            )
        )

    async def say(self, answer: Message, *words: str) -> frozenset[str]:
        """The answer opens a text and adds the words, one delta each."""
        deltas: list[PartOpened | TextAdded] = [PartOpened(answer.id, 0, Text(""))]
        length = 0
        for word in words:
            deltas.append(TextAdded(answer.id, 0, length, word))
            length += len(word)
        return await self.store.write(AppendDeltas(owner=self.owner, deltas=tuple(deltas)))

    async def end(self, answer: Message, text: str = "", *, status: Status = "complete") -> Message:
        return await self.store.write(ending(answer, text, status=status, owner=self.owner))

    async def ask(
        self,
        conversation: Conversation,
        question: str,
        answer: str,
        *,
        parent: str | None | UnsetType = UNSET,
    ) -> tuple[Message, Message]:
        """A question and its complete answer."""
        sent = await self.send(conversation, question, parent=parent)
        return sent.question, await self.end(sent.answer, answer)

    async def move(
        self,
        conversation: Conversation,
        message: Message | None,
        *,
        exact: bool = False,
        expected_head: str | None | UnsetType = UNSET,
    ) -> Conversation:
        return await self.store.write(
            MoveHead(
                user=self.name,
                conversation_id=conversation.id,
                message_id=message.id if message else None,
                exact=exact,
                expected_head=expected_head,
            )
        )

    async def rate(
        self, message: Message, rating: Rating | None, comment: str | None = None
    ) -> Feedback | None:
        feedback = Feedback(rating=rating, comment=comment) if rating else None
        return await self.store.write(Rate(user=self.name, message_id=message.id, feedback=feedback))

    async def delete(self, conversation: Conversation, *, ends: EndRun | None = None) -> Conversation:
        command = DeleteConversation(user=self.name, conversation_id=conversation.id, ends=ends)
        return await self.store.write(command)

    async def undelete(self, conversation: Conversation) -> Conversation:
        command = UndeleteConversation(user=self.name, conversation_id=conversation.id)
        return await self.store.write(command)

    async def look(self, conversation: Conversation) -> Conversation:
        """The conversation as it is now."""
        return await self.store.conversation(self.name, conversation.id)

    async def read(self, message: Message) -> Message:
        """The message as it is now."""
        return await self.store.message(self.name, message.id)

    async def page(
        self,
        conversation: Conversation,
        *,
        before: Message | None = None,
        around: Message | None = None,
        limit: int = 100,
    ) -> StoredPage:
        return await self.store.page(
            self.name,
            conversation.id,
            before=before.id if before else None,
            around=around.id if around else None,
            limit=limit,
        )

    async def shown(self, conversation: Conversation) -> list[str]:
        """What the visible path says, oldest first."""
        return texts((await self.page(conversation)).messages)

    async def titles(self, *, archived: bool = False, pinned: bool | None = None) -> list[str | None]:
        """The list, newest first."""
        page = await self.store.conversations(
            self.name, archived=archived, pinned=pinned, after=None, limit=100
        )
        return [entry.title for entry in page.conversations]


def _parts(text: str, files: Sequence[Attachment] = ()) -> tuple[Part, ...]:
    return (Text(text), *(File(file) for file in files))
