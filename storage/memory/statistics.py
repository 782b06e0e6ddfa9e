"""Numbers about answers."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from chatcore.messages import Feedback, Message
from chatcore.views import DayStatistics
from storage.ids import to_us
from storage.memory.tables import Tables
from storage.statistics import DAY_US, MOST_ANSWERS, MOST_ROWS, date_of

__all__ = ["statistics"]

_Told = tuple[Message, Feedback | None]


def statistics(
    tables: Tables, user: str, since: datetime, utc_offset_minutes: int
) -> tuple[DayStatistics, ...]:
    """See `chatcore.ports.Store.statistics`."""
    groups: defaultdict[tuple[int, str | None], list[_Told]] = defaultdict(list)
    for message, feedback in _answers(tables, user, since):
        assert message.started_at is not None
        day = (to_us(message.started_at) + utc_offset_minutes * 60_000_000) // DAY_US
        groups[day, message.model].append((message, feedback))
    ordered = sorted(groups, key=lambda group: (group[0], group[1] is not None, group[1] or ""))
    return tuple(_day(day, model, groups[day, model]) for day, model in ordered[:MOST_ROWS])


def _answers(tables: Tables, user: str, since: datetime) -> Iterator[_Told]:
    newest = sorted(
        (row for row in tables.messages.values() if row.message.started_at and row.message.ended_at),
        key=lambda row: row.message.started_at or since,
        reverse=True,
    )
    for row in newest[:MOST_ANSWERS]:
        conversation = tables.conversations[row.conversation]
        is_own = conversation.conversation.owner == user and conversation.deleted_at is None
        if is_own and row.message.started_at is not None and row.message.started_at >= since:
            vote = tables.feedback.get(row.key, {}).get(tables.users[user])
            yield row.message, None if vote is None else vote.feedback


def _day(day: int, model: str | None, told: list[_Told]) -> DayStatistics:
    complete = [message for message, _ in told if message.status == "complete"]
    counted = [message for message in complete if _tokens(message)]
    ratings = [feedback.rating for _, feedback in told if feedback is not None]
    return DayStatistics(
        day=date_of(day),
        model=model,
        answers=len(told),
        complete=len(complete),
        likes=ratings.count("like"),
        dislikes=ratings.count("dislike"),
        seconds=sum(map(_us, complete)) / 1e6,
        tokens=sum(map(_tokens, counted)),
        token_seconds=sum(map(_us, counted)) / 1e6,
    )


def _us(message: Message) -> int:
    assert message.started_at is not None
    assert message.ended_at is not None
    return to_us(message.ended_at) - to_us(message.started_at)


def _tokens(message: Message) -> int:
    return (message.usage.completion_tokens or 0) if message.usage is not None else 0
