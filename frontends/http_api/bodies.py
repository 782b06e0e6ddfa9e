"""What requests and answers hold, beside what the engine itself gives: one Struct each."""

from typing import Annotated, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chatcore.arrivals import IngestConversation
from chatcore.filters import ExportFilter
from chatcore.limits import Limits
from chatcore.messages import Attachment, Conversation, Feedback, Policy, Rating, Role, Settings

__all__ = [
    "WITH_TEXT",
    "Answer",
    "Backup",
    "Change",
    "Collect",
    "Collected",
    "Create",
    "Done",
    "Edit",
    "Health",
    "IngestBatch",
    "ListPage",
    "Move",
    "Post",
    "Problems",
    "PurgeOlder",
    "Rate",
    "Rated",
    "Reindex",
    "ResponderInfo",
    "Send",
    "Stored",
    "WantedTrees",
    "from_fields",
]

T = TypeVar("T")

_LONGEST_AGO_SECONDS = 36_500 * 86_400.0
"""A hundred years: what is longer ago may be no date at all."""

_Ago = Annotated[float, Meta(ge=0, le=_LONGEST_AGO_SECONDS)]


class _In(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body that a request brings: a misspelt field is an error, not a default."""


class Create(_In, frozen=True, kw_only=True):
    """POST /conversations."""

    title: str | None = None
    settings: Settings = Settings()


class Change(_In, frozen=True, kw_only=True):
    """PATCH /conversations/{id}: what is given is changed, all of it or nothing."""

    title: str | None | UnsetType = UNSET
    settings: Settings | UnsetType = UNSET
    pinned: bool | UnsetType = UNSET
    archived: bool | UnsetType = UNSET


class Move(_In, frozen=True, kw_only=True):
    """POST /conversations/{id}/head."""

    message_id: str
    expected_head: str | None | UnsetType = UNSET


class Send(_In, frozen=True, kw_only=True):
    """POST /conversations/{id}/messages."""

    text: str
    parent: str | None | UnsetType = UNSET
    expected_head: str | None | UnsetType = UNSET
    policy: Policy = "reject"


class Post(_In, frozen=True, kw_only=True):
    """POST /conversations/{id}/posts."""

    text: str
    role: Role = "user"
    parent: str | None | UnsetType = UNSET
    expected_head: str | None | UnsetType = UNSET


class Edit(_In, frozen=True, kw_only=True):
    """POST /messages/{id}/edit; files that come along replace those of the old wording."""

    text: str
    keep_files: bool = True
    policy: Policy = "reject"


class Answer(_In, frozen=True, kw_only=True):
    """POST /messages/{id}/regenerate and /continue; may be left out."""

    policy: Policy = "reject"


class Rate(_In, frozen=True, kw_only=True):
    """PUT /messages/{id}/feedback; `rating` null takes the vote back."""

    rating: Rating | None
    comment: str | None = None
    reasons: tuple[str, ...] = ()


class Rated(Struct, frozen=True):
    """The feedback as it is now; None: there is none."""

    feedback: Feedback | None


class Backup(_In, frozen=True, kw_only=True):
    """POST /owner/backup; `path` is absolute, a folder that is not there yet."""

    path: str


class PurgeOlder(_In, frozen=True, kw_only=True):
    """POST /owner/purge."""

    older_than_seconds: _Ago = 0.0
    max_rows: Annotated[int, Meta(ge=1, le=100_000)] = 500


class Collect(_In, frozen=True, kw_only=True):
    """POST /owner/collect."""

    untouched_seconds: _Ago = 86400.0


class Reindex(_In, frozen=True, kw_only=True):
    """POST /owner/reindex."""

    max_messages: Annotated[int, Meta(ge=1, le=100_000)] = 500
    anew: bool = False


class WantedTrees(_In, frozen=True, kw_only=True):
    """POST /owner/trees; `after` is the `next` of the batch before."""

    conversation_ids: tuple[str, ...] | None = None
    only: ExportFilter = ExportFilter()
    after: str | None = None


class IngestBatch(_In, frozen=True, kw_only=True):
    """POST /owner/ingest; in MessagePack, since it has bytes."""

    conversations: tuple[IngestConversation, ...]
    index: bool = True
    dry_run: bool = False


WITH_TEXT: frozenset[type[object]] = frozenset({Create, Change, Send, Post, Edit})
"""The bodies that may be as long as a text may be."""


class ResponderInfo(Struct, frozen=True, kw_only=True):
    """One of those that can answer."""

    name: str
    model: str | None
    context_tokens: int | None
    can_continue: bool


class Health(Struct, frozen=True, kw_only=True):
    """GET /health."""

    title: str
    model: str | None
    owner: str
    epoch: str
    responders: tuple[ResponderInfo, ...]
    default_responder: str | None
    limits: Limits


class ListPage(Struct, frozen=True, kw_only=True):
    """GET /conversations: `ConversationPage` with the `cursor` at which it is true, and whose it is."""

    user: str
    conversations: tuple[Conversation, ...]
    next: str | None
    list_seq: int
    first_words: dict[str, str]
    cursor: str


class Problems(Struct, frozen=True):
    """POST /owner/check: sentences about what is damaged."""

    problems: list[str]


class Collected(Struct, frozen=True):
    """POST /owner/collect: how many files were removed."""

    files: int


class Stored(Struct, frozen=True):
    """GET /owner/files/{id}/{index}: a file, and where its content can be read."""

    attachment: Attachment
    path: str


class Done(Struct, frozen=True):
    """Where there is nothing else to say."""

    done: bool = True


_NULLABLE = frozenset({"parent", "expected_head"})


def from_fields(fields: dict[str, str], type_: type[T]) -> T:
    """A body from the fields of a form: of the same names; an empty parent or head is null.

    Raises:
        msgspec.ValidationError: A field is unknown, missing or of the wrong kind.
    """
    values = {name: None if name in _NULLABLE and not text else text for name, text in fields.items()}
    return msgspec.convert(values, type_, strict=False)
