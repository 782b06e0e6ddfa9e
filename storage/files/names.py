"""The name that a file's sender gave it: data to show, never a path to open."""

import unicodedata

from chatcore.messages import clean_text

__all__ = ["NAMELESS", "clean_name", "extension_of"]

NAMELESS = "file"
MAX_BYTES = 255
"""The longest name that common file systems take, so that a download can be saved under it."""

MAX_EXTENSION_BYTES = 20

# Control characters (Cc), line and paragraph separators (Zl, Zp), and those that turn the direction of
# what follows: with U+202E "invoice\u202Efdp.exe" is shown as "invoiceexe.pdf". The joiners, which emoji
# and several scripts need, stay.
_DROPPED_CATEGORIES = frozenset({"Cc", "Zl", "Zp"})
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_name(name: str) -> str:
    """The last component of `name`, on one line and at most 255 bytes long; its extension is kept."""
    name = clean_text(name).replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = "".join(
        character
        for character in name
        if character not in _TURNING and unicodedata.category(character) not in _DROPPED_CATEGORIES
    ).strip()
    if name in {"", ".", ".."}:
        return NAMELESS
    return _shortened(name)


def extension_of(name: str) -> str:
    """The lowercase extension with its dot; empty when there is none."""
    stem, dot, extension = name.rpartition(".")
    return f".{extension.lower()}" if stem and dot else ""


def _shortened(name: str) -> str:
    if len(name.encode()) <= MAX_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    end = f"{dot}{extension}" if stem else ""
    if len(end.encode()) > MAX_EXTENSION_BYTES:
        stem, end = name, ""
    # "ignore" drops the half of a character that the cut leaves
    return (stem or name).encode()[: MAX_BYTES - len(end.encode())].decode("utf-8", "ignore").rstrip() + end
