"""Chats of Facebook Messenger and Instagram, from "Download your information" as JSON.

Newest message first; a long chat comes in several files, ``message_1.json`` the newest. Texts were written as
if the bytes of their UTF-8 were Latin-1 letters; this is undone. End-to-end encrypted chats come from another
tool, with other names for the same things and their texts in order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from chatcore.formats.format import Kind, ReadOptions, Record
from chatcore.formats.neighbours import Neighbours
from chatcore.formats.people.company import Chat, Company, Line, Marks, said_in
from chatcore.formats.pieces import unread
from chatcore.formats.values import fields, first_ident, ident, keys_seen, listed, rest, time_us, title_in
from chatcore.incoming import Incoming, IncomingPart, Unread
from chatcore.messages import Text

__all__ = ["FORMAT"]

MEDIA = ("photos", "videos", "audio_files", "gifs", "files", "media")
KNOWN = frozenset(
    {"sender_name", "senderName", "timestamp_ms", "timestamp", "content", "text", "sticker", *MEDIA}
)
SERVICE = frozenset({"Subscribe", "Unsubscribe"})
"""Types of messages by which the service tells who came and went."""


class Messenger:
    """The format."""

    name = "messenger"
    title = "Messenger export"
    kind: Kind = "json"
    members: str | None = r"message_\d+\.json"
    order = 320

    def recognises(self, record: Record) -> bool:
        """Whether it is a chat with participants and senders."""
        value = fields(record.value)
        if not isinstance(value.get("participants"), list) or not isinstance(value.get("messages"), list):
            return False
        first = fields(next(iter(listed(value["messages"])), None))
        return not {"sender_name", "senderName", "thread_path", "threadName"}.isdisjoint({*first, *value})

    def read(self, records: Iterable[Record], options: ReadOptions) -> Iterator[Incoming | Unread]:
        """One conversation for each chat; files that follow each other and are of the same chat are one."""
        company, neighbours = Company(options.source or self.name, options), Neighbours()
        gathered: _Gathered | None = None
        for record in records:
            value = fields(record.value)
            if not isinstance(value.get("messages"), list):
                yield unread(record, "failed", f"This is no Messenger chat but {keys_seen(record.value)}.")
                continue
            known = first_ident(value, "thread_path", "threadName")
            if gathered is None or known is None or gathered.id != known:
                if gathered is not None:
                    yield from company.take(gathered.chat())
                gathered = _Gathered(id=known, record=record, value=value, entries=[], repaired={})
            gathered.add(value, record, neighbours)
        if gathered is not None:
            yield from company.take(gathered.chat())
        yield from company.rest()


class _Gathered(Struct):
    """The files of a chat so far."""

    id: str | None
    record: Record
    value: Mapping[str, object]
    entries: list[tuple[int, Line]]
    repaired: dict[str, int]

    def add(self, value: Mapping[str, object], record: Record, neighbours: Neighbours) -> None:
        """One more file of it, older than those before."""
        latest = 0
        added: list[tuple[int, Line]] = []
        for message in reversed(listed(value.get("messages"))):
            if not isinstance(message, dict):
                self._count("an entry that is no message")
                continue
            whole = fields(_decoded(message))
            if whole != message:
                self._count("UTF-8 that was read as Latin-1")
            at_us = time_us(whole.get("timestamp_ms", whole.get("timestamp")))
            latest = latest if at_us is None else at_us
            added.append((latest, _line(whole, at_us, record, neighbours)))
        self.entries = added + self.entries

    def _count(self, what: str) -> None:
        self.repaired[what] = self.repaired.get(what, 0) + 1

    def chat(self) -> Chat:
        """The chat, in the order of time."""
        marks = Marks()
        value = fields(_decoded(rest(self.value, {"messages", "participants", "title", "threadName"})))
        lines = [
            Line(
                person=line.person,
                parts=line.parts,
                id=marks.of(line.at_us, line.person, *map(said_in, line.parts)),
                at_us=line.at_us,
                raw=line.raw,
            )
            for _, line in sorted(self.entries, key=lambda entry: entry[0])
        ]
        return Chat(
            record=self.record,
            lines=lines,
            people={line.person: [line.person] for line in lines if line.person is not None},
            id=self.id,
            title=title_in(_decoded(self.value.get("title") or self.value.get("threadName"))),
            repaired=self.repaired,
            raw={**value, "participants": _participants(self.value)},
        )


def _participants(value: Mapping[str, object]) -> Sequence[str]:
    found = (_decoded(fields(one).get("name") or one) for one in listed(value.get("participants")))
    return [name for name in found if isinstance(name, str)]


def _line(message: Mapping[str, object], at_us: int | None, record: Record, neighbours: Neighbours) -> Line:
    service = ident(message.get("type")) in SERVICE
    return Line(
        person=None if service else first_ident(message, "sender_name", "senderName") or "nobody",
        parts=tuple(_parts(message, record, neighbours)),
        at_us=at_us,
        raw=rest(message, KNOWN),
    )


def _parts(message: Mapping[str, object], record: Record, neighbours: Neighbours) -> Iterator[IncomingPart]:
    named = [item for kind in MEDIA for item in listed(message.get(kind))]
    for item in (*named, message.get("sticker")):
        if uri := ident(fields(item).get("uri")):
            yield neighbours.file(record, uri)
    if words := first_ident(message, "content", "text"):
        yield Text(words)


def _decoded(value: object, deepest: int = 32) -> object:
    """`value` with the UTF-8 in its strings read as such: what can't be, stays as it is."""
    if isinstance(value, str):
        if value.isascii():
            return value
        try:
            return value.encode("latin-1").decode()
        except UnicodeError:
            return value
    if deepest == 0:
        return value
    if isinstance(value, list):
        return [_decoded(item, deepest - 1) for item in value]
    if isinstance(value, dict):
        return {name: _decoded(item, deepest - 1) for name, item in value.items()}
    return value


FORMAT = Messenger()
