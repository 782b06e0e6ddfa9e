"""A conversation as its source has it, made ready to be stored."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from chatcore.arrivals import IngestConversation, IngestMessage
from chatcore.incoming import Incoming, IncomingFile, IncomingMessage, IncomingPart
from chatcore.ingestion.arranging import Arranged, arrange, head_of, in_a_row
from chatcore.ingestion.batch import Counted
from chatcore.ingestion.bounds import (
    MAX_MESSAGE_CHARS,
    bounded_feedback,
    bounded_settings,
    bounded_title,
    ended_status,
    raw_text,
    too_long,
    without_content,
)
from chatcore.ingestion.cleaning import clean_incoming
from chatcore.ingestion.origins import conversation_origin, digest_of, known_by, message_origin
from chatcore.ingestion.votes import known_votes, votes_of
from chatcore.limits import Limits
from chatcore.messages import (
    Attachment,
    File,
    MissingFile,
    Part,
    Reasoning,
    Settings,
    Text,
    ToolCall,
    ToolResult,
    clean_text,
)

__all__ = ["KeepFile", "NotTaken", "Preparation", "Prepared"]

_MAX_NAME_CHARS = 500
_NO_SETTINGS = Settings()

_MOST_MISSING = 10_000
"""As many as a report lists."""

KeepFile = Callable[[IncomingFile], Attachment | str]
"""Keeps a file and says what it is stored as; else why its content can't be taken: it is named only."""

Kept = tuple[IncomingFile, Attachment | str]


class NotTaken(Exception):
    """The conversation can't be taken; the text says why, `skipped` whether that is no failure."""

    def __init__(self, reason: str, *, skipped: bool = False) -> None:
        super().__init__(reason)
        self.skipped = skipped


class Prepared(Struct, frozen=True, kw_only=True):
    """A whole conversation, ready to be stored.

    Attributes:
        counted: What the report says of it.
        size_bytes: About what it takes.
    """

    conversation: IngestConversation
    counted: Counted
    size_bytes: int


def _as_json(value: object) -> object:
    if isinstance(value, Path):
        return None
    raise TypeError(type(value).__name__)


_encode = msgspec.json.Encoder(enc_hook=_as_json).encode
_UNCLEAN = (UnicodeEncodeError, OverflowError, TypeError)


