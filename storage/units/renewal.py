"""A conversation that comes from elsewhere again: what is new or other than before takes its place."""

from collections.abc import Sequence

from msgspec.structs import replace

from chatcore.arrivals import Ingest, IngestConversation, Ingested, IngestMessage
from chatcore.errors import InvalidInput, NotFound
from chatcore.events import FeedbackChanged, MessageChanged
from chatcore.messages import Feedback, File, MissingFile, Part
from storage.arriving import IngestRows, NewMessage, NewVote, Origin, Placed, id_at
from storage.ids import from_us, to_us
from storage.units.draft import ROOT, Draft, Place

__all__ = ["renew"]


def renew(
    rows: IngestRows, command: Ingest, owner: int, origin: Origin, source: IngestConversation
) -> Ingested:
    """Add to what is there, and go on with one of which slices are missing."""
    row = rows.conversation(origin.id, command.user)
    if row is None:  # its origin has just found it
        raise NotFound("There is no such conversation.", conversation_id=origin.id)
    draft = Draft(rows, row)
    renewal = _Renewal(rows, draft, source, origin)
    renewal.look_up()
    is_other = not row.unfinished and bool(renewal.added or renewal.changed)
    words = draft.words() if is_other else None
    rows.insert_messages(renewal.added, owner, index=command.index)
    rows.replace_messages(renewal.changed, owner, index=command.index)
    votes = renewal.votes(command.user)
    rows.insert_votes(votes)
    if not row.unfinished:
        _tell(rows, [*renewal.added, *renewal.changed], votes)
        if is_other:
            draft.reword(words)
    if source.last:
        renewal.finish()
    saved = draft.save()
    other = bool(renewal.added or renewal.changed or votes or saved.seq != row.conversation.seq)
    return Ingested(
        conversation_id=origin.id,
        outcome="imported" if row.unfinished else "updated" if other else "unchanged",
        imported=len(renewal.added),
        updated=len(renewal.changed),
        unchanged=len(source.messages) - len(renewal.added) - len(renewal.changed),
        votes=len(votes),
    )


