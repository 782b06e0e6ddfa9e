"""`ingest`: take conversations in from files, as the owner of the data or through its server."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

import anyio
import msgspec
from anyio import to_thread

from chatcore.errors import ChatcoreError, InvalidInput, Unrecognised
from chatcore.formats.format import ReadOptions
from chatcore.formats.registry import find_read_format
from chatcore.ingestion.delivery import IngestOptions
from chatcore.ingestion.rehearsal import DryRun
from chatcore.ingestion.report import (
    Counts,
    IngestFailure,
    IngestProgress,
    IngestReport,
    IngestStopped,
    joined,
)
from chatcore.opening import open_engine
from frontends.chat import Chat
from frontends.cli.access import open_data
from frontends.cli.collector import collecting_less
from frontends.cli.exits import DONE, FAILED, UNRECOGNISED, complain
from frontends.cli.settings import CommandSettings, SettingsError
from frontends.terminal.harmless import harmless_line

__all__ = ["ingest"]

_LINE_SECONDS = 10.0
"""Where there is no terminal, a line says so often how far it is."""

_SHOWN = 20
"""So many failures are told one by one, and so many reasons for leaving files out."""

_GOES_ON = "The same command goes on where this one stopped."

Tell = Callable[[IngestProgress], None]


class _Ingest(Protocol):
    """The ingestion of one file."""

    async def __call__(self, source: str, options: IngestOptions) -> IngestReport: ...


async def ingest(arguments: argparse.Namespace, settings: CommandSettings) -> int:
    """Take the files in, one after the other; print what became of them."""
    await to_thread.run_sync(_check, arguments, settings.data)
    reports: list[IngestReport] = []
    unrecognised: list[Unrecognised] = []
    stopped: IngestStopped | None = None
    remembered = DryRun() if arguments.dry_run else None
    with collecting_less(), _told_when_stopped(arguments.dry_run), _rejects(arguments.rejects) as rejects:
        async with _open(arguments, settings) as run:
            for path in arguments.paths:
                left = None if arguments.limit is None else arguments.limit - joined(reports).read
                if left == 0:
                    break
                try:
                    reports.append(await _one(run, path, arguments, left, rejects, remembered))
                except Unrecognised as error:
                    unrecognised.append(error)
                    reports.append(_failed(path, error))
                except IngestStopped as error:
                    stopped = error
                    reports.append(error.report)
                    break
                except InvalidInput as error:
                    reports.append(_failed(path, error))
    report = joined(reports)
    unwritten = await to_thread.run_sync(_write, report, arguments.report)
    for line in _lines(report):
        print(line)
    for failure in report.failures[:_SHOWN]:
        complain(_sentence(failure))
    if report.failed > _SHOWN:
        complain(f"… and {report.failed - _SHOWN:,} more; --report FILE has them.")
    if unwritten is not None:
        complain(unwritten)
    if stopped is not None:
        complain(f"{stopped.sentence} {_GOES_ON}")
        return FAILED
    if unrecognised and len(unrecognised) == len(reports):
        return UNRECOGNISED
    return FAILED if report.failed or unwritten is not None else DONE


def _write(report: IngestReport, path: str | None) -> str | None:
    """Write the report; gives the sentence that says why it could not be: the rest is told all the same."""
    if path is None:
        return None
    try:
        Path(path).write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    except OSError as error:
        return f"The report can't be written: {path}: {error.strerror}."
    return None


@asynccontextmanager
async def _open(arguments: argparse.Namespace, settings: CommandSettings) -> AsyncIterator[_Ingest]:
    """How a file is taken in; where a dry run finds no data, nothing is made."""
    if arguments.dry_run and not await anyio.Path(settings.data / "chat.db").exists():
        opened: AbstractAsyncContextManager[Chat] = open_engine("memory:", limits=settings.limits)
    else:
        opened = open_data(settings, making=True)
    async with opened as chat:

        async def run(source: str, options: IngestOptions) -> IngestReport:
            return await chat.ingest(
                source,
                format=options.format,
                options=options.read,
                index=options.index,
                dry_run=options.remembered or options.dry_run,
                limit=options.limit,
                rejects=options.rejects,
                progress=options.progress,
                user=arguments.owner,
            )

        yield run


async def _one(
    run: _Ingest,
    path: str,
    arguments: argparse.Namespace,
    limit: int | None,
    rejects: BinaryIO | None,
    remembered: DryRun | None,
) -> IngestReport:
    read = ReadOptions(
        source=arguments.source_name, assistant=arguments.assistant, unfinished=arguments.unfinished
    )
    with _telling("standard input" if path == "-" else Path(path).name) as tell:
        return await run(
            path,
            IngestOptions(
                format=arguments.format,
                read=read,
                index=not arguments.no_index,
                dry_run=arguments.dry_run,
                remembered=remembered,
                limit=limit,
                rejects=rejects,
                progress=tell,
            ),
        )


def _check(arguments: argparse.Namespace, data: Path) -> None:
    """Raises SettingsError when what is asked for can't be done whatever the files hold."""
    for path in arguments.paths:
        if path != "-" and (not path or not Path(path).exists()):
            raise SettingsError(f"There is no file {path or 'of an empty name'}.")
    written = [Path(path).resolve() for path in (arguments.report, arguments.rejects) if path is not None]
    for target in written:
        if not target.parent.is_dir() or target.is_dir():
            raise SettingsError(f"{target} can't be written: there is no such folder, or it is one.")
        kept = [Path(path).resolve() for path in arguments.paths if path != "-"] + [data.resolve()]
        if any(target.is_relative_to(one) for one in kept) or written.count(target) > 1:
            raise SettingsError(f"{target} would be written over what is read, or is where the data lies.")
    if arguments.format is not None:
        try:
            find_read_format(arguments.format)
        except InvalidInput as error:
            raise SettingsError(error.sentence) from None


