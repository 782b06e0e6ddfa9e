"""Search and list latency on a store of a million messages, and how fast its index is filled.

The words are drawn as those of a language are (Zipf: the n-th most frequent has a share of 1/n). All messages
are one user's, a hundred a conversation. Medians of 30 calls of the engine. Goals: search 20 ms, list 5 ms.

Where the machine does other things too, the time of the processor says more.

usage: scripts/bench search [MESSAGES]
"""

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import accumulate
from pathlib import Path

import anyio

from chatcore import Engine, open_engine
from tests.seeding import seed

CALLS = 30
PER_CONVERSATION = 100
WORDS = 50_000
SENTENCES = 100_000
SENTENCES_PER_MESSAGE = 8
ONSETS = [
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "w",
    "z",
    "bl",
    "br",
    "ch",
    "cl",
    "cr",
    "dr",
    "fl",
    "fr",
    "gl",
    "gr",
    "ph",
    "pl",
    "pr",
    "sh",
    "sk",
    "sl",
    "sp",
    "st",
    "th",
    "tr",
    "wh",
]
VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "ee", "io", "ou"]
ENDS = ("", "", "n", "s", "r", "t", "ng", "ly", "ed")


def vocabulary(chance: random.Random) -> list[str]:
    """Words, the most frequent first, which are the shortest."""
    words: dict[str, None] = {}
    while len(words) < WORDS:
        syllables = chance.choice((1, 1, 2)) if len(words) < 300 else chance.choice((2, 2, 3, 4))
        word = "".join(chance.choice(ONSETS) + chance.choice(VOWELS) for _ in range(syllables))
        words[word + chance.choice(ENDS)] = None
    return list(words)


def texts(words: list[str], chance: random.Random) -> Iterator[str]:
    """Messages of about 80 words, without an end."""
    shares = list(accumulate(1 / (place + 2.7) for place in range(len(words))))
    sentences = [
        " ".join(chance.choices(words, cum_weights=shares, k=chance.randint(6, 14))).capitalize() + "."
        for _ in range(SENTENCES)
    ]
    while True:
        yield " ".join(chance.choices(sentences, k=SENTENCES_PER_MESSAGE))


async def index_all(directory: Path) -> None:
    """Fill the index as `chatcore reindex` does, and say how fast that goes."""
    async with open_engine(f"sqlite:{directory}") as engine:
        begun, messages, longest = time.perf_counter(), 0, 0.0
        left = 1
        while left:
            unit_begun = time.perf_counter()
            unit = await engine.reindex()
            longest = max(longest, time.perf_counter() - unit_begun)
            messages, left = messages + unit.messages, unit.left
        seconds = time.perf_counter() - begun
    size = (directory / "chat.db").stat().st_size
    print(
        f"indexed {messages:,} messages, {messages / seconds:,.0f}/s, longest unit {longest * 1e3:.0f} ms; "
        f"database {size / 1e6:,.0f} MB",
        flush=True,
    )


async def measure(directory: Path, words: list[str]) -> None:
    """Print the medians."""
    frequent, middle, rare = words[0], words[300], words[20_000]
    queries: dict[str, Callable[[Engine], Awaitable[object]]] = {}

    def add(name: str, query: str, **filters: object) -> None:
        queries[name] = lambda engine: engine.search(query, **filters)  # type: ignore[arg-type]

    add("frequent word", f"{frequent} ")
    add("middling word", f"{middle} ")
    add("rare word", f"{rare} ")
    add("two words", f"{frequent} {middle} ")
    add("three words, one rare", f"{frequent} {middle} {rare} ")
    add("phrase", f'"{frequent} {words[1]}"')
    add("rare phrase", f'"{middle} {words[301]}"')
    add("word begun, 3 letters", rare[:3])
    add("word begun, 4 letters", rare[:4])
    add("frequent word begun", frequent[:3] if len(frequent) > 3 else f"{words[5][:3]}")
    add("without", f"{middle} -{frequent} ")
    add("of a role", f"{frequent} ", role="user")
    add("liked", f"{frequent} ", rating="like")
    add("of a model", f"{frequent} ", model="none")
    add("frequent, by rank", f"{frequent} ", order="rank")
    add("middling, by rank", f"{middle} ", order="rank")
    add("rare, by rank", f"{rare} ", order="rank")
    queries["list"] = lambda engine: engine.conversations(limit=50)
    medians: list[float] = []
    async with open_engine(f"sqlite:{directory}") as engine:
        newest = (await engine.conversations(limit=1)).conversations[0].id
        add("in a conversation", f"{frequent} ", conversation_id=newest)
        for name, call in queries.items():
            times, work = [], []
            for _ in range(CALLS):
                begun, worked = time.perf_counter(), time.process_time()
                await call(engine)
                times.append((time.perf_counter() - begun) * 1e3)
                work.append((time.process_time() - worked) * 1e3)
            medians.append(statistics.median(times))
            print(
                f"{name:24} median {medians[-1]:7.2f} ms   longest {max(times):7.2f} ms   "
                f"of the processor {statistics.median(work):7.2f} ms",
                flush=True,
            )
    print(f"median of these medians {statistics.median(medians):.2f} ms; load {os.getloadavg()[0]:.1f}")


def main(messages: int) -> None:
    """Make the store, fill its index, measure."""
    chance = random.Random(1)
    words = vocabulary(chance)
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary, "data")
        lengths = [PER_CONVERSATION] * (messages // PER_CONVERSATION)
        begun = time.perf_counter()
        seed(directory, lengths, texts(words, chance))
        print(f"seeded {sum(lengths):,} messages in {time.perf_counter() - begun:.0f} s", flush=True)
        anyio.run(index_all, directory)
        anyio.run(measure, directory, words)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
