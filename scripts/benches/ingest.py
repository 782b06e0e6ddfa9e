"""Messages ingested per second and the memory that takes, beside raw sqlite3 with the same rows in one run.

The file is JSON Lines in OpenAI's form: conversations of 10 messages of 500 characters, words by Zipf's law,
a fixed seed. Ours is all of it: reading, parsing, checking, looking for what is there already, committing.
Raw is `executemany` of rows that lie ready in memory, in one transaction: a plain table with one index, and,
with the search index, an FTS5 table of external content filled by one INSERT … SELECT at the end. Each runs
in a process of its own, in turn. Goals: 0.8 of raw with the search index, 0.35 without, and at most 25 %
slower on a store of a million messages.

usage: scripts/bench ingest [MESSAGES] [--rounds N] [--no-million] [--large [MEGABYTES]]
"""

import argparse
import importlib.util
import itertools
import json
import os
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import anyio

from chatcore import Engine, open_engine
from frontends.cli.collector import tune_collector

PER_CONVERSATION = 10
CHARS = 500
WORDS = 20_000
MILLION = 1_000_000
LONG_MESSAGES = 20_000


def texts(count: int, seed: int) -> Iterator[str]:
    """Texts of words whose frequency falls with their rank."""
    chance = random.Random(seed)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    words = [
        "".join(chance.choices(letters, weights=range(26, 0, -1), k=max(1, round(chance.gauss(5.5, 2.5)))))
        for _ in range(WORDS)
    ]
    weights = list(itertools.accumulate(1 / rank for rank in range(1, WORDS + 1)))
    for _ in range(count):
        yield " ".join(chance.choices(words, cum_weights=weights, k=CHARS // 4))[:CHARS]


def conversations(messages: int, seed: int) -> Iterator[list[str]]:
    """So many messages, in conversations."""
    each = texts(messages, seed)
    for _ in range(messages // PER_CONVERSATION):
        yield list(itertools.islice(each, PER_CONVERSATION))


def write_lines(path: Path, messages: int, seed: int) -> None:
    """The file of JSON Lines."""
    with path.open("w") as file:
        for spoken in conversations(messages, seed):
            file.write(line_of(spoken) + "\n")


def line_of(spoken: list[str]) -> str:
    turns = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(spoken)]
    return json.dumps({"messages": turns})


# --- what is measured, each in a process of its own


def ours(data: str, source: str, index: bool) -> None:
    """The engine's ingestion."""
    tune_collector()

    async def run() -> float:
        async with open_engine(f"sqlite:{data}") as engine:
            begun = time.perf_counter()
            report = await engine.ingest(source, index=index)
            taken = time.perf_counter() - begun
            assert report.failed == 0, report.failures[:3]
            return taken

    tell(anyio.run(run))


def beside(data: str, source: str, index: bool) -> None:
    """Waits of people who post messages while it goes on, in milliseconds: median, 99th of 100, longest."""
    tune_collector()
    waits: list[float] = []

    async def chat(engine: Engine) -> None:
        conversation = await engine.create()
        while True:
            begun = time.perf_counter()
            await engine.post(conversation.id, "still here")
            waits.append(1e3 * (time.perf_counter() - begun))
            await anyio.sleep(0.02)

    async def run() -> None:
        async with open_engine(f"sqlite:{data}") as engine, anyio.create_task_group() as tasks:
            tasks.start_soon(chat, engine)
            await engine.ingest(source, index=index)
            tasks.cancel_scope.cancel()

    anyio.run(run)
    waits.sort()
    shown = f"{waits[len(waits) // 2]:.0f}, {waits[len(waits) * 99 // 100]:.0f}, {waits[-1]:.0f} ms"
    print(f"{len(waits)} messages posted meanwhile waited {shown} (median, p99, longest; goal 50)")


def raw(data: str, source: str, index: bool) -> None:
    """The same rows, ready in memory, by plain sqlite3."""
    rows = []
    with open(source) as file:
        for number, line in enumerate(file):
            for place, turn in enumerate(json.loads(line)["messages"]):
                rows.append((number, place, turn["role"], turn["content"], 1_700_000_000_000_000 + place))
    database = sqlite3.connect(f"{data}.raw", isolation_level=None)
    database.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -64000;"
        "CREATE TABLE message (id INTEGER PRIMARY KEY, conversation INTEGER, place INTEGER, role TEXT,"
        " text TEXT, created_at_us INTEGER);"
        "CREATE UNIQUE INDEX message_place ON message (conversation, place);"
        "CREATE VIRTUAL TABLE message_text USING fts5 (text, content = 'message', content_rowid = 'id',"
        " tokenize = 'unicode61 remove_diacritics 2');"
    )
    begun = time.perf_counter()
    database.execute("BEGIN")
    database.executemany(
        "INSERT INTO message (conversation, place, role, text, created_at_us) VALUES (?, ?, ?, ?, ?)", rows
    )
    if index:
        database.execute("INSERT INTO message_text (rowid, text) SELECT id, text FROM message")
    database.execute("COMMIT")
    tell(time.perf_counter() - begun)
    database.close()


def tell(seconds: float) -> None:
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "peak_mib": peak_kib / 1024}))


