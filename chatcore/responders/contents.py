"""Attachments as a model reads them: images as data URLs, texts inlined, all else not at all."""

import base64
import codecs
import json
from typing import Literal

from chatcore.asked import AskedFile
from chatcore.messages import Attachment

__all__ = ["MAX_TEXT_BYTES", "Kind", "attachment_tokens", "data_url", "inlined_text", "kind_of"]

Kind = Literal["image", "text", "other"]

MAX_TEXT_BYTES = 2_000_000
"""A longer text is refused, whatever the model's context: it goes along with every question that follows."""

IMAGE_TOKENS = 1_000
"""What an image costs, about: providers say 85 to 1,600, by its size."""

_IMAGES = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})
_TEXTS = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/jsonl",
        "application/sql",
        "application/toml",
        "application/x-ndjson",
        "application/x-subrip",
        "application/xml",
        "application/yaml",
    }
)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def kind_of(media_type: str) -> Kind:
    """How a file of this media type can be given to a model."""
    bare = media_type.partition(";")[0].strip().lower()
    if bare in _IMAGES:
        return "image"
    if bare.startswith("text/") or bare in _TEXTS or bare.endswith(("+json", "+xml")):
        return "text"
    return "other"


def attachment_tokens(attachment: Attachment) -> int:
    """About how many tokens a model makes of it."""
    match kind_of(attachment.media_type):
        case "image":
            return IMAGE_TOKENS
        case "text":
            return (attachment.size_bytes + 2 * len(attachment.name)) // 3 + 12
        case "other":
            return 32


def data_url(file: AskedFile) -> str:
    """The content as a URL that carries it whole. Reads the disk."""
    return f"data:{file.media_type};base64,{base64.b64encode(file.path.read_bytes()).decode('ascii')}"


def inlined_text(file: AskedFile) -> str:
    """The content with its name around it, as part of the question. Reads the disk."""
    return f"<file name={json.dumps(file.name, ensure_ascii=False)}>\n{_read_text(file)}\n</file>"


def _read_text(file: AskedFile) -> str:
    content = file.path.read_bytes()[:MAX_TEXT_BYTES]
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    return content.decode("utf-8", "replace")
