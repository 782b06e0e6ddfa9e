"""A responder that talks fast and long, with reasoning, tool steps and characters of four bytes."""

import itertools
from collections.abc import AsyncIterator

import anyio

from chatcore import Asked, Output, Reasoning, ToolCall, ToolResult


async def chatter(asked: Asked) -> AsyncIterator[Output]:
    """An answer without an end: only the death of the process ends it."""
    yield Reasoning(f"about “{asked.text}” ")
    yield ToolCall("c1", "count", "{}")
    yield ToolResult("c1", "begun")
    for number in itertools.count():
        yield f"{number}😀 "
        await anyio.sleep(0.001)
