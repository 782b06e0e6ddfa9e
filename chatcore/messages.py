"""What a conversation is made of: frozen values, the same in memory, on disk and on the wire.

Stored tags and field names are part of the data format: they are written out here and never derived
from a Python name. All times are aware UTC; all texts are Unicode without lone surrogates or NUL.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

__all__ = [
    "ENDINGS",
    "Attachment",
    "Conversation",
    "Feedback",
    "File",
    "Message",
    "MissingFile",
    "Part",
    "Policy",
    "Rating",
    "Reasoning",
    "Role",
    "Settings",
    "Status",
    "Text",
    "ToolCall",
    "ToolResult",
    "Usage",
    "clean_text",
    "first_words",
    "text_of",
]


Role = Literal["system", "user", "assistant", "tool"]
Status = Literal["queued", "running", "complete", "stopped", "failed", "interrupted"]
Rating = Literal["like", "dislike"]
Policy = Literal["reject", "queue", "interrupt"]
"""What a question does that comes while an answer runs."""

ENDINGS: frozenset[Status] = frozenset({"complete", "stopped", "failed", "interrupted"})
"""The statuses after which a message never changes."""


class Attachment(Struct, frozen=True, kw_only=True):
    """A stored file.

    Attributes:
        name: The name its sender gave it: data only, never a path.
        media_type: From the content, such as ``image/png``.
        size_bytes: Length of the content.
        sha256: 64 lowercase hexadecimal digits: what the file is stored under.
        path: Relative to the data directory, with ``/``.
    """

    name: str
    media_type: str
    size_bytes: int
    sha256: str
    path: str


class Text(Struct, frozen=True, tag_field="type", tag="text"):
    """Words that are shown."""

    text: str


class Reasoning(Struct, frozen=True, tag_field="type", tag="reasoning"):
    """Words that a model thought before it answered."""

    text: str


class ToolCall(Struct, frozen=True, tag_field="type", tag="tool_call"):
    """A tool that the model asked for; `arguments` is JSON text as the model wrote it."""

    call_id: str
    name: str
    arguments: str = "{}"


class ToolResult(Struct, frozen=True, tag_field="type", tag="tool_result"):
    """What the tool of `call_id` gave back."""

    call_id: str
    output: str
    is_error: bool = False


class File(Struct, frozen=True, tag_field="type", tag="file"):
    """An attachment in its place among the parts."""

    attachment: Attachment


class MissingFile(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="missing_file"
):
    """A file that an imported message names and whose content did not come with it.

    Attributes:
        pointer: How its source refers to it; never followed.
    """

    name: str
    media_type: str | None = None
    size_bytes: int | None = None
    pointer: str | None = None


Part = Text | Reasoning | ToolCall | ToolResult | File | MissingFile


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens that the model counted for one answer; None where it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Settings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a conversation asks its answers to be made with.

    Attributes:
        responder: Name of the responder; None means the engine's default.
        system_prompt: Put before the history; None means none.
        parameters: Passed to the responder as they are (``temperature``, ``max_tokens``, ``stop``, …).
    """

    responder: str | None = None
    system_prompt: str | None = None
    parameters: Mapping[str, str | int | float | bool | None | Sequence[str]] = {}


class Conversation(Struct, frozen=True, kw_only=True):
    """A tree of messages with one head.

    Attributes:
        title: None until one is given or made.
        head: Id of the leaf of the path that is shown; None while there is no message.
        running: Whether an answer is queued or running.
        deleted: Marked as deleted: gone from every view, until undone or purged.
        created_at: When it was made.
        updated_at: When its newest message was stored.
        seq: The change of this conversation that made it what it is here.
        list_seq: The same in the list of its owner.
        activity: Place in the owner's list: the higher, the newer (ties go by id). Microseconds since 1970 of
            the newest message, pushed up where the clock stepped back; of an import, the source's own time.
    """

    id: str
    owner: str
    title: str | None
    head: str | None
    settings: Settings
    pinned: bool
    archived: bool
    deleted: bool
    running: bool
    created_at: datetime
    updated_at: datetime
    seq: int
    list_seq: int
    activity: int


class Message(Struct, frozen=True, kw_only=True):
    """One node of the tree. An assistant message is written by one run; after its ending it never changes.

    One that was ingested is replaced, in its place, by a newer version of it.

    Attributes:
        parent: Id of the message it answers or follows; None at the root.
        depth: Number of messages above it.
        status: Of user and system messages always ``complete``.
        parts: Empty while queued or running (the text comes in events) and where nothing was said.
        reason: Why it did not end ``complete``: a sentence for people.
        reason_code: The same as a stable word (``timeout``, ``responder_error``, …).
        continues: Id of the sibling of which this one is the continuation.
        responder: Name of what answered.
        model: The model's own name, where it has one.
        usage: Tokens, where the model counted them.
        memory_from: Id of the oldest message that the model was given; None means from the root.
        created_at: When it was stored.
        started_at: When its run began; None for messages that no run wrote.
        ended_at: When its run ended.
        first_token_seconds: From its run's begin until the responder first said something; None: it did not,
            or its process went down.
        hidden: Imported, and not shown to people by its source: not shown, not searched, not sent to a model.
        seq: The change of the conversation that made it what it is here.
    """

    id: str
    conversation_id: str
    parent: str | None
    depth: int
    role: Role
    status: Status
    parts: tuple[Part, ...]
    created_at: datetime
    seq: int
    reason: str | None = None
    reason_code: str | None = None
    continues: str | None = None
    responder: str | None = None
    model: str | None = None
    usage: Usage | None = None
    memory_from: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    first_token_seconds: float | None = None
    hidden: bool = False


class Feedback(Struct, frozen=True, kw_only=True):
    """What a user thinks of a message; a vote taken back is no Feedback at all (None)."""

    rating: Rating
    comment: str | None = None
    reasons: tuple[str, ...] = ()


def text_of(parts: Sequence[Part]) -> str:
    """The shown words of `parts`, one after the other."""
    return "".join(part.text for part in parts if isinstance(part, Text))


def first_words(text: str, max_chars: int = 60) -> str:
    """The first words of `text` on one line, cut at a word; empty where there are none."""
    line = " ".join(text[: max(max_chars, 60) * 20].split())
    if len(line) <= max_chars:
        return line
    cut = line[: max(max_chars - 1, 0)]
    whole_words = cut.rsplit(" ", 1)[0] if " " in cut else cut
    return f"{whole_words.rstrip(' ,.;:-')}…"[:max_chars]


def clean_text(text: str) -> str:
    """`text` with what no store can hold made harmless.

    Halves of a surrogate pair (JavaScript may split one) are joined; a half that stays alone, and NUL,
    become U+FFFD.
    """
    if "\0" in text:
        text = text.replace("\0", "�")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
