"""OASST message trees: the one training form that keeps branches, counts and labels.

Source: LAION-AI/Open-Assistant, ``oasst-data/oasst_data/schemas.py``. A tree has one root there: a
conversation whose first question was reworded becomes several trees. Roles are two, so that system and tool
messages are left out and what stands below them moves up.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from chatcore.filters import verdict_of
from chatcore.formats.format import WriteOptions
from chatcore.formats.paths import raw_of
from chatcore.formats.turns import is_told, named
from chatcore.messages import File, Message, MissingFile, Rating, Text
from chatcore.views import Node, Tree

__all__ = ["OASST", "OasstTrees"]

_ROLES: Mapping[str, str] = {"user": "prompter", "assistant": "assistant"}
_GIVEN_BACK: Mapping[str, tuple[type, ...]] = {
    "user_id": (str,),
    "lang": (str,),
    "review_count": (int,),
    "review_result": (bool,),
    "rank": (int,),
    "synthetic": (bool,),
    "detoxify": (dict,),
    "events": (dict,),
}
"""What OASST says of a message beyond what we hold, and of which kinds it is."""

_DEEPEST = 300
"""Nested deeper, JSON readers give up (most count 1,000 levels, of which a message takes two): such a tree is
written as lines of messages, the form that OASST's own sets have on Hugging Face."""

Line = dict[str, object]


class _Placed(Struct, frozen=True):
    """A message with the one that it stands below, and how far down, among those that are written."""

    node: Node
    parent: str | None
    root: str
    depth: int


class OasstTrees:
    """One line for a root, or one for each message where the tree is too deep for nesting."""

    name = "oasst"
    title = "OASST trees"
    suffix = ".jsonl"
    apart = False

    def write(self, tree: Tree, options: WriteOptions) -> Iterator[Line]:
        """All branches, whatever the options."""
        state = raw_of(tree.raw).get("tree_state")
        roots: dict[str, list[_Placed]] = {}
        for placed in _placed(tree.nodes):
            roots.setdefault(placed.root, []).append(placed)
        for root, below in roots.items():
            if max(placed.depth for placed in below) >= _DEEPEST:
                yield from ({**_written(placed), "message_tree_id": root} for placed in below)
            else:
                yield {
                    "message_tree_id": root,
                    "tree_state": state if isinstance(state, str) else "ready_for_export",
                    "prompt": _nested(below),
                }


def _placed(nodes: Sequence[Node]) -> Iterator[_Placed]:
    found: dict[str, _Placed] = {}
    stands_for: dict[str, str | None] = {}
    for node in nodes:
        message = node.message
        above = stands_for.get(message.parent) if message.parent is not None else None
        if message.role not in _ROLES or not is_told(message) or not _words(message):
            stands_for[message.id] = above
            continue
        stands_for[message.id] = message.id
        if above is None:
            placed = _Placed(node, None, message.id, 0)
        else:
            placed = _Placed(node, above, found[above].root, found[above].depth + 1)
        found[message.id] = placed
        yield placed


def _nested(placed: Sequence[_Placed]) -> Line:
    lines = {one.node.message.id: {**_written(one), "replies": list[Line]()} for one in placed}
    for one in placed:
        if one.parent is not None:
            replies = lines[one.parent]["replies"]
            assert isinstance(replies, list)
            replies.append(lines[one.node.message.id])
    return lines[placed[0].root]


def _written(placed: _Placed) -> Line:
    message, raw = placed.node.message, raw_of(placed.node.raw)
    line: Line = {
        "message_id": message.id,
        "parent_id": placed.parent,
        "text": _words(message),
        "role": _ROLES[message.role],
        "created_date": msgspec.to_builtins(message.created_at),
        "deleted": False,
        "synthetic": message.role == "assistant" and message.model is not None,
    }
    if message.model is not None:
        line["model_name"] = message.model
    line |= {key: raw[key] for key, kinds in _GIVEN_BACK.items() if isinstance(raw.get(key), kinds)}
    if emojis := _emojis(placed.node, raw):
        line["emojis"] = emojis
    if labels := _labels(raw.get("labels")):
        line["labels"] = labels
    return line


def _words(message: Message) -> str:
    words = [
        part.text if isinstance(part, Text) else f"[{named(part)}]"
        for part in message.parts
        if isinstance(part, Text | File | MissingFile)
    ]
    return "".join(words)


def _emojis(node: Node, raw: Mapping[str, object]) -> Mapping[str, int]:
    """The counts of the source; where those who vote here say otherwise, their votes instead."""
    counts = _counts(raw.get("emojis"))
    if _verdict(counts) == verdict_of(node):
        return counts
    ratings = [held.feedback.rating for held in node.feedback]
    votes = {"+1": ratings.count("like"), "-1": ratings.count("dislike")}
    others = {name: count for name, count in counts.items() if name not in votes}
    return others | {name: count for name, count in votes.items() if count}


def _verdict(counts: Mapping[str, int]) -> Rating | None:
    likes, dislikes = counts.get("+1", 0), counts.get("-1", 0)
    return None if likes == dislikes else "like" if likes > dislikes else "dislike"


def _counts(given: object) -> Mapping[str, int]:
    """Counts by name: ``{name: count}``, or as on Hugging Face ``{name: […], count: […]}``."""
    if isinstance(given, dict) and isinstance(given.get("name"), list):
        counts = given.get("count")
        given = dict(zip(given["name"], counts, strict=False)) if isinstance(counts, list) else {}
    if not isinstance(given, dict):
        return {}
    return {
        name: count
        for name, count in given.items()
        if isinstance(name, str) and isinstance(count, int) and not isinstance(count, bool)
    }


def _labels(given: object) -> Mapping[str, object]:
    """Values and counts by name: ``{name: {value, count}}``, or as on Hugging Face three lists."""
    if not isinstance(given, dict):
        return {}
    columns = [given.get(key) for key in ("name", "value", "count")]
    if not all(isinstance(column, list) for column in columns):
        return {name: label for name, label in given.items() if isinstance(label, dict)}
    names, values, counts = columns
    return {
        str(name): {"value": value, "count": count}
        for name, value, count in zip(names, values, counts, strict=False)  # type: ignore[arg-type]
    }


OASST = OasstTrees()
