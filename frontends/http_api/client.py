"""The client of a server on this machine: the engine's calls, made over the owner's socket."""
# ruff: noqa: D102 -- what each call does is said at the engine's

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
from msgspec import UNSET, UnsetType

from chatcore.commands import Sent
from chatcore.core import LOCAL_USER
from chatcore.errors import NotFound
from chatcore.events import ConversationDeleted, MessageChanged
from chatcore.messages import (
    ENDINGS,
    Conversation,
    Feedback,
    Message,
    Policy,
    Rating,
    Role,
    Settings,
)
from chatcore.pages import Page
from chatcore.uploads import FileInput
from chatcore.views import ConversationPage
from frontends.http_api import bodies
from frontends.http_api.connection import Connection, segment
from frontends.http_api.finder import Finder
from frontends.http_api.following import Following, ServerGone
from frontends.http_api.upkeep import Upkeep
from frontends.listeners import reachable_path

__all__ = ["Client", "ServerGone", "open_client"]

_NO_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)


@asynccontextmanager
async def open_client(
    socket_path: Path, *, patience_seconds: float = 10.0, answer_seconds: float = 10.0
) -> AsyncIterator["Client"]:
    """A client of the server that owns the data directory in which `socket_path` is.

    Args:
        socket_path: ``DIR/chatcore.sock``.
        patience_seconds: For how long those who follow a conversation wait for a server that is gone.
        answer_seconds: How long a call may stay unanswered. Those with files, and those that take as long as
            there is data (`check`, `backup`, …), are waited for longer.

    Raises:
        ServerGone: No server answers there.
    """
    async with AsyncExitStack() as stack:
        try:
            path = stack.enter_context(reachable_path(socket_path))
        except OSError as error:
            raise ServerGone(f"There is no folder for the socket {socket_path}.") from error
        http = httpx.AsyncClient(
            # (no TLS on this way: loading the certificates for it would take longer than the call)
            transport=httpx.AsyncHTTPTransport(uds=path, verify=False, limits=_NO_LIMITS),
            base_url="http://chatcore/api/",
            timeout=answer_seconds,
            trust_env=False,
        )
        connection = Connection(await stack.enter_async_context(http), socket_path, patience_seconds)
        client = Client(connection)
        await client.health()
        yield client


