"""Numbers about answers, on a reader's thread."""

import sqlite3
from datetime import datetime

from chatcore.views import DayStatistics
from storage.ids import to_us
from storage.sqlite.statements import load
from storage.statistics import MOST_ANSWERS, MOST_ROWS, date_of

__all__ = ["statistics"]

_SQL = load("statistics")


def statistics(
    connection: sqlite3.Connection, user: str, since: datetime, utc_offset_minutes: int
) -> tuple[DayStatistics, ...]:
    """See `chatcore.ports.Store.statistics`."""
    asked = (utc_offset_minutes * 60_000_000, to_us(since), MOST_ANSWERS, user, MOST_ROWS)
    return tuple(
        DayStatistics(
            day=date_of(day),
            model=model,
            answers=answers,
            complete=complete,
            likes=likes or 0,
            dislikes=dislikes or 0,
            seconds=us / 1e6,
            tokens=tokens,
            token_seconds=token_us / 1e6,
        )
        for day, model, answers, complete, likes, dislikes, us, tokens, token_us in connection.execute(
            _SQL["days"], asked
        )
    )
