"""Where a stranger's code runs: whatever a responder raises."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from chatcore.errors import ChatcoreError

__all__ = ["StrangerFailed", "described", "strangers_code"]


class StrangerFailed(Exception):
    """What a stranger's code has raised, in words for people; the cause is the error itself."""


@contextmanager
def strangers_code(*passed: type[Exception]) -> Iterator[None]:
    """A block in which a stranger's code runs.

    Errors of ours pass as they are, those of the types `passed` too, and so do Ctrl-C and our own end.

    Raises:
        StrangerFailed: It raised anything else; also that somebody cancelled a task that it waited for.
    """
    try:
        yield
    except (ChatcoreError, KeyboardInterrupt):
        raise
    except passed:
        raise
    except BaseException as error:  # a stranger's code may raise anything
        if isinstance(error, anyio.get_cancelled_exc_class()) and _are_cancelled():
            raise
        raise StrangerFailed(described(error)) from error


def described(error: BaseException) -> str:
    """The error in words for people."""
    try:
        said = str(error)
    except Exception:  # its class is a stranger's code too
        said = ""
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _are_cancelled() -> bool:
    return anyio.current_effective_deadline() == -math.inf