class Client(Upkeep, Finder):
    """The calls of `chatcore.Engine` with the same names, signatures, results and errors (`frontends.chat`).

    Made by `open_client`. Each call may also raise `ServerGone`.
    """

    async def create(
        self,
        title: str | None = None,
        settings: Settings | None = None,
        *,
        key: str | None = None,
        user: str = LOCAL_USER,
    ) -> Conversation:
        body = bodies.Create(title=title, settings=settings or Settings())
        return await self._connection.call(Conversation, "POST", "conversations", body, key=key, user=user)

    async def conversation(self, conversation_id: str, *, user: str = LOCAL_USER) -> Conversation:
        return await self._connection.call(Conversation, "GET", _conversation(conversation_id), user=user)

    async def conversations(
        self,
        *,
        archived: bool = False,
        pinned: bool | None = None,
        after: str | None = None,
        limit: int = 50,
        user: str = LOCAL_USER,
    ) -> ConversationPage:
        params = {"archived": archived, "pinned": pinned, "after": after, "limit": limit}
        return await self._connection.call(ConversationPage, "GET", "conversations", params=params, user=user)

    async def rename(
        self, conversation_id: str, title: str | None, *, user: str = LOCAL_USER
    ) -> Conversation:
        return await self._change(conversation_id, bodies.Change(title=title), user)

    async def pin(self, conversation_id: str, pinned: bool = True, *, user: str = LOCAL_USER) -> Conversation:
        return await self._change(conversation_id, bodies.Change(pinned=pinned), user)

    async def archive(
        self, conversation_id: str, archived: bool = True, *, user: str = LOCAL_USER
    ) -> Conversation:
        return await self._change(conversation_id, bodies.Change(archived=archived), user)

    async def configure(
        self, conversation_id: str, settings: Settings, *, user: str = LOCAL_USER
    ) -> Conversation:
        return await self._change(conversation_id, bodies.Change(settings=settings), user)

    async def delete(self, conversation_id: str, *, user: str = LOCAL_USER) -> Conversation:
        return await self._connection.call(Conversation, "DELETE", _conversation(conversation_id), user=user)

    async def undelete(self, conversation_id: str, *, user: str = LOCAL_USER) -> Conversation:
        return await self._connection.call(
            Conversation, "POST", _conversation(conversation_id, "undelete"), user=user
        )

    async def post(
        self,
        conversation_id: str,
        text: str,
        files: Sequence[FileInput] = (),
        *,
        role: Role = "user",
        parent: str | None | UnsetType = UNSET,
        expected_head: str | None | UnsetType = UNSET,
        key: str | None = None,
        user: str = LOCAL_USER,
    ) -> Message:
        body = bodies.Post(text=text, role=role, parent=parent, expected_head=expected_head)
        path = _conversation(conversation_id, "posts")
        return await self._connection.call_with_files(Message, path, body, files, key, user)

    async def send(
        self,
        conversation_id: str,
        text: str,
        files: Sequence[FileInput] = (),
        *,
        parent: str | None | UnsetType = UNSET,
        expected_head: str | None | UnsetType = UNSET,
        policy: Policy = "reject",
        key: str | None = None,
        user: str = LOCAL_USER,
    ) -> Sent:
        body = bodies.Send(text=text, parent=parent, expected_head=expected_head, policy=policy)
        path = _conversation(conversation_id, "messages")
        return await self._connection.call_with_files(Sent, path, body, files, key, user)

    async def edit(
        self,
        message_id: str,
        text: str,
        files: Sequence[FileInput] | None = None,
        *,
        policy: Policy = "reject",
        key: str | None = None,
        user: str = LOCAL_USER,
    ) -> Sent:
        body = bodies.Edit(text=text, keep_files=files is None, policy=policy)
        return await self._connection.call_with_files(
            Sent, _message(message_id, "edit"), body, files or (), key, user
        )

    async def regenerate(
        self, message_id: str, *, policy: Policy = "reject", key: str | None = None, user: str = LOCAL_USER
    ) -> Sent:
        body = bodies.Answer(policy=policy)
        return await self._connection.call(
            Sent, "POST", _message(message_id, "regenerate"), body, key=key, user=user
        )

    async def continue_answer(
        self, message_id: str, *, policy: Policy = "reject", key: str | None = None, user: str = LOCAL_USER
    ) -> Sent:
        body = bodies.Answer(policy=policy)
        return await self._connection.call(
            Sent, "POST", _message(message_id, "continue"), body, key=key, user=user
        )

    async def stop(self, conversation_id: str, *, user: str = LOCAL_USER) -> None:
        await self._connection.call(bodies.Done, "POST", _conversation(conversation_id, "stop"), user=user)

    async def move_head(
        self,
        conversation_id: str,
        message_id: str,
        *,
        expected_head: str | None | UnsetType = UNSET,
        user: str = LOCAL_USER,
    ) -> Conversation:
        body = bodies.Move(message_id=message_id, expected_head=expected_head)
        return await self._connection.call(
            Conversation, "POST", _conversation(conversation_id, "head"), body, user=user
        )

    async def undo(self, conversation_id: str, *, user: str = LOCAL_USER) -> Conversation:
        return await self._connection.call(
            Conversation, "POST", _conversation(conversation_id, "undo"), user=user
        )

    async def rate(
        self,
        message_id: str,
        rating: Rating | None,
        *,
        comment: str | None = None,
        reasons: Sequence[str] = (),
        user: str = LOCAL_USER,
    ) -> Feedback | None:
        body = bodies.Rate(rating=rating, comment=comment, reasons=tuple(reasons))
        path = _message(message_id, "feedback")
        return (await self._connection.call(bodies.Rated, "PUT", path, body, user=user)).feedback

    async def message(self, message_id: str, *, user: str = LOCAL_USER) -> Message:
        return await self._connection.call(Message, "GET", _message(message_id), user=user)

    async def wait_ended(self, message_id: str, *, user: str = LOCAL_USER) -> Message:
        message = await self.message(message_id, user=user)
        if message.status in ENDINGS:
            return message
        page = await self.page(message.conversation_id, limit=1, user=user)
        async with self.subscribe(message.conversation_id, after=page.cursor, user=user) as events:
            message = await self.message(message_id, user=user)
            if message.status in ENDINGS:
                return message
            async for event in events:
                if isinstance(event, MessageChanged) and event.message.id == message_id:
                    message = event.message
                    if message.status in ENDINGS:
                        return message
                if isinstance(event, ConversationDeleted):
                    break
        raise NotFound("The conversation was deleted before the answer had ended.")

    async def page(
        self,
        conversation_id: str,
        *,
        before: str | None = None,
        around: str | None = None,
        limit: int = 100,
        user: str = LOCAL_USER,
    ) -> Page:
        params = {"before": before, "around": around, "limit": limit}
        path = _conversation(conversation_id, "messages")
        return await self._connection.call(Page, "GET", path, params=params, user=user)

    def subscribe(
        self,
        conversation_id: str,
        *,
        after: str | None = None,
        window_seconds: float = 0.0,
        user: str = LOCAL_USER,
    ) -> Following:
        return self._connection.follow(conversation_id, after, window_seconds, user)

    async def _change(self, conversation_id: str, body: bodies.Change, user: str) -> Conversation:
        return await self._connection.call(
            Conversation, "PATCH", _conversation(conversation_id), body, user=user
        )


def _conversation(conversation_id: str, what: str = "") -> str:
    return f"conversations/{segment(conversation_id)}/{what}".rstrip("/")


def _message(message_id: str, what: str = "") -> str:
    return f"messages/{segment(message_id)}/{what}".rstrip("/")
