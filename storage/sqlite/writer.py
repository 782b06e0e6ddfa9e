"""The one that writes: takes all that waits, has it done as one group, publishes, wakes the callers."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

from chatcore.commands import Command
from chatcore.errors import StorageError
from chatcore.ports import Publish
from storage.sqlite.connection import Connection
from storage.sqlite.group import Committed, Failed

__all__ = ["Writer"]

R = TypeVar("R")

RunGroup = Callable[[sqlite3.Connection, Sequence[Command[Any]]], Committed]

GROUP_MAX = 512
"""Units in one transaction: bounds how long the first waits for the last."""


class Writer:
    """Where commands wait while a group is being committed."""

    def __init__(self, connection: Connection, run_group: RunGroup, publish: Publish) -> None:
        self._connection = connection
        self._run_group = run_group
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[Command[Any], asyncio.Future[object]]] = deque()
        self._idle: asyncio.Future[None] | None = None
        self._closing = False

    async def write(self, command: Command[R]) -> R:
        """See `chatcore.ports.Store.write`."""
        if self._closing:
            raise StorageError("The store is closed.")
        caller: asyncio.Future[object] = self._loop.create_future()
        self._waiting.append((command, caller))
        self._wake()
        # Cancelling cancels the future: `_take` passes it over when the unit has not been begun.
        return cast("R", await caller)

    def close(self) -> None:
        """Take no more; `run` returns when all that waits has been done."""
        self._closing = True
        self._wake()

    async def run(self) -> None:
        """Write until closed."""
        try:
            while True:
                if group := self._take():
                    await self._write(group)
                elif self._closing:
                    return
                else:
                    self._idle = self._loop.create_future()
                    await self._idle
        finally:
            self._closing = True
            self._refuse(self._waiting)

    def _wake(self) -> None:
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _take(self) -> list[tuple[Command[Any], asyncio.Future[object]]]:
        group: list[tuple[Command[Any], asyncio.Future[object]]] = []
        waiting = self._waiting
        while waiting and len(group) < GROUP_MAX:
            entry = waiting.popleft()
            if not entry[1].cancelled():
                group.append(entry)
        return group

    async def _write(self, group: list[tuple[Command[Any], asyncio.Future[object]]]) -> None:
        try:
            commands = [command for command, _ in group]
            committed = await self._connection.run(self._run_group, commands)
        except StorageError as error:
            for _, caller in group:
                if not caller.done():
                    # each its own: an error collects the traceback of whoever it is raised to
                    caller.set_exception(_same(error))
            return
        except BaseException:
            self._refuse(group)
            raise
        if committed.events:
            self._publish(committed.events)
        for (_, caller), outcome in zip(group, committed.outcomes, strict=True):
            if caller.done():
                continue  # cancelled after the unit was begun: it is stored all the same
            if type(outcome) is Failed:
                caller.set_exception(outcome.error)
            else:
                caller.set_result(outcome)

    @staticmethod
    def _refuse(group: Iterable[tuple[Command[Any], asyncio.Future[object]]]) -> None:
        for _, caller in group:
            if not caller.done():
                caller.set_exception(StorageError("The store is closed."))


def _same(error: StorageError) -> StorageError:
    copy = type(error)(error.sentence, **error.data)
    copy.__cause__ = error.__cause__
    return copy
