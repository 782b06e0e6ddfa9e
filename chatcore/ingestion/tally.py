"""Counting while an ingestion runs: what is read goes to exactly one of the other counts."""

from dataclasses import dataclass, field
from typing import Literal

from chatcore.arrivals import Ingested
from chatcore.incoming import Unread
from chatcore.ingestion.batch import Batch, Counted
from chatcore.ingestion.report import Counts, IngestFailure, IngestMissingFile, IngestReport
from chatcore.messages import clean_text

__all__ = ["Tally"]

_MOST_FAILURES = _MOST_MISSING = 10_000
_MOST_REASONS = 200
_OTHERS = "other reasons"

Outcome = Literal["imported", "updated", "unchanged", "skipped", "failed"]
_BY_WEIGHT: tuple[Outcome, ...] = ("imported", "updated", "unchanged")
"""What slices say of the whole: the first of these that one of them says."""


@dataclass
class _Counter:
    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0

    def add(self, outcome: Outcome, count: int = 1) -> None:
        """So many more."""
        setattr(self, outcome, getattr(self, outcome) + count)

    def counts(self) -> Counts:
        """As they are now."""
        read = self.imported + self.updated + self.unchanged + self.skipped + self.failed
        return Counts(
            read=read,
            imported=self.imported,
            updated=self.updated,
            unchanged=self.unchanged,
            skipped=self.skipped,
            failed=self.failed,
        )


@dataclass
class _Slices:
    """Of a conversation of which some slices have been stored."""

    imported: int = 0
    updated: int = 0
    votes: int = 0
    outcomes: set[Outcome] = field(default_factory=set)

    def outcome(self) -> Outcome:
        """Of the whole."""
        return next(one for one in _BY_WEIGHT if one in self.outcomes)


@dataclass
class Tally:
    """The counts of one ingestion so far."""

    conversations: _Counter = field(default_factory=_Counter)
    messages: _Counter = field(default_factory=_Counter)
    attachments: _Counter = field(default_factory=_Counter)
    feedback: _Counter = field(default_factory=_Counter)
    failures: list[IngestFailure] = field(default_factory=list)
    missing_files: list[IngestMissingFile] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    repeated: int = 0
    _slices: _Slices = field(default_factory=_Slices)
    _first_id: str | None = None

    def note(self, unread: Unread, messages: int) -> None:
        """What was read and is not to be stored; `messages`: of how many messages it is known."""
        self.conversations.add(unread.kind)
        self.messages.add(unread.kind, messages)
        if unread.kind == "skipped":
            _count(self.left_out, unread.reason, 1)
        else:
            self._fail(unread, unread.reason)

    def stored(self, batch: Batch, outcomes: tuple[Ingested, ...]) -> None:
        """What became of a batch."""
        conversations = messages = votes = 0
        self._note_first(batch, outcomes)
        for part, counted, ingested in zip(batch.conversations, batch.counted, outcomes, strict=True):
            is_new = ingested.outcome == "imported" and ingested.imported == len(part.messages)
            if is_new and ingested.votes == counted.votes and not batch.slices and not counted.special:
                conversations += 1  # by far the most are so
                messages += ingested.imported
                votes += ingested.votes
                continue
            if ingested.outcome == "skipped":
                self._slices = _Slices()
                self._settled(counted, "skipped")
                continue
            self._slices.outcomes.add(ingested.outcome)
            self._slices.imported += ingested.imported
            self._slices.updated += ingested.updated
            self._slices.votes += ingested.votes
            if part.last:
                outcome = self._slices.outcome()
                self._written(counted, outcome)
                self.repeated += outcome == "unchanged" and self._is_new(ingested.conversation_id)
                self._slices = _Slices()
        self.conversations.imported += conversations
        self.messages.imported += messages
        self.feedback.imported += votes

    def _note_first(self, batch: Batch, outcomes: tuple[Ingested, ...]) -> None:
        for part, one in zip(batch.conversations, outcomes, strict=True):
            # one that goes on with what was begun before is imported too, under the id that it has from then
            if one.outcome == "imported" and not part.first and one.imported == len(part.messages):
                first = self._first_id
                self._first_id = one.conversation_id if first is None else min(first, one.conversation_id)
                return  # ids rise

    def _is_new(self, conversation_id: str) -> bool:
        """Whether it came in this very ingestion: ids rise, so one that is there since before is smaller."""
        return self._first_id is not None and conversation_id >= self._first_id

    def refused(self, counted: Counted, reason: str) -> None:
        """A conversation that the store does not take."""
        self._slices = _Slices()
        self._settled(counted, "failed")
        self._fail(counted, reason)

    def _fail(self, what: Counted | Unread, reason: str) -> None:
        if len(self.failures) < _MOST_FAILURES:
            self.failures.append(
                IngestFailure(file=what.file, place=what.place, id=what.id, reason=clean_text(reason))
            )

    def _settled(self, counted: Counted, outcome: Outcome) -> None:
        """All that it has, has one outcome."""
        self.conversations.add(outcome)
        self.messages.add(outcome, counted.messages)
        self.feedback.add(outcome, counted.votes)
        self._add_files(counted, outcome)
        self._add_skipped(counted)
        if outcome == "skipped":
            _count(self.left_out, "It was deleted here.", 1)

    def _written(self, counted: Counted, outcome: Outcome) -> None:
        done = self._slices
        self.conversations.add(outcome)
        self.messages.add("imported", done.imported)
        self.messages.add("updated", done.updated)
        left = counted.messages - done.imported - done.updated
        self.messages.add("unchanged", left)
        self.feedback.add("imported", done.votes)
        self.feedback.add("unchanged", counted.votes - done.votes)
        self._add_files(counted, outcome)
        self._list_missing(counted)
        self._add_skipped(counted)
        for what, count in counted.repaired.items():
            _count(self.repaired, what, count)

    def _add_files(self, counted: Counted, outcome: Outcome) -> None:
        self.attachments.add(outcome, counted.files)
        self.attachments.add("failed" if outcome == "failed" else "skipped", counted.missing)

    def _list_missing(self, counted: Counted) -> None:
        for name, reason in counted.missing_files[: _MOST_MISSING - len(self.missing_files)]:
            self.missing_files.append(
                IngestMissingFile(
                    file=counted.file,
                    place=counted.place,
                    id=counted.id,
                    name=clean_text(name),
                    reason=clean_text(reason),
                )
            )

    def _add_skipped(self, counted: Counted) -> None:
        for counter, skipped in ((self.messages, counted.skipped), (self.feedback, counted.votes_skipped)):
            for reason, count in skipped.items():
                counter.add("skipped", count)
                _count(self.left_out, reason, count)

    def report(self, *, dry_run: bool, seconds: float) -> IngestReport:
        """As it is now."""
        conversations = self.conversations.counts()
        return IngestReport(
            read=conversations.read,
            imported=conversations.imported,
            updated=conversations.updated,
            unchanged=conversations.unchanged,
            skipped=conversations.skipped,
            failed=conversations.failed,
            messages=self.messages.counts(),
            attachments=self.attachments.counts(),
            feedback=self.feedback.counts(),
            failures=tuple(self.failures),
            missing_files=tuple(self.missing_files),
            left_out=dict(self.left_out),
            repaired=dict(self.repaired),
            repeated=self.repeated,
            dry_run=dry_run,
            seconds=seconds,
        )


def _count(counts: dict[str, int], reason: str, count: int) -> None:
    reason = clean_text(reason)
    if reason not in counts and len(counts) >= _MOST_REASONS:
        reason = _OTHERS
    counts[reason] = counts.get(reason, 0) + count
