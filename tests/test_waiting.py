"""Tests wait for the thing itself: none sleeps so that something may happen meanwhile."""

import re
from collections.abc import Iterator

import pytest

from tests.source_tree import ROOT

TIMED = {
    "kills/chatter.py": "the pace of a model",
    "kills/ingestion.py": "a kill at a random moment",
    "responders/test_local_process.py": "the pauses of the event loop are measured",
}
"""The files in which one call takes time, and what for."""

TAKES_TIME = re.compile(r"\b(?:sleep|wait_for_timeout)\((?!0\))")
"""A call of Playwright's, or of anybody's; within the programs that tests write down too."""


def pauses(source: str) -> Iterator[str]:
    for line in source.splitlines():
        yield from TAKES_TIME.findall(line)


def test_nothing_sleeps_but_where_time_is_meant() -> None:
    found = {
        path.relative_to(ROOT / "tests").as_posix(): number
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if (number := len(list(pauses(path.read_text("utf-8")))))
    }
    assert found == dict.fromkeys(TIMED, 1)


@pytest.mark.parametrize(
    ("called", "given", "is_pause"),
    [
        ("time.sleep", "0.1", True),
        ("    await anyio.sleep", "delay", True),
        ("tab.page.wait_for_timeout", "100", True),
        ("await asyncio.sleep", "0", False),
        ("await anyio.sleep_forever", "", False),
    ],
)
def test_a_planted_pause_is_found(called: str, given: str, is_pause: bool) -> None:
    assert bool(list(pauses(f"{called}({given})\n"))) is is_pause
