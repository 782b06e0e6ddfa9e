"""Calls that react to what is there: show another branch, undo, vote."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from chatcore.commands import MoveHead, Rate
from chatcore.core import LOCAL_USER, Core
from chatcore.errors import InvalidInput
from chatcore.messages import Conversation, Feedback, Rating, clean_text

__all__ = ["Reactions"]


class Reactions(Core):
    """The engine's calls about branches and votes."""

    async def move_head(
        self,
        conversation_id: str,
        message_id: str,
        *,
        expected_head: str | None | UnsetType = UNSET,
        user: str = LOCAL_USER,
    ) -> Conversation:
        """Show the path through this message, down to the newest leaf below it.

        Raises:
            NotFound, HeadMoved, Busy, StorageError
        """
        return await self._write(
            MoveHead(
                user=user,
                conversation_id=conversation_id,
                message_id=message_id,
                expected_head=expected_head,
            )
        )

    async def undo(self, conversation_id: str, *, user: str = LOCAL_USER) -> Conversation:
        """Take the last question and what follows it out of view; both stay stored as a branch.

        Raises:
            NotFound, Busy, StorageError
            InvalidInput: There is nothing to undo.
            HeadMoved: Somebody else was faster.
        """
        conversation = await self._store.conversation(user, conversation_id)
        cursor = conversation.head
        while cursor is not None:
            for message in await self._store.ancestors(cursor, limit=4):
                if message.role == "user":
                    return await self._write(
                        MoveHead(
                            user=user,
                            conversation_id=conversation_id,
                            message_id=message.parent,
                            exact=True,
                            expected_head=conversation.head,
                        )
                    )
                cursor = message.parent
        raise InvalidInput("There is no question to undo.")

    async def rate(
        self,
        message_id: str,
        rating: Rating | None,
        *,
        comment: str | None = None,
        reasons: Sequence[str] = (),
        user: str = LOCAL_USER,
    ) -> Feedback | None:
        """Say what the user thinks of a message; None takes the vote back.

        Raises:
            NotFound, LimitExceeded, InvalidInput, StorageError
        """
        if rating not in ("like", "dislike", None):
            raise InvalidInput("A rating is “like”, “dislike” or none.")
        self.limits.check("comment_chars", len(comment or ""), "Length of the comment")
        self.limits.check("comment_chars", sum(map(len, reasons)), "Length of the reasons")
        feedback = None
        if rating is not None:
            feedback = Feedback(
                rating=rating,
                comment=clean_text(comment) if comment else None,
                reasons=tuple(clean_text(reason) for reason in reasons),
            )
        return await self._write(Rate(user=user, message_id=message_id, feedback=feedback))
