"""A line of our own format as a conversation on its way in."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from chatcore.formats.identity import Elsewhere, Vote, together
from chatcore.formats.lossless.lines import ConversationLine, FilePart, MessageEntry, PartEntry
from chatcore.incoming import Incoming, IncomingFile, IncomingMessage, IncomingPart
from chatcore.messages import Feedback, MissingFile

__all__ = ["FindFile", "incoming_of"]

FindFile = Callable[[FilePart], IncomingFile]
"""The file that a part names, with its content where that is there."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def incoming_of(line: ConversationLine, source: str, find_file: FindFile) -> Incoming:
    """The conversation; what has no place in one on its way in stands in `raw` (`Elsewhere`)."""
    return Incoming(
        source=source,
        id=line.id,
        title=line.title,
        messages=tuple(_message(entry, line.owner, find_file) for entry in line.messages),
        head=line.head,
        created_at_us=_us(line.created_at),
        updated_at_us=_us(line.updated_at),
        pinned=line.pinned,
        archived=line.archived,
        settings=line.settings,
        votes=_votes(line),
        ours=True,
        raw=together(line.raw, Elsewhere(id=line.id, responder=line.settings.responder)),
    )


def _message(entry: MessageEntry, owner: str, find_file: FindFile) -> IncomingMessage:
    mine = next((vote for vote in entry.votes if vote.user == owner), None)
    elsewhere = Elsewhere(
        id=entry.id,
        reason_code=entry.reason_code,
        continues=entry.continues,
        responder=entry.responder,
        memory_from=entry.memory_from,
        started_at=entry.started_at,
        ended_at=entry.ended_at,
        first_token_seconds=entry.first_token_seconds,
    )
    return IncomingMessage(
        id=entry.id,
        parent=entry.parent,
        role=entry.role,
        parts=tuple(_part(part, find_file) for part in entry.parts),
        created_at_us=_us(entry.created_at),
        model=entry.model,
        # who wrote it when the export was made has not come along
        status="interrupted" if entry.status in {"queued", "running"} else entry.status,
        reason=entry.reason,
        usage=entry.usage,
        hidden=entry.hidden,
        feedback=None if mine is None else _feedback(mine),
        raw=together(entry.raw, elsewhere),
    )


def _votes(line: ConversationLine) -> Mapping[str, Mapping[str, Feedback]]:
    """Of all but the owner, by message and user; of an id that comes twice, those of the first."""
    found: dict[str, Mapping[str, Feedback]] = {}
    for entry in line.messages:
        votes = {vote.user: _feedback(vote) for vote in entry.votes if vote.user != line.owner}
        if votes:
            found.setdefault(entry.id, votes)
    return found


def _feedback(vote: Vote) -> Feedback:
    return Feedback(rating=vote.rating, comment=vote.comment, reasons=vote.reasons)


def _part(part: PartEntry, find_file: FindFile) -> IncomingPart:
    if isinstance(part, FilePart):
        return find_file(part)
    if isinstance(part, MissingFile):
        return IncomingFile(
            name=part.name, media_type=part.media_type, size_bytes=part.size_bytes, pointer=part.pointer
        )
    return part


def _us(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND
