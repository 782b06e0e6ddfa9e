"""What both stores know of statistics: how much is looked at, days as numbers, rows put together."""

from collections.abc import Iterable
from datetime import date, timedelta

from msgspec import Struct
from msgspec.structs import replace

from chatcore.views import DayStatistics

__all__ = ["DAY_US", "MOST_ANSWERS", "MOST_ROWS", "Imported", "date_of", "with_imported"]

DAY_US = 86_400_000_000

MOST_ANSWERS = 50_000
"""Only so many of the newest answers are counted, and among so many messages imported ones are looked for:
some tenths of a second of work."""

MOST_ROWS = 10_000
"""Days times models."""


class Imported(Struct, frozen=True):
    """Answers of one day and model that came from elsewhere, and the votes on them."""

    day: date
    model: str | None
    answers: int
    likes: int
    dislikes: int


def date_of(day: int) -> date:
    """The date of the day with this number since 1970."""
    return date(1970, 1, 1) + timedelta(days=day)


def with_imported(
    answered: Iterable[DayStatistics], imported: Iterable[Imported]
) -> tuple[DayStatistics, ...]:
    """Both by day and model, those without a name first."""
    rows = {(row.day, row.model): row for row in answered}
    for came in imported:
        row = rows.get((came.day, came.model)) or _nothing(came.day, came.model)
        rows[row.day, row.model] = replace(
            row,
            imported=came.answers,
            likes=row.likes + came.likes,
            dislikes=row.dislikes + came.dislikes,
        )
    ordered = sorted(rows.values(), key=lambda row: (row.day, row.model is not None, row.model or ""))
    return tuple(ordered[:MOST_ROWS])


def _nothing(day: date, model: str | None) -> DayStatistics:
    return DayStatistics(
        day=day,
        model=model,
        answers=0,
        imported=0,
        complete=0,
        likes=0,
        dislikes=0,
        first_token_seconds=None,
        seconds=0.0,
        tokens=0,
        token_seconds=0.0,
    )
