"""What a line of our own format holds. docs/format.md says the same for people, and is asserted by a test."""

from collections.abc import Mapping

from msgspec import Struct

from chatcore.formats.identity import Moment, Vote
from chatcore.messages import (
    Attachment,
    MissingFile,
    Reasoning,
    Role,
    Settings,
    Status,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)

__all__ = ["NO_SETTINGS", "VERSION", "ConversationLine", "FilePart", "MessageEntry", "PartEntry"]

VERSION = 1
"""Counted up when what is written can no longer be read by what is older; further fields are no reason."""


NO_SETTINGS = Settings()
"""What a line leaves out."""


class FilePart(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="file"):
    """An attachment: which, and where a copy of its content lies.

    Attributes:
        at: Relative to the folder of the export, with ``/``; None: no copy was made.
    """

    name: str
    media_type: str
    size_bytes: int
    sha256: str
    at: str | None = None

    @classmethod
    def of(cls, attachment: Attachment, at: str | None) -> "FilePart":
        """The part that stands for an attachment."""
        return cls(
            name=attachment.name,
            media_type=attachment.media_type,
            size_bytes=attachment.size_bytes,
            sha256=attachment.sha256,
            at=at,
        )


PartEntry = Text | Reasoning | ToolCall | ToolResult | FilePart | MissingFile


class MessageEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message; parents stand before their children.

    Attributes:
        votes: Of all users, in the order of their names.
        raw: What the source of an import said beyond this.
    """

    id: str
    role: Role
    created_at: Moment
    parts: tuple[PartEntry, ...] = ()
    parent: str | None = None
    status: Status = "complete"
    reason: str | None = None
    reason_code: str | None = None
    continues: str | None = None
    responder: str | None = None
    model: str | None = None
    usage: Usage | None = None
    memory_from: str | None = None
    started_at: Moment | None = None
    ended_at: Moment | None = None
    first_token_seconds: float | None = None
    hidden: bool = False
    votes: tuple[Vote, ...] = ()
    raw: Mapping[str, object] | None = None


class ConversationLine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A conversation with all of its branches.

    Attributes:
        chatcore: The version of this format.
        head: The message at which the shown path ends.
    """

    chatcore: int
    id: str
    owner: str
    created_at: Moment
    updated_at: Moment
    title: str | None = None
    head: str | None = None
    pinned: bool = False
    archived: bool = False
    settings: Settings = NO_SETTINGS
    raw: Mapping[str, object] | None = None
    messages: tuple[MessageEntry, ...] = ()
