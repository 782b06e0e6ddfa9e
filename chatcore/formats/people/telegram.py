"""Telegram Desktop's JSON export: one chat (``result.json``), or all of them under ``chats.list``.

Shape: https://core.telegram.org/import-export as written by ``telegramdesktop/tdesktop``,
``Telegram/SourceFiles/export/output/export_output_json.cpp``.
"""

from collections.abc import Iterable, Iterator, Mapping

from chatcore.formats.format import Kind, ReadOptions, Record
from chatcore.formats.neighbours import Neighbours
from chatcore.formats.people.company import Chat, Company, Line
from chatcore.formats.pieces import unread
from chatcore.formats.values import fields, first_ident, ident, keys_seen, listed, rest, time_us, title_in
from chatcore.incoming import Incoming, IncomingPart, Unread
from chatcore.messages import Text

__all__ = ["FORMAT"]

CHATS = frozenset(
    {
        *("personal_chat", "bot_chat", "saved_messages", "replies", "verification_codes"),
        *("private_group", "private_supergroup", "private_channel"),
        *("public_supergroup", "public_channel"),
    }
)
KNOWN = frozenset(
    {"id", "type", "date", "date_unixtime", "from", "from_id", "actor", "actor_id", "text", "text_entities"}
    | {"photo", "file", "file_name", "mime_type", "file_size", "photo_file_size"}
)
UNTOLD = frozenset({"plain", "phone", "email", "bank_card"})
"""Kinds of text of which the words are all there is, or more than should be kept twice."""


class Telegram:
    """The format."""

    name = "telegram"
    title = "Telegram export"
    kind: Kind = "json"
    members: str | None = r"result.*\.json"
    order = 310

    def recognises(self, record: Record) -> bool:
        """Whether it is a chat or a list of chats."""
        return any(True for _ in _chats(record.value))

    def read(self, records: Iterable[Record], options: ReadOptions) -> Iterator[Incoming | Unread]:
        """One conversation for each chat."""
        company, neighbours = Company(options.source or self.name, options), Neighbours()
        for record in records:
            found = False
            for number, chat in enumerate(_chats(record.value)):
                found = True
                yield from company.take(_chat(chat, record, neighbours, number))
            if not found:
                yield unread(record, "failed", f"This is no Telegram chat but {keys_seen(record.value)}.")
        yield from company.rest()


def _chats(value: object) -> Iterator[Mapping[str, object]]:
    record = fields(value)
    if ident(record.get("type")) in CHATS and isinstance(record.get("messages"), list):
        yield record
    for group in ("chats", "left_chats"):
        for chat in listed(fields(record.get(group)).get("list")):
            if isinstance(fields(chat).get("messages"), list):
                yield fields(chat)


def _chat(chat: Mapping[str, object], record: Record, neighbours: Neighbours, number: int) -> Chat:
    people: dict[str, list[str]] = {}
    lines = [
        _line(fields(message), record, neighbours, people)
        for message in listed(chat.get("messages"))
        if isinstance(message, dict)
    ]
    known = ident(chat.get("id"))
    odd = len(listed(chat.get("messages"))) - len(lines)
    inside = "" if chat is record.value else f"chat {number + 1}"
    return Chat(
        record=Record(
            value=None,
            body=record.body if chat is record.value else b"",
            file=record.file,
            place=" ".join(filter(None, (record.place, inside))),
        ),
        lines=lines,
        people=people,
        id=known,
        title=title_in(chat.get("name")),
        assistant=f"user{known}" if chat.get("type") == "bot_chat" and f"user{known}" in people else None,
        repaired={"an entry that is no message": odd} if odd else {},
        raw=rest(chat, {"id", "name", "messages"}),
    )


def _line(
    message: Mapping[str, object], record: Record, neighbours: Neighbours, people: dict[str, list[str]]
) -> Line:
    at_us = time_us(message.get("date_unixtime"))
    raw = rest(message, KNOWN)
    if formatted := [item for item in listed(message.get("text")) if _is_formatted(item)]:
        raw["text_entities"] = formatted
    service = message.get("type") == "service"
    person = None if service else first_ident(message, "from_id", "from") or "nobody"
    if person is not None:
        people.setdefault(person, [ident(message.get("from")) or "Deleted account"])
    return Line(
        person=person,
        parts=_told(message) if service else tuple(_parts(message, record, neighbours)),
        id=ident(message.get("id")),
        at_us=at_us if at_us is not None else time_us(message.get("date")),
        raw=raw,
    )


def _is_formatted(item: object) -> bool:
    return isinstance(item, dict) and ident(item.get("type")) not in UNTOLD


def _told(message: Mapping[str, object]) -> tuple[IncomingPart, ...]:
    """What the service says: who did what."""
    who = ident(message.get("actor"))
    words = (who, (ident(message.get("action")) or "").replace("_", " "), _words(message.get("text")))
    return (Text(" ".join(filter(None, words))),)


def _parts(message: Mapping[str, object], record: Record, neighbours: Neighbours) -> Iterator[IncomingPart]:
    if photo := ident(message.get("photo")):
        yield _file(photo, None, {**message, "file_size": message.get("photo_file_size")}, record, neighbours)
    if file := ident(message.get("file")):
        yield _file(file, ident(message.get("file_name")), message, record, neighbours)
    words = _words(message.get("text")) or _poll(fields(message.get("poll")))
    if words:
        yield Text(words)


def _file(
    path: str, name: str | None, message: Mapping[str, object], record: Record, neighbours: Neighbours
) -> IncomingPart:
    if path.startswith("("):  # "(File not included. Change data exporting settings to download.)"
        name = name or ident(message.get("media_type")) or "file"
    return neighbours.file(
        record, path, name=name, media_type=message.get("mime_type"), size=message.get("file_size")
    )


def _words(text: object) -> str:
    """The words of a text: a string, or a list of strings and of objects that say how theirs is shown."""
    if isinstance(text, str):
        return text
    pieces = [item if isinstance(item, str) else fields(item).get("text") for item in listed(text)]
    return "".join(piece for piece in pieces if isinstance(piece, str))


def _poll(poll: Mapping[str, object]) -> str:
    answers = (fields(answer).get("text") for answer in listed(poll.get("answers")))
    lines = [_words(poll.get("question")), *(f"- {answer}" for answer in answers if isinstance(answer, str))]
    return "\n".join(filter(None, lines))


FORMAT = Telegram()
