"""Chats among people, of which none is an assistant until a person says who.

A messenger's export knows names only. With ``--assistant NAME`` what that person said becomes the answers
and what all others said the questions; without it such a chat is refused, with the names that one could give.
What the service itself wrote (who joined, who called) becomes hidden system messages: it is kept, but no
model may take it for an instruction. Texts stay as they are; who said them is in `raw` under ``name``.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

from msgspec import Struct

from chatcore.formats.format import ReadOptions, Record
from chatcore.formats.pieces import span_us, unread
from chatcore.incoming import Incoming, IncomingFile, IncomingMessage, IncomingPart, Unread
from chatcore.messages import Role, Text

__all__ = ["Chat", "Company", "Line", "Marks", "said_in"]

_PHONE = re.compile(r"[~\s]*\+?[\d\s().\-‐‑–/]{5,}")
_MAIL = re.compile(r"\S+@\S+\.\S+")
_INVISIBLE = dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF])
_SHOWN = 12


class Line(Struct, frozen=True, kw_only=True):
    """What someone said at once.

    Attributes:
        person: By which the same one is known in this chat; None: the service itself says it.
        id: As with `IncomingMessage`, likewise `parent`.
    """

    person: str | None
    parts: tuple[IncomingPart, ...]
    id: str | None = None
    parent: str | None = None
    at_us: int | None = None
    raw: Mapping[str, object] = {}


class Chat(Struct, frozen=True, kw_only=True):
    """A chat as an export has it.

    Attributes:
        record: Where it was found.
        lines: What was said; in its order when `linear`.
        people: Under which names each `Line.person` is known, the one to show first.
        assistant: The person who is known to be no human, if there is one.
        head: As with `Incoming`; likewise the others.
    """

    record: Record
    lines: Sequence[Line]
    people: Mapping[str, Sequence[str]]
    id: str | None = None
    title: str | None = None
    linear: bool = True
    head: str | None = None
    archived: bool = False
    assistant: str | None = None
    repaired: Mapping[str, int] = {}
    raw: Mapping[str, object] = {}


class Marks:
    """Ids for messages that have none: of what they are, and the how many-th of these it is.

    A newer export of the same chat gives the same ids, also where messages are gone that stood before.
    """

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def of(self, *features: object) -> str:
        """The id of a message with these features."""
        told = "\0".join(map(str, features)).encode("utf-8", "surrogatepass")
        mark = blake2b(told, digest_size=12).hexdigest()
        self._seen[mark] += 1
        return mark if self._seen[mark] == 1 else f"{mark}-{self._seen[mark]}"


def said_in(part: IncomingPart) -> str:
    """What makes a part the same in two exports: its words, or where its file was."""
    if isinstance(part, Text):
        return part.text
    return part.pointer or part.name if isinstance(part, IncomingFile) else ""


class Company:
    """One reading of a format of chats among people: who is the assistant in which of them."""

    def __init__(self, format_name: str, options: ReadOptions) -> None:
        self._source = options.source or format_name
        self._wanted = _plain(options.assistant) if options.assistant else None
        self._met = False
        self._without: list[Unread] = []

    def know(self, names: Sequence[str]) -> None:
        """Someone of these names exists, in whatever chat."""
        self._met = self._met or any(_plain(name) == self._wanted for name in names)

    def take(self, chat: Chat) -> Iterator[Incoming | Unread]:
        """The conversation that `chat` is, or why it is none; chats without the assistant wait for `rest`."""
        said = [line.person for line in chat.lines if line.person is not None]
        shown = _shown_names(said, chat.people)
        if not shown:
            yield unread(chat.record, "skipped", "Nobody says anything in it.", chat.id)
            return
        if self._wanted is None:
            if chat.assistant is None:
                reason = (
                    f"This is a chat among people ({_listed(shown)}): say with --assistant NAME who of them "
                    "is the assistant."
                )
                yield unread(chat.record, "failed", reason, chat.id)
                return
            cast = {chat.assistant}
        else:
            cast = {person for person in shown if self._wanted in _names(person, shown, chat.people)}
        if cast:
            self._met = True
            yield self._conversation(chat, cast, shown)
        else:
            # of a wrong name one should hear, of chats in which somebody has no part one need not: only the
            # end tells which it is, and until then nothing of the chat itself is held
            record = chat.record
            self._without.append(
                Unread(kind="failed", reason=_listed(shown), file=record.file, place=record.place, id=chat.id)
            )

    def rest(self) -> Iterator[Unread]:
        """The chats in which the assistant says nothing."""
        for chat in self._without:
            reason = (
                f"Nobody in this chat ({chat.reason}) has the name that was given as that of the assistant."
            )
            yield Unread(
                kind="skipped" if self._met else "failed",
                reason=reason,
                file=chat.file,
                place=chat.place,
                id=chat.id,
            )

    def _conversation(self, chat: Chat, cast: set[str], shown: Mapping[str, str]) -> Incoming:
        messages = [_message(line, cast, shown) for line in chat.lines]
        created, updated = span_us(messages, None, None)
        return Incoming(
            source=self._source,
            id=chat.id,
            messages=messages,
            title=chat.title,
            linear=chat.linear,
            head=chat.head,
            created_at_us=created,
            updated_at_us=updated,
            archived=chat.archived,
            repaired=chat.repaired,
            file=chat.record.file,
            place=chat.record.place,
            raw=chat.raw or None,
        )


def _message(line: Line, cast: set[str], shown: Mapping[str, str]) -> IncomingMessage:
    role: Role = "system" if line.person is None else "assistant" if line.person in cast else "user"
    raw = dict(line.raw)
    if line.person is not None:
        raw["name"] = shown[line.person]
    return IncomingMessage(
        role=role,
        parts=line.parts or (Text(""),),
        id=line.id,
        parent=line.parent,
        created_at_us=line.at_us,
        hidden=line.person is None,
        raw=raw or None,
    )


def _shown_names(said: Sequence[str], people: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """What to call those who say something; one who is known by a number or an address only is numbered."""
    shown: dict[str, str] = {}
    for person in dict.fromkeys(said):
        names = [name for name in map(_bare, people.get(person, (person,))) if name and not _is_private(name)]
        shown[person] = names[0] if names else f"Person {len(shown) + 1}"
    return shown


def _names(person: str, shown: Mapping[str, str], people: Mapping[str, Sequence[str]]) -> set[str]:
    return {_plain(name) for name in (person, shown[person], *people.get(person, ()))}


def _bare(name: str) -> str:
    return name.translate(_INVISIBLE).strip()


def _plain(name: str) -> str:
    """A name as one may type it."""
    return " ".join(_bare(name).casefold().split())


def _is_private(name: str) -> bool:
    return bool(_PHONE.fullmatch(name) or _MAIL.fullmatch(name))


def _listed(shown: Mapping[str, str]) -> str:
    names = [name[:60] for name in dict.fromkeys(shown.values())]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
