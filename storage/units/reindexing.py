"""Taking into the search index what is not in it."""

from chatcore.commands import Reindex, Reindexed
from storage.rows import Rows

__all__ = ["reindex"]


def reindex(rows: Rows, command: Reindex) -> Reindexed:
    """Take in some of it."""
    messages, left = rows.reindex(max(command.max_messages, 1), anew=command.anew)
    return Reindexed(messages=messages, left=left)
