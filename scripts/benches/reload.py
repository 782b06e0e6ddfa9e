"""What it costs to come back: opening, page, list and catching up at 1,000 to 1,000,000 stored messages.

A tenth of the messages lies in one conversation, the rest in conversations of 90. Medians of 200 calls.

usage: scripts/bench reload [MESSAGES …]
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio

from chatcore import Engine, open_engine
from tests.seeding import seed

CALLS = 200


async def median_ms(call: Callable[[], Awaitable[object]]) -> float:
    """The median time of the call."""
    times = []
    for _ in range(CALLS):
        begun = time.perf_counter()
        await call()
        times.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(times)


async def first_event(engine: Engine, conversation: str, cursor: str) -> None:
    """Reconnect with the cursor of a page and be shown one change."""
    async with engine.subscribe(conversation, after=cursor) as events:
        await engine.rename(conversation, str(time.perf_counter_ns()))
        await anext(events)


async def measure(directory: Path, messages: int, longest: str) -> None:
    """Print the figures for one store."""
    begun = time.perf_counter()
    async with open_engine(f"sqlite:{directory}") as engine:
        opened_ms = (time.perf_counter() - begun) * 1e3
        page = await engine.page(longest)
        figures = {
            "open": opened_ms,
            "page": await median_ms(lambda: engine.page(longest)),
            "list": await median_ms(lambda: engine.conversations(limit=50)),
            "post": await median_ms(lambda: engine.post(longest, "one more")),
            "reconnect": await median_ms(lambda: first_event(engine, longest, page.cursor)),
        }
    print(f"{messages:9,} messages:", ", ".join(f"{key} {value:.2f} ms" for key, value in figures.items()))


def main(sizes: list[int]) -> None:
    """Seed and measure each size."""
    for messages in sizes:
        with tempfile.TemporaryDirectory() as temporary:
            directory = Path(temporary, "data")
            longest, *_ = seed(directory, [messages // 10, *[90] * (messages // 100)])
            anyio.run(measure, directory, messages, longest)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [1_000, 10_000, 100_000, 1_000_000])
