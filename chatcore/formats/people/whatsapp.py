"""WhatsApp's "Export chat": a text file, perhaps in a ZIP with the media beside it.

There is no specification. The lines begin as the telephone writes dates, ``[8/15/23, 9:12:33 AM] Name:
text`` on an iPhone, ``15.08.23, 21:12 - Name: text`` on Android, with the digits, separators and words of
its language. Which number is the day, the month and the year is decided for the whole file. Times have no
zone and are taken for UTC. What WhatsApp writes itself is marked with U+200E or has no name before it.
"""

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import PurePosixPath

from msgspec import Struct

from chatcore.formats.format import Kind, ReadOptions, Record
from chatcore.formats.neighbours import Neighbours
from chatcore.formats.people.company import Chat, Company, Line, Marks
from chatcore.formats.people.dates import Moment, dated
from chatcore.formats.pieces import unread
from chatcore.incoming import Incoming, IncomingFile, IncomingPart, Unread
from chatcore.messages import Text

__all__ = ["FORMAT"]

MARK = "\u200e"
INVISIBLE = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
SPACES = dict.fromkeys(map(ord, "\u00a0\u202f"), " ")
TURNS = dict.fromkeys(map(ord, INVISIBLE[1:]))
"""Marks that turn the direction of writing stand between numbers; U+200E is kept, it has a meaning here."""
HEAD_CHARS = 48
NUMBERS = ("a", "b", "c", "hour", "minute", "second")
HEAD = re.compile(
    r"(?P<open>\[)?"
    r"(?P<a>\d{1,4})\s?[./\-]\s?(?P<b>\d{1,2})\s?[./\-]\s?(?P<c>\d{1,4})\.?"
    r"(?:[,،]\s?|\s)(?P<before>[^\W\d_][^\d\[\]:]{0,9}?)?\s?"
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?"
    r"(?:\s?(?P<half>[^\W\d_]{1,4}\.?(?:\s?[^\W\d_]\.?)?))?"
    r"(?:(?(open)\]\s?|\s?[\-–—]\s))"
)
NAME = re.compile(r"(?P<name>[^:\n\"“”«»]{1,80}):(?: |$)")
OMITTED = re.compile(
    r"(?P<name>[^•]*?)(?: ?•[^•]*)?"
    r"(?P<what>(?:\w+ ){0,2}(?:omitted|weggelassen|ausgelassen|omitid[ao]|omise?|absente?|omess[ao]|"
    r"ocult[ao]|ocultad[ao]|weggelaten|udeladt|utelämnad|utelatt|pominięto|diabaikan|опущено)|"
    r"\w*(?:省略|已忽略|생략됨|생략))\.?"
)
"""A file that stayed behind, in words that stand behind U+200E."""
EXCLUDED = re.compile(
    r"<[^<>:]*\b(?:media|medien|multimedia|médias?|mídias?|medij\w*|medya\w*|медиа\w*|媒体\w*|メディア\w*|미디어\w*)"
    r"\b[^<>:]*>",
    re.IGNORECASE,
)
ATTACHED = re.compile(r"<[^<>:\n]{1,30}:\s?(?P<name>[^<>/\\\n]+\.\w{1,5})>")
BESIDE = re.compile(r"(?P<name>[^\n/\\:*?\"<>|]{1,120}\.\w{2,5}) \([^()\n]{4,40}\)")
EDITED = re.compile(
    r"<[^<>\n]*\b(?:edited|bearbeitet|editad[ao]|modifié|modificato|bewerkt|изменено)\b[^<>\n]*>"
)
NOTE_CHARS = 200
NOTICE_CHARS = 1000
"""What WhatsApp writes in the place of something else, and by itself, is not longer."""


class WhatsApp:
    """The format."""

    name = "whatsapp"
    title = "WhatsApp export"
    kind: Kind = "text"
    members: str | None = r"_chat\.txt|.*WhatsApp.*\.txt"
    order = 330

    def recognises(self, record: Record) -> bool:
        """Whether it is a line that begins a message."""
        return isinstance(record.value, str) and _head(record.value) is not None

    def read(self, records: Iterable[Record], options: ReadOptions) -> Iterator[Incoming | Unread]:
        """One conversation for each file."""
        company, neighbours = Company(options.source or self.name, options), Neighbours()
        gathered: _Gathered | None = None
        for record in records:
            if not isinstance(record.value, str):
                yield unread(record, "failed", "This is no line of text.")
                continue
            if gathered is None or gathered.record.file != record.file:
                if gathered is not None:
                    yield from _told(gathered, company, neighbours)
                gathered = _Gathered(record=record, entries=[], before=[])
            gathered.add(record.value)
        if gathered is not None:
            yield from _told(gathered, company, neighbours)
        yield from company.rest()