@contextmanager
def _told_when_stopped(dry_run: bool) -> Iterator[None]:
    """Ctrl-C and SIGTERM end a long ingestion as a rule: nobody should have to wonder what is left of it."""
    try:
        yield
    except anyio.get_cancelled_exc_class():
        kept = "This was a dry run, nothing was stored." if dry_run else f"All before is stored. {_GOES_ON}"
        complain(f"Stopped. {kept}")
        raise


@contextmanager
def _rejects(path: str | None) -> Iterator[BinaryIO | None]:
    if path is None:
        yield None
        return
    try:
        file = open(path, "wb")  # noqa: SIM115 -- closed below, so that only opening it is a wrong use
    except OSError as error:
        raise SettingsError(f"{path} can't be written: {error.strerror}.") from error
    try:
        yield file
    finally:
        with suppress(OSError):  # each line was written out: that this failed has been told
            file.close()


@contextmanager
def _telling(name: str) -> Iterator[Tell]:
    """Shows how far it is: a bar at a terminal, else a line now and then."""
    if sys.stderr.isatty():
        from frontends.terminal.progress import ProgressRow  # and with it rich

        with ProgressRow(harmless_line(name)) as row:
            yield lambda at: row.show(at.read_bytes, at.total_bytes, at.messages)
        return
    told = time.monotonic()

    def tell(at: IngestProgress) -> None:
        nonlocal told
        if (now := time.monotonic()) - told >= _LINE_SECONDS:
            told = now
            share = f"{at.read_bytes / at.total_bytes:.0%}, " if at.total_bytes else ""
            complain(f"{name}: {share}{at.conversations:,} conversations, {at.messages:,} messages.")

    yield tell


def _failed(path: str, error: ChatcoreError) -> IngestReport:
    """A file of which nothing could be read."""
    failure = IngestFailure(file=Path(path).name, place="", id=None, reason=error.sentence)
    return IngestReport(read=1, failed=1, failures=(failure,))


def _sentence(failure: IngestFailure) -> str:
    where = ", ".join(part for part in (failure.file, failure.place, failure.id) if part)
    return f"{where}: {failure.reason}" if where and failure.file not in failure.reason else failure.reason


_PARTS: Sequence[tuple[str, Callable[[IngestReport], Counts]]] = (
    ("conversations", lambda report: report),
    ("messages", lambda report: report.messages),
    ("attachments", lambda report: report.attachments),
    ("votes", lambda report: report.feedback),
)


def _lines(report: IngestReport) -> Iterator[str]:
    yield f"{'would be' if report.dry_run else '':14}" + "".join(f"{name:>11}" for name in _COLUMNS)
    for name, counts in _PARTS:
        yield f"{name:14}" + "".join(f"{getattr(counts(report), column):>11,}" for column in _COLUMNS)
    for what, reasons in (("left out", report.left_out), ("put right", report.repaired)):
        for reason, count in reasons.items():
            yield f"{what}: {count:,} × {harmless_line(reason)}"
    for reason, count in Counter(one.reason for one in report.missing_files).most_common(_SHOWN):
        yield f"named only: {count:,} × {harmless_line(reason)}"
    if report.repeated:
        yield f"unchanged: {report.repeated:,} × the same as an earlier record"
    rate = report.messages.read / report.seconds if report.seconds else 0.0
    yield f"{report.seconds:,.1f} s, {rate:,.0f} messages/s"


_COLUMNS = ("read", "imported", "updated", "unchanged", "skipped", "failed")
