"""Messages ingested per second and the memory that takes, beside raw sqlite3 with the same rows in one run.

The file is JSON Lines in OpenAI's form: conversations of 10 messages of 500 characters, words by Zipf's law,
a fixed seed. Ours is all of it: reading, parsing, checking, looking for what is there already, committing.
Raw is `executemany` of rows that lie ready in memory, in one transaction: a plain table with one index, and,
with the search index, an FTS5 table of external content filled by one INSERT … SELECT at the end, once with
SQLite's settings for merging it (`raw`) and once with ours (`raw_tuned`). Each runs in a process of its own,
in turn. Goals: 0.8 of raw with the search index, 0.35 without, and at most 25 % slower on a store of a
million messages.

Peers need an environment of their own, since they pin other versions: `pip install chainlit openai-agents
sqlalchemy greenlet aiosqlite` into one, and name its Python.

usage: scripts/bench ingest [MESSAGES] [--rounds N] [--no-million] [--peers PYTHON] [--large [MEGABYTES]]
"""

import argparse
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anyio

from chatcore import Engine, open_engine
from frontends.cli.collector import tune_collector
from scripts.benches._texts import PER_CONVERSATION, conversations, line_of, write_lines

MILLION = 1_000_000
LONG_MESSAGES = 20_000


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


def raw_tuned(data: str, source: str, index: bool) -> None:
    """As `raw`, with the index merged as ours is."""
    raw(data, source, index, tuned=True)


def raw(data: str, source: str, index: bool, *, tuned: bool = False) -> None:
    """The same rows, ready in memory, by plain sqlite3, with an index as ours is."""
    rows = []
    with open(source) as file:
        for number, line in enumerate(file):
            for place, turn in enumerate(json.loads(line)["messages"]):
                rows.append((number, place, turn["role"], turn["content"], 1_700_000_000_000_000 + place))
    database = sqlite3.connect(f"{data}.raw{tuned:d}", isolation_level=None)
    database.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -64000;"
        "CREATE TABLE message (id INTEGER PRIMARY KEY, conversation INTEGER, place INTEGER, role TEXT,"
        " text TEXT, created_at_us INTEGER, owner INTEGER NOT NULL DEFAULT 1);"
        "CREATE UNIQUE INDEX message_place ON message (conversation, place);"
        "CREATE VIRTUAL TABLE message_text USING fts5 (text, owner, content = 'message',"
        " content_rowid = 'id', tokenize = 'ascii', columnsize = 0);"
    )
    if tuned:
        database.execute(
            "INSERT INTO message_text (message_text, rank)"
            " VALUES ('automerge', 64), ('crisismerge', 128), ('hashsize', 8388608)"
        )
    begun = time.perf_counter()
    database.execute("BEGIN")
    database.executemany(
        "INSERT INTO message (conversation, place, role, text, created_at_us) VALUES (?, ?, ?, ?, ?)", rows
    )
    if index:
        database.execute("INSERT INTO message_text (rowid, text, owner) SELECT id, text, owner FROM message")
    database.execute("COMMIT")
    tell(time.perf_counter() - begun)
    database.close()


def tell(seconds: float) -> None:
    # the process that reads is a child
    peak_kib = sum(
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(json.dumps({"seconds": seconds, "peak_mib": peak_kib / 1024}))


def measured(name: str, data: Path, source: Path, index: bool) -> tuple[float, float]:
    """Seconds and peak memory in MiB of one of the functions above, in a process of its own."""
    told = json.loads(run_apart(name, data, source, index, stdout=subprocess.PIPE))
    return told["seconds"], told["peak_mib"]


def run_apart(name: str, data: Path, source: Path, index: bool, stdout: int | None = None) -> bytes:
    """One of the functions above, in a process of its own."""
    call = f"{name}({str(data)!r}, {str(source)!r}, {index})"
    return run_code(f"from scripts.benches.ingest import {name}; {call}", stdout=stdout)


def run_code(code: str, *, python: str = sys.executable, stdout: int | None = None) -> bytes:
    """Python code in a process of its own; gives what it printed, if that is wanted."""
    sys.stdout.flush()
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([python, "-c", code], stdout=stdout, check=True, cwd=root, env=environment)
    return done.stdout or b""


# --- the runs


def compare(messages: int, rounds: int, million: bool) -> None:
    """Print all rates."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        source = folder / "lines.jsonl"
        write_lines(source, messages, 1)
        print(f"{messages:,} messages, {source.stat().st_size / 1e6:.0f} MB; load {os.getloadavg()[0]:.1f}")
        for index in (False, True):
            limits = ("raw", "raw_tuned") if index else ("raw",)
            ratios: dict[str, list[float]] = {limit: [] for limit in limits}
            for number in range(rounds):
                data = folder / f"data-{index}-{number}"
                seconds, mib = measured("ours", data, source, index)
                print(f"{_with(index)}: ours {messages / seconds:9,.0f}/s {mib:4.0f} MiB", end="", flush=True)
                for limit in limits:
                    raw_seconds, _ = measured(limit, data, source, index)
                    ratios[limit].append(raw_seconds / seconds)
                    print(
                        f"   {limit} {messages / raw_seconds:9,.0f}/s ratio {ratios[limit][-1]:.2f}", end=""
                    )
                print(f"   load {os.getloadavg()[0]:.1f}", flush=True)
            for limit in limits:
                median = statistics.median(ratios[limit])
                print(f"  {limit}: median ratio {median:.2f} (goal {0.8 if index else 0.35})", flush=True)
            run_apart("beside", folder / f"beside-{index}", source, index)
        if million:
            on_a_million(folder, messages, rounds)


def _with(index: bool) -> str:
    return "with index" if index else "without index"


def on_a_million(folder: Path, messages: int, rounds: int) -> None:
    """The same into a store that holds a million messages already, each time beside an empty one."""
    earlier, source = folder / "earlier.jsonl", folder / "later.jsonl"
    write_lines(earlier, MILLION, 2)
    for index in (False, True):
        data = folder / f"million-{index}"
        measured("ours", data, earlier, index)
        slower: list[float] = []
        for number in range(rounds):
            write_lines(source, messages, 3 + number)
            empty, _ = measured("ours", folder / f"empty-{index}-{number}", source, index)
            full, mib = measured("ours", data, source, index)
            slower.append(1 - empty / full)
            print(
                f"{_with(index)}, on a million: {messages / full:9,.0f}/s {mib:4.0f} MiB,"
                f" into an empty store {messages / empty:9,.0f}/s",
                flush=True,
            )
        print(f"  median: {statistics.median(slower):+.0%} slower (goal: at most 25 %)", flush=True)


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
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--large", nargs="?", type=int, const=2_000, metavar="MEGABYTES")
    given = parser.parse_args()
    if given.large is not None:
        large(given.large)
    else:
        compare(given.messages, given.rounds, not given.no_million)
        if given.peers is not None:
            code = "from scripts.benches._peers import print_peers; print_peers(2_000)"
            run_code(code, python=given.peers)


if __name__ == "__main__":
    main()
