"""What all calls of the engine stand on: the store, the hub, the runs, and how a command is written."""

import secrets
from collections.abc import Callable, Mapping
from typing import TypeVar

from anyio.abc import TaskGroup

from chatcore.commands import Command, EndRun
from chatcore.errors import Busy, EngineClosed, InvalidInput
from chatcore.hub import Hub
from chatcore.ingestion.sink import OpenReading
from chatcore.limits import Limits
from chatcore.messages import Policy
from chatcore.ports import Responder, Store
from chatcore.runs import Runs

__all__ = ["LOCAL_USER", "Core"]

R = TypeVar("R")

LOCAL_USER = "local"
"""In whose name calls are made while there are no users."""

MAX_TRIES = 8


class Core:
    """The common ground of `chatcore.engine.Engine` and its chapters.

    Attributes:
        owner: Random id of this process: under it its runs are stored.
        directory: The data directory that this process owns; None: all is in memory.
        limits: What is too much.
        responders: By name.
        default_responder: What answers where a conversation chose none; None: nothing answers.
    """

    def __init__(
        self,
        store: Store,
        hub: Hub,
        tasks: TaskGroup,
        *,
        responders: Mapping[str, Responder],
        default_responder: str | None,
        limits: Limits,
        open_reading: OpenReading | None = None,
    ) -> None:
        self.owner = secrets.token_hex(8)
        self.directory = store.directory
        self.limits = limits
        self.responders = responders
        self.default_responder = default_responder
        self._store = store
        self._hub = hub
        self._runs = Runs(store, self.owner, responders, limits, tasks)
        self._open_reading = open_reading
        self._closed = False

    @property
    def epoch(self) -> str:
        """The epoch of all cursors given out now."""
        return self._store.epoch

    async def _write(self, command: Command[R]) -> R:
        if self._closed:
            raise EngineClosed("The engine is closing.")
        return await self._store.write(command)

    async def _write_over_a_run(self, command: Callable[[], Command[R]]) -> R:
        """Write a command that ends the running answer with its text; taken anew when the run changed."""
        for _ in range(MAX_TRIES - 1):
            try:
                return await self._write(command())
            except Busy:
                continue
        return await self._write(command())

    async def _write_by_policy(self, policy: Policy, command: Callable[[], Command[R]]) -> R:
        if policy == "interrupt":
            return await self._write_over_a_run(command)
        return await self._write(command())

    def _ends(self, conversation_id: str) -> EndRun | None:
        run = self._runs.running(conversation_id)
        return run.ending(self.owner, ("stopped", None, None)) if run is not None else None

    def _page_limit(self, limit: int) -> int:
        if limit < 1:
            raise InvalidInput("A page has at least one entry.")
        return min(limit, self.limits.page_messages)
