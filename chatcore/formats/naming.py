"""Names of files that an export writes: for people, and safe on every system."""

import re
import unicodedata

from chatcore.messages import Attachment, Conversation

__all__ = ["conversation_file", "copied_file", "safe_name"]

_MAX_BYTES = 80
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Devices of Windows, which no file may be called (Microsoft, "Naming Files, Paths, and Namespaces")."""


def safe_name(given: str, default: str = "file") -> str:
    """`given` as the name of a file: no path, no hidden file, nothing that a shell or Windows takes amiss.

    Letters of any language stay; it has at most 80 bytes.
    """
    plain = unicodedata.normalize("NFC", given)
    plain = "".join(character if _is_plain(character) else " " for character in plain)
    plain = re.sub(r" +", " ", plain).strip(" .-")
    stem, dot, ending = plain.rpartition(".")
    if not dot or len(ending.encode()) > 10:
        stem, ending = plain, ""
    stem = stem.encode()[: _MAX_BYTES - len(ending.encode())].decode("utf-8", "ignore").strip(" .")
    name = f"{stem}.{ending}" if ending and stem else stem or default
    return f"{default}-{name}" if _RESERVED.fullmatch(name) else name


def _is_plain(character: str) -> bool:
    if character in "._- ()":
        return True
    return unicodedata.category(character)[0] in "LMNS" and character not in "<>|`$^~=+"


def copied_file(attachment: Attachment) -> str:
    """The name of a copy of the attachment: one for each content and name."""
    return f"{attachment.sha256[:32]}-{safe_name(attachment.name)}"


def conversation_file(conversation: Conversation, suffix: str) -> str:
    """The name of a conversation's own file: its day, its title, the end of its id (titles come twice)."""
    title = safe_name((conversation.title or "untitled").replace(".", " "), "untitled")
    return f"{conversation.created_at:%Y-%m-%d} {title} {safe_name(conversation.id)[-12:]}{suffix}"
