"""The real files beside the project as a whole: none is without its truth, and reports add up."""

from collections.abc import Sequence

import pytest

from chatcore import IngestReport, ReadOptions, open_engine
from tests.formats import test_shared_datasets, test_shared_logs, test_shared_vendors
from tests.formats.test_shared_vendors import DATA

pytestmark = [
    pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here"),
    pytest.mark.anyio,
]

NO_CHAT = {"claude-export/simple-invalid.json"}

COUNTS: Sequence[tuple[str, str | None, tuple[int, int, int, int, int], tuple[int, int]]] = (
    # file; assistant; read, imported, unchanged, skipped, failed; repeated, messages that were left out
    ("hf-preference/dpo_en_demo.json.gz", None, (300, 295, 5, 0, 0), (5, 0)),
    ("sharegpt/glaive_toolcall_en_demo.json.gz", None, (300, 265, 35, 0, 0), (35, 0)),
    ("claude-export/conversations-multiple-errors.json", None, (5, 3, 0, 2, 0), (0, 0)),
    ("oasst/oasst1.en-validation.part-a.jsonl.gz", None, (60, 58, 0, 2, 0), (0, 30)),
    ("other-exports/telegram.result.json", None, (1, 0, 0, 0, 1), (0, 0)),
    ("other-exports/telegram.result.json", "Batman & Robin", (1, 1, 0, 0, 0), (0, 0)),
)


def test_every_file_has_a_truth_that_is_tested() -> None:
    known = {*test_shared_datasets.TRUTH, *test_shared_vendors.TRUTHS, *NO_CHAT}
    known |= {one.path for one in test_shared_logs.FILES}
    there = {path.relative_to(DATA).as_posix() for path in DATA.rglob("*") if path.is_file()}
    assert {name for name in there if not name.startswith(("LICENSES/", "README"))} == known


@pytest.mark.parametrize(("name", "assistant", "counts", "others"), COUNTS)
async def test_the_report_adds_up(
    name: str, assistant: str | None, counts: tuple[int, ...], others: tuple[int, int]
) -> None:
    async with open_engine("memory:") as engine:
        report = await engine.ingest(DATA / name, options=ReadOptions(assistant=assistant))
    assert _counts(report) == counts
    assert report.read == report.imported + report.updated + sum(counts[2:])
    assert (report.repeated, report.messages.skipped) == others


def _counts(report: IngestReport) -> tuple[int, ...]:
    return (report.read, report.imported, report.unchanged, report.skipped, report.failed)
