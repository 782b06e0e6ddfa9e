"""OpenAssistant's conversations: trees, roots with their replies, threads, and single messages in any order.

Lines are told apart by their keys: ``message_tree_id`` and ``prompt`` (a tree), ``thread_id`` and ``thread``,
``message_id`` with ``replies`` (a root message), ``message_id`` (a message by itself, as on Hugging Face).
Source: LAION-AI/Open-Assistant, ``oasst-data/README.md`` and ``oasst_data/schemas.py``.

Only trees that are ``ready_for_export`` are taken, and of them no message that is deleted or spam
(`review_result` false), nor what stands below one, as in OpenAssistant's own exports; all with `unfinished`.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from chatcore.formats.datasets.oasst_nodes import Found, nodes_of
from chatcore.formats.format import Kind, ReadOptions, Record
from chatcore.formats.pieces import unread
from chatcore.formats.spool import grouped
from chatcore.formats.values import fields, first_ident, ident, keys_seen, rest
from chatcore.incoming import Incoming, IncomingMessage, Unread

__all__ = ["OASST"]

READY = "ready_for_export"
TREE_KNOWN = frozenset({"message_tree_id", "thread_id", "prompt", "thread"})
IDS = ("thread_id", "message_tree_id", "message_id")


class OasstFormat:
    """The `ReadFormat`."""

    name = "oasst"
    title = "OpenAssistant trees"
    kind: Kind = "json"
    members: str | None = None
    order = 200

    def recognises(self, record: Record) -> bool:
        """Whether it is a line of one of the four kinds."""
        return isinstance(record.value, dict) and _is_oasst(record.value)

    def read(self, records: Iterable[Record], options: ReadOptions) -> Iterator[Incoming | Unread]:
        """The conversations. Those of single messages come last: their other messages may be anywhere."""
        make = _Maker(options)
        waiting = iter(records)
        for record in waiting:
            if _is_single(record.value):
                # from here on all go through the spool, so that nothing piles up in memory
                for key, group in grouped(chain([record], waiting), _key):
                    yield from map(make.conversation, [group] if key else _trees(group))
                return
            yield make.conversation([record])


def _is_oasst(value: Mapping[str, object]) -> bool:
    if "message_tree_id" in value:
        return "prompt" in value or "message_id" in value
    return ("thread_id" in value and "thread" in value) or value.keys() >= {"message_id", "role", "text"}


def _is_single(value: object) -> bool:
    """Whether it is a message whose conversation has other lines."""
    if not isinstance(value, dict) or "message_id" not in value or "prompt" in value:
        return False
    return ident(value.get("message_tree_id")) is not None or "replies" not in value


def _key(record: Record) -> str:
    """Records of one key are one conversation.

    Single messages that do not name their tree (no set that is known has such) are all held together, and
    their trees are told apart by parents.
    """
    if not _is_single(record.value):
        return f"{record.file}\n{record.place}"
    return ident(fields(record.value).get("message_tree_id")) or ""


def _trees(group: Sequence[Record]) -> Iterator[list[Record]]:
    """The messages of each tree, where only their parents tell, its root first."""
    parents = {_name(record, "message_id"): _name(record, "parent_id") for record in group}
    roots: dict[str, str] = {}
    trees: dict[str, list[Record]] = {}
    for record in group:
        own = top = _name(record, "message_id")
        way = {own}
        while top not in roots and (above := parents[top]) in parents and above not in way:
            way.add(above)
            top = above
        root = roots.get(top, top)
        roots.update(dict.fromkeys(way, root))
        tree = trees.setdefault(root, [])
        tree.insert(0 if own == root else len(tree), record)
    yield from trees.values()


def _name(record: Record, key: str) -> str:
    return ident(fields(record.value).get(key)) or ""


class _Maker:
    """Makes conversations."""

    def __init__(self, options: ReadOptions) -> None:
        self._source = options.source or OASST.name
        self._unfinished = options.unfinished

    def conversation(self, group: Sequence[Record]) -> Incoming | Unread:
        """What is made of records that belong together."""
        first = group[0]
        value = first.value
        if not isinstance(value, dict) or not _is_oasst(value):
            return unread(first, "failed", f"This is no record of OpenAssistant: it is {keys_seen(value)}.")
        known = first_ident(value, *IDS)
        state = next((given for one in group if (given := fields(one.value).get("tree_state"))), None)
        if not self._unfinished and state is not None and state != READY:
            return self._skipped(group, f"Its tree is “{state}”, not “{READY}”.", known)
        found = nodes_of(_tops(group), unfinished=self._unfinished)
        if not found.messages:
            what = "; ".join(f"{count} {reason}" for reason, count in found.skipped.items())
            return self._skipped(group, f"It has no messages{f' but {what}' if what else ''}.", known)
        single = _is_single(value)
        beside = {"tree_state": state} if state is not None else {}
        if "message_id" not in value:
            beside |= rest(value, TREE_KNOWN | {"tree_state"})
        return Incoming(
            source=self._source,
            id=known,
            messages=found.messages,
            head=None if "thread" in value else _best_end(found),
            skipped=found.skipped,
            file=first.file,
            place=first.place if not single or len(group) == 1 else f"{first.place} and others",
            raw=beside or None,
        )

    def _skipped(self, group: Sequence[Record], reason: str, known: str | None) -> Unread:
        whole = Record(
            value=None,
            body=b"\n".join(record.body for record in group),
            file=group[0].file,
            place=group[0].place,
        )
        return unread(whole, "skipped", reason, known)


def _tops(group: Sequence[Record]) -> Iterator[object]:
    """The nodes from which all others can be reached."""
    for record in group:
        value = fields(record.value)
        if "thread" in value:
            thread = value["thread"]
            yield from thread if isinstance(thread, list) else [thread]
        else:
            yield value.get("prompt", value)


def _best_end(found: Found) -> str | None:
    """Where the path ends that goes from the first root by the best answers: lowest rank, then oldest."""
    below: dict[str | None, list[IncomingMessage]] = {}
    ids = {message.id for message in found.messages}
    for message in found.messages:
        below.setdefault(message.parent if message.parent in ids else None, []).append(message)
    end: str | None = None
    for _ in found.messages:
        if not (siblings := below.get(end)):
            break
        end = min(siblings, key=_place).id
    return end


def _place(message: IncomingMessage) -> tuple[float, float]:
    """How early a message comes among its siblings: by rank, then by time (lines have no order)."""
    rank, moment = (message.raw or {}).get("rank"), message.created_at_us
    return rank if isinstance(rank, int | float) else math.inf, math.inf if moment is None else moment


OASST = OasstFormat()
