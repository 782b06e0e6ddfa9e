"""Promise 4: the cost of a change is the size of the change. Bytes and steps are counted, never seconds."""

import sqlite3
from collections.abc import Awaitable, Callable
from itertools import repeat
from pathlib import Path

import anyio
import pytest

from chatcore import Engine, TextDelta, open_engine
from chatcore.testing import ScriptedResponder
from storage.sqlite import SqliteStore, writer
from tests.seeding import seed

pytestmark = pytest.mark.parametrize("anyio_backend", ["asyncio"])

SIZES = (10, 1_000, 100_000)
POSTS = 400
TOKENS = 300
PAGE = 10
TEXT = "A message of a few words, and a few more."

ALLOWED = {"bytes per message": 1.3, "steps per search": 2.5}
"""How many times as much the dearest may cost as the cheapest; what is not named here: 1.2 times.

A message also goes into the search index, as a segment of its own; segments are merged into larger ones, and
these again. That is paid a little at a time, but not evenly: a stretch of messages pays for merges of
messages before it, at most once for each size of segments, of which there are as many as the logarithm of the
number of messages. Each search looks into all segments that there are just then.
"""


class Meter:
    """Counts what the store's connections do."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        store = engine._store
        assert isinstance(store, SqliteStore)
        self._store = store
        self._wal = directory / "chat.db-wal"
        self._steps = 0

    async def written(self, act: Callable[[], Awaitable[None]]) -> int:
        """Bytes that `act` adds to the write-ahead log."""
        await self._store._writer._connection.run(_empty_log)
        before = self._wal.stat().st_size
        await act()
        return self._wal.stat().st_size - before

    async def steps(self, act: Callable[[], Awaitable[object]]) -> int:
        """Steps of SQLite's virtual machine that `act` takes on the reading connections."""

        def count() -> int:
            self._steps += 1
            return 0

        for reader in self._store._readers._connections:
            await reader.run(lambda database: database.set_progress_handler(count, 1))
        self._steps = 0
        await act()
        return self._steps


def _empty_log(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA wal_autocheckpoint = 0")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def costs(directory: Path, first: str) -> dict[str, float]:
    """What one more of each costs in the conversation."""
    script = ScriptedResponder()
    async with open_engine(f"sqlite:{directory}", responder=script) as engine:
        meter = Meter(engine, directory)
        found: dict[str, float] = {}

        async def post() -> None:
            for _ in range(POSTS):
                await engine.post(first, "x" * 200)

        async def speak() -> None:
            async with engine.subscribe(first, after=page.cursor) as events:
                for _ in range(TOKENS):
                    run.say("a token ")
                    async for event in events:
                        if isinstance(event, TextDelta):
                            break

        await index_all(engine)
        found["bytes per message"] = await meter.written(post) / POSTS
        page = await engine.page(first, limit=1)
        sent = await engine.send(first, "go on")
        run = await script.next_run()
        found["bytes per token"] = await meter.written(speak) / TOKENS
        run.end()
        await engine.wait_ended(sent.answer.id)
        page = await engine.page(first, limit=PAGE)
        middle = page.messages[PAGE // 2].id
        found["steps per page"] = await meter.steps(lambda: engine.page(first, limit=PAGE))
        found["steps per page above"] = await meter.steps(
            lambda: engine.page(first, before=middle, limit=PAGE // 2)
        )
        found["steps per list"] = await meter.steps(lambda: engine.conversations(limit=PAGE))
        found["steps per search"] = await meter.steps(lambda: engine.search("go on "))
        found["steps per change"] = await meter.steps(lambda: _follow_one(engine, first, page.cursor))
        return found


async def index_all(engine: Engine) -> None:
    while (await engine.reindex()).left:
        pass


async def _follow_one(engine: Engine, conversation: str, cursor: str) -> None:
    async with engine.subscribe(conversation, after=cursor) as events:
        await engine.rename(conversation, "Renamed")
        await anext(events)


def test_the_cost_is_that_of_the_change(
    tmp_path: Path, anyio_backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_COPIED_AFTER", 10**9)  # a log that is copied begins anew
    found: dict[int, dict[str, float]] = {}
    for size in SIZES:
        directory = tmp_path / str(size)
        first, *_ = seed(directory, [size, *[PAGE] * PAGE], repeat(TEXT))
        found[size] = anyio.run(costs, directory, first)
    for what in found[SIZES[0]]:
        figures = [found[size][what] for size in SIZES]
        assert max(figures) <= ALLOWED.get(what, 1.2) * min(figures), f"{what}: {figures}"