class _Renewal:
    """One conversation (or a slice of it) beside what is stored of it.

    Attributes:
        added: What was not there.
        changed: What is there with other content.
    """

    def __init__(self, rows: IngestRows, draft: Draft, source: IngestConversation, origin: Origin) -> None:
        self.added: list[NewMessage] = []
        self.changed: list[NewMessage] = []
        self._rows = rows
        self._draft = draft
        self._source = source
        self._ours = origin.ours
        self._is_older = 0 < source.dated_us < origin.dated_us
        self._stored = rows.ingested(draft.row.key)
        # what was written here goes out and comes back under its own id
        self._written = {} if source.own_id is None else rows.written(draft.row.key)
        self._places = {
            place: there for place, name in source.earlier.items() if (there := self._find(name)) is not None
        }

    def _find(self, origin: bytes) -> Placed | None:
        return self._stored.get(origin) or self._written.get(origin)

    def look_up(self) -> None:
        """Find out which messages are new, and which are other than before; number both."""
        source, conversation = self._source, self._draft.row.key
        fresh = [one for one in source.messages if self._find(one.origin) is None]
        new = iter(enumerate(self._rows.message_keys(len(fresh))))
        ids = self._rows.new_ids(len(fresh))
        known: list[tuple[int, IngestMessage]] = []
        for place, one in enumerate(source.messages, source.first):
            there = self._find(one.origin)
            if there is None:
                number, key = next(new)
                above = self._above(one, place)
                there = Placed(key, above.depth + 1 if above else 0)
                parent = above.key if above else None
                seq = self._draft.count()
                self.added.append(
                    NewMessage(key, id_at(ids, number), conversation, parent, there.depth, seq, one)
                )
            elif one.origin in self._stored:
                known.append((there.key, one))
            self._places[place] = there
        if not self._is_older:
            self._compare(known)

    def votes(self, owner: str) -> list[NewVote]:
        """The votes to be set: where their user has none, nor has taken one back."""
        conversation = self._draft.row.key
        by_user: dict[str, dict[int, Feedback]] = {}
        for user, place, feedback in self._source.all_votes(owner):
            by_user.setdefault(user, {})[self._places[place].key] = feedback
        return [
            NewVote(key, conversation, self._draft.count(), user, votes[key])
            for user, votes in by_user.items()
            for key in sorted(votes.keys() - self._rows.voted(votes, self._rows.user(user)))
        ]

    def finish(self) -> None:
        """All of it is there: it is seen from now on, and what it is itself follows its source."""
        source, draft, row = self._source, self._draft, self._draft.row
        activity = min(source.updated_at_us, to_us(self._rows.now))
        if row.unfinished:
            draft.set(
                title=source.title,
                pinned=source.pinned,
                archived=source.archived,
                settings=source.settings,
                deleted=False,
                activity=activity,
                updated_at=from_us(activity),
            )
            draft.head = self._head() or ROOT
        else:
            self._follow(activity)
        if row.unfinished or not (self._ours or self._is_older):
            self._rows.set_version(row.key, source)

    def _follow(self, activity: int) -> None:
        draft, now = self._draft, self._draft.row.conversation
        if now.title is None and not self._ours:
            draft.set(title=self._source.title)
        if activity > now.activity:
            draft.set(activity=activity, updated_at=from_us(activity))
        if not now.running and self._head_follows():
            draft.head = self._head() or draft.head

    def _head_follows(self) -> bool:
        """Whether the shown path is still as it came; or what is new goes on from its end."""
        if self._is_older:
            return False
        head = self._draft.row.head
        if self._source.own_id is not None and self._goes_on_from(head):
            return True
        return not self._ours and (head is None or any(there.key == head for there in self._stored.values()))

    def _goes_on_from(self, head: int | None) -> bool:
        """Whether all from below `head` to the new head came just now."""
        added = {one.key for one in self.added}
        place = self._source.head
        while place in self._places and self._places[place].key in added:
            place = self._above_of(place)
            if place in self._places and self._places[place].key == head:
                return True
        return False

    def _above_of(self, place: int) -> int:
        first = self._source.first
        return self._source.messages[place - first].parent if place >= first else -1

    def _head(self) -> Place | None:
        place = self._source.head
        if place < 0:
            return None
        there = self._places.get(place)
        if there is None:
            raise InvalidInput("The head of the conversation is none of its messages.", head=place)
        return Place.of(self._rows.messages_at([there.key])[there.key][0])

    def _above(self, one: IngestMessage, place: int) -> Placed | None:
        if one.parent < 0:
            return None
        above = self._places.get(one.parent)
        if above is None:
            raise InvalidInput(
                "A message names a parent that is not above it.", place=place, parent=one.parent
            )
        return above

    def _compare(self, known: Sequence[tuple[int, IngestMessage]]) -> None:
        stored = self._rows.messages_at([key for key, _ in known])
        for key, one in dict(known).items():
            (row, raw), new = stored[key], one
            if any(isinstance(part, File | MissingFile) for part in one.parts):
                new = replace(one, parts=_with_files_kept(one.parts, row.message.parts))
            if raw != new.raw or any(getattr(row.message, name) != getattr(new, name) for name in _CONTENT):
                self.changed.append(
                    NewMessage(
                        key,
                        bytes.fromhex(row.message.id),
                        row.conversation,
                        row.parent,
                        row.message.depth,
                        self._draft.count(),
                        new,
                    )
                )


# Not when it was created: where the source does not say, it is something that differs each time.
_CONTENT = ("role", "status", "parts", "reason", "model", "usage", "hidden")


def _with_files_kept(parts: tuple[Part, ...], stored: tuple[Part, ...]) -> tuple[Part, ...]:
    """Files that are stored stay as they are, where this version has the same or only names them."""
    if len(parts) != len(stored):
        return parts
    return tuple(
        before if isinstance(before, File) and _is_same(part, before) else part
        for part, before in zip(parts, stored, strict=True)
    )


def _is_same(part: Part, stored: File) -> bool:
    # of its kind and its place only the store knows, which a dry run does not give it to
    match part:
        case File(attachment=given):
            return (given.name, given.sha256) == (stored.attachment.name, stored.attachment.sha256)
        case MissingFile():
            return part.name == stored.attachment.name
        case _:
            return False


def _tell(rows: IngestRows, messages: Sequence[NewMessage], votes: Sequence[NewVote]) -> None:
    stored = rows.messages_at({*(one.key for one in messages), *(vote.message for vote in votes)})
    for one in messages:  # in the order of their numbers
        message = stored[one.key][0].message
        rows.emit(
            MessageChanged(
                conversation_id=message.conversation_id, seq=message.seq, at=rows.now, message=message
            )
        )
    for vote in votes:
        message = stored[vote.message][0].message
        rows.emit(
            FeedbackChanged(
                conversation_id=message.conversation_id,
                seq=vote.seq,
                at=rows.now,
                message_id=message.id,
                user=vote.user,
                feedback=vote.feedback,
            )
        )
