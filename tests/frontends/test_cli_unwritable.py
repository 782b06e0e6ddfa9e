"""Where nothing can be written, what is there is listed, shown, found and exported all the same."""

import shutil
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from chatcore import open_engine
from tests.frontends.commands import environment

CODE = """
import json, resource, sys
from frontends.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # no file may grow, as on a full disk
for arguments in json.loads(sys.argv[1]):
    print("code", main([*arguments, "--data", sys.argv[2]]), flush=True)
"""


async def fill(data: Path, died: Path) -> str:
    async with open_engine(f"sqlite:{data}") as engine:
        made = await engine.create("Kept")
        await engine.post(made.id, "a needle in the hay")
        await anyio.to_thread.run_sync(shutil.copytree, data, died)
        return made.id


@pytest.mark.parametrize("name", ["closed", "died"])
def test_a_full_disk_keeps_nobody_from_reading(tmp_path: Path, name: str) -> None:
    """Whether the last owner was closed in order, or has left what is not in the database yet."""
    made = anyio.run(fill, tmp_path / "closed", tmp_path / "died")
    commands = [["list"], ["show", made], ["search", "needle"], ["export"], ["purge"]]
    given = [sys.executable, "-c", CODE, str(commands).replace("'", '"'), str(tmp_path / name)]
    done = subprocess.run(
        given, env=environment(tmp_path), capture_output=True, text=True, timeout=20, check=True
    )
    listed, shown, found, exported, purged, _ = done.stdout.split("code ")
    assert made in listed
    assert "needle in the hay" in shown
    assert "needle" in found
    assert f'"id":"{made}"' in exported
    assert [one[0] for one in (shown, found, exported, purged, _)] == ["0", "0", "0", "0", "1"]
    told = done.stderr.splitlines()
    assert len(told) == 5
    assert all("can't be used" in one and one.endswith("It is only read.") for one in told[:4])
    assert not told[4].endswith("It is only read.")  # a purge writes
