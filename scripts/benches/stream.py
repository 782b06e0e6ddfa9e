"""Added latency from a responder's yield to the subscriber while many answers stream, stored before shown.

One process: as many conversations as answers at once, each asking again when its answer has ended (after 2 to
10 s), the responders (a timer each), the engine with all promises on, and a subscriber for each conversation,
which checks every text. Now and then a subscriber asks the database, over a connection of its own, whether
what it was just shown is committed. Goal at 500 answers of 20 tokens/s: median at most 2 ms, 99th percentile
at most 25 ms.

usage: scripts/bench stream [ANSWERS [SECONDS]]      without arguments: 500, then 1000
"""

import asyncio
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import anyio

from chatcore import (
    Asked,
    ConversationEvent,
    Engine,
    Limits,
    MessageChanged,
    Subscription,
    TextDelta,
    open_engine,
    text_of,
)
from frontends.cli.collector import tune_collector

TOKENS_PER_SECOND = 20.0
TOKEN = "token{:05} "
TOKEN_CHARS = len(TOKEN.format(0))
TOKENS = (40, 200)
WARM_UP_SECONDS = 5.0
ASK_EVERY = 997


class Measured:
    """What the subscribers saw from the end of the warm-up on."""

    def __init__(self, directory: Path, seconds: float) -> None:
        self.begin = time.perf_counter() + WARM_UP_SECONDS
        self.end = self.begin + seconds
        self.loop = asyncio.get_running_loop()
        self.yielded: dict[str, list[float]] = {}
        self.added_ms: list[float] = []
        self.events = 0
        self.answers = 0
        self.wrong = 0
        self.not_stored = 0
        self.asked = 0
        self.database = sqlite3.connect(f"file:{directory}/chat.db?mode=ro", uri=True)

    async def respond(self, asked: Asked) -> AsyncIterator[str]:
        """An answer of random length at a steady pace."""
        stamps = self.yielded[asked.conversation.id] = []
        due = time.perf_counter()
        for number in range(random.randint(*TOKENS)):
            due += 1 / TOKENS_PER_SECOND
            await self.until(due)
            stamps.append(time.perf_counter())
            yield TOKEN.format(number)

    async def until(self, due: float) -> None:
        """The cheapest timer there is: it is the engine's time that is measured."""
        waiting = self.loop.create_future()
        self.loop.call_later(max(0.0, due - time.perf_counter()), waiting.set_result, None)
        await waiting

    async def converse(self, engine: Engine, conversation: str) -> None:
        """Ask and follow the answer, again and again; the beginnings lie apart."""
        await anyio.sleep(random.random() * WARM_UP_SECONDS * 0.8)
        async with engine.subscribe(conversation) as events:
            while time.perf_counter() < self.end:
                sent = await engine.send(conversation, "Go on.")
                await self.follow(events, sent.answer.id)

    async def follow(self, events: Subscription[ConversationEvent], answer: str) -> None:
        """Read one answer to its end, token by token as they are shown."""
        text = ""
        async for event in events:
            if isinstance(event, TextDelta):
                now = time.perf_counter()
                stamps = self.yielded[event.conversation_id]
                first = len(text) // TOKEN_CHARS
                text += event.text
                if self.begin < now < self.end:
                    self.added_ms += [(now - at) * 1e3 for at in stamps[first : len(text) // TOKEN_CHARS]]
                    self.events += 1
                    if self.events % ASK_EVERY == 0:
                        self.ask(event)
            elif isinstance(event, MessageChanged) and event.message.id == answer and event.message.ended_at:
                self.answers += 1
                said = len(self.yielded[event.conversation_id])
                expected = "".join(TOKEN.format(number) for number in range(said))
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
        tune_collector()  # as `chatcore serve` does
        measured = Measured(Path(directory), seconds)
        limits = Limits(open_runs_per_user=answers)
        url = f"sqlite:{directory}"
        async with (
            open_engine(url, responder=measured.respond, limits=limits) as engine,
            anyio.create_task_group() as tasks,
        ):
            for conversation in ids:
                tasks.start_soon(measured.converse, engine, conversation)
            await anyio.sleep(measured.begin - time.perf_counter())
            cpu = time.process_time()
            await anyio.sleep(measured.end - time.perf_counter())
            cpu = time.process_time() - cpu
        measured.database.close()
    added = sorted(measured.added_ms)
    print(
        f"{answers} answers at once, {measured.answers} in all, {len(added):,} tokens in "
        f"{measured.events:,} deltas, {len(added) / seconds:,.0f} tokens/s: "
        f"added median {added[len(added) // 2]:.2f} ms, p99 {added[int(len(added) * 0.99)]:.1f} ms, "
        f"max {added[-1]:.0f} ms; CPU {cpu / seconds:.2f} cores, {cpu / len(added) * 1e6:.0f} µs/token; "
        f"wrong texts {measured.wrong}, "
        f"shown but not stored {measured.not_stored} of {measured.asked} asked; "
        f"load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


if __name__ == "__main__":
    counts = [int(sys.argv[1])] if len(sys.argv) > 1 else [500, 1000]
    for count in counts:
        anyio.run(measure, count, float(sys.argv[2]) if len(sys.argv) > 2 else 20.0)
