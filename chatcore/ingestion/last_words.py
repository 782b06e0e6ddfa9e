"""How a process that was to read something has ended, in words: its code, and what it wrote last."""

import signal
import subprocess
from typing import BinaryIO

from chatcore.messages import clean_text, first_words

__all__ = ["told_ending"]

_READ_BYTES = 16 * 2**10
_MOST_CHARS = 200
_WAY_OUT = "What comes by standard input, or as an open file, is read without such a process."


def told_ending(process: "subprocess.Popen[bytes]", written: BinaryIO) -> str:
    """The end of a sentence, and what can be done; waits for it. `written` is its standard error."""
    code = process.wait()
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}. Started again, the ingestion goes on."
    words = _last_line(written)
    why = f" ({words})" if words else ""
    return f"ended with code {code}{why}. {_WAY_OUT}"


def _last_line(written: BinaryIO) -> str:
    """Of a traceback that is what it is about. One line that may be shown anywhere, and no long one."""
    size = written.seek(0, 2)
    written.seek(max(0, size - _READ_BYTES))
    lines = clean_text(written.read(_READ_BYTES).decode("utf-8", "replace")).splitlines()
    words = next((line for line in reversed(lines) if line.strip()), "")
    shown = "".join(character if character.isprintable() else " " for character in words)
    return first_words(shown, _MOST_CHARS).rstrip(" .")
