"""Somebody who has brought 30,000 conversations along."""

from collections.abc import Iterator

from chatcore import Incoming, IncomingMessage, open_engine
from chatcore.messages import Text

__all__ = ["CONVERSATIONS", "bring"]

CONVERSATIONS = 30_000
BEGIN_US = 1_700_000_000_000_000
HOUR_US = 3_600_000_000
WORDS = ("bread", "rises", "slowly", "while", "the", "kettle", "sings", "and", "nobody", "counts", "hours")


def conversations() -> Iterator[Incoming]:
    for number in range(CONVERSATIONS):
        words = " ".join(WORDS[(number * 7 + place * place) % len(WORDS)] for place in range(9))
        question = IncomingMessage(
            role="user",
            parts=(Text(f"Number {number}: {words}?"),),
            created_at_us=BEGIN_US + number * HOUR_US,
        )
        title = f"Talk {number} about {WORDS[number % len(WORDS)]}"
        yield Incoming(source="elsewhere", id=str(number), title=title, linear=True, messages=(question,))


async def bring(url: str) -> None:
    """Take them into a store."""
    async with open_engine(url) as engine:
        report = await engine.ingest(conversations())
        assert report.imported == CONVERSATIONS, report
