"""A server in a thread of its own, for scripts and notebooks that go on while it runs."""

import atexit
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Protocol

from anyio.abc import TaskStatus
from anyio.from_thread import BlockingPortal, start_blocking_portal

from frontends.server import Address
from frontends.site import Site

__all__ = ["Running", "run_in_thread"]

CLOSE_SECONDS = 5.0

Serve = Callable[[Callable[[Address], None]], Awaitable[None]]
"""Serves until the site is closed; calls what it is given when it answers."""


class Running:
    """A server that runs until `close`, or until Python ends.

    Attributes:
        url: Where the page is.
    """

    def __init__(self, url: str, close: Callable[[], None]) -> None:
        self.url = url
        self._close = close

    def close(self) -> None:
        """Stop it and close the engine; returns when that is done, and does nothing the second time."""
        self._close()


class _Start(Protocol):
    async def __call__(self, *, task_status: TaskStatus[Address]) -> None: ...


def run_in_thread(serve: Serve, site: Site) -> Running:
    """Start it; returns when it answers.

    Raises:
        Whatever `serve` raises before that.
    """

    async def run(*, task_status: TaskStatus[Address]) -> None:
        await serve(task_status.started)

    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal())
        ended, address = _start(portal, run)
        kept = stack.pop_all()

    def close() -> None:
        atexit.unregister(close)
        with kept:
            if not ended.done():
                portal.call(site.close)
                ended.result(timeout=CLOSE_SECONDS)

    atexit.register(close)
    return Running(address.url, close)


def _start(portal: BlockingPortal, run: _Start) -> tuple[Future[None], Address]:
    started: tuple[Future[None], Address] = portal.start_task(run)
    return started
