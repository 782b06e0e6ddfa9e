"""The local model's process, seen from the one that started it."""

import contextlib
import json
import os
import re
import secrets
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

import anyio
import anyio.to_thread
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from msgspec import Struct

from chatcore.errors import ResponderError
from chatcore.responders.model_server import Wanted
from chatcore.responders.weights import Weights

__all__ = ["ModelProcess", "open_model_process", "usable_cores"]

PROGRAM = Path(__file__).with_name("model_server.py")
STOP_SECONDS = 1.0
SMALL_BYTES = 300_000_000
"""Weights for which the threads' waiting for each other costs more than the second one brings: one thread
wrote 85 tokens/s with the default weights on two busy cores, two wrote 40."""

MAX_LINE_BYTES = 65_536

_LOGGED_ERROR = re.compile(r"^[\d.]+ E (?:\S+ +)?(.+)$", re.MULTILINE)


class ModelProcess(Struct, frozen=True, kw_only=True):
    """A process that serves a model.

    Attributes:
        address: Where: ``http://127.0.0.1:PORT``.
        api_key: What it wants to be asked with; nobody else knows it.
    """

    address: str
    api_key: str
    process: Process

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self.process.returncode is None


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.asynccontextmanager
async def open_model_process(
    weights: Weights, *, context_tokens: int, slots: int, load_seconds: float
) -> AsyncIterator[ModelProcess]:
    """Start it and wait until the model is loaded; it has ended when the block is left.

    It also ends by itself when this process does, even by SIGKILL: its standard input ends then.

    Raises:
        ResponderError: The model can't be loaded, or not within `load_seconds`.
    """
    api_key = secrets.token_hex(16)
    wanted: Wanted = {
        "path": sys.path,
        "weights": str(weights.path),
        "name": weights.name,
        "api_key": api_key,
        "slots": slots,
        "context_tokens": context_tokens,
        "threads": usable_cores(),
        "answer_threads": 1 if weights.size_bytes < SMALL_BYTES else usable_cores(),
    }
    with tempfile.TemporaryFile() as log:
        # Cancelled within the milliseconds that it takes to start, nobody would wait for its end.
        with anyio.CancelScope(shield=True):
            # A session of its own: Ctrl-C in the terminal is not for it.
            process = await anyio.open_process(
                [sys.executable, "-I", str(PROGRAM)], stderr=log, start_new_session=True
            )
        try:
            address = None
            with anyio.move_on_after(load_seconds):
                address = await _address(process, json.dumps(wanted).encode() + b"\n", weights, log)
            if address is None:
                raise ResponderError(f"{weights.name} was not loaded within {load_seconds:g} seconds.")
            yield ModelProcess(address=address, api_key=api_key, process=process)
        finally:
            await _stop(process)


async def _address(process: Process, wanted: bytes, weights: Weights, log: IO[bytes]) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    line = b"{}"
    with contextlib.suppress(anyio.BrokenResourceError, anyio.EndOfStream, anyio.IncompleteRead):
        await process.stdin.send(wanted)
        line = await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", MAX_LINE_BYTES)
    answer: dict[str, str] = json.loads(line)
    if "address" in answer:
        return answer["address"]
    ending = await process.wait()
    found = _LOGGED_ERROR.search(await anyio.to_thread.run_sync(_read, log))
    cause = found[1] if found else answer.get("error") or _ending_words(ending)
    raise ResponderError(f"The local model {weights.path} can't be loaded: {cause.strip(' .')}.")


async def _stop(process: Process) -> None:
    """It has ended afterwards, also when cancelled: killed when it was still loading."""
    with anyio.CancelScope(shield=True):
        if process.stdin is not None:
            await process.stdin.aclose()
        with anyio.move_on_after(STOP_SECONDS):
            await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
        await process.aclose()


def _read(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read(MAX_LINE_BYTES).decode("utf-8", "replace")


def _ending_words(returncode: int) -> str:
    if returncode < 0:
        return f"its process was ended by {signal.Signals(-returncode).name}"
    return f"its process ended with code {returncode}"
