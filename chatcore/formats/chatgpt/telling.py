"""Messages of ChatGPT: who says it, whether people see it, how it ended, and the vote on it."""

from collections.abc import Mapping

from msgspec import Struct

from chatcore.formats.chatgpt.contents import CONTEXTS, Saying, said
from chatcore.formats.chatgpt.export import Export
from chatcore.formats.chatgpt.nodes import Nodes
from chatcore.formats.chatgpt.votes import Votes
from chatcore.formats.pieces import role_of
from chatcore.formats.values import fields, ident, listed, rest, time_us
from chatcore.incoming import IncomingMessage
from chatcore.messages import Role, Status

__all__ = ["Place", "message_of"]

ENDINGS: Mapping[str, tuple[Status, str | None]] = {
    "in_progress": ("interrupted", "It was still being written when it was exported."),
    "finished_partial_completion": ("stopped", None),
    "interrupted": ("stopped", None),
    "max_tokens": ("stopped", "The limit of tokens was reached."),
}
"""By `status`, else by the type of `metadata.finish_details`: which answers are not whole."""

_KNOWN = frozenset({"author", "content", "create_time", "id", "metadata"})
_USUAL: Mapping[str, object] = {"status": "finished_successfully", "recipient": "all", "weight": 1}
_KNOWN_METADATA = frozenset({"attachments", "is_visually_hidden_from_conversation", "model_slug"})


class Place(Struct, frozen=True, kw_only=True):
    """Where a message stands: its tree, its export, and what its conversation says of all messages."""

    nodes: Nodes
    export: Export | None
    votes: Votes
    conversation: str | None
    default_model: str | None


def message_of(node_id: str, message: Mapping[str, object], place: Place) -> IncomingMessage:
    """The message of a node. Its id is that of the node, since the tree is one of nodes."""
    author = fields(message.get("author"))
    metadata = fields(message.get("metadata"))
    content = message.get("content")
    in_nobodys_name = ident(fields(content).get("content_type")) in CONTEXTS
    known_role = role_of(author.get("role"))
    role: Role = "system" if in_nobodys_name else known_role or "system"
    recipient = ident(message.get("recipient"))
    saying = Saying(
        call_id=node_id,
        tool=recipient if role == "assistant" and recipient != "all" else None,
        by_tool=role == "tool",
        attachments=[found for item in listed(metadata.get("attachments")) if (found := fields(item))],
        export=place.export,
    )
    if saying.tool is None:
        saying.call_id = place.nodes.call_above(node_id) or node_id
    parts = said(content, saying)
    raw = rest(message, _KNOWN, _USUAL)
    if author_left := rest(author, frozenset() if role != known_role else frozenset({"role"})):
        raw["author"] = author_left
    metadata_left = rest(metadata, _KNOWN_METADATA)
    if saying.left_attachments:
        metadata_left["attachments"] = saying.left_attachments
    if metadata_left:
        raw["metadata"] = metadata_left
    if saying.left:
        raw["content"] = saying.left
    if (message_id := ident(message.get("id"))) not in {None, node_id}:
        raw["id"] = message_id
    feedback = None
    if (vote := place.votes.take(place.conversation, message_id, node_id)) is not None:
        feedback, vote_left = vote
        if vote_left:
            raw["message_feedback"] = vote_left
    status, reason = _ending(message, metadata) if role == "assistant" else ("complete", None)
    return IncomingMessage(
        role=role,
        parts=parts,
        id=node_id,
        parent=place.nodes.parent_of(node_id),
        created_at_us=time_us(message.get("create_time")),
        model=(ident(metadata.get("model_slug")) or place.default_model) if role == "assistant" else None,
        status=status,
        reason=reason,
        hidden=in_nobodys_name
        or metadata.get("is_visually_hidden_from_conversation") is True
        or (role == "system" and known_role == "system" and message.get("weight") == 0),
        feedback=feedback,
        raw=raw or None,
    )


def _ending(message: Mapping[str, object], metadata: Mapping[str, object]) -> tuple[Status, str | None]:
    for ending in (message.get("status"), fields(metadata.get("finish_details")).get("type")):
        if isinstance(ending, str) and ending in ENDINGS:
            return ENDINGS[ending]
    return "complete", None
