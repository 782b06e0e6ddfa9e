"""Exit codes of the command, and how an error becomes a sentence."""

import sys
from contextlib import suppress

from frontends.terminal.harmless import harmless_line

__all__ = ["DONE", "FAILED", "UNRECOGNISED", "USAGE", "complain", "only_error"]

DONE = 0
FAILED = 1
UNRECOGNISED = 2
USAGE = 3


def complain(sentence: str) -> None:
    """One line on standard error."""
    with suppress(OSError):  # nobody is there to read it
        print(f"chatcore: {harmless_line(sentence)}", file=sys.stderr, flush=True)


def only_error(error: BaseException) -> BaseException:
    """The error itself, where task groups have wrapped it up; a group of several stays as it is."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
