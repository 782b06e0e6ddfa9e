"""What a clean stop leaves beside the database: which very file it was, so that a copy is known as one."""

from contextlib import suppress
from pathlib import Path

__all__ = ["leave_stamp", "take_stamp"]

_NAME = "clean"


def leave_stamp(database: Path) -> None:
    """This very file was closed in order; to be called when no connection is left that could change it."""
    with suppress(OSError):  # without the stamp the next start only counts in a new epoch
        _stamp(database).write_text(_identity(database), "ascii")


def take_stamp(database: Path) -> bool:
    """Whether this is the very file that was left, unchanged since; the stamp is gone then.

    May raise `OSError`: it can't be removed.
    """
    stamp = _stamp(database)
    try:
        return stamp.read_text("ascii", "replace") == _identity(database)
    except OSError:
        return False
    finally:
        stamp.unlink(missing_ok=True)


def _stamp(database: Path) -> Path:
    return database.with_name(_NAME)


def _identity(database: Path) -> str:
    # The time of a file's last change of state can't be set: a copy that keeps all else has its own.
    found = database.stat()
    return f"{found.st_ino} {found.st_ctime_ns}\n"
