"""What to make of an error that a stranger's code has raised: a responder's."""

import math

import anyio

__all__ = ["are_cancelled", "described"]


def are_cancelled() -> bool:
    """Whether it is us who are cancelled, and not a task of the stranger's that it waited for."""
    return anyio.current_effective_deadline() == -math.inf


def described(error: BaseException) -> str:
    """The error in words for people."""
    try:
        said = str(error)
    except Exception:  # its class is a stranger's code too
        said = ""
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
