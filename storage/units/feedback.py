"""What people think of messages."""

from chatcore.commands import Rate
from chatcore.events import FeedbackChanged
from chatcore.messages import Feedback
from storage.rows import Rows
from storage.units.draft import Draft
from storage.units.find import own_message

__all__ = ["rate"]


def rate(rows: Rows, command: Rate) -> Feedback | None:
    """Set or take back the user's feedback; the same again changes nothing."""
    row, rated = own_message(rows, command.user, command.message_id)
    # whoever may see a conversation owns it, so the one who rates is its owner
    if rows.feedback(rated.key, row.owner) == command.feedback:
        return command.feedback
    draft = Draft(rows, row)
    seq = draft.count()
    rows.put_feedback(rated, row.owner, command.feedback, seq, rows.now)
    rows.emit(
        FeedbackChanged(
            conversation_id=row.conversation.id,
            seq=seq,
            at=rows.now,
            message_id=command.message_id,
            user=command.user,
            feedback=command.feedback,
        )
    )
    draft.save()
    return command.feedback
