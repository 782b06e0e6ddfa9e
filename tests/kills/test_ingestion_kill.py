"""SIGKILL in mid-ingestion: started again it ends with the same store, and nothing half is ever seen."""

from pathlib import Path

import pytest

from tests.kills.ingestion import IngestionRig


@pytest.mark.parametrize("seed", range(2))
def test_the_store_is_the_same_whenever_it_was_killed(tmp_path: Path, seed: int) -> None:
    rig = IngestionRig(tmp_path, seed)
    rig.kill_rounds(5)
    assert rig.wrong == []
    assert rig.in_the_middle > 1
