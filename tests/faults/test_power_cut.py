"""Promise 1 on the disk: whenever the power goes, what was acknowledged is there, and readers are told."""

from itertools import count
from pathlib import Path
from random import Random

import pytest

from tests.faults.power import BREAKAGES, UNSETTLED, judge
from tests.faults.recording import FileStep, Known, Recorder, Statement
from tests.faults.replaying import CHECKPOINT_PAGES
from tests.faults.workload import record, record_ingestions

SEEDS = (1, 2, 3)
CUTS = 100
SELDOM_CHECKPOINTS = next(seed for seed in count() if Random(seed).choice(CHECKPOINT_PAGES) == 1000)
"""A checkpoint has all on the disk that was written before it."""


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    """One recording for all breakages."""
    return record(7, tmp_path_factory.mktemp("recorded") / "data")


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_acknowledged_is_lost(seed: int, tmp_path: Path) -> None:
    verdict = judge(
        record(seed, tmp_path / "data"), tmp_path, seed=seed, wanted=CUTS, open_every=len(SEEDS) * CUTS // 60
    )
    assert verdict.wrong == []
    assert verdict.cuts == CUTS
    assert verdict.opened == 20
    assert verdict.whole < CUTS, "no cut has taken a delta: too tame a power cut"


def test_the_recording_holds_all_that_matters(recorder: Recorder) -> None:
    """A recorder that misses steps would let everything pass."""
    statements = [step.sql for step in recorder.steps if isinstance(step, Statement)]
    beginnings = {sql.split("(")[0].strip() for sql in statements}
    for wanted in (
        "BEGIN IMMEDIATE",
        "COMMIT",
        "SAVEPOINT unit",
        "ROLLBACK TO unit",
        "PRAGMA synchronous = FULL",
        "PRAGMA synchronous = NORMAL",
        "PRAGMA journal_mode = WAL",
        "INSERT INTO delta",
        "INSERT INTO message",
        "INSERT INTO feedback",
    ):
        assert wanted in beginnings, wanted
    kinds = {step.kind for step in recorder.steps if isinstance(step, FileStep)}
    assert kinds == {"make_folder", "create", "write", "fsync", "rename", "unlink", "fsync_folder"}
    assert sum(isinstance(step, Known) for step in recorder.steps) > 100


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_is_broken_on_purpose_is_found(name: str, recorder: Recorder, tmp_path: Path) -> None:
    verdict = judge(recorder, tmp_path, seed=1, wanted=CUTS, open_every=1, breakage=BREAKAGES[name])
    assert verdict.wrong, f"{name}: {verdict.cuts} cuts have found nothing"


def test_what_was_ingested_is_there_when_the_call_has_returned(tmp_path: Path) -> None:
    """Its batches are not waited for one by one, but once in the end."""
    recorded = record_ingestions(1, tmp_path / "data")
    verdict = judge(recorded, tmp_path, seed=SELDOM_CHECKPOINTS, wanted=40, open_every=8)
    assert (verdict.cuts, verdict.wrong) == (40, [])
    broken = judge(recorded, tmp_path, seed=SELDOM_CHECKPOINTS, wanted=40, open_every=40, breakage=UNSETTLED)
    assert broken.wrong
