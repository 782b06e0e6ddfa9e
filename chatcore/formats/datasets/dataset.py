"""Formats of which each record is one conversation: what they have in common."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import partial
from hashlib import blake2b
from typing import Literal

from chatcore.formats.datasets.contents import Find
from chatcore.formats.datasets.repeats import Repeats
from chatcore.formats.format import Kind, ReadOptions, Record
from chatcore.formats.neighbours import Neighbours
from chatcore.formats.pieces import unread
from chatcore.formats.values import first_ident, keys_seen, rest, time_us, title_in
from chatcore.incoming import Incoming, IncomingMessage, Unread
from chatcore.messages import Settings, Text

__all__ = ["DatasetFormat", "Reading", "Untaken", "external_id"]

ID_KEYS = ("id", "conversation_id", "conv_id", "answer_id", "ans_id")
"""Under which datasets keep a conversation's id. Not ``uid`` and ``question_id``, which say what was asked:
each model's answers to it are a conversation."""

CREATED_KEYS = ("created_at", "create_time", "created", "timestamp", "tstamp")
UPDATED_KEYS = ("updated_at", "update_time")

NO_SETTINGS = Settings()

NO_MESSAGES = "It has no messages."
NO_TURNS = "None of its turns is an object."
NO_TURN = "a turn that is no object"


class Untaken(Exception):
    """A record of which no conversation can be made.

    Attributes:
        reason: As of `Unread`; None: it is no record of this format.
        kind: As of `Unread`.
    """

    def __init__(self, reason: str | None = None, kind: Literal["failed", "skipped"] = "failed") -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


class Reading:
    """One reading of a file: under which names its conversations go.

    Ids of datasets are unique in their file at best (``identity_0``), while a source is all files of a
    format. So the name of a conversation is its id and a hash of its first question: other files'
    conversations of the same id are others, and one that has grown since is the same. Where two conversations
    of one file have the same name still, `Repeats` keeps them apart. Ids such as ``x_0`` and ``x_1`` may be
    pieces of one long chat, or just numbers, and nothing says which: each record stays a conversation of its
    own.

    Attributes:
        source: As of `Incoming`.
        beside: What was read of other members of the archive, by their names.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.beside: dict[str, object] = {}
        self._neighbours = Neighbours()
        self._repeats = Repeats()

    def finder(self, record: Record) -> Find:
        """What finds the files that `record` names."""
        return partial(self._neighbours.find, record)

    def name(self, record: Record, messages: Sequence[IncomingMessage]) -> str | None:
        """Of the conversation that `record` is; None: it has no id."""
        known = external_id(record.value)
        if known is None:
            return None
        first = next((message for message in messages if message.role == "user"), messages[0])
        said = "".join([part.text for part in first.parts if isinstance(part, Text)])
        mark = blake2b(said.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
        return self._repeats.own(f"{known}~{mark}", record.body)

    def conversation(
        self,
        record: Record,
        messages: Sequence[IncomingMessage],
        known: Set[str],
        *,
        title: object = None,
        head: str | None = None,
        unread: Sequence[object] = (),
        raw: Mapping[str, object] | None = None,
    ) -> Incoming:
        """The conversation of `record`, which is a linear one unless its messages have ids.

        Args:
            record: What it was read from, an object.
            messages: At least one.
            known: The fields that became messages, and ``system`` where that is the system prompt. All others
                are kept; title and times are taken from them.
            title: Where it is not called so.
            head: Where the shown path ends.
            unread: Items among its turns that are none.
            raw: What else is to be kept.

        Raises:
            Untaken: There is no message.
        """
        if not messages:
            raise Untaken(NO_TURNS if unread else NO_MESSAGES, "failed" if unread else "skipped")
        value = record.value
        assert isinstance(value, dict)
        linear = messages[0].id is None
        if len(value) == 1 and not raw and not unread:
            return Incoming(
                source=self.source,
                messages=messages,
                linear=linear,
                head=head,
                file=record.file,
                place=record.place,
            )
        system = value.get("system") if "system" in known else None
        beside = rest(value, known if isinstance(system, str | None) else known - {"system"})
        beside.update(raw or {})
        if unread:
            beside["unread"] = unread
        return Incoming(
            source=self.source,
            id=self.name(record, messages),
            messages=messages,
            title=title_in(title) or title_in(beside.get("title")),
            linear=linear,
            head=head,
            created_at_us=_time(beside, CREATED_KEYS),
            updated_at_us=_time(beside, UPDATED_KEYS),
            settings=Settings(system_prompt=system) if isinstance(system, str) and system else NO_SETTINGS,
            skipped={NO_TURN: len(unread)} if unread else {},
            file=record.file,
            place=record.place,
            raw=beside or None,
        )


class DatasetFormat:
    """A `ReadFormat` of which each record is one conversation.

    Attributes:
        name: As of `ReadFormat`, likewise the others.
    """

    kind: Kind = "json"
    members: str | None = None

    def __init__(
        self,
        name: str,
        title: str,
        order: int,
        signature: Callable[[Mapping[str, object]], bool],
        convert: Callable[[Mapping[str, object], Record, Reading], Incoming],
    ) -> None:
        """`convert` makes a conversation of an object, or raises `Untaken`."""
        self.name = name
        self.title = title
        self.order = order
        self._signature = signature
        self._convert = convert

    def recognises(self, record: Record) -> bool:
        """Whether a record has this format's signature."""
        return isinstance(record.value, dict) and self._signature(record.value)

    def read(self, records: Iterable[Record], options: ReadOptions) -> Iterator[Incoming | Unread]:
        """A conversation or an `Unread` for each record."""
        reading = Reading(options.source or self.name)
        convert = self._convert
        for record in records:
            value = record.value
            try:
                if not isinstance(value, dict):
                    raise Untaken
                yield convert(value, record, reading)
            except Untaken as refused:
                reason = refused.reason or f"This is no record of “{self.title}”: it is {keys_seen(value)}."
                yield unread(record, refused.kind, reason, external_id(value))


def external_id(value: object) -> str | None:
    """The source's own id of a record, where it has one."""
    return first_ident(value, *ID_KEYS) if isinstance(value, dict) else None


def _time(beside: Mapping[str, object], keys: Sequence[str]) -> int | None:
    for key in keys:
        if key in beside and (found := time_us(beside[key])) is not None:
            return found
    return None