def measured(name: str, data: Path, source: Path, index: bool) -> tuple[float, float]:
    """Seconds and peak memory in MiB of one of the functions above, in a process of its own."""
    told = json.loads(run_apart(name, data, source, index, stdout=subprocess.PIPE))
    return told["seconds"], told["peak_mib"]


def run_apart(name: str, data: Path, source: Path, index: bool, stdout: int | None = None) -> bytes:
    """One of the functions above, in a process of its own."""
    sys.stdout.flush()
    code = f"from scripts.benches.ingest import {name}; {name}({str(data)!r}, {str(source)!r}, {index})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdout=stdout,
        check=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    return done.stdout or b""


# --- peers


STEP_COLUMNS = (
    "id name type threadId parentId streaming waitForAnswer isError metadata tags input output createdAt "
    "command start end generation showInput language indent defaultOpen autoCollapse icon modes"
)
THREAD_COLUMNS = "id createdAt name userId userIdentifier tags metadata"


def _table(name: str, columns: str) -> str:
    """A table as Chainlit's layer wants it."""
    quoted = ", ".join(f'"{column}"' for column in columns.split())
    return f'CREATE TABLE {name} ({quoted}, PRIMARY KEY ("id"))'


def chainlit_rate(messages: int) -> float:
    """Chainlit's SQLAlchemy layer: a call per message."""
    import asyncio
    import uuid

    from chainlit.data.sql_alchemy import (  # type: ignore[import-not-found, unused-ignore]
        SQLAlchemyDataLayer,
    )

    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/chainlit.db"
        with sqlite3.connect(path) as database:
            database.execute(_table("steps", STEP_COLUMNS))
            database.execute(_table("threads", THREAD_COLUMNS))
        layer = SQLAlchemyDataLayer(conninfo=f"sqlite+aiosqlite:///{path}")
        create = getattr(SQLAlchemyDataLayer.create_step, "__wrapped__", SQLAlchemyDataLayer.create_step)

        async def run() -> float:
            begun = time.perf_counter()
            for number, spoken in enumerate(conversations(messages, 3)):
                for text in spoken:
                    step = {"id": str(uuid.uuid4()), "threadId": f"t{number}", "name": "user"}
                    step |= {"type": "user_message", "output": text, "createdAt": "2026-01-01T00:00:00Z"}
                    await create(layer, {**step, "streaming": False})
            return messages / (time.perf_counter() - begun)

        return asyncio.run(run())


def agents_rate(messages: int) -> float:
    """openai-agents' SQLiteSession: a call per message."""
    import asyncio

    from agents.memory.sqlite_session import (  # type: ignore[import-not-found, unused-ignore]
        SQLiteSession,
    )

    async def run(directory: str) -> float:
        begun = time.perf_counter()
        for number, spoken in enumerate(conversations(messages, 3)):
            session = SQLiteSession(f"t{number}", f"{directory}/agents.db")
            for text in spoken:
                await session.add_items([{"role": "user", "content": text}])
        return messages / (time.perf_counter() - begun)

    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(run(directory))


