"""Where nothing can be written, what is there is listed, shown, found and exported all the same."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from chatcore import open_engine
from tests.frontends.commands import environment

CODE = """
import json, resource, sys
from frontends.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)  # no file may be longer, as on a full disk
for arguments in json.loads(sys.argv[1]):
    print("code", main([*arguments, "--data", sys.argv[2]]), flush=True)
"""


async def fill(data: Path, died: Path) -> str:
    async with open_engine(f"sqlite:{data}") as engine:
        made = await engine.create("Kept")
        await engine.post(made.id, "a needle in the hay")
        await anyio.to_thread.run_sync(shutil.copytree, data, died)
        return made.id


def with_files_up_to(
    size_bytes: int, commands: Sequence[Sequence[str]], data: Path
) -> subprocess.CompletedProcess[str]:
    """What the commands print, one after the other, with their codes between."""
    given = [sys.executable, "-c", CODE, json.dumps(commands), str(data), str(size_bytes)]
    return subprocess.run(
        given, env=environment(data.parent), capture_output=True, text=True, timeout=20, check=True
    )


@pytest.mark.parametrize("name", ["closed", "died"])
def test_a_full_disk_keeps_nobody_from_reading(tmp_path: Path, name: str) -> None:
    """Whether the last owner was closed in order, or has left what is not in the database yet."""
    made = anyio.run(fill, tmp_path / "closed", tmp_path / "died")
    commands = [["list"], ["show", made], ["search", "needle"], ["export"], ["purge"]]
    done = with_files_up_to(0, commands, tmp_path / name)
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


@pytest.mark.parametrize(("conversations", "each"), [(1_200, 5), (1, 6_000)])
def test_an_ingestion_that_fills_the_disk_says_what_stays(
    tmp_path: Path, conversations: int, each: int
) -> None:
    """It does not say that nothing was stored where something was."""
    turns = [{"role": "user", "content": "words " * 200}] * each
    records = [json.dumps({"id": str(number), "messages": turns}) for number in range(conversations)]
    (tmp_path / "lines").write_text("\n".join(records))
    done = with_files_up_to(4 * 2**20, [["ingest", str(tmp_path / "lines")]], tmp_path / "data")
    assert done.stdout.endswith("code 1\n")
    imported = int(done.stdout.splitlines()[1].split()[2].replace(",", ""))
    assert (imported > 0) == (conversations > 1)
    (told,) = done.stderr.splitlines()
    assert "this was not stored" in told
    assert ("What was stored before stays." in told) == (imported > 0)
    assert told.endswith("The same command goes on where this one stopped.")
