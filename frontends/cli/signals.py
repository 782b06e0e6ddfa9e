"""Ctrl-C and SIGTERM, where no command hears them itself.

While the event loop runs, the first signal cancels the command, so that whatever is open is closed properly;
a second one ends it at once, also where a thread waits for ever (a pipe that nobody opens). Asyncio's own
cancelling for Ctrl-C waits for no thread, not even where a scope is shielded.
"""

import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import ParamSpec

import anyio

__all__ = ["Terminated", "end_at_once_from_now_on", "interruptible", "until_terminated"]

P = ParamSpec("P")

_BOTH = (signal.SIGINT, signal.SIGTERM)


async def until_terminated(run: Callable[P, Awaitable[int]], *args: P.args, **kwargs: P.kwargs) -> int:
    """The exit code of `run`, which Ctrl-C and SIGTERM cancel."""
    code = 0

    async def hear(scope: anyio.CancelScope) -> None:
        nonlocal code
        with anyio.open_signal_receiver(*_BOTH) as signals:
            code = 128 + await anext(signals)
        end_at_once_from_now_on()
        scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hear, tasks.cancel_scope)
        code = await run(*args, **kwargs)
        tasks.cancel_scope.cancel()
    return code


@contextmanager
def interruptible() -> Iterator[None]:
    """Code that holds the event loop up (a long import) ends at once with KeyboardInterrupt, by both signals.

    Nothing may be open yet that would have to be closed in order.
    """
    before = {number: signal.signal(number, _raise) for number in _BOTH}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""


def _raise(number: int, frame: FrameType | None) -> None:
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def end_at_once_from_now_on() -> None:
    """A further signal does not wait for the engine, which is storing the endings of its answers."""
    for number in _BOTH:
        signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)