PEERS = (("chainlit", chainlit_rate), ("agents", agents_rate))


# --- the runs


def compare(messages: int, rounds: int, million: bool) -> None:
    """Print all rates."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        source = folder / "lines.jsonl"
        write_lines(source, messages, 1)
        print(f"{messages:,} messages, {source.stat().st_size / 1e6:.0f} MB; load {os.getloadavg()[0]:.1f}")
        rates: dict[bool, float] = {}
        for index in (False, True):
            ratios = []
            for number in range(rounds):
                data = folder / f"data-{index}-{number}"
                raw_seconds, raw_mib = measured("raw", data, source, index)
                our_seconds, our_mib = measured("ours", data, source, index)
                ratios.append(raw_seconds / our_seconds)
                rates[index] = max(rates.get(index, 0.0), messages / our_seconds)
                print(
                    f"{'with' if index else 'without'} index: ours {messages / our_seconds:9,.0f}/s"
                    f" {our_mib:4.0f} MiB   raw {messages / raw_seconds:9,.0f}/s {raw_mib:4.0f} MiB"
                    f"   ratio {ratios[-1]:.2f}   load {os.getloadavg()[0]:.1f}",
                    flush=True,
                )
            goal = 0.8 if index else 0.35
            print(f"  median ratio {statistics.median(ratios):.2f} (goal {goal})", flush=True)
            run_apart("beside", folder / f"beside-{index}", source, index)
        if million:
            on_a_million(folder, source, messages, rates)
    for name, rate in PEERS:
        if importlib.util.find_spec(name) is None:
            print(f"{name}: not installed here, skipped")
        else:
            print(f"{name}: {rate(2000):,.0f} messages/s")


def on_a_million(folder: Path, source: Path, messages: int, rates: dict[bool, float]) -> None:
    """The same into a store that holds a million messages already."""
    earlier = folder / "earlier.jsonl"
    write_lines(earlier, MILLION, 2)
    for index in (False, True):
        data = folder / f"million-{index}"
        measured("ours", data, earlier, index)
        seconds, mib = measured("ours", data, source, index)
        rate = messages / seconds
        print(
            f"{'with' if index else 'without'} index, on a million: {rate:9,.0f}/s {mib:4.0f} MiB,"
            f" {1 - rate / rates[index]:+.0%} slower than into an empty store (goal: at most 25 %)",
            flush=True,
        )


def large(megabytes: int) -> None:
    """Peak memory of a file of that size, one JSON array with a long conversation in its middle."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        source = folder / "large.json"
        lines = [line_of(spoken) for spoken in conversations(50_000, 4)]
        long = {"role": "user", "content": "the long one " * 40}
        with source.open("w") as file:
            file.write("[\n")
            number = 0
            while file.tell() < megabytes * 1_000_000:
                if number == len(lines):
                    file.write(json.dumps({"id": "long", "messages": [long] * LONG_MESSAGES}) + ",\n")
                # another id each time, so that none of them is known already
                file.write(f'{{"id": "{number}", {lines[number % len(lines)][1:]},\n')
                number += 1
            file.write(line_of(["the", "last"]) + "\n]\n")
        print(f"{source.stat().st_size / 1e9:.2f} GB, {number * PER_CONVERSATION:,} messages")
        seconds, mib = measured("ours", folder / "data", source, False)
        print(
            f"{number * PER_CONVERSATION / seconds:,.0f}/s, peak {mib:.0f} MiB; load {os.getloadavg()[0]:.1f}"
        )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench ingest")
    parser.add_argument("messages", nargs="?", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-million", action="store_true")
    parser.add_argument("--large", nargs="?", type=int, const=2_000, metavar="MEGABYTES")
    given = parser.parse_args()
    if given.large is not None:
        large(given.large)
    else:
        compare(given.messages, given.rounds, not given.no_million)


if __name__ == "__main__":
    main()