class Preparation:
    """Prepares conversations, one by one.

    Args:
        limits: Of titles, votes and settings.
        keep: What is done with files.
        now_us: Microseconds since 1970: nothing is newer.
    """

    def __init__(self, limits: Limits, keep: KeepFile, now_us: int) -> None:
        self._limits = limits
        self._keep = keep
        self._now_us = now_us
        self._untimed = 0

    def of(self, incoming: Incoming) -> Prepared:
        """The conversation with clean texts, in an order that can be stored, and known by its origin.

        Raises:
            NotTaken
        """
        if not incoming.messages:
            raise NotTaken("It has no messages.", skipped=True)
        given, encoded = _checked(incoming)
        if len(encoded) > MAX_MESSAGE_CHARS and (reason := too_long(given.messages)) is not None:
            raise NotTaken(reason)
        files: list[Kept] = []
        if b'"media_type"' in encoded:  # cheaper than looking at every part
            given, encoded = self._with_files(given, encoded, files)
        if b'"rating"' in encoded:  # likewise
            given = known_votes(given)
        arranged = in_a_row(given.messages) if given.linear else arrange(given.messages)
        return self._made(given, encoded, arranged, files)

    def _made(
        self,
        given: Incoming,
        encoded: bytes,
        arranged: Arranged,
        files: Sequence[Kept],
    ) -> Prepared:
        repaired = {**given.repaired}
        for what, count in arranged.repaired.items():
            repaired[what] = repaired.get(what, 0) + count
        created, updated, known = self._times(given)
        messages, voted = self._messages(given, arranged, created)
        votes = votes_of(given, arranged, self._limits, repaired) if given.votes else {}
        head = head_of(given, arranged, repaired)
        digest = digest_of(encoded)
        settings, raw = given.settings, raw_text(given.raw)
        if settings is not _NO_SETTINGS and settings != _NO_SETTINGS:
            settings = bounded_settings(settings, self._limits)
        conversation = IngestConversation(
            origin=conversation_origin(given.source, given.id, digest),
            digest=digest,
            title=bounded_title(given.title, self._limits),
            messages=messages,
            head=head,
            created_at_us=created,
            updated_at_us=updated if known else self._next_untimed(),
            pinned=given.pinned,
            archived=given.archived,
            settings=settings,
            raw=raw,
            dated=known,
            votes=votes,
            own_id=given.id if given.ours else None,
        )
        missing = [(part.name, kept) for part, kept in files if isinstance(kept, str)]
        counted = Counted(
            messages=len(messages),
            votes=voted + sum(map(len, votes.values())),
            files=len(files) - len(missing),
            missing=len(missing),
            missing_files=tuple(missing[:_MOST_MISSING]),
            repaired=repaired,
            skipped={clean_text(reason): count for reason, count in given.skipped.items()},
            votes_skipped={clean_text(reason): count for reason, count in given.votes_skipped.items()},
            file=clean_text(given.file),
            place=clean_text(given.place),
            id=None if given.id is None else clean_text(given.id),
        )
        return Prepared(conversation=conversation, counted=counted, size_bytes=len(encoded))

    def _next_untimed(self) -> int:
        """The time of one that has none: each a little later, so that a list has them in their order."""
        self._untimed += 1
        return self._now_us + self._untimed - 1

    def _messages(
        self, given: Incoming, arranged: Arranged, created_us: int
    ) -> tuple[tuple[IngestMessage, ...], int]:
        """All messages in their order, and how many votes they have."""
        found: list[IngestMessage] = []
        times: list[int] = []
        votes = 0
        now = self._now_us
        source, parents, keys = given.messages, arranged.parents, arranged.keys
        for place, number in enumerate(arranged.order):
            message = source[number]
            parent = parents[place]
            at = message.created_at_us
            if at is None or not 0 < at <= now:
                at = now if at is not None and at > now else times[parent] if parent >= 0 else created_us
            times.append(at)
            feedback = message.feedback
            if feedback is not None:
                votes += 1
                feedback = bounded_feedback(feedback, self._limits)
            status, raw = message.status, message.raw
            found.append(
                IngestMessage(
                    origin=message_origin(keys[place], number),
                    parent=parent,
                    role=message.role,
                    parts=_parts(message.parts),
                    created_at_us=at,
                    status=status if status == "complete" else ended_status(message),
                    reason=message.reason,
                    model=message.model,
                    usage=message.usage,
                    hidden=message.hidden,
                    feedback=feedback,
                    raw=raw_text(raw) if raw else None,
                )
            )
        return tuple(found), votes

    def _times(self, given: Incoming) -> tuple[int, int, bool]:
        """When it was made and when it was last changed; and whether its source says anything of that."""
        now = self._now_us
        told = [message.created_at_us for message in given.messages if message.created_at_us is not None]
        told = [at for at in told if 0 < at <= now]
        created = _sane(given.created_at_us, now) or (min(told) if told else None)
        updated = _sane(given.updated_at_us, now) or (max(told) if told else created)
        if created is None:
            created = updated
        if created is None or updated is None:
            return now, now, False
        return created, max(created, updated), True

    def _with_files(self, given: Incoming, encoded: bytes, files: list[Kept]) -> tuple[Incoming, bytes]:
        messages: list[IncomingMessage] = []
        for message in given.messages:
            if any(isinstance(part, IncomingFile) for part in message.parts):
                parts = tuple(self._with_file(part, files) for part in message.parts)
                message = msgspec.structs.replace(message, parts=parts)  # noqa: PLW2901
            messages.append(message)
        if not files:
            return given, encoded
        given = msgspec.structs.replace(given, messages=messages)
        return given, _encoded(msgspec.structs.replace(given, messages=[*map(known_by, messages)]))

    def _with_file(self, part: IncomingPart, files: list[Kept]) -> IncomingPart | File | MissingFile:
        if not isinstance(part, IncomingFile):
            return part
        name = part.name[-_MAX_NAME_CHARS:] or "file"
        has_content = part.content is not None or part.at is not None
        part = msgspec.structs.replace(part, name=name)
        kept = self._keep(part) if has_content else without_content(part)
        files.append((part, kept))
        if isinstance(kept, Attachment):
            return File(kept)
        return MissingFile(
            name=name,
            media_type=part.media_type,
            size_bytes=part.size_bytes if part.size_bytes is not None and part.size_bytes >= 0 else None,
            pointer=part.pointer,
        )


def _checked(incoming: Incoming) -> tuple[Incoming, bytes]:
    """The conversation with clean texts, and all there is to it as JSON, by which it is known again."""
    try:
        encoded = _encoded(incoming)
        if b"\\u0000" not in encoded:
            return incoming, encoded
    except RecursionError:
        raise NotTaken("It is nested too deep.") from None
    except _UNCLEAN:
        pass
    try:
        incoming = clean_incoming(incoming)
        return incoming, _encoded(incoming)
    except (*_UNCLEAN, RecursionError) as error:
        raise NotTaken(f"It holds what can't be stored: {error}.") from error


def _encoded(given: Incoming) -> bytes:
    facts = (given.id, given.title, given.head, given.linear, given.created_at_us, given.updated_at_us)
    whole = (facts, given.pinned, given.archived, given.settings, given.raw, given.messages)
    return _encode((*whole, given.votes) if given.votes else whole)


def _parts(parts: Sequence[IncomingPart]) -> tuple[Part, ...]:
    """Without empty ones; files have been replaced already."""
    if len(parts) == 1 and type(parts[0]) is Text and parts[0].text:
        return parts  # type: ignore[return-value]  # a tuple, by its declaration
    return tuple(
        part
        for part in parts
        if isinstance(part, ToolCall | ToolResult | File | MissingFile)
        or (isinstance(part, Text | Reasoning) and part.text)
    )


def _sane(at_us: int | None, now_us: int) -> int | None:
    if at_us is None or at_us <= 0:
        return None
    return min(at_us, now_us)
