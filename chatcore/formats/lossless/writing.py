"""A tree as a line of our own format."""

from collections.abc import Mapping, Sequence
from typing import get_args

from msgspec.structs import replace

from chatcore.formats.format import WriteOptions
from chatcore.formats.identity import Elsewhere, Vote, separated
from chatcore.formats.lossless.lines import (
    NO_SETTINGS,
    VERSION,
    ConversationLine,
    FilePart,
    MessageEntry,
    PartEntry,
)
from chatcore.formats.naming import copied_file
from chatcore.messages import File, Part, Settings, Status
from chatcore.views import MessageFeedback, Node, Tree

__all__ = ["line_of"]

_STATUSES: Mapping[Status, Status] = {status: status for status in get_args(Status)}
"""By themselves: msgspec leaves a default out only where it is the very same object."""

_Separated = tuple[Mapping[str, object], Elsewhere | None]


def line_of(tree: Tree, options: WriteOptions) -> ConversationLine:
    """All of the conversation; ids are those of where it was made."""
    conversation = tree.conversation
    raws = [separated(node.raw) for node in tree.nodes]
    ids = _ids(tree.nodes, raws)
    raw, elsewhere = separated(tree.raw)
    return ConversationLine(
        chatcore=VERSION,
        id=elsewhere.id if elsewhere is not None else conversation.id,
        owner=conversation.owner,
        title=conversation.title,
        head=_known(ids, conversation.head),
        pinned=conversation.pinned,
        archived=conversation.archived,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
        settings=_settings(conversation.settings, elsewhere),
        raw=raw or None,
        messages=tuple(_entry(node, ids, said, options) for node, said in zip(tree.nodes, raws, strict=True)),
    )


def _settings(settings: Settings, elsewhere: Elsewhere | None) -> Settings:
    """With what answered where it was made: who takes a conversation in may not have that one."""
    if settings.responder is None and elsewhere is not None:
        settings = replace(settings, responder=elsewhere.responder)
    return NO_SETTINGS if settings == NO_SETTINGS else settings  # msgspec knows defaults by identity


def _ids(nodes: Sequence[Node], raws: Sequence[_Separated]) -> dict[str, str]:
    """Each message's id where it was made, by its id here."""
    ids: dict[str, str] = {}
    taken: set[str] = set()
    for node, (_, elsewhere) in zip(nodes, raws, strict=True):
        made = elsewhere.id if elsewhere is not None and elsewhere.id not in taken else node.message.id
        ids[node.message.id] = made
        taken.add(made)
    return ids


def _known(ids: Mapping[str, str], message_id: str | None) -> str | None:
    return None if message_id is None else ids.get(message_id)


def _entry(node: Node, ids: Mapping[str, str], said: _Separated, options: WriteOptions) -> MessageEntry:
    message = node.message
    raw, elsewhere = said
    before = elsewhere or Elsewhere(id=message.id)
    return MessageEntry(
        id=ids[message.id],
        parent=_known(ids, message.parent),
        role=message.role,
        status=_STATUSES[message.status],
        parts=tuple(_part(part, options) for part in message.parts),
        created_at=message.created_at,
        reason=message.reason,
        reason_code=message.reason_code or before.reason_code,
        continues=_known(ids, message.continues) or before.continues,
        responder=message.responder or before.responder,
        model=message.model,
        usage=message.usage,
        memory_from=_known(ids, message.memory_from) or before.memory_from,
        started_at=message.started_at or before.started_at,
        ended_at=message.ended_at or before.ended_at,
        first_token_seconds=message.first_token_seconds or before.first_token_seconds,
        hidden=message.hidden,
        votes=_votes(node.feedback, before.votes),
        raw=raw or None,
    )


def _part(part: Part, options: WriteOptions) -> PartEntry:
    if not isinstance(part, File):
        return part
    at = None if options.files is None else f"{options.files}/{copied_file(part.attachment)}"
    return FilePart.of(part.attachment, at)


def _votes(here: Sequence[MessageFeedback], elsewhere: Sequence[Vote]) -> tuple[Vote, ...]:
    """What was voted here counts for more than what the same user had voted elsewhere."""
    votes = {vote.user: vote for vote in elsewhere}
    for held in here:
        given = held.feedback
        votes[held.user] = Vote(
            user=held.user, rating=given.rating, comment=given.comment, reasons=given.reasons
        )
    return tuple(votes[user] for user in sorted(votes))
