"""The one that writes: takes all that waits, has it done as one group, publishes, wakes the callers."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

from chatcore.arrivals import Ingest
from chatcore.commands import Command, Reindex
from chatcore.errors import StorageError
from chatcore.ports import Publish
from storage.sqlite.connection import Connection, copy_log
from storage.sqlite.group import Committed, Failed

__all__ = ["Writer", "weight_of"]

R = TypeVar("R")

RunGroup = Callable[[sqlite3.Connection, Sequence[Command[Any]]], Committed]

GROUP_MAX = 512
"""Units in one transaction: bounds how long the first waits for the last."""

WEIGHT_BESIDE = 1_000
"""What ingestion and reindexing may bring into one transaction (`weight_of`): people wait for it."""

WEIGHT_ALONE = 3_500
"""Likewise where nobody has written for a while: the more at once, the less the index has to merge."""

_INDEXED_WEIGHS = 3

QUIET_SECONDS = 2.0
"""That while."""

_HEAVY_AT_ONCE = 8
"""Commands of such a group: each is bounded in bytes too."""

_COPIED_AFTER = 200
"""After so much the log is copied into the database, in a turn of its own: SQLite would do so at the end of a
transaction that people wait for already. Of ingestion that is about 8 MB; twice as much where nobody has
written for a while."""

_HEAVY_COUNTS = 16
"""What a command that writes in bulk counts for in this; others count 1, a group of them at most as much."""

Entry = tuple[Command[Any], asyncio.Future[object]]


class Writer:
    """Where commands wait while a group is being committed.

    Those that write in bulk go in groups of their own, which take turns with the others, so that neither
    waits for more than one group of the other kind. Copying the log takes a turn of theirs.
    """

    def __init__(self, connection: Connection, run_group: RunGroup, publish: Publish) -> None:
        self._connection = connection
        self._run_group = run_group
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Entry] = deque()
        self._heavy: deque[Entry] = deque()
        self._heavy_is_next = False
        self._uncopied = 0
        self._last_light = -QUIET_SECONDS
        self._idle: asyncio.Future[None] | None = None
        self._closing = False

    async def write(self, command: Command[R]) -> R:
        """See `chatcore.ports.Store.write`."""
        if self._closing:
            raise StorageError("The store is closed.")
        caller: asyncio.Future[object] = self._loop.create_future()
        if weight_of(command):
            self._heavy.append((command, caller))
        else:
            self._waiting.append((command, caller))
            self._last_light = self._loop.time()
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
                if self._uncopied >= self._most_uncopied() and (self._heavy_is_next or not self._waiting):
                    self._heavy_is_next, self._uncopied = False, 0
                    await self._connection.run(copy_log)
                elif group := self._take():
                    await self._write(group)
                elif self._closing:
                    return
                else:
                    self._idle = self._loop.create_future()
                    await self._idle
        finally:
            self._closing = True
            self._refuse(self._waiting)
            self._refuse(self._heavy)

    def _wake(self) -> None:
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _is_quiet(self) -> bool:
        return self._loop.time() - self._last_light >= QUIET_SECONDS

    def _most_uncopied(self) -> int:
        return 2 * _COPIED_AFTER if self._is_quiet() else _COPIED_AFTER

    def _take(self) -> list[Entry]:
        takes = (self._take_heavy, self._take_light)
        for take in takes if self._heavy_is_next else reversed(takes):
            if group := take():
                return group
        return []

    def _take_light(self) -> list[Entry]:
        group: list[Entry] = []
        waiting = self._waiting
        while waiting and len(group) < GROUP_MAX:
            entry = waiting.popleft()
            if not entry[1].cancelled():
                group.append(entry)
        self._heavy_is_next = True
        self._uncopied += min(len(group), _HEAVY_COUNTS)
        return group

    def _take_heavy(self) -> list[Entry]:
        group: list[Entry] = []
        weight = 0
        most = WEIGHT_ALONE if self._is_quiet() else WEIGHT_BESIDE
        waiting = self._heavy
        # the first goes whatever it weighs
        while waiting and len(group) < _HEAVY_AT_ONCE:
            if group and weight + weight_of(waiting[0][0]) > most:
                break
            entry = waiting.popleft()
            if not entry[1].cancelled():
                group.append(entry)
                weight += weight_of(entry[0])
        self._heavy_is_next = False
        self._uncopied += _HEAVY_COUNTS * len(group)
        return group

    async def _write(self, group: list[Entry]) -> None:
        try:
            committed = await self._connection.run(self._run_group, [command for command, _ in group])
            if committed.events:
                self._publish(committed.events)
            for (_, caller), outcome in zip(group, committed.outcomes, strict=True):
                if caller.done():
                    continue  # cancelled after the unit was begun: it is stored all the same
                if type(outcome) is Failed:
                    caller.set_exception(outcome.error)
                else:
                    caller.set_result(outcome)
        except StorageError as error:
            for _, caller in group:
                if not caller.done():
                    # each its own: an error collects the traceback of whoever it is raised to
                    caller.set_exception(_same(error))
        finally:
            self._refuse(group)  # nobody of them waits any more, unless this came to no end

    @staticmethod
    def _refuse(group: Iterable[Entry]) -> None:
        for _, caller in group:
            if not caller.done():
                caller.set_exception(StorageError("The store is closed."))


def weight_of(command: Command[Any]) -> int:
    """Messages and votes that a command which writes in bulk brings, at least 1; 0: it is none of those.

    What is to be indexed weighs more, as it takes so many times as long.
    """
    match command:
        case Ingest(conversations=conversations, index=index):
            brought = sum(one.weight for one in conversations)
            return max(1, brought * _INDEXED_WEIGHS if index else brought)
        case Reindex(max_messages=messages):
            return max(1, messages * _INDEXED_WEIGHS)
        case _:
            return 0


def _same(error: StorageError) -> StorageError:
    copy = type(error)(error.sentence, **error.data)
    copy.__cause__ = error.__cause__
    return copy
