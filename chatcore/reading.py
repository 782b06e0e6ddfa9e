"""Calls that read and follow: messages, pages, files, subscriptions."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import anyio

from chatcore.core import LOCAL_USER, Core
from chatcore.errors import EngineClosed, InvalidInput, NotFound
from chatcore.events import ConversationEvent, Cursor, ListEvent, MessageChanged
from chatcore.messages import ENDINGS, Attachment, File, Message, Rating, Role
from chatcore.pages import Page, read_page, with_text_so_far
from chatcore.subscription import Subscription, follow_conversation, follow_list
from chatcore.views import ConversationPage, DayStatistics, SearchFilter, SearchOrder, SearchPage

__all__ = ["Reading"]


_MOST_DAYS = 3660
_MOST_OFFSET_MINUTES = 1439


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

    async def search(  # noqa: PLR0913 -- each filter by its name
        self,
        query: str,
        *,
        role: Role | None = None,
        rating: Rating | None = None,
        model: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        conversation_id: str | None = None,
        archived: bool = True,
        order: SearchOrder = "newest",
        after: str | None = None,
        limit: int = 20,
        user: str = LOCAL_USER,
    ) -> SearchPage:
        """Messages and titles with all words of `query`, which may be any string: docs/search.md.

        A page may hold fewer than `limit`, even none, and `next` say where to go on all the same: what one
        call looks at is bounded.

        Args:
            role: Messages of this one only; likewise `rating` (by this user) and `model`, which no title has.
            since: Messages made at this time or later, titles of conversations that have changed since.
            until: Before this time.
            archived: False: without conversations in the archive.
            order: ``rank``: the best of the newest 2,000.
            after: The `next` of a page of the same search.

        Raises:
            InvalidInput: `after` is no place in a search, or a time has no zone.
        """
        limit = self._page_limit(limit)
        if any(time is not None and time.tzinfo is None for time in (since, until)):
            raise InvalidInput("A time needs its zone.")
        among = SearchFilter(
            role=role,
            rating=rating,
            model=model,
            since=since,
            until=until,
            conversation_id=conversation_id,
            archived=archived,
        )
        return await self._store.search(user, query, among=among, order=order, after=after, limit=limit)

    async def statistics(
        self, *, days: int = 90, utc_offset_minutes: int = 0, user: str = LOCAL_USER
    ) -> tuple[DayStatistics, ...]:
        """What was answered in the last days by which model, how long that took and how it was liked.

        Oldest first; a day on which a model answered nothing has no entry. Of the newest 50,000 answers,
        and of imported ones those in the newest conversations that have 50,000 messages.

        Args:
            days: How many, up to today.
            utc_offset_minutes: When days begin: minutes that the clock of who asks is ahead of UTC.

        Raises:
            InvalidInput: More than ten years, or no offset that there is.
        """
        if not 0 < days <= _MOST_DAYS or abs(utc_offset_minutes) > _MOST_OFFSET_MINUTES:
            raise InvalidInput("Statistics are of 1 to 3,660 days, of clocks at most a day away from UTC.")
        zone = timezone(timedelta(minutes=utc_offset_minutes))
        midnight = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        since = midnight - timedelta(days=days - 1)
        return await self._store.statistics(user, since=since, utc_offset_minutes=utc_offset_minutes)

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
