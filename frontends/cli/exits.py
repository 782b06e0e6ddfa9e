"""Exit codes of the command, and how an error becomes a sentence."""

import sys
from contextlib import suppress

from frontends.terminal.harmless import harmless_line

__all__ = ["DONE", "FAILED", "UNRECOGNISED", "USAGE", "complain"]

DONE = 0
FAILED = 1
UNRECOGNISED = 2
USAGE = 3


def complain(sentence: str) -> None:
    """One line on standard error."""
    with suppress(OSError):  # nobody is there to read it
        print(f"chatcore: {harmless_line(sentence)}", file=sys.stderr, flush=True)
