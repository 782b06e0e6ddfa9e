"""SIGKILL in mid-answer: what a reader in another process was shown is stored, what was acknowledged too."""

from pathlib import Path

import pytest

from tests.kills.rig import Rig


@pytest.mark.parametrize("seed", range(4))
def test_shown_is_stored_whenever_the_server_is_killed(tmp_path: Path, seed: int) -> None:
    rig = Rig(tmp_path / "data", seed)
    rig.kill_rounds(5)
    assert rig.lost == []
    assert rig.characters > 100
