r"""Text from elsewhere, made harmless for a terminal.

A message may hold escape sequences that move the cursor, rename the window, fill the clipboard or answer
questions into the keyboard buffer. All of them begin with a control character (ECMA-48: C0, DEL, C1), so
those are shown as pictures. The two overrides of the writing direction can make a line read as another one.
"""

import re

__all__ = ["harmless", "harmless_json", "harmless_line"]

_PICTURES = (
    {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"}
    | {0x7F: "\u2421", ord("\r"): None}
    | dict.fromkeys((*range(0x80, 0xA0), 0x202D, 0x202E), "\ufffd")
)
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e]")
_ESCAPES = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x202D, 0x202E)}


def harmless(text: str) -> str:
    r"""`text` without control characters; ``\n`` and ``\t`` stay, ``\r`` goes, others become pictures.

    May be applied to pieces of a text as they come.
    """
    return text.translate(_PICTURES) if _HARMFUL.search(text) else text


def harmless_line(text: str, width: int | None = None) -> str:
    """The same in one line, cut off with an ellipsis when longer than `width` characters."""
    line = " ".join(harmless(text).split())
    return line if width is None or len(line) <= width else line[: width - 1] + "…"


def harmless_json(text: str) -> str:
    """The same JSON, with those characters escaped that encoders leave as they are but terminals heed."""
    return text.translate(_ESCAPES) if _HARMFUL.search(text) else text
