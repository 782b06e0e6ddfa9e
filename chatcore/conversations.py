"""Calls about whole conversations: made, listed, changed, deleted."""

import msgspec
from msgspec import UNSET, UnsetType

from chatcore.commands import (
    ChangeConversation,
    CreateConversation,
    DeleteConversation,
    UndeleteConversation,
)
from chatcore.core import LOCAL_USER, Core
from chatcore.errors import InvalidInput
from chatcore.messages import Conversation, Settings, clean_text
from chatcore.views import ConversationPage

__all__ = ["Conversations"]


class Conversations(Core):
    """The engine's calls about whole conversations."""

    async def create(
        self,
        title: str | None = None,
        settings: Settings | None = None,
        *,
        key: str | None = None,
        user: str = LOCAL_USER,
    ) -> Conversation:
        """A new conversation; the same `key` again gives the same one.

        Raises:
            LimitExceeded, InvalidInput, IdempotencyConflict, StorageError
        """
        settings = self._settings(settings or Settings())
        return await self._write(
            CreateConversation(user=user, title=self._title(title), settings=settings, key=key)
        )

    async def conversation(self, conversation_id: str, *, user: str = LOCAL_USER) -> Conversation:
        """The conversation as it is now.

        Raises:
            NotFound
        """
        return await self._store.conversation(user, conversation_id)

    async def conversations(
        self,
        *,
        archived: bool = False,
        pinned: bool | None = None,
        after: str | None = None,
        limit: int = 50,
        user: str = LOCAL_USER,
    ) -> ConversationPage:
        """A page of the user's list, newest first; `after` is the `next` of the page before.

        Raises:
            InvalidInput: `after` is not a page's `next`.
        """
        limit = self._page_limit(limit)
        return await self._store.conversations(
            user, archived=archived, pinned=pinned, after=after, limit=limit
        )

    async def change(
        self,
        conversation_id: str,
        *,
        title: str | None | UnsetType = UNSET,
        pinned: bool | UnsetType = UNSET,
        archived: bool | UnsetType = UNSET,
        settings: Settings | UnsetType = UNSET,
        user: str = LOCAL_USER,
    ) -> Conversation:
        """Change what is given, all of it or nothing.

        Raises:
            NotFound, InvalidInput, LimitExceeded, StorageError
        """
        return await self._write(
            ChangeConversation(
                user=user,
                conversation_id=conversation_id,
                title=title if title is UNSET else self._title(title),
                pinned=pinned,
                archived=archived,
                settings=settings if settings is UNSET else self._settings(settings),
            )
        )

    async def rename(
        self, conversation_id: str, title: str | None, *, user: str = LOCAL_USER
    ) -> Conversation:
        """Give it this title; None or blanks take the title away.

        Raises:
            NotFound, LimitExceeded, StorageError
        """
        return await self.change(conversation_id, title=title, user=user)

    async def pin(self, conversation_id: str, pinned: bool = True, *, user: str = LOCAL_USER) -> Conversation:
        """Pin it, or let it go.

        Raises:
            NotFound, StorageError
        """
        return await self.change(conversation_id, pinned=pinned, user=user)

    async def archive(
        self, conversation_id: str, archived: bool = True, *, user: str = LOCAL_USER
    ) -> Conversation:
        """Put it into the archive, or take it out.

        Raises:
            NotFound, StorageError
        """
        return await self.change(conversation_id, archived=archived, user=user)

    async def configure(
        self, conversation_id: str, settings: Settings, *, user: str = LOCAL_USER
    ) -> Conversation:
        """Answer it with these settings from now on.

        Raises:
            NotFound, InvalidInput, LimitExceeded, StorageError
        """
        return await self.change(conversation_id, settings=settings, user=user)

    async def delete(self, conversation_id: str, *, user: str = LOCAL_USER) -> Conversation:
        """Take it out of every view and stop its answers; `undelete` brings it back until it is purged.

        Raises:
            NotFound, StorageError
        """

        def command() -> DeleteConversation:
            return DeleteConversation(
                user=user, conversation_id=conversation_id, ends=self._ends(conversation_id)
            )

        return await self._write_over_a_run(command)

    async def undelete(self, conversation_id: str, *, user: str = LOCAL_USER) -> Conversation:
        """Bring it back as it was.

        Raises:
            NotFound: Never there, another user's, or purged.
            StorageError
        """
        return await self._write(UndeleteConversation(user=user, conversation_id=conversation_id))

    def _title(self, title: str | None) -> str | None:
        if title is None:
            return None
        title = " ".join(clean_text(title).split())
        self.limits.check("title_chars", len(title), "Length of the title")
        return title or None

    def _settings(self, settings: Settings) -> Settings:
        try:
            settings = msgspec.convert(msgspec.to_builtins(settings), Settings)
            parameters = msgspec.json.encode(settings.parameters)
        except (msgspec.ValidationError, TypeError, UnicodeEncodeError) as error:
            raise InvalidInput(f"These settings can't be kept: {error}.") from error
        self.limits.check("parameters_bytes", len(parameters), "Size of the parameters")
        self.limits.check("text_chars", len(settings.system_prompt or ""), "Length of the system prompt")
        if settings.system_prompt is not None:
            settings = msgspec.structs.replace(settings, system_prompt=clean_text(settings.system_prompt))
        if settings.responder is not None and settings.responder not in self.responders:
            known = ", ".join(self.responders) or "none"
            raise InvalidInput(f"There is no responder “{settings.responder}” (there are: {known}).")
        return settings
