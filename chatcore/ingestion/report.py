"""What an ingestion did: every conversation, message, attachment and vote that was read is in one count."""

from collections.abc import Iterable, Mapping
from itertools import islice

import msgspec
from msgspec import Struct

from chatcore.errors import StorageError

__all__ = [
    "Counts",
    "IngestFailure",
    "IngestMissingFile",
    "IngestProgress",
    "IngestReport",
    "IngestStopped",
    "joined",
]


class Counts(Struct, frozen=True, kw_only=True):
    """How many were read, and what became of them: `read` is the sum of the others.

    Attributes:
        imported: Were not there.
        updated: Were there and are other now.
        unchanged: Were there as they are.
        skipped: Were left out on purpose.
        failed: Could not be taken.
    """

    read: int = 0
    imported: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0


class IngestFailure(Struct, frozen=True, kw_only=True):
    """A conversation that could not be taken.

    Attributes:
        file: Name of the file, that of an archive's member behind a colon.
        place: Where in it: ``line 12``, ``item 4``.
        id: The source's own id, where one can be seen.
        reason: A sentence for people.
    """

    file: str
    place: str
    id: str | None
    reason: str


class IngestMissingFile(Struct, frozen=True, kw_only=True):
    """An attachment of which only the name was stored.

    Attributes:
        file: That of its conversation, as with a failure; likewise `place` and `id`.
        name: Its own.
        reason: Why its content was left out, a sentence for people.
    """

    file: str
    place: str
    id: str | None
    name: str
    reason: str


class IngestReport(Counts, frozen=True, kw_only=True):
    """What an ingestion did; the counts of its own are those of conversations.

    Attributes:
        failures: The first 10,000 of those that `failed` counts.
        missing_files: The first 10,000 attachments that are named only, which are among those skipped.
        left_out: Conversations, messages and votes that were skipped, by reason.
        repaired: What was put right, by what it was.
        repeated: Of the unchanged conversations, those that are the same as an earlier record of this source.
        dry_run: Nothing was stored: this would have become of them.
        seconds: How long it took.
    """

    messages: Counts = Counts()
    attachments: Counts = Counts()
    feedback: Counts = Counts()
    failures: tuple[IngestFailure, ...] = ()
    missing_files: tuple[IngestMissingFile, ...] = ()
    left_out: Mapping[str, int] = {}
    repaired: Mapping[str, int] = {}
    repeated: int = 0
    dry_run: bool = False
    seconds: float = 0.0


class IngestProgress(Struct, frozen=True, kw_only=True):
    """How far an ingestion is.

    Attributes:
        read_bytes: Of the source.
        total_bytes: Of the whole source; None: nobody knows.
        conversations: That were read.
        messages: Likewise.
        failed: Conversations that could not be taken.
    """

    read_bytes: int
    total_bytes: int | None
    conversations: int
    messages: int
    failed: int


class IngestStopped(StorageError):
    """An ingestion could not go on: what it was to write could not be written. Started again, it goes on.

    Attributes:
        report: What had been done until then.
    """

    code = "ingest_stopped"

    def __init__(self, sentence: str, report: IngestReport | None = None) -> None:
        super().__init__(sentence)
        self.report = report or IngestReport()


_MOST_TOLD = 10_000


def joined(reports: Iterable[IngestReport]) -> IngestReport:
    """One report over several."""
    given = list(reports)
    failures = (failure for one in given for failure in one.failures)
    missing = (file for one in given for file in one.missing_files)
    return IngestReport(
        **_sums(given),
        messages=Counts(**_sums([one.messages for one in given])),
        attachments=Counts(**_sums([one.attachments for one in given])),
        feedback=Counts(**_sums([one.feedback for one in given])),
        failures=tuple(islice(failures, _MOST_TOLD)),
        missing_files=tuple(islice(missing, _MOST_TOLD)),
        left_out=_summed(one.left_out for one in given),
        repaired=_summed(one.repaired for one in given),
        repeated=sum(one.repeated for one in given),
        dry_run=any(one.dry_run for one in given),
        seconds=sum(one.seconds for one in given),
    )


_NAMES = msgspec.structs.asdict(Counts()).keys()


def _sums(counts: Iterable[Counts]) -> dict[str, int]:
    every = list(counts)
    return {name: sum(getattr(one, name) for one in every) for name in _NAMES}


def _summed(mappings: Iterable[Mapping[str, int]]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for one in mappings:
        for reason, count in one.items():
            found[reason] = found.get(reason, 0) + count
    return found
