"""A token costs the server no more CPU after 1,000 messages than after 10."""

import os
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.frontends.commands import Served, command, environment, read_until
from tests.seeding import seed

TOKENS = 3_000
RESPONDER = f'''
import anyio

async def answer(asked):
    """In bursts of four: as fast as a page follows without being one block of text."""
    for number in range({TOKENS} // 4):
        for piece in range(4):
            yield f"token{{piece}} "
        await anyio.sleep(0.001)
'''


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle_share(pid: int) -> float:
    """CPU seconds per second while nothing happens."""
    cpu, begun = cpu_seconds(pid), time.monotonic()
    threading.Event().wait(1.0)
    return (cpu_seconds(pid) - cpu) / (time.monotonic() - begun)


def cost_per_token(served: Served, conversation: str) -> float:
    """CPU seconds of the server for each token of one answer that an event stream follows to its end."""
    idle = idle_share(served.process.pid)
    with httpx.Client(base_url=f"{served.url}/api", timeout=20.0) as http:
        page = http.get(f"/conversations/{conversation}/messages?limit=100").raise_for_status().json()
        address = f"/events?conversation={conversation}&after={page['cursor']}"
        with http.stream("GET", address) as frames:
            cpu, begun = cpu_seconds(served.process.pid), time.monotonic()
            http.post(f"/conversations/{conversation}/messages", json={"text": "go"}).raise_for_status()
            for line in frames.iter_lines():
                if line.startswith("data:") and '"status":"complete"' in line and '"assistant"' in line:
                    break
            spent = cpu_seconds(served.process.pid) - cpu - idle * (time.monotonic() - begun)
    return spent / TOKENS


@pytest.mark.measures
def test_cpu_per_token_does_not_grow_with_history(tmp_path: Path) -> None:
    data = tmp_path / "data"
    short, long = seed(data, [10, 1_000])
    (tmp_path / "steady.py").write_text(RESPONDER)
    arguments = ("--data", data, "--port", "0", "--responder", "steady.py:answer")
    line = command("serve", *arguments, "--frontend", "gradio_web", "--frontend", "http_api")
    home = environment(tmp_path, PYTHONWARNINGS="default")
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=home, cwd=tmp_path
    ) as process:
        try:
            served = Served(process, read_until(process, b"Ctrl-C stops.\n"))
            cost_per_token(served, short)  # warm: imports and caches of the first answer
            few, many = cost_per_token(served, short), cost_per_token(served, long)
        finally:
            process.kill()
    print(f"{few * 1e6:.0f} µs a token at 10 messages, {many * 1e6:.0f} µs at 1,000")
    assert many <= 1.5 * few
