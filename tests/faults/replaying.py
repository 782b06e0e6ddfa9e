"""A recording done again on a simulated disk, whose power is cut at many moments."""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import count
from random import Random
from typing import Protocol

import apsw
from msgspec import Struct

from storage.sqlite.store import DATABASE
from tests.faults.disk import Image, SimulatedDisk
from tests.faults.recording import Closed, FileStep, Known, Opened, Promise, Statement, Step
from tests.faults.vfs import SimulatedVfs

__all__ = ["CHECKPOINT_PAGES", "Cut", "State", "cuts", "fingerprint"]

CHECKPOINT_PAGES = (12, 40, 1000)
"""Instead of the store's own, so that the power is also cut in checkpoints."""

_WRITING = ("INSERT", "UPDATE", "DELETE", "CREATE", "-- ")
_numbers = count()


class State(Struct, frozen=True):
    """What was stored after some transaction.

    Attributes:
        at: Number of the step that made it so.
        mark: Its fingerprint.
        deltas_only: Whether all that the transaction did was to append what running answers say.
    """

    at: int
    mark: bytes
    deltas_only: bool = False


class Cut(Struct, frozen=True):
    """A power cut.

    Attributes:
        image: What is found on the disk afterwards.
        promises: What had been promised by then.
        states: What may have been stored: the state that the newest promise was made in, and all later ones,
            that of the transaction included which was cut off.
        whole: Those of them in which nothing is lost: that of the newest COMMIT that had returned, and later.
    """

    image: Image
    promises: Sequence[Promise]
    states: frozenset[bytes]
    whole: frozenset[bytes]


class _Connection(Protocol):
    """What `sqlite3` and `apsw` share."""

    def execute(self, sql: str, /) -> Iterable[tuple[object, ...]]: ...


def cuts(steps: Sequence[Step], rng: Random, wanted: int) -> list[Cut]:
    """The power cut at `wanted` moments."""
    pages = rng.choice(CHECKPOINT_PAGES)
    whole = _Replay(steps, pages, lambda _: None)
    whole.run(_StateKeeper(whole))
    moments = sorted(rng.sample(range(1, whole.disk.steps + 1), min(wanted, whole.disk.steps)))
    found: list[Cut] = []
    waiting = iter(moments)
    moment = next(waiting, None)

    def after_step(number: int) -> None:
        nonlocal moment
        if number == moment:
            moment = next(waiting, None)
            found.append(_cut(steps, whole.states, again.at, again.disk.cut(rng)))

    again = _Replay(steps, pages, after_step)
    again.run(None)
    return found


def fingerprint(connection: _Connection) -> bytes:
    """Of all that is stored."""
    mark = sha256()
    # those that are virtual have their rows in others
    kinds = "type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL %'"
    tables = [name for (name,) in connection.execute(f"SELECT name FROM sqlite_schema WHERE {kinds}")]
    for table in sorted(map(str, tables)):
        mark.update(table.encode())
        for row in connection.execute(f'SELECT * FROM "{table}" ORDER BY 1, 2'):
            mark.update(repr(tuple(row)).encode())
    return mark.digest()


class _Replay:
    """Does the steps on a disk of its own.

    Attributes:
        at: Number of the step that is being done.
        states: Filled by a `_StateKeeper`.
    """

    def __init__(self, steps: Sequence[Step], pages: int, after_step: Callable[[int], None]) -> None:
        self.disk = SimulatedDisk(after_step)
        self.at = 0
        self.states = [State(-1, fingerprint(apsw.Connection(":memory:")))]
        self.connection: apsw.Connection | None = None
        self._steps = steps
        self._pages = pages

    def run(self, keeper: "_StateKeeper | None") -> None:
        # `with` would not do: a VFS that goes away before its connection takes the process with it
        vfs = SimulatedVfs(f"simulated-{next(_numbers)}", self.disk)
        try:
            for at, step in enumerate(self._steps):
                self.at = at
                self._do(step, vfs)
                if keeper is not None:
                    keeper.look(step)
        finally:
            self._close()
            vfs.unregister()

    def _do(self, step: Step, vfs: SimulatedVfs) -> None:
        match step:
            case Opened():
                self.connection = apsw.Connection(f"/{DATABASE}", vfs=vfs.name)
                self._execute("PRAGMA locking_mode = EXCLUSIVE")
            case Closed():
                self._close()
            case Statement(sql=sql):
                self._execute(self._changed(sql))
            case FileStep(apply=apply):
                apply(self.disk)
            case Known():
                pass

    def _changed(self, sql: str) -> str:
        return f"PRAGMA wal_autocheckpoint = {self._pages}" if "wal_autocheckpoint" in sql else sql

    def _execute(self, sql: str) -> None:
        if sql.startswith("SELECT"):
            return  # leaves the disk as it is
        assert self.connection is not None
        for _ in self.connection.execute(sql):
            pass

    def _close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class _StateKeeper:
    """Notes the state after each transaction that has changed something."""

    def __init__(self, replay: _Replay) -> None:
        self._replay = replay
        self._changes = 0
        self._was_inside = False
        self._deltas_only = True

    def look(self, step: Step) -> None:
        connection = self._replay.connection
        if isinstance(step, Statement) and step.sql.startswith(_WRITING):
            self._deltas_only &= step.sql.startswith("INSERT INTO delta")
        if connection is None:
            self._changes = 0
            return
        was_inside, self._was_inside = self._was_inside, connection.in_transaction
        changes, self._changes = self._changes, connection.total_changes()
        # changes of the schema are not counted
        if not self._was_inside and (was_inside or changes != self._changes):
            self._replay.states.append(
                State(self._replay.at, fingerprint(connection), deltas_only=self._deltas_only)
            )
            self._deltas_only = True


def _cut(steps: Sequence[Step], states: Sequence[State], at: int, image: Image) -> Cut:
    promises = [(number, step.what) for number, step in enumerate(steps[:at]) if isinstance(step, Known)]
    newest = promises[-1][0] if promises else -1
    begun = [state for state in states if state.at <= at]
    # A call that finds all as it was asked for promises nothing new, whatever was said in between.
    base = max(
        number for number, state in enumerate(begun) if state.at < max(newest, 0) and not state.deltas_only
    )
    done = max(number for number, state in enumerate(begun) if state.at < at)
    return Cut(
        image=image,
        promises=[what for _, what in promises],
        states=frozenset(state.mark for state in begun[base:]),
        whole=frozenset(state.mark for state in begun[done:]),
    )
