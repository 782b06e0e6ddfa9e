"""Conversations to measure with: words by Zipf's law, a fixed seed."""

import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path

__all__ = ["PER_CONVERSATION", "conversations", "line_of", "write_lines"]

PER_CONVERSATION = 10
CHARS = 500
WORDS = 20_000


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
