"""ChatGPT conversations, those of the export and those of its app alike.

Shapes and odd cases: convoviz, ``docs/dev/chatgpt-spec.md``; danny-avila/LibreChat, #9491 and #15229;
basicmachines-co/basic-memory, #451 and #1276.
"""

from collections.abc import Iterable, Iterator

from chatcore.formats.chatgpt.export import Export, export_of
from chatcore.formats.chatgpt.nodes import Nodes
from chatcore.formats.chatgpt.telling import Place, message_of
from chatcore.formats.chatgpt.votes import FILE, Votes
from chatcore.formats.format import Kind, ReadFormat, ReadOptions, Record
from chatcore.formats.pieces import newest_leaf, span_us, unread
from chatcore.formats.values import fields, first_ident, ident, keys_seen, rest, time_us, title_in
from chatcore.incoming import Incoming, Unread

__all__ = ["FORMAT"]

_KNOWN_CONVERSATION = frozenset(
    {"conversation_id", "create_time", "current_node", "id", "is_archived", "mapping", "title"}
    | {"update_time", "pinned_time"}
)
_TELLING = ("conversation_id", "current_node", "create_time", "update_time", "title", "id")


class ChatGptExport:
    """Reads the export's ZIP with votes and files, and conversations without any of these."""

    name = "chatgpt"
    title = "ChatGPT export"
    kind: Kind = "json"
    members: str | None = r"conversations(-\d+)?\.json"
    order = 100

    def recognises(self, record: Record) -> bool:
        """Whether it is an object with `mapping`, a tree of nodes."""
        value = fields(record.value)
        if "mapping" not in value:
            return False
        mapping = value["mapping"]
        if not mapping:
            return any(name in value for name in _TELLING[:3])
        first = next(iter(mapping.values()), None) if isinstance(mapping, dict) else None
        return isinstance(first, dict) and not first.keys().isdisjoint({"message", "parent", "children"})

    def read(self, records: Iterable[Record], options: ReadOptions) -> Iterator[Incoming | Unread]:
        """The conversations, each with the votes and files that its export has."""
        source = options.source or self.name
        export: Export | None = None
        votes, last = Votes(None), None
        for record in records:
            if last is None or not _same_export(export, last, record):
                yield from _left_over(votes, last)
                export = export_of(record)
                votes = Votes(export)
                if votes.unreadable is not None:
                    yield Unread(kind="failed", reason=votes.unreadable, file=record.file, place=FILE)
            last = record
            yield _conversation(record, source, export, votes)
        yield from _left_over(votes, last)


def _same_export(export: Export | None, last: Record, record: Record) -> bool:
    if export is not None:
        return export.is_of(record)
    return (last.archive, last.folder) == (record.archive, record.folder)


def _left_over(votes: Votes, last: Record | None) -> Iterator[Unread]:
    if last is not None and len(votes):
        reason = f"{FILE}: votes on messages that were not read: {len(votes)}."
        yield Unread(kind="skipped", reason=reason, file=last.file, place=FILE)


def _conversation(record: Record, source: str, export: Export | None, votes: Votes) -> Incoming | Unread:
    value = fields(record.value)
    conversation_id = first_ident(value, "conversation_id", "id")
    mapping = value.get("mapping")
    if mapping is None and any(name in value for name in _TELLING):
        return unread(record, "skipped", "This entry has no messages (no mapping).", conversation_id)
    if not isinstance(mapping, dict):
        reason = f"This is {keys_seen(record.value)}, no ChatGPT conversation."
        if mapping is not None:
            reason = f"The mapping is {keys_seen(mapping)}, no tree of messages."
        return unread(record, "failed", reason, conversation_id)
    nodes = Nodes(mapping)
    if not nodes.messages:
        return unread(record, "skipped", "This conversation has no messages.", conversation_id)
    place = Place(
        nodes=nodes,
        export=export,
        votes=votes,
        conversation=conversation_id,
        default_model=ident(value.get("default_model_slug")),
    )
    messages = [message_of(node_id, message, place) for node_id, message in nodes.messages.items()]
    created_us, updated_us = span_us(
        messages, time_us(value.get("create_time")), time_us(value.get("update_time"))
    )
    head = nodes.at(ident(value.get("current_node")))
    return Incoming(
        source=source,
        id=conversation_id,
        title=title_in(value.get("title")),
        messages=messages,
        head=head or newest_leaf(messages),
        created_at_us=created_us,
        updated_at_us=updated_us,
        pinned=bool(value.get("pinned_time")) or value.get("is_starred") is True,
        archived=value.get("is_archived") is True,
        repaired={"a parent that only its list of children names": nodes.repaired} if nodes.repaired else {},
        file=record.file,
        place=record.place,
        raw=rest(value, _KNOWN_CONVERSATION, {"is_starred": True}) or None,
    )


FORMAT: ReadFormat = ChatGptExport()
