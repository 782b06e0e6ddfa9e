"""The hub at its race windows: no lost wake-up, no hole, no growth without bound."""

from datetime import UTC, datetime

import anyio
import pytest

from chatcore import ConversationChanged, ConversationEvent, Message, MessageChanged, Status, TextDelta
from chatcore.hub import KEEP, Hub, Log, merged

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return backend


def delta(seq: int, start: int = 0, text: str = "x", index: int = 0) -> TextDelta:
    return TextDelta(
        conversation_id="c", seq=seq, at=NOW, message_id="m", index=index, start=start, text=text
    )


def changed(seq: int, status: Status, message_id: str = "m") -> MessageChanged:
    message = Message(
        id=message_id,
        conversation_id="c",
        parent=None,
        depth=0,
        role="assistant",
        status=status,
        parts=(),
        created_at=NOW,
        seq=seq,
    )
    return MessageChanged(conversation_id="c", seq=seq, at=NOW, message=message)


async def test_an_event_between_look_and_wait_wakes() -> None:
    log: Log[ConversationEvent] = Log()
    assert log.since(0) == []
    log.append(delta(1))
    with anyio.fail_after(1):
        await log.wait(0)


async def test_an_event_during_the_wait_wakes_everyone() -> None:
    log: Log[ConversationEvent] = Log()
    woken: list[int] = []

    async def reader(number: int) -> None:
        await log.wait(0)
        woken.append(number)

    with anyio.fail_after(2):
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(reader, number)
            await anyio.wait_all_tasks_blocked()
            log.append(delta(1))
    assert sorted(woken) == list(range(20))


async def test_a_cancelled_waiter_takes_no_wake_up_away() -> None:
    log: Log[ConversationEvent] = Log()
    done = anyio.Event()

    async def reader() -> None:
        await log.wait(0)
        done.set()

    with anyio.fail_after(2):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reader)
            with anyio.move_on_after(0):
                await log.wait(0)
            await anyio.wait_all_tasks_blocked()
            log.append(delta(1))
            await done.wait()


async def test_every_append_is_seen_by_a_reader_that_races() -> None:
    log: Log[ConversationEvent] = Log()
    seen: list[int] = []

    async def reader() -> None:
        position = 0
        while position < 200:
            batch = log.since(position)
            if not batch:
                await log.wait(position)
            for event in batch:
                seen.append(event.seq)
                position = event.seq
            await anyio.lowlevel.checkpoint()

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(reader)
            for seq in range(1, 201):
                log.append(delta(seq))
                for _ in range(seq % 4):
                    await anyio.lowlevel.checkpoint()
    assert seen == list(range(1, 201))


async def test_a_log_begins_unknown_and_then_has_no_hole() -> None:
    log: Log[ConversationEvent] = Log()
    assert not log.holds(10)
    log.append(delta(7))
    assert log.holds(6)
    assert not log.holds(5)
    log.read_rows_up_to(100)
    assert log.start == 6


async def test_a_log_forgets_the_old_but_nothing_of_a_running_answer() -> None:
    hub = Hub()
    with hub.reading("c") as log:
        hub.publish([changed(1, "running")])
        hub.publish([delta(seq, seq - 2) for seq in range(2, 4 * KEEP)])
        assert log.start == 0
        assert len(log.since(0)) == 4 * KEEP - 1
        hub.publish([changed(4 * KEEP, "complete")])
        assert len(log.since(0)) == KEEP
        assert log.start == 4 * KEEP - KEEP
    assert hub.conversations == {}


async def test_the_log_of_a_running_answer_needs_no_reader() -> None:
    hub = Hub()
    hub.publish([changed(5, "running"), delta(6), delta(7, 1)])
    with hub.reading("c") as log:
        assert log.start == 4
        assert [event.seq for event in log.since(0)] == [5, 6, 7]
    assert "c" in hub.conversations
    hub.publish([changed(8, "stopped", "another")])
    assert "c" in hub.conversations, "the ending of a queued answer unpins nothing"
    hub.publish([changed(9, "complete")])
    assert hub.conversations == {}


async def test_the_next_answer_pins_before_the_last_one_lets_go() -> None:
    hub = Hub()
    hub.publish([changed(1, "running"), delta(2)])
    hub.publish([changed(3, "running", "next"), changed(4, "complete")])
    hub.publish([delta(5)])
    with hub.reading("c") as log:
        assert [event.seq for event in log.since(2)] == [3, 4, 5]


async def test_nothing_is_kept_where_nobody_reads() -> None:
    hub = Hub()
    hub.publish([changed(1, "complete")])
    assert hub.conversations == {}


def test_neighbouring_deltas_are_merged_and_others_keep_their_place() -> None:
    title = changed(4, "complete", "other")
    events: list[ConversationEvent] = [
        delta(1, 0, "ab"),
        delta(2, 2, "c"),
        delta(3, 3, "😀"),
        title,
        delta(5, 4, "d"),
        delta(6, 0, "r", index=1),
        delta(7, 9, "gap"),
        delta(8, 12, "!"),
    ]
    assert merged(events) == [
        delta(3, 0, "abc😀"),
        title,
        delta(5, 4, "d"),
        delta(6, 0, "r", index=1),
        delta(8, 9, "gap!", index=0),
    ]


def test_merging_keeps_the_very_event_that_stands_alone() -> None:
    events: list[ConversationEvent] = [delta(1), changed(2, "complete")]
    assert all(one is other for one, other in zip(merged(events), events, strict=True))
    assert not isinstance(merged([delta(1), delta(2, 1)])[0], ConversationChanged)
