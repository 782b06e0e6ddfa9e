"""Numbers about answers: by days and models, of whoever asks."""

from datetime import UTC, datetime, timedelta

import msgspec

from chatcore.messages import Message, Status, Usage
from chatcore.ports import Store
from chatcore.views import DayStatistics
from tests.storage.acting import Person, ending
from tests.storage.bringing import HOUR, NOON, bring, brought, said

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def numbers(store: Store, user: str = "ann", *, offset: int = 0) -> list[DayStatistics]:
    return list(await store.statistics(user, since=LONG_AGO, utc_offset_minutes=offset))


async def answered(person: Person, status: Status = "complete", tokens: int | None = None) -> Message:
    sent = await person.send(await person.new(), "q")
    usage = None if tokens is None else Usage(prompt_tokens=5, completion_tokens=tokens)
    return await person.store.write(
        msgspec.structs.replace(ending(sent.answer, "a", status=status), usage=usage)
    )


async def test_answers_votes_times_and_tokens_are_counted(store: Store, ann: Person) -> None:
    assert await numbers(store) == []
    counted = [await answered(ann, tokens=tokens) for tokens in (10, 20)]
    uncounted = await answered(ann)
    stopped = await answered(ann, "stopped", tokens=1000)
    await ann.send(await ann.new(), "still running")
    await ann.rate(counted[0], "like")
    await ann.rate(counted[1], "like")
    await ann.rate(uncounted, "dislike")
    await ann.rate(stopped, "like")
    await ann.rate(stopped, None)
    (day,) = await numbers(store)

    def seconds(*messages: Message) -> float:
        return sum(
            (m.ended_at - m.started_at).total_seconds() for m in messages if m.ended_at and m.started_at
        )

    assert day == DayStatistics(
        day=datetime.now(UTC).date(),
        model="echo-1",
        answers=4,
        imported=0,
        complete=3,
        likes=2,
        dislikes=1,
        first_token_seconds=None,
        seconds=round(seconds(*counted, uncounted), 6),
        tokens=30,
        token_seconds=round(seconds(*counted), 6),
    )


async def test_only_own_answers_that_are_there(store: Store, ann: Person, bob: Person) -> None:
    await answered(bob)
    (came,) = await bring(store, brought("a", "q", said("a", role="assistant")))
    await ann.delete(await store.conversation("ann", came.conversation_id))
    await bring(store, brought("b", "q", said("a", role="assistant", hidden=True)))
    gone = await answered(ann)
    await ann.delete(await store.conversation("ann", gone.conversation_id))
    assert await numbers(store) == []
    assert await numbers(store, "nobody") == []
    assert [day.answers for day in await numbers(store, "bob")] == [1]


async def test_days_are_those_of_the_clock_of_who_asks(store: Store, ann: Person) -> None:
    answer = await answered(ann)
    assert answer.started_at is not None
    for offset in (0, 840, -720):
        (day,) = await numbers(store, offset=offset)
        assert day.day == (answer.started_at + timedelta(minutes=offset)).date()
    since = answer.started_at + timedelta(microseconds=1)
    assert await store.statistics("ann", since=since, utc_offset_minutes=0) == ()
    assert len(await store.statistics("ann", since=answer.started_at, utc_offset_minutes=0)) == 1


async def test_the_first_token_is_told_by_its_median(store: Store, ann: Person) -> None:
    for seconds in (0.4, None, 0.1, 9.0):
        sent = await ann.send(await ann.new(), "q")
        end = msgspec.structs.replace(ending(sent.answer, "a"), first_token_seconds=seconds)
        ended = await store.write(end)
        assert ended.first_token_seconds == seconds
        assert await store.message("ann", ended.id) == ended
    (day,) = await numbers(store)
    assert (day.answers, day.first_token_seconds) == (4, 0.4)
    sent = await ann.send(await ann.new(), "q")
    await store.write(msgspec.structs.replace(ending(sent.answer, "a"), first_token_seconds=0.2))
    (day,) = await numbers(store)
    assert day.first_token_seconds == 0.3


async def test_answers_from_elsewhere_are_counted_with_their_votes(store: Store, ann: Person) -> None:
    await bring(
        store,
        brought(
            "a",
            "q",
            said("1", role="assistant", model="gpt", rating="like"),
            "q2",
            said("2", role="assistant", model="gpt", rating="dislike", created_at_us=NOON + 12 * HOUR),
            said("3", role="assistant"),
        ),
        brought("b", said("4", role="assistant", model="gpt", rating="like"), archived=True, pinned=True),
    )
    found = [(day.model, day.imported, day.answers, day.likes, day.dislikes) for day in await numbers(store)]
    assert found == [(None, 1, 0, 0, 0), ("gpt", 2, 0, 2, 0), ("gpt", 1, 0, 0, 1)]
    answer = await answered(ann)
    last = (await numbers(store))[-1]
    assert (last.model, last.imported, last.answers) == (answer.model, 0, 1)
    since = datetime.fromtimestamp(NOON / 1e6 + 1, UTC)
    late = await store.statistics("ann", since=since, utc_offset_minutes=0)
    assert [day.imported for day in late] == [0]  # the conversations are not newer
