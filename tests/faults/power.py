"""Power cuts by the hundred: recorded, replayed, cut and judged."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from shutil import rmtree

import anyio
from msgspec import Struct
from msgspec.structs import replace

from tests.faults.finding import look, open_and_look, restore
from tests.faults.recording import FileStep, Known, Recorder, Statement, Step
from tests.faults.replaying import Cut, cuts

__all__ = ["BREAKAGES", "UNSETTLED", "Verdict", "judge"]


class Verdict(Struct, frozen=True):
    """What came of it.

    Attributes:
        cuts: How often the power was cut.
        opened: After how many of them the real engine was opened.
        whole: After how many nothing was lost, the newest deltas included.
        wrong: What was found, a sentence each.
    """

    cuts: int
    opened: int
    whole: int
    wrong: list[str]


def judge(
    recorder: Recorder,
    directory: Path,
    *,
    seed: int,
    wanted: int,
    open_every: int,
    breakage: "Breakage | None" = None,
) -> Verdict:
    """Cut the power of a recording at `wanted` moments, and open the real engine after some of them.

    With a breakage it is over when something is found.
    """
    steps = recorder.steps if breakage is None else breakage(recorder.steps)
    whole = opened = 0
    wrong: list[str] = []
    found = cuts(steps, Random(seed), wanted)
    place = directory / "found"
    for number, cut in enumerate(found):
        restore(cut.image, place)
        seen = look(cut, place)
        whole += seen.whole
        wrong += seen.wrong
        if not seen.wrong and number % open_every == 0:
            rmtree(place)
            restore(cut.image, place)  # the look has recovered the database
            opened += 1
            wrong += anyio.run(_opened, cut, place, recorder.epochs, seen.whole)
        rmtree(place)
        if wrong and breakage is not None:
            break
    return Verdict(len(found), opened, whole, wrong)


async def _opened(cut: Cut, place: Path, epochs: Sequence[str], whole: bool) -> list[str]:
    return await open_and_look(cut, place, epochs, whole=whole)


# What could be done wrong, as a change of what was recorded.

Breakage = Callable[[Sequence[Step]], list[Step]]


def _in_statements(old: str, new: str) -> Breakage:
    def changed(step: Step) -> Step:
        return replace(step, sql=step.sql.replace(old, new)) if isinstance(step, Statement) else step

    return lambda steps: [changed(step) for step in steps]


def _without(left_out: Callable[[Step], bool]) -> Breakage:
    return lambda steps: [step for step in steps if not left_out(step)]


def _promised_too_early(steps: Sequence[Step]) -> list[Step]:
    changed: list[Step] = []
    commit = 0
    for step in steps:
        if isinstance(step, Known):
            changed.insert(commit, step)
            commit += 1
        else:
            if isinstance(step, Statement) and step.sql == "COMMIT":
                commit = len(changed)
            changed.append(step)
    return changed


def _always_clean(steps: Sequence[Step]) -> list[Step]:
    def changed(step: Step) -> Step:
        if isinstance(step, Statement) and step.sql.startswith("INSERT OR REPLACE INTO meta"):
            return replace(step, sql=step.sql.removesuffix("0)") + "1)")
        return step

    return [changed(step) for step in steps]


def _is_sql(*sql: str) -> Callable[[Step], bool]:
    return lambda step: isinstance(step, Statement) and step.sql in sql


def _is_file_step(kind: str) -> Callable[[Step], bool]:
    return lambda step: isinstance(step, FileStep) and step.kind == kind


UNSETTLED: Breakage = _without(_is_sql("UPDATE meta SET clean = 1 - clean WHERE id = 1"))

BREAKAGES: Mapping[str, Breakage] = {
    "nothing is synced": _in_statements("synchronous = FULL", "synchronous = OFF"),
    "what is acknowledged is committed like deltas": _in_statements(
        "synchronous = FULL", "synchronous = NORMAL"
    ),
    "it is acknowledged before the commit": _promised_too_early,
    "units are no transactions": _without(
        _is_sql("BEGIN IMMEDIATE", "SAVEPOINT unit", "RELEASE unit", "ROLLBACK TO unit", "COMMIT")
    ),
    "files are not synced": _without(_is_file_step("fsync")),
    "folders are not synced": _without(_is_file_step("fsync_folder")),
    "a use that has not ended looks as if it had": _always_clean,
}
