"""The nodes of OpenAssistant's trees, as messages: labels, counts and votes."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from chatcore.formats.values import fields, ident, integer, json_text, listed, rest, time_us
from chatcore.incoming import IncomingMessage
from chatcore.messages import Feedback, Role, Text

__all__ = ["Found", "nodes_of"]

ROLES: Mapping[object, Role] = {"prompter": "user", "assistant": "assistant", "system": "system"}
KNOWN = frozenset(
    {"message_id", "parent_id", "text", "role", "replies", "created_date", "model_name"}
    | {"message_tree_id", "tree_state", "emojis", "labels"}
)
USUAL: Mapping[str, object] = {"deleted": False, "synthetic": False}

DELETED, SPAM, BELOW, TWICE = "deleted", "spam", "below a deleted or spam message", "given twice"


class Found(Struct, frozen=True):
    """The messages of a tree, parents before their replies where these are nested; and what was left out."""

    messages: list[IncomingMessage]
    skipped: Mapping[str, int]


def nodes_of(tops: Iterable[object], *, unfinished: bool) -> Found:
    """All messages at and below `tops`. Trees may be as deep as they like.

    Args:
        tops: Nodes, with their ``replies`` or without.
        unfinished: Also what is deleted or spam.
    """
    nodes: list[tuple[Mapping[str, object], str | None]] = []
    for top in tops:
        stack: list[tuple[object, str | None]] = [(top, None)]
        while stack:
            given, above = stack.pop()
            node = fields(given)
            if node:
                nodes.append((node, ident(node.get("parent_id")) or above))
                own = ident(node.get("message_id")) or above
                stack += [(reply, own) for reply in reversed(listed(node.get("replies")))]
    refused = {} if unfinished else _refused(nodes)
    skipped: dict[str, int] = {}
    messages: list[IncomingMessage] = []
    seen: dict[str, IncomingMessage] = {}
    for number, (node, above) in enumerate(nodes):
        if (reason := refused.get(number)) is None:
            message = _message(node, above)
            if message.id is None or seen.setdefault(message.id, message) is message:
                messages.append(message)
                continue
            if message != seen[message.id]:
                messages.append(message)  # two of one id: whoever stores them tells them apart
                continue
            reason = TWICE
        skipped[reason] = skipped.get(reason, 0) + 1
    return Found(messages, skipped)


def _refused(nodes: list[tuple[Mapping[str, object], str | None]]) -> Mapping[int, str]:
    """Which of the nodes are left out, and why. Their parents may come later, so it is looked twice."""
    reasons: dict[int, str] = {}
    below: dict[str, list[int]] = {}
    for number, (node, above) in enumerate(nodes):
        if node.get("deleted") is True:
            reasons[number] = DELETED
        elif node.get("review_result") is False:
            reasons[number] = SPAM
        if above is not None:
            below.setdefault(above, []).append(number)
    stack = [*reasons]
    while stack:
        own = ident(nodes[stack.pop()][0].get("message_id"))
        for number in below.pop(own, []) if own is not None else []:
            stack.append(number)
            reasons.setdefault(number, BELOW)
    return reasons


def _message(node: Mapping[str, object], above: str | None) -> IncomingMessage:
    name = node.get("role")
    role = ROLES.get(name, "system") if isinstance(name, str) else "system"
    text = node.get("text")
    words = "" if text is None else json_text(text)
    beside = rest(node, KNOWN, USUAL)
    if name not in {"prompter", "assistant"} and name is not None:
        beside["role"] = name
    if emojis := _by_name(node.get("emojis"), "count"):
        beside["emojis"] = emojis
    if labels := _by_name(node.get("labels"), None):
        beside["labels"] = labels
    model = node.get("model_name")
    return IncomingMessage(
        id=ident(node.get("message_id")),
        parent=above,
        role=role,
        parts=(Text(words),) if words else (),
        created_at_us=time_us(node.get("created_date")),
        model=model if isinstance(model, str) and model else None,
        feedback=_vote(emojis) if role == "assistant" else None,
        raw=beside or None,
    )


def _by_name(given: object, only: str | None) -> Mapping[str, object]:
    """Counts or labels by their names, as trees have them; Hugging Face's form has a list of each column.

    Args:
        given: Of either form, or nothing.
        only: The one column whose value stands for itself; None: an object of all columns.
    """
    columns = fields(given)
    names = columns.get("name")
    if not isinstance(names, list):
        return columns
    others = {key: column for key, column in columns.items() if key != "name" and isinstance(column, list)}
    found: dict[str, object] = {}
    for place, name in enumerate(names):
        cells = {key: column[place] for key, column in others.items() if place < len(column)}
        found[json_text(name)] = cells.get(only) if only is not None else cells
    return found


def _vote(emojis: Mapping[str, object]) -> Feedback | None:
    """One vote for the many on an answer: what most say; None where they are as many."""
    likes, dislikes = integer(emojis.get("+1")) or 0, integer(emojis.get("-1")) or 0
    if likes == dislikes:
        return None
    return Feedback(rating="like" if likes > dislikes else "dislike")
