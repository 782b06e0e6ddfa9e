"""Conversations on their way in, as a file format gives them: nothing is decided yet.

A format turns a file's records into these values and into `Unread`; what becomes of them (which is new, which
is known) is decided where they are stored. Everything here is as the source has it: texts may hold what no
store can, a parent may be missing, ids may be used twice. `chatcore.ingestion` sees to that.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from chatcore.messages import Feedback, Reasoning, Role, Settings, Status, Text, ToolCall, ToolResult, Usage

__all__ = [
    "UNKNOWN_RATING",
    "Incoming",
    "IncomingFile",
    "IncomingMessage",
    "IncomingPart",
    "Unread",
    "with_votes_left_out",
]

UNKNOWN_RATING = "a vote that is neither like nor dislike"
"""Why a vote is left out (`Incoming.votes_skipped`)."""

_LEFT_OUT = "votes_left_out"


class IncomingFile(Struct, frozen=True, kw_only=True):
    """A file that a record names.

    Attributes:
        name: As the source has it; a name for people, never a path.
        media_type: As the source says, where it does.
        size_bytes: Likewise.
        pointer: How the source refers to it (an id, an address): kept, never followed.
        content: Its bytes, where the record brings them itself.
        at: Where its bytes can be read, where the container of the record has them (a member of the ZIP is
            unpacked there when it is read); it must stay until the conversation has been stored.
    """

    name: str
    media_type: str | None = None
    size_bytes: int | None = None
    pointer: str | None = None
    content: bytes | None = None
    at: Path | None = None


IncomingPart = Text | Reasoning | ToolCall | ToolResult | IncomingFile


class IncomingMessage(Struct, frozen=True, kw_only=True, gc=False):
    """A message as its source has it.

    Attributes:
        id: The source's own id within its conversation; None: it has none, its place stands for it.
        parent: The id of the message above it; None: it is a root. Not looked at in a `linear` conversation.
        role: Who said it.
        parts: What was said, in order.
        created_at_us: Microseconds since 1970; None: the source does not say.
        model: What answered, in the source's words.
        status: An answer that was cut off is `stopped`, `failed` or `interrupted`; never queued or running.
        reason: Why, for people.
        usage: Tokens, where the source counted them.
        hidden: The source does not show it to people (instructions of its own, context).
        feedback: The vote, where there is one.
        raw: What the source says beyond this, JSON values under the source's own names: kept, not looked at
            (but for ``rank``, 0 the best among siblings, by which exports make pairs).
    """

    role: Role
    parts: tuple[IncomingPart, ...]
    id: str | None = None
    parent: str | None = None
    created_at_us: int | None = None
    model: str | None = None
    status: Status = "complete"
    reason: str | None = None
    usage: Usage | None = None
    hidden: bool = False
    feedback: Feedback | None = None
    raw: Mapping[str, object] | None = None


class Incoming(Struct, frozen=True, kw_only=True):
    """A conversation as its source has it.

    Attributes:
        source: Where ids are unique: the name of the format, or what the person called the source.
        id: The source's own id; None: it has none, its content stands for it.
        messages: In any order when they have ids and parents; in their order when `linear`.
        linear: Each message stands below the one before it.
        head: Id of the message at which the shown path ends; None: the newest leaf (in file order).
        skipped: Messages that were left out on purpose, by reason (a phrase: ``deleted``, ``spam``).
        votes_skipped: Likewise of votes; what they say stands in `raw` of their message.
        repaired: What was put right while reading, by what it was (``a child older than its parent``).
        votes: Of other users than the one who takes it in: id of the message, user, vote.
        ours: Its id and those of its messages were given by chatcore, here or elsewhere.
        file: Name of the file (and member) it comes from.
        place: Where in it, for people: ``line 12``, ``item 4``.
        raw: As with a message.
    """

    source: str
    messages: Sequence[IncomingMessage]
    id: str | None = None
    title: str | None = None
    linear: bool = False
    head: str | None = None
    created_at_us: int | None = None
    updated_at_us: int | None = None
    pinned: bool = False
    archived: bool = False
    settings: Settings = Settings()
    skipped: Mapping[str, int] = {}
    votes_skipped: Mapping[str, int] = {}
    repaired: Mapping[str, int] = {}
    votes: Mapping[str, Mapping[str, Feedback]] = {}
    ours: bool = False
    file: str = ""
    place: str = ""
    raw: Mapping[str, object] | None = None


class Unread(Struct, frozen=True, kw_only=True):
    """A record of which no conversation was made.

    Attributes:
        kind: ``failed``: it could not be read; ``skipped``: it is left out on purpose (it is no
            conversation, it has no messages, it is of another kind).
        reason: A sentence for people.
        id: The source's own id, where one can be seen.
        record: The record as it stands in the file, for the file of rejects; None where there is none.
    """

    kind: Literal["failed", "skipped"]
    reason: str
    file: str = ""
    place: str = ""
    id: str | None = None
    record: bytes | None = None


def with_votes_left_out(raw: Mapping[str, object] | None, votes: Sequence[object]) -> Mapping[str, object]:
    """The raw fields of a message with votes on it that are none here, as their source has them."""
    before = (raw or {}).get(_LEFT_OUT, [])
    return {**(raw or {}), _LEFT_OUT: [*(before if isinstance(before, list | tuple) else [before]), *votes]}
