"""Added latency from a responder's yield to the subscriber while many answers stream, stored before shown.

One process: the responders (a timer each), the engine with all promises on, and one subscriber for each
answer, which checks every text. Now and then a subscriber asks the database, over a connection of its own,
whether what it was just shown is committed. Goal at 500 answers of 20 tokens/s: median at most 2 ms, 99th
percentile at most 25 ms.

usage: scripts/bench stream [ANSWERS [SECONDS]]      without arguments: 500, then 1000
"""

import gc
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import anyio

from chatcore import Asked, Engine, Limits, MessageChanged, TextDelta, open_engine, text_of

TOKENS_PER_SECOND = 20.0
TOKEN = "token{:05} "
TOKEN_CHARS = len(TOKEN.format(0))
WARM_UP_SECONDS = 3.0
ASK_EVERY = 997


class Measured:
    """What the subscribers saw."""

    def __init__(self, directory: Path, seconds: float) -> None:
        self.tokens = int((seconds + WARM_UP_SECONDS) * TOKENS_PER_SECOND)
        self.yielded: dict[str, list[float]] = {}
        self.added_ms: list[float] = []
        self.events = 0
        self.wrong = 0
        self.not_stored = 0
        self.asked = 0
        self.database = sqlite3.connect(f"file:{directory}/chat.db?mode=ro", uri=True)

    async def respond(self, asked: Asked) -> AsyncIterator[str]:
        """An answer at a steady pace with a random phase."""
        stamps = self.yielded[asked.conversation.id]
        due = time.perf_counter() + random.random() / TOKENS_PER_SECOND
        for number in range(self.tokens):
            await anyio.sleep(max(0.0, due - time.perf_counter()))
            due += 1 / TOKENS_PER_SECOND
            stamps.append(time.perf_counter())
            yield TOKEN.format(number)

    async def follow(self, engine: Engine, conversation: str) -> None:
        """Read one answer to its end, token by token as they are shown."""
        stamps = self.yielded[conversation]
        text = ""
        async with engine.subscribe(conversation) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    now = time.perf_counter()
                    first = len(text) // TOKEN_CHARS
                    text += event.text
                    self.added_ms += [(now - at) * 1e3 for at in stamps[first : len(text) // TOKEN_CHARS]]
                    self.events += 1
                    if self.events % ASK_EVERY == 0:
                        self.ask(event)
                elif isinstance(event, MessageChanged) and event.message.ended_at is not None:
                    expected = "".join(TOKEN.format(number) for number in range(self.tokens))
                    self.wrong += text_of(event.message.parts) != expected or not expected.startswith(text)
                    return

    def ask(self, event: TextDelta) -> None:
        """Look for the delta itself in the database."""
        found = self.database.execute(
            "SELECT count(*) FROM delta JOIN message ON message.id = delta.message "
            "WHERE message.public = ? AND delta.start + length(delta.body) >= ?",
            (bytes.fromhex(event.message_id), event.start + len(event.text)),
        ).fetchone()[0]
        self.asked += 1
        self.not_stored += not found


async def measure(answers: int, seconds: float) -> None:
    """Print the figures for so many answers at once."""
    with tempfile.TemporaryDirectory() as directory:
        async with open_engine(f"sqlite:{directory}") as engine:
            ids = [(await engine.create()).id for _ in range(answers)]
        measured = Measured(Path(directory), seconds)
        measured.yielded = {conversation: [] for conversation in ids}
        limits = Limits(open_runs_per_user=answers)
        async with open_engine(f"sqlite:{directory}", responder=measured.respond, limits=limits) as engine:
            gc.collect()
            gc.freeze()
            cpu, begun = time.process_time(), time.perf_counter()
            async with anyio.create_task_group() as tasks:
                for conversation in ids:
                    tasks.start_soon(measured.follow, engine, conversation)
                    await engine.send(conversation, "Go on.")
            cpu, wall = time.process_time() - cpu, time.perf_counter() - begun
        measured.database.close()
    # the beginning, when all answers are asked for at once, is not what is measured
    added = sorted(measured.added_ms[int(answers * WARM_UP_SECONDS * TOKENS_PER_SECOND) :])
    tokens = answers * measured.tokens
    print(
        f"{answers} answers, {tokens:,} tokens in {measured.events:,} deltas, {tokens / wall:,.0f} tokens/s: "
        f"added median {added[len(added) // 2]:.2f} ms, p99 {added[int(len(added) * 0.99)]:.1f} ms, "
        f"max {added[-1]:.0f} ms; CPU {cpu / wall:.2f} cores, {cpu / tokens * 1e6:.0f} µs/token; "
        f"wrong texts {measured.wrong}, "
        f"shown but not stored {measured.not_stored} of {measured.asked} asked; "
        f"load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


if __name__ == "__main__":
    counts = [int(sys.argv[1])] if len(sys.argv) > 1 else [500, 1000]
    for count in counts:
        anyio.run(measure, count, float(sys.argv[2]) if len(sys.argv) > 2 else 20.0)
