"""Having all on the disk that was written before."""

from chatcore.commands import Settle
from storage.rows import Rows

__all__ = ["settle"]


def settle(rows: Rows, command: Settle) -> None:
    """Be a change like any other, whose commit is waited for."""
    rows.touch()
