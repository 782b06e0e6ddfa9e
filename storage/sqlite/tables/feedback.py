"""What people think of messages."""

from datetime import datetime

from chatcore.messages import Feedback
from storage.ids import to_us
from storage.rows import MessageRow
from storage.sqlite.statements import load
from storage.sqlite.tables.base import Table
from storage.sqlite.values import feedback_of, text

__all__ = ["FeedbackTable"]

_SQL = load("units")


class FeedbackTable(Table):
    """The table `feedback`."""

    def feedback(self, message: int, user: int) -> Feedback | None:
        row = self._execute(_SQL["feedback"], (message, user)).fetchone()
        return None if row is None else feedback_of(*row)

    def put_feedback(
        self, message: MessageRow, user: int, feedback: Feedback | None, seq: int, at: datetime
    ) -> None:
        held: tuple[str | None, str | None, str] = (None, None, "[]")
        if feedback is not None:
            held = (feedback.rating, feedback.comment, text(feedback.reasons))
        values = (message.key, user, message.conversation, *held, to_us(at), seq)
        self._execute(_SQL["put_feedback"], values)
