"""Removing for good what was deleted, in small units, and files that nobody refers to."""

from datetime import timedelta

from chatcore.commands import ForgetFiles, Purge, Purged
from storage.rows import Rows

__all__ = ["forget_files", "purge"]


def purge(rows: Rows, command: Purge) -> Purged:
    """Remove messages of conversations deleted long enough ago, and what is left of those once empty."""
    before = rows.now - timedelta(seconds=command.older_than_seconds)
    left = max(command.max_rows, 1)
    conversations = messages = 0
    # each conversation counts as one, or units over many small ones would have no bound
    while left > 0 and (row := rows.purgeable(before)) is not None:
        removed = rows.purge_messages(row.key, left)
        messages += removed
        whole = removed < left
        rows.purge_conversation(row.key, whole=whole)
        conversations += whole
        left -= removed + 1
    return Purged(conversations=conversations, messages=messages, more=rows.purgeable(before) is not None)


def forget_files(rows: Rows, command: ForgetFiles) -> frozenset[str]:
    """Which of these contents no message refers to."""
    return rows.unreferenced(command.sha256s)
