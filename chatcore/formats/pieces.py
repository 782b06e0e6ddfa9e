"""What formats of vendors make conversations of: roles, votes, files, heads; and what is no conversation."""

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Literal
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from chatcore.formats.format import Kind, ReadOptions, Record
from chatcore.formats.values import keys_seen, text_in
from chatcore.incoming import Incoming, IncomingFile, IncomingMessage, Unread
from chatcore.messages import Feedback, Rating, Role, clean_text

__all__ = [
    "RecordFormat",
    "feedback_of",
    "file_of_text",
    "inline_file",
    "newest_leaf",
    "role_of",
    "span_us",
    "unread",
]

ROLES: Mapping[str, Role] = {
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "ai": "assistant",
    "gpt": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
}

RATINGS: Mapping[object, Rating] = {
    1: "like",
    "1": "like",
    "+1": "like",
    "thumbsup": "like",
    "like": "like",
    -1: "dislike",
    "-1": "dislike",
    "thumbsdown": "dislike",
    "dislike": "dislike",
}
"""Votes as sources spell them, in lower case and without ``_``."""

INLINE_CHARS = 96 * 2**20
"""Of a file inside of the JSON itself, as base64: what is longer is a file without its content."""

_NOT_TEXT: Set[str] = frozenset(
    {"doc", "docx", "epub", "jpeg", "jpg", "odp", "ods", "odt", "pdf", "png", "ppt", "pptx", "rtf"}
    | {"xls", "xlsx", "zip"}
)


class RecordFormat(Struct, kw_only=True, eq=False):
    """A `ReadFormat` of which each record is read by itself.

    Attributes:
        signature: Whether an object is one of this format.
        conversations: What an object (of this format or not, where the person named the format) brings.
    """

    name: str
    title: str
    order: int
    signature: Callable[[Mapping[str, object]], bool]
    conversations: Callable[[Mapping[str, object], Record, ReadOptions], Iterable[Incoming | Unread]]
    kind: Kind = "json"
    members: str | None = None

    def recognises(self, record: Record) -> bool:
        """Whether it is an object with this format's signature."""
        return isinstance(record.value, dict) and self.signature(record.value)

    def read(self, records: Iterable[Record], options: ReadOptions) -> Iterator[Incoming | Unread]:
        """The conversations, each record's by itself."""
        for record in records:
            if isinstance(record.value, dict):
                yield from self.conversations(record.value, record, options)
            else:
                yield unread(record, "failed", f"This is {keys_seen(record.value)}, no conversation.")


def unread(
    record: Record, kind: Literal["failed", "skipped"], reason: str, external_id: str | None = None
) -> Unread:
    """That no conversation was made of `record`, and why."""
    return Unread(
        kind=kind, reason=reason, file=record.file, place=record.place, id=external_id, record=record.body
    )


def role_of(value: object) -> Role | None:
    """The role that a source's word for it means; None: it is no word that is known."""
    return ROLES.get(value.lower()) if isinstance(value, str) else None


def feedback_of(rating: object, comment: object = None, reasons: object = None) -> Feedback | None:
    """A vote; None where the rating is none, or one that is neither like nor dislike.

    Args:
        rating: In any spelling of `RATINGS`.
        comment: Text, or nothing.
        reasons: A list of texts, one text, or nothing.
    """
    if isinstance(rating, str):
        rating = rating.lower().replace("_", "")
    elif isinstance(rating, bool) or not isinstance(rating, int | float):
        return None
    found = RATINGS.get(rating)
    if found is None:
        return None
    given = reasons if isinstance(reasons, list) else [reasons]
    return Feedback(
        rating=found,
        comment=text_in(comment).strip() or None,
        reasons=tuple(text for reason in given if (text := text_in(reason).strip())),
    )


def inline_file(url: object, name: str, **known: str | int | None) -> IncomingFile | None:
    """The file that a ``data:`` address holds (RFC 2397); None: it is none, or damaged, or too long.

    Args:
        url: The address.
        name: Of the file.
        known: What else `IncomingFile` takes; a media type in the address comes first.
    """
    if not isinstance(url, str) or not url.startswith("data:") or len(url) > INLINE_CHARS:
        return None
    head, comma, body = url[5:].partition(",")
    media_type, *parameters = head.split(";")
    try:
        content = base64.b64decode(body) if "base64" in parameters else unquote_to_bytes(body)
    except (binascii.Error, ValueError):
        return None
    if not comma:
        return None
    told = known.get("media_type")
    return IncomingFile(
        name=name,
        media_type=media_type or (told if isinstance(told, str) else None),
        size_bytes=len(content),
        content=content,
    )


def file_of_text(name: str, text: str, pointer: str | None = None) -> IncomingFile:
    """A file of which the source kept the words: a text file, called so where the name says otherwise."""
    ending = name.rpartition(".")[2].lower()
    shown = f"{name}.txt" if ending in _NOT_TEXT else name
    content = clean_text(text).encode()
    return IncomingFile(
        name=shown, media_type="text/plain", size_bytes=len(content), pointer=pointer, content=content
    )


def newest_leaf(messages: Sequence[IncomingMessage]) -> str | None:
    """The id of the newest shown message that has no other below it: by time, then by place in the file."""
    parents = {message.parent for message in messages}
    newest: IncomingMessage | None = None
    for message in messages:
        if message.id is None or message.hidden or message.id in parents:
            continue
        if newest is None or (message.created_at_us or 0) >= (newest.created_at_us or 0):
            newest = message
    return None if newest is None else newest.id


def span_us(
    messages: Iterable[IncomingMessage], created: int | None, updated: int | None
) -> tuple[int | None, int | None]:
    """When a conversation was made and last changed: as its source says, else as its messages do."""
    times = [message.created_at_us for message in messages if message.created_at_us is not None]
    if created is None:
        created = updated if updated is not None else min(times, default=None)
    return created, updated if updated is not None else max(times, default=created)
