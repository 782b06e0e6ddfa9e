"""A token costs the server no more CPU after 1,000 messages than after 10."""

import os
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.frontends.commands import Served, command, environment, read_until
from tests.seeding import seed

TOKENS = 600
RESPONDER = f'''
import os
import anyio

async def answer(asked):
    """In bursts of four, each when the one before was seen: as a page follows, not as one block of text."""
    seen = os.open(asked.text, os.O_RDONLY | os.O_NONBLOCK)
    for number in range({TOKENS} // 4):
        for piece in range(4):
            yield f"token{{piece}} "
        await anyio.wait_readable(seen)
        os.read(seen, 4096)
'''


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cost_per_token(served: Served, conversation: str, pipe: Path) -> float:
    """CPU seconds of the server for each token of one answer that an event stream follows to its end."""
    with httpx.Client(base_url=f"{served.url}/api", timeout=20.0) as http:
        page = http.get(f"/conversations/{conversation}/messages?limit=100").raise_for_status().json()
        address = f"/events?conversation={conversation}&after={page['cursor']}"
        with http.stream("GET", address) as frames:
            cpu = cpu_seconds(served.process.pid)
            http.post(f"/conversations/{conversation}/messages", json={"text": str(pipe)}).raise_for_status()
            with pipe.open("wb", buffering=0) as seen:
                for line in frames.iter_lines():
                    if "text_delta" in line:
                        seen.write(b"!")
                    if line.startswith("data:") and '"status":"complete"' in line and '"assistant"' in line:
                        break
            return (cpu_seconds(served.process.pid) - cpu) / TOKENS


@pytest.mark.measures
def test_cpu_per_token_does_not_grow_with_history(tmp_path: Path) -> None:
    data = tmp_path / "data"
    short, long = seed(data, [10, 1_000])
    os.mkfifo(pipe := tmp_path / "seen")
    (tmp_path / "steady.py").write_text(RESPONDER)
    arguments = ("--data", data, "--port", "0", "--responder", "steady.py:answer")
    line = command("serve", *arguments, "--frontend", "gradio_web", "--frontend", "http_api")
    home = environment(tmp_path, PYTHONWARNINGS="default")
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=home, cwd=tmp_path
    ) as process:
        try:
            served = Served(process, read_until(process, b"Ctrl-C stops.\n"))
            cost_per_token(served, short, pipe)  # warm: imports and caches of the first answer
            few, many = cost_per_token(served, short, pipe), cost_per_token(served, long, pipe)
        finally:
            process.kill()
    print(f"{few * 1e6:.0f} µs a token at 10 messages, {many * 1e6:.0f} µs at 1,000")
    assert many <= 1.5 * few
