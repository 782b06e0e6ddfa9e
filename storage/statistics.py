"""What both stores know of statistics: how many answers are looked at, and days as numbers."""

from datetime import date, timedelta

__all__ = ["DAY_US", "MOST_ANSWERS", "MOST_ROWS", "date_of"]

DAY_US = 86_400_000_000

MOST_ANSWERS = 50_000
"""Only so many of the newest answers are counted: a tenth of a second of work."""

MOST_ROWS = 10_000
"""Days times models."""


def date_of(day: int) -> date:
    """The date of the day with this number since 1970."""
    return date(1970, 1, 1) + timedelta(days=day)
