"""Which conversations and answers an export is about."""

from datetime import datetime

from msgspec import Struct

from chatcore.messages import Rating
from chatcore.views import Node, Tree

__all__ = ["ExportFilter", "verdict_of"]


class ExportFilter(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Of conversations: those with a message that is all of this at once; of answers: those that are it.

    What is None does not matter.

    Attributes:
        rating: What those who voted make of it together (`verdict_of`).
        since: Created at or after.
        until: Created before.
        model: The model that answered, by its whole name.
    """

    rating: Rating | None = None
    since: datetime | None = None
    until: datetime | None = None
    model: str | None = None

    def accepts(self, node: Node) -> bool:
        """Whether the message is all of it."""
        message = node.message
        return (
            (self.rating is None or verdict_of(node) == self.rating)
            and (self.since is None or message.created_at >= self.since)
            and (self.until is None or message.created_at < self.until)
            and (self.model is None or message.model == self.model)
        )

    def accepts_any(self, tree: Tree) -> bool:
        """Whether a message of the conversation is all of it; a filter of nothing takes empty ones too."""
        return self == ExportFilter() or any(self.accepts(node) for node in tree.nodes)


def verdict_of(node: Node) -> Rating | None:
    """What most of the voters make of it; None: nobody voted, or they are divided."""
    ratings = [held.feedback.rating for held in node.feedback]
    likes, dislikes = ratings.count("like"), ratings.count("dislike")
    return None if likes == dislikes else "like" if likes > dislikes else "dislike"