class _Gathered(Struct):
    """The lines of a file so far: messages with their heads, and what stands before the first of them."""

    record: Record
    entries: list[tuple[Moment, list[str]]]
    before: list[str]

    def add(self, line: str) -> None:
        found = _head(line)
        if found is not None:
            moment, said = found
            self.entries.append((moment, [said]))
        elif self.entries:
            self.entries[-1][1].append(line.rstrip("\r\n"))
        elif line.strip(INVISIBLE + " \t\r\n"):
            self.before.append(line)


def _head(line: str) -> tuple[Moment, str] | None:
    """When a line says that a message was sent, and what stands behind that; None: it begins none."""
    bare = line.lstrip(INVISIBLE)
    found = HEAD.match(bare.translate(SPACES))
    if found is None:
        bare = bare[:HEAD_CHARS].translate(TURNS) + bare[HEAD_CHARS:]
        found = HEAD.match(bare.translate(SPACES))
    if found is None:
        return None
    a, b, c, hour, minute, second = (int(found[name] or "0") for name in NUMBERS)
    moment = Moment(a, b, c, hour, minute, second, found["half"] or found["before"] or "")
    return (moment, bare[found.end() :].rstrip("\r\n")) if moment.is_possible() else None


def _told(gathered: _Gathered, company: Company, neighbours: Neighbours) -> Iterator[Incoming | Unread]:
    record = gathered.record
    if not gathered.entries:
        if gathered.before:
            yield unread(record, "failed", "No line of it begins as the messages of a WhatsApp export do.")
        return
    marks, people = Marks(), dict[str, list[str]]()
    times, order = dated([moment for moment, _ in gathered.entries])
    lines = []
    for at_us, (_, said) in zip(times, gathered.entries, strict=True):
        person, text = _said("\n".join(said).rstrip("\n"))
        if person is not None:
            people.setdefault(person, [person])
        raw = dict[str, object]()
        parts = tuple(_parts(text, record, neighbours, raw))
        lines.append(Line(person=person, parts=parts, id=marks.of(at_us, person, text), at_us=at_us, raw=raw))
    first = lines[0]
    yield from company.take(
        Chat(
            record=record,
            lines=lines,
            people=people,
            id=blake2b(f"{first.at_us} {first.id}".encode(), digest_size=12).hexdigest(),
            title=_title(record),
            repaired={"a line before the first message": len(gathered.before)} if gathered.before else {},
            raw={"date_order": order},
        )
    )


def _title(record: Record) -> str | None:
    """The name of the file, if it has one of its own: with whom it is, in the telephone's language."""
    stem = PurePosixPath(record.file.rpartition(":")[2]).stem
    return None if stem in {"", "-", "_chat"} else stem


def _said(text: str) -> tuple[str | None, str]:
    """Who said what; None: WhatsApp itself."""
    found = NAME.match(text)
    if found is None:
        return None, text.strip(INVISIBLE)
    name = found["name"].strip(INVISIBLE + " ~\u202f\u00a0")
    body = text.partition(":")[2].removeprefix(" ")
    is_notice = body.startswith(MARK) and "\n" not in body and "://" not in body and len(body) <= NOTICE_CHARS
    if not name or (is_notice and not _is_file(body)):
        return None, body.strip(INVISIBLE) if name else text
    return name, body


def _is_file(body: str) -> bool:
    bare = body.strip(INVISIBLE + " ")
    if _note(OMITTED, bare) or _note(EXCLUDED, bare):
        return True
    return ATTACHED.search(bare) is not None or BESIDE.match(bare) is not None


def _note(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return pattern.fullmatch(text) if len(text) <= NOTE_CHARS else None


def _parts(
    text: str, record: Record, neighbours: Neighbours, raw: dict[str, object]
) -> Iterator[IncomingPart]:
    if text.endswith(">") and _note(EDITED, text[(at := text.rfind("<")) :]):
        text = text[:at].rstrip(" " + MARK)
        raw["edited"] = True
    bare = text.strip(INVISIBLE + " ")
    if found := ATTACHED.search(bare):
        yield _file(found["name"].strip(INVISIBLE), record, neighbours)
        bare = (bare[: found.start()] + bare[found.end() :]).strip(INVISIBLE + " \n")
    elif found := BESIDE.match(bare):
        yield _file(found["name"].strip(INVISIBLE), record, neighbours)
        bare = bare[found.end() :].strip("\n")
    elif MARK in text and (found := _note(OMITTED, bare)):
        yield IncomingFile(name=found["name"].strip(INVISIBLE + " ") or found["what"])
        bare = ""
    elif _note(EXCLUDED, bare):
        yield IncomingFile(name=bare.strip("<>"))
        bare = ""
    else:
        bare = text.removeprefix(MARK)
    if bare:
        yield Text(bare)


def _file(name: str, record: Record, neighbours: Neighbours) -> IncomingFile:
    return neighbours.file(record, name)


FORMAT = WhatsApp()
