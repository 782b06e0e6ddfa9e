"""Numbers about answers, on a reader's thread."""

import sqlite3
from datetime import datetime
from statistics import median

from chatcore.views import DayStatistics
from storage.ids import to_us
from storage.sqlite.statements import load
from storage.statistics import MOST_ANSWERS, MOST_ROWS, Imported, date_of, with_imported

__all__ = ["statistics"]

_SQL = load("statistics")


def statistics(
    connection: sqlite3.Connection, user: str, since: datetime, utc_offset_minutes: int
) -> tuple[DayStatistics, ...]:
    """See `chatcore.ports.Store.statistics`."""
    asked = (utc_offset_minutes * 60_000_000, to_us(since), MOST_ANSWERS, user, MOST_ROWS)
    answered = [
        DayStatistics(
            day=date_of(day),
            model=model,
            answers=answers,
            imported=0,
            complete=complete,
            likes=likes or 0,
            dislikes=dislikes or 0,
            first_token_seconds=median(map(int, first_us.split(","))) / 1e6 if first_us else None,
            seconds=us / 1e6,
            tokens=tokens,
            token_seconds=token_us / 1e6,
        )
        for day, model, answers, complete, likes, dislikes, first_us, us, tokens, token_us in (
            connection.execute(_SQL["answered"], asked)
        )
    ]
    imported = [
        Imported(date_of(day), model, answers, likes or 0, dislikes or 0)
        for day, model, answers, likes, dislikes in connection.execute(_SQL["imported"], asked)
    ]
    return with_imported(answered, imported)
