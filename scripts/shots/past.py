"""What was said before: conversations of the last months, with votes, as a data directory."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio

from chatcore import open_engine
from chatcore.incoming import Incoming, IncomingMessage
from chatcore.messages import Feedback, Text, Usage

__all__ = ["lay_down"]

TITLES: tuple[tuple[float, str], ...] = (
    (0.2, "Name for a sailing boat"),
    (0.3, "Recipe for rye bread"),
    (0.4, "Why is the sky blue?"),
    (1.2, "Pack list for the Alps"),
    (3, "Fix a failing unit test"),
    (4, "كيف أتعلم العزف على العود؟"),
    (5, "東京から京都までの行き方を教えてください"),
    (12, "A letter to the landlord"),
    (13, "Tides and the moon"),
    (19, "Rust lifetimes, slowly"),
    (20, "A title that somebody has made so long that no sidebar of any product could show it whole"),
    (21, "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"),
    (40, "Gift for a ten-year-old"),
    (44, "Plan a vegetable garden"),
    (47, "Compare heat pumps"),
    (75, "Learn the bass clef"),
    (80, "Cover letter, second version"),
    (84, "How do vaccines work?"),
)
"""With the days since."""
PINNED = {"Fix a failing unit test"}
ARCHIVED = {"Compare heat pumps", "Learn the bass clef", "Cover letter, second version"}
MODELS = ("atlas-large", "atlas-small")
ANSWERED = """UPDATE message SET ended_at_us = created_at_us,
    started_at_us = created_at_us - iif(model = 'atlas-large', 9, 4) * 1000000 - created_at_us % 3000000
WHERE role = 'assistant'"""
"""What comes from elsewhere does not say how long it took; statistics are of what does."""


def lay_down(directory: Path) -> None:
    """Make a store there that looks as if it had been used for three months."""
    anyio.run(_ingest, directory)
    with closing(sqlite3.connect(directory / "chat.db")) as database, database:
        database.execute(ANSWERED)


async def _ingest(directory: Path) -> None:
    async with open_engine(f"sqlite:{directory}") as engine:
        report = await engine.ingest(_conversations(datetime.now(UTC)))
        assert report.imported == len(TITLES), report


def _conversations(now: datetime) -> Iterator[Incoming]:
    for number, (days, title) in enumerate(TITLES):
        last = now - timedelta(days=days)
        yield Incoming(
            source="past",
            id=str(number),
            title=title,
            messages=tuple(_exchanges(number, title, last)),
            linear=True,
            created_at_us=_us(last - timedelta(hours=1)),
            updated_at_us=_us(last),
            pinned=title in PINNED,
            archived=title in ARCHIVED,
        )


def _exchanges(number: int, title: str, last: datetime) -> Iterator[IncomingMessage]:
    exchanges = 1 + number * 5 % 4
    for exchange in range(exchanges):
        at = last - timedelta(minutes=7 * (exchanges - exchange), milliseconds=number * 777)
        yield IncomingMessage(role="user", parts=(Text(title),), created_at_us=_us(at))
        vote = ("like", "like", None, "dislike")[(number + exchange) % 4]
        yield IncomingMessage(
            role="assistant",
            parts=(Text(f"There is a lot to be said about “{title}”. Gravity is not part of it."),),
            created_at_us=_us(at + timedelta(seconds=20)),
            model=MODELS[(number + exchange) % 3 % 2],
            usage=Usage(prompt_tokens=120 + 40 * number, completion_tokens=180 + 30 * exchange),
            feedback=None if vote is None else Feedback(rating="like" if vote == "like" else "dislike"),
        )


def _us(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)
