"""Numbers about answers."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from statistics import median

from chatcore.messages import Feedback, Message
from chatcore.views import DayStatistics
from storage.ids import to_us
from storage.memory.tables import Tables
from storage.rows import MessageRow
from storage.statistics import DAY_US, MOST_ANSWERS, Imported, date_of, with_imported

__all__ = ["statistics"]

_Told = tuple[Message, Feedback | None]


def statistics(
    tables: Tables, user: str, since: datetime, utc_offset_minutes: int
) -> tuple[DayStatistics, ...]:
    """See `chatcore.ports.Store.statistics`."""
    answered: defaultdict[tuple[int, str | None], list[_Told]] = defaultdict(list)
    imported: defaultdict[tuple[int, str | None], list[_Told]] = defaultdict(list)
    if user not in tables.users:
        return ()

    def day_of(at: datetime) -> int:
        return (to_us(at) + utc_offset_minutes * 60_000_000) // DAY_US

    for row in _answers(tables, user, since):
        assert row.message.started_at is not None
        answered[day_of(row.message.started_at), row.message.model].append(_told(tables, row, user))
    for row in _imported(tables, user, since):
        imported[day_of(row.message.created_at), row.message.model].append(_told(tables, row, user))
    return with_imported(
        (_day(day, model, told) for (day, model), told in answered.items()),
        (
            Imported(date_of(day), model, len(told), _count(told, "like"), _count(told, "dislike"))
            for (day, model), told in imported.items()
        ),
    )


def _answers(tables: Tables, user: str, since: datetime) -> Iterator[MessageRow]:
    newest = sorted(
        (row for row in tables.messages.values() if row.message.started_at and row.message.ended_at),
        key=lambda row: row.message.started_at or since,
        reverse=True,
    )
    for row in newest[:MOST_ANSWERS]:
        conversation = tables.conversations[row.conversation]
        is_own = conversation.conversation.owner == user and conversation.deleted_at is None
        if is_own and row.message.started_at is not None and row.message.started_at >= since:
            yield row


def _imported(tables: Tables, user: str, since: datetime) -> Iterator[MessageRow]:
    newest = sorted(
        (
            row
            for row in tables.conversations.values()
            if row.conversation.owner == user
            and row.deleted_at is None
            and row.key in tables.conversation_sources
            and row.conversation.activity >= to_us(since)
        ),
        key=lambda row: row.conversation.activity,
        reverse=True,
    )
    for key in islice((key for row in newest for key in tables.members[row.key]), MOST_ANSWERS):
        row, came = tables.messages[key], key in tables.message_sources
        is_answer = row.message.role == "assistant" and not row.message.hidden
        if came and is_answer and row.message.created_at >= since:
            yield row


def _told(tables: Tables, row: MessageRow, user: str) -> _Told:
    vote = tables.feedback.get(row.key, {}).get(tables.users[user])
    return row.message, None if vote is None else vote.feedback


def _day(day: int, model: str | None, told: list[_Told]) -> DayStatistics:
    complete = [message for message, _ in told if message.status == "complete"]
    counted = [message for message in complete if _tokens(message)]
    times = [message.first_token_seconds for message, _ in told]
    first = [round(seconds * 1e6) for seconds in times if seconds is not None]
    return DayStatistics(
        day=date_of(day),
        model=model,
        answers=len(told),
        imported=0,
        complete=len(complete),
        likes=_count(told, "like"),
        dislikes=_count(told, "dislike"),
        first_token_seconds=median(first) / 1e6 if first else None,
        seconds=sum(map(_us, complete)) / 1e6,
        tokens=sum(map(_tokens, counted)),
        token_seconds=sum(map(_us, counted)) / 1e6,
    )


def _count(told: list[_Told], rating: str) -> int:
    return sum(feedback is not None and feedback.rating == rating for _, feedback in told)


def _us(message: Message) -> int:
    assert message.started_at is not None
    assert message.ended_at is not None
    return to_us(message.ended_at) - to_us(message.started_at)


def _tokens(message: Message) -> int:
    return (message.usage.completion_tokens or 0) if message.usage is not None else 0
