"""Running the `chatcore` command as people do: as a process of its own."""

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "RESPONDER",
    "ROOT",
    "Finished",
    "Served",
    "Terminal",
    "command",
    "environment",
    "let_go",
    "read_until",
    "run",
    "serving",
    "stop",
]

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 20.0

RESPONDER = '''
import os
import anyio

async def answer(asked):
    """Echoes; "hold" stays in mid-answer, until something is written to a named pipe if one follows."""
    word, _, rest = asked.text.partition(" ")
    if word == "hold" and not rest:
        yield "begun "
        await anyio.sleep_forever()
    elif word == "hold":
        pipe = os.open(rest, os.O_RDONLY | os.O_NONBLOCK)
        yield "begun "
        await anyio.wait_readable(pipe)
        os.close(pipe)
        yield "and ended"
    elif word == "raise":
        yield "so far "
        raise RuntimeError("out of words")
    else:
        for piece in ("You ", "said: ", asked.text):
            yield piece
        for file in asked.files:
            yield f" [{file.name}]"
'''

# A new session's leader gets the first terminal that it opens as its own: then Ctrl-C is a signal.
AT_TERMINAL = """
import os, sys
os.close(os.open(os.ttyname(0), os.O_RDWR))
from frontends.cli.main import main
sys.exit(main())
"""


@dataclass(frozen=True)
class Finished:
    """What a command said, and the code with which it ended."""

    code: int
    out: str
    err: str


def environment(home: Path, **extra: str) -> dict[str, str]:
    """Nothing of the person's own settings; `home` for all that is looked for in places of the platform."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "LANG", "TMPDIR", "COVERAGE_PROCESS_START")
        if name in os.environ
    }
    return {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **extra}


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "frontends.cli", *map(str, arguments)]


def run(
    home: Path, *arguments: str | Path, typed: str | bytes = "", env: Mapping[str, str] | None = None
) -> Finished:
    """The command run to its end, `typed` piped into it."""
    given = typed.encode() if isinstance(typed, str) else typed
    done = subprocess.run(
        command(*arguments),
        input=given,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        env=environment(home, **(env or {})),
        cwd=home,
        check=False,
    )
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())


def let_go(pipe: Path) -> None:
    """What `RESPONDER` holds by this pipe goes on; `OSError` if it holds nothing."""
    descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    os.write(descriptor, b"!")
    os.close(descriptor)


class Served:
    """A running server: its `url`, its `process`, and the lines that it printed."""

    def __init__(self, process: "subprocess.Popen[bytes]", printed: str) -> None:
        self.process = process
        self.printed = printed
        found = re.search(r"http://[0-9.:]+", printed)
        assert found is not None, printed
        self.url = found[0]
        self.port = int(self.url.rpartition(":")[2])


@contextmanager
def serving(home: Path, data: Path, *arguments: str | Path, function: str | None = None) -> Iterator[Served]:
    """A server with the HTTP API alone and a responder of the tests, started and, at the end, gone."""
    if function is None:
        (home / "scripted.py").write_text(RESPONDER)
        function = "scripted.py:answer"
    line = command(
        "serve", "--data", data, "--frontend", "http_api", "--responder", function, "--port", "0", *arguments
    )
    process = subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(home), cwd=home
    )
    try:
        yield Served(process, read_until(process, b"Ctrl-C stops.\n"))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE_SECONDS)


def read_until(process: "subprocess.Popen[bytes]", *ends: bytes, seconds: float = PATIENCE_SECONDS) -> str:
    """What the process prints until all of `ends` were there, in any order."""
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    said = b""
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as waiting:
        waiting.register(descriptor, selectors.EVENT_READ)
        while not all(end in said for end in ends):
            assert waiting.select(max(0.0, deadline - time.monotonic())), f"nothing more came after {said!r}"
            chunk = os.read(descriptor, 4096)
            assert chunk, f"it ended: {said!r} {process.stderr.read() if process.stderr else b''!r}"
            said += chunk
    return said.decode()


def stop(served: Served, number: signal.Signals = signal.SIGTERM) -> tuple[int, float, str]:
    """Its exit code after the signal, how many seconds that took, and its standard error."""
    began = time.monotonic()
    served.process.send_signal(number)
    _, err = served.process.communicate(timeout=PATIENCE_SECONDS)
    return served.process.returncode, time.monotonic() - began, err.decode()


class Terminal:
    """A person's terminal with the command in it."""

    def __init__(self, home: Path, *arguments: str | Path) -> None:
        self.keys, self.child_side = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", AT_TERMINAL, *map(str, arguments)],
            stdin=self.child_side,
            stdout=self.child_side,
            stderr=self.child_side,
            env=environment(home, TERM="xterm-256color"),
            cwd=home,
            start_new_session=True,
        )
        self.shown = ""
        self._open = True
        self._bytes = b""

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=PATIENCE_SECONDS)
        self.close_window()

    def close_window(self) -> None:
        """The terminal is there no more."""
        if self._open:
            self._open = False
            os.close(self.keys)
            os.close(self.child_side)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.keys, text.encode())

    def wait_for(self, text: str) -> str:
        """All that is shown from the last wait on up to `text`."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.keys, selectors.EVENT_READ)
            while text not in self.shown:
                assert waiting.select(max(0.0, deadline - time.monotonic())), (text, self.shown)
                self._bytes += os.read(self.keys, 4096)
                self.shown = self._bytes.decode("utf-8", "ignore")
        before, found, after = self.shown.partition(text)
        self._bytes = after.encode()
        self.shown = after
        return before + found

    def ended(self) -> int:
        """The exit code."""
        return self.process.wait(timeout=PATIENCE_SECONDS)
