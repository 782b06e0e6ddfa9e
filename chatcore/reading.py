"""Calls that read and follow: messages, pages, files, subscriptions."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import anyio

from chatcore.core import LOCAL_USER, Core
from chatcore.errors import EngineClosed, NotFound
from chatcore.events import ConversationEvent, Cursor, ListEvent, MessageChanged
from chatcore.messages import ENDINGS, Attachment, File, Message
from chatcore.pages import Page, read_page, with_text_so_far
from chatcore.ports import ConversationPage
from chatcore.subscription import Subscription, follow_conversation, follow_list

__all__ = ["Reading"]


class Reading(Core):
    """The engine's calls that change nothing."""

    async def message(self, message_id: str, *, user: str = LOCAL_USER) -> Message:
        """The message; one that is being answered has what was said so far.

        Raises:
            NotFound
        """
        message = await self._store.message(user, message_id)
        log = self._hub.conversations.get(message.conversation_id)
        return message if log is None else with_text_so_far(message, log.since(0))

    async def attachment(
        self, message_id: str, index: int, *, user: str = LOCAL_USER
    ) -> tuple[Attachment, Path]:
        """The file that is part `index` of the message, and where its content can be read.

        Raises:
            NotFound: No such message, no file there, or its content is gone.
        """
        message = await self._store.message(user, message_id)
        part = message.parts[index] if 0 <= index < len(message.parts) else None
        if not isinstance(part, File):
            raise NotFound("There is no such file.")
        return part.attachment, await anyio.to_thread.run_sync(self._store.files.path, part.attachment)

    async def wait_ended(self, message_id: str, *, user: str = LOCAL_USER) -> Message:
        """The message once its run has ended.

        Raises:
            NotFound, EngineClosed
        """
        message = await self._store.message(user, message_id)
        async with follow_conversation(
            self._hub, self._store, user, message.conversation_id, self._from(message), 0.0
        ) as events:
            message = await self._store.message(user, message_id)
            if message.status in ENDINGS:
                return message
            async for event in events:
                if isinstance(event, MessageChanged) and event.message.id == message_id:
                    message = event.message
                    if message.status in ENDINGS:
                        return message
        raise EngineClosed("The engine was closed before the answer had ended.")

    async def page(
        self,
        conversation_id: str,
        *,
        before: str | None = None,
        around: str | None = None,
        limit: int = 100,
        user: str = LOCAL_USER,
    ) -> Page:
        """Messages of the visible path, and the cursor at which they are true (`subscribe(after=…)`).

        Args:
            before: Those above this message.
            around: Those nearest to this message; without either, the newest.

        Raises:
            NotFound
        """
        limit = self._page_limit(limit)
        return await read_page(self._hub, self._store, user, conversation_id, before, around, limit)

    def subscribe(
        self,
        conversation_id: str,
        *,
        after: str | None = None,
        window_seconds: float = 0.0,
        user: str = LOCAL_USER,
    ) -> AbstractAsyncContextManager[Subscription[ConversationEvent]]:
        """Events of a conversation: ``async with engine.subscribe(id) as events: async for event in events``.

        Args:
            after: A cursor; None: from the beginning.
            window_seconds: Gather what comes within it, after the first batch.

        Raises:
            NotFound: On entering.
        """
        return follow_conversation(self._hub, self._store, user, conversation_id, after, window_seconds)

    def subscribe_user(
        self, *, after: str | None = None, window_seconds: float = 0.0, user: str = LOCAL_USER
    ) -> AbstractAsyncContextManager[Subscription[ListEvent]]:
        """Changes of the user's list; `after` None: from now on; a page's place is `list_cursor(page)`."""
        return follow_list(self._hub, self._store, user, after, window_seconds)

    def list_cursor(self, page: ConversationPage) -> str:
        """The cursor at which a page of the list is true."""
        return str(Cursor(self.epoch, page.list_seq))

    def _from(self, message: Message) -> str:
        return str(Cursor(self.epoch, max(0, message.seq - 1)))
