"""Messages acknowledged per second: 100 callers of the engine, beside raw sqlite3 with one commit each.

Both do the same statements on the same tables at the same durability (WAL, synchronous=FULL), in turn, in
one run. Goal: the engine at least twice as many.

usage: scripts/bench append [MESSAGES]
"""

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

import anyio

from chatcore import Engine, open_engine
from storage.ids import IdSource
from storage.sqlite.statements import load

CALLERS = 100
ROUNDS = 5
TEXT = "A message of five hundred characters, more or less. " * 10


async def engine_rate(directory: Path, messages: int) -> float:
    """Messages per second through the public engine, each caller waiting for its acknowledgement."""
    async with open_engine(f"sqlite:{directory}") as engine:
        conversations = [(await engine.create()).id for _ in range(CALLERS)]
        begun = time.perf_counter()
        async with anyio.create_task_group() as callers:
            for conversation in conversations:
                callers.start_soon(_post, engine, conversation, messages // CALLERS)
        return messages / (time.perf_counter() - begun)


async def _post(engine: Engine, conversation: str, times: int) -> None:
    for _ in range(times):
        await engine.post(conversation, TEXT)


async def raw_rate(directory: Path, messages: int) -> float:
    """Messages per second of plain sqlite3 on a database that the store has made: one commit each."""
    async with open_engine(f"sqlite:{directory}") as engine:
        conversations = [bytes.fromhex((await engine.create()).id) for _ in range(CALLERS)]
    sql = load("units")
    database = sqlite3.connect(directory / "chat.db", isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        database.execute(f"PRAGMA {pragma}")
    ids, parts = IdSource(), '[{"type":"text","text":"' + TEXT + '"}]'
    heads: dict[bytes, tuple[int | None, int, int]] = dict.fromkeys(conversations, (None, 0, 1))
    list_seq = CALLERS
    begun = time.perf_counter()
    for number in range(messages):
        public = conversations[number % CALLERS]
        parent, depth, seq = heads[public]
        list_seq += 1
        now = time.time_ns() // 1000
        database.execute("BEGIN IMMEDIATE")
        key = database.execute(sql["conversation"], (public,)).fetchone()[0]
        message = (bytes.fromhex(ids.new()), key, parent, 0, depth, "user", "complete", parts)
        added = database.execute(
            sql["insert_message"], (*message, None, None, None, now, None, seq + 1, None, None, None)
        )
        changed = (added.lastrowid, "{}", now, seq + 2, seq + 2)
        listed = (None, 0, 0, 0, now, None, list_seq, list_seq)
        database.execute(sql["update_listed_conversation"], (*changed, *listed, key))
        database.execute("COMMIT")
        heads[public] = (added.lastrowid, depth + 1, seq + 2)
    rate = messages / (time.perf_counter() - begun)
    database.close()
    return rate


async def main(messages: int) -> None:
    """Print both rates, round by round, and their ratio."""
    ratios = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as directory:
            raw = await raw_rate(Path(directory, "raw"), messages)
            engine = await engine_rate(Path(directory, "engine"), messages)
        ratios.append(engine / raw)
        print(f"engine {engine:8,.0f}/s   raw {raw:8,.0f}/s   ratio {engine / raw:.2f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.2f} (goal 2.0); load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    anyio.run(main, int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
