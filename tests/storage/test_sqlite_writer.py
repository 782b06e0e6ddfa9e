"""The writer at its race windows: who waits, who is woken when, who is taken back."""

import asyncio
import inspect
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import aiosqlite
import anyio
import msgspec
import pytest

from chatcore.arrivals import Ingest
from chatcore.commands import AppendDeltas, Command, CreateConversation, PartOpened, PostMessage, Reindex
from chatcore.errors import NotFound, StorageError
from chatcore.events import ConversationEvent, ListChanged, MessageChanged
from chatcore.messages import Conversation, Feedback, Message, Text
from chatcore.ports import ListMoved
from storage.sqlite import open_store, writer
from storage.sqlite.connection import Connection, copy_log, open_writer
from storage.sqlite.group import Committed, GroupRunner
from storage.sqlite.migrations import migrate
from storage.sqlite.writer import GROUP_MAX, Writer, weight_of
from tests.storage.acting import PROCESS, Person, ending
from tests.storage.bringing import brought

Event = ConversationEvent | ListChanged | ListMoved


class Gate:
    """A runner that begins a group only when it is let."""

    def __init__(self, runner: GroupRunner) -> None:
        self.runner = runner
        self.begun = threading.Event()
        self.go = threading.Event()
        self.go.set()
        self.sizes: list[int] = []
        self.kinds: list[list[str]] = []

    def run(self, connection: Any, commands: Sequence[Command[Any]]) -> Committed:
        self.sizes.append(len(commands))
        self.kinds.append([type(command).__name__ for command in commands])
        self.begun.set()
        assert self.go.wait(10)
        return self.runner.run(connection, commands)

    def close(self) -> None:
        self.begun.clear()
        self.go.clear()


class Parts:
    """A writer with all that it needs, and what it published."""

    def __init__(self, connection: Connection, gate: Gate) -> None:
        self.connection = connection
        self.gate = gate
        self.events: list[Event] = []
        self.publish: Callable[[Sequence[Event]], None] = self.events.extend
        self.writer = Writer(connection, gate.run, self._published)

    def _published(self, events: Sequence[Event]) -> None:
        self.publish(events)

    async def sql(self, text: str) -> list[Any]:
        return await self.connection.run(lambda connection: connection.execute(text).fetchall())

    async def new(self) -> Conversation:
        return await self.writer.write(CreateConversation(user="ann"))

    async def hold(self) -> None:
        """Wait until the closed gate holds a group back."""
        with anyio.fail_after(10):
            assert await anyio.to_thread.run_sync(self.gate.begun.wait, 10)


@asynccontextmanager
async def _parts(tmp_path: Path) -> AsyncIterator[Parts]:
    path = tmp_path / "chat.db"
    connection = await open_writer(path)
    await connection.run(migrate, path)
    parts = Parts(connection, Gate(await connection.run(GroupRunner)))
    task = asyncio.create_task(parts.writer.run())
    try:
        yield parts
    finally:
        parts.gate.go.set()
        parts.writer.close()
        with anyio.fail_after(10):
            await task
        await connection.close()


def _post(conversation: Conversation, text: str = "x") -> PostMessage:
    return PostMessage(user="ann", conversation_id=conversation.id, parts=(Text(text),))


async def test_what_waits_becomes_one_group_in_order(tmp_path: Path) -> None:
    async with _parts(tmp_path) as parts:
        made = await parts.new()
        parts.gate.close()
        parts.gate.sizes.clear()
        first = asyncio.create_task(parts.writer.write(_post(made, "first")))
        await parts.hold()
        others = [asyncio.create_task(parts.writer.write(_post(made, str(number)))) for number in range(50)]
        await anyio.wait_all_tasks_blocked()
        parts.gate.go.set()
        with anyio.fail_after(10):
            posted = [await task for task in (first, *others)]
    assert parts.gate.sizes == [1, 50]
    assert [message.depth for message in posted] == list(range(51))


async def test_a_group_has_a_bound(tmp_path: Path) -> None:
    async with _parts(tmp_path) as parts:
        made = await parts.new()
        parts.gate.sizes.clear()
        with anyio.fail_after(20):
            await asyncio.gather(*(parts.writer.write(_post(made)) for _ in range(GROUP_MAX + 10)))
        assert max(parts.gate.sizes) <= GROUP_MAX


def _ingest(name: str, messages: int) -> Ingest:
    return Ingest(user="ann", conversations=(brought(name, *map(str, range(messages))),))


async def test_votes_weigh_as_messages_do() -> None:
    like = Feedback(rating="like")
    one = msgspec.structs.replace(brought("voted", "0", "1"), votes={1: {"bob": like, "cid": like}})
    command = Ingest(user="ann", conversations=(one, brought("other", "0")), index=False)
    assert weight_of(command) == 5
    assert weight_of(msgspec.structs.replace(command, index=True)) == 15


async def test_what_is_written_in_bulk_takes_turns_with_people(tmp_path: Path) -> None:
    """Whatever waits in which order: a person waits for one group of bulk, and the other way round."""
    async with _parts(tmp_path) as parts:
        made = await parts.new()
        parts.gate.close()
        parts.gate.kinds.clear()
        running = asyncio.create_task(parts.writer.write(_ingest("running", 3)))
        await parts.hold()
        commands: list[Command[Any]] = [_ingest(str(number), 300) for number in range(3)]
        commands += [_post(made, str(number)) for number in range(3)]
        commands += [_ingest("light", 199), _ingest("lighter", 1), Reindex(max_messages=500)]
        tasks = [asyncio.create_task(parts.writer.write(command)) for command in commands]
        await anyio.wait_all_tasks_blocked()
        parts.gate.go.set()
        with anyio.fail_after(20):
            await asyncio.gather(running, *tasks)
    assert parts.gate.kinds == [
        ["Ingest"],
        ["PostMessage"] * 3,
        ["Ingest"],
        ["Ingest"],
        ["Ingest"],
        ["Ingest"] * 2,  # 200 in all: with 300 more it would be too much
        ["Reindex"],
    ]


async def test_the_log_is_copied_in_a_turn_of_bulk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What people wrote before and meanwhile goes first; it is never the end of a transaction."""
    async with _parts(tmp_path) as parts:
        made = await parts.new()
        loop, has_come = asyncio.get_running_loop(), threading.Event()
        tasks: list[asyncio.Task[Any]] = []

        def come() -> None:
            tasks.append(asyncio.create_task(parts.writer.write(_post(made, "meanwhile"))))
            loop.call_soon(has_come.set)

        def copy(connection: sqlite3.Connection) -> None:
            assert not connection.in_transaction
            parts.gate.kinds.append(["copied"])
            loop.call_soon_threadsafe(come)
            assert has_come.wait(10)

        monkeypatch.setattr(writer, "copy_log", copy)
        monkeypatch.setattr(writer, "_COPIED_AFTER", 16)
        parts.gate.close()
        parts.gate.kinds.clear()
        tasks.append(asyncio.create_task(parts.writer.write(_ingest("running", 3))))
        await parts.hold()
        commands: list[Command[Any]] = [_post(made, "before"), _ingest("waiting", 300)]
        tasks += [asyncio.create_task(parts.writer.write(command)) for command in commands]
        await anyio.wait_all_tasks_blocked()
        parts.gate.go.set()
        with anyio.fail_after(20):
            await asyncio.gather(*tasks)
    assert parts.gate.kinds[:5] == [
        ["Ingest"],
        ["PostMessage"],
        ["copied"],
        ["PostMessage"],
        ["Ingest"],
    ]


async def test_what_was_copied_stands_in_the_database(tmp_path: Path) -> None:
    def conversations() -> int:
        uri = f"file:{tmp_path / 'chat.db'}?immutable=1"  # without the log
        with closing(sqlite3.connect(uri, uri=True)) as database:
            count: int = database.execute("SELECT count(*) FROM conversation").fetchone()[0]
            return count

    async with _parts(tmp_path) as parts:
        await parts.connection.run(copy_log)
        await parts.new()
        assert conversations() == 0
        await parts.connection.run(copy_log)
        assert conversations() == 1


async def test_people_who_never_stop_do_not_keep_bulk_out(tmp_path: Path) -> None:
    async with _parts(tmp_path) as parts:
        made = await parts.new()
        parts.gate.close()
        parts.gate.kinds.clear()
        commands = [_post(made) for _ in range(1 + 2 * GROUP_MAX)]
        first, *others = [asyncio.create_task(parts.writer.write(command)) for command in commands]
        await parts.hold()
        bulk = [asyncio.create_task(parts.writer.write(_ingest(str(number), 400))) for number in range(2)]
        await anyio.wait_all_tasks_blocked()
        parts.gate.go.set()
        with anyio.fail_after(20):
            await asyncio.gather(first, *others, *bulk)
    assert [kinds[0] for kinds in parts.gate.kinds] == [
        "PostMessage",
        "Ingest",
        "PostMessage",
        "Ingest",
        "PostMessage",
    ]
    assert len(parts.gate.kinds[0]) == GROUP_MAX


async def test_closing_does_what_waits_in_bulk_too(tmp_path: Path) -> None:
    async with _parts(tmp_path) as parts:
        parts.gate.close()
        tasks = [asyncio.create_task(parts.writer.write(_ingest(str(number), 400))) for number in range(3)]
        await parts.hold()
        cancelled = tasks.pop()
        cancelled.cancel()
        parts.writer.close()
        parts.gate.go.set()
        with anyio.fail_after(10):
            results = await asyncio.gather(*tasks)
        assert [[one.outcome for one in result] for result in results] == [["imported"]] * 2
        with pytest.raises(StorageError):
            await parts.writer.write(_ingest("late", 1))
    assert cancelled.cancelled()


async def test_events_are_published_in_order_before_any_caller_is_woken(tmp_path: Path) -> None:
    async with _parts(tmp_path) as parts:
        made = await parts.new()
        parts.events.clear()
        tasks: list[asyncio.Task[Message]] = []
        woken: list[bool] = []

        def publish(events: Sequence[Event]) -> None:
            woken.extend(task.done() for task in tasks)
            parts.events.extend(events)

        parts.publish = publish
        tasks += [asyncio.create_task(parts.writer.write(_post(made, str(number)))) for number in range(20)]
        with anyio.fail_after(10):
            await asyncio.gather(*tasks)
    assert woken
    assert not any(woken)
    seqs = [event.seq for event in parts.events if not isinstance(event, ListChanged)]
    assert seqs == sorted(seqs)
    messages = [event.message for event in parts.events if isinstance(event, MessageChanged)]
    assert messages == [task.result() for task in tasks]


async def test_what_is_published_is_committed(tmp_path: Path) -> None:
    async with open_store(str(tmp_path), publish=lambda _events: None) as store:
        seen: list[bool] = []
        loop = asyncio.get_running_loop()
        reads: list[asyncio.Task[None]] = []

        async def look(event: MessageChanged) -> None:
            seen.append(await store.message("ann", event.message.id) == event.message)

        def publish(events: Sequence[Event]) -> None:
            reads.extend(
                loop.create_task(look(event)) for event in events if isinstance(event, MessageChanged)
            )

        store._writer._publish = publish
        ann = Person(store)
        made = await ann.new()
        for number in range(5):
            await ann.post(made, str(number))
        with anyio.fail_after(10):
            await asyncio.gather(*reads)
    assert seen == [True] * 5


async def test_a_caller_cancelled_before_its_unit_takes_it_out(tmp_path: Path) -> None:
    async with _parts(tmp_path) as parts:
        made = await parts.new()
        parts.gate.close()
        running = asyncio.create_task(parts.writer.write(_post(made, "running")))
        await parts.hold()
        waiting = asyncio.create_task(parts.writer.write(_post(made, "waiting")))
        staying = asyncio.create_task(parts.writer.write(_post(made, "staying")))
        await anyio.wait_all_tasks_blocked()
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        parts.gate.go.set()
        with anyio.fail_after(10):
            below = await staying
            above = await running
        assert below.parent == above.id
        assert await parts.sql("SELECT count(*) FROM message") == [(2,)]


async def test_a_caller_cancelled_after_its_unit_was_begun_leaves_it_done(tmp_path: Path) -> None:
    async with _parts(tmp_path) as parts:
        made = await parts.new()
        parts.gate.close()
        parts.events.clear()
        begun = asyncio.create_task(parts.writer.write(_post(made, "begun")))
        await parts.hold()
        begun.cancel()
        with suppress(asyncio.CancelledError):
            await begun
        parts.gate.go.set()
        with anyio.fail_after(10):
            after = await parts.writer.write(_post(made, "after"))
        assert after.depth == 1
        assert len([event for event in parts.events if isinstance(event, MessageChanged)]) == 2


async def test_a_failed_group_fails_each_caller_and_shows_nothing(tmp_path: Path) -> None:
    async with _parts(tmp_path) as parts:
        made = await parts.new()
        ((pages,),) = await parts.sql("PRAGMA page_count")
        await parts.sql(f"PRAGMA max_page_count = {pages}")
        parts.events.clear()
        large = _post(made, "x" * 200_000)
        with anyio.fail_after(10):
            outcomes = await asyncio.gather(
                *(parts.writer.write(command) for command in (_post(made), large, _post(made))),
                return_exceptions=True,
            )
        assert [type(outcome) for outcome in outcomes] == [StorageError] * 3
        assert len({id(outcome) for outcome in outcomes}) == 3
        assert str(outcomes[0]) == "The disk is full: this was not stored."
        assert parts.events == []
        await parts.sql("PRAGMA max_page_count = 1000000")
        with anyio.fail_after(10):
            assert (await parts.writer.write(large)).depth == 0


async def test_deltas_alone_are_not_synced_and_everything_else_is(tmp_path: Path) -> None:
    async with open_store(str(tmp_path), publish=lambda _events: None) as store:
        ann = Person(store)
        connection = store._writer._connection

        async def synchronous() -> int:
            found = await connection.run(lambda raw: raw.execute("PRAGMA synchronous").fetchone())
            return int(found[0])

        made = await ann.new()
        assert await synchronous() == 2
        answer = (await ann.send(made, "q")).answer
        await store.write(AppendDeltas(owner=PROCESS, deltas=(PartOpened(answer.id, 0, Text("")),)))
        assert await synchronous() == 1
        await store.write(ending(answer))
        assert await synchronous() == 2


async def test_closing_does_what_waits_and_takes_no_more(tmp_path: Path) -> None:
    async with _parts(tmp_path) as parts:
        made = await parts.new()
        parts.gate.close()
        tasks = [asyncio.create_task(parts.writer.write(_post(made))) for _ in range(3)]
        await parts.hold()
        parts.writer.close()
        with pytest.raises(StorageError, match="closed"):
            await parts.writer.write(_post(made))
        parts.gate.go.set()
        with anyio.fail_after(10):
            assert [message.depth for message in await asyncio.gather(*tasks)] == [0, 1, 2]


async def test_a_store_closed_by_cancellation_finishes_what_was_begun(tmp_path: Path) -> None:
    stored: list[Message] = []
    with anyio.fail_after(10), anyio.CancelScope() as scope:
        async with open_store(str(tmp_path), publish=lambda _events: None) as store:
            made = await Person(store).new()
            try:
                scope.cancel()
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    stored.append(await Person(store).post(made, "last words"))
    async with open_store(str(tmp_path), publish=lambda _events: None) as again:
        assert again.epoch == store.epoch
        assert await again.message("ann", stored[0].id) == stored[0]


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    async with open_store(str(tmp_path), publish=lambda _events: None) as store:
        made = await Person(store).new()
    with pytest.raises(StorageError, match="closed"):
        await store.conversation("ann", made.id)
    with pytest.raises(StorageError, match="closed"):
        await Person(store).new()


async def test_what_the_body_raises_comes_out_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        async with open_store(str(tmp_path), publish=lambda _events: None) as store:
            await store.conversation("ann", "0" * 32)


async def test_aiosqlite_runs_a_whole_function_on_its_thread() -> None:
    """What `storage.sqlite.connection` needs of a private method; look there when the version changes."""
    assert version("aiosqlite").startswith("0.22.")
    assert list(inspect.signature(aiosqlite.Connection._execute).parameters)[:2] == ["self", "fn"]
    async with aiosqlite.connect(":memory:") as connection:
        raw = connection._conn

        def on_thread(number: int, *, more: int) -> tuple[int, int, list[tuple[int]]]:
            return threading.get_ident(), number + more, raw.execute("SELECT 1").fetchall()

        execute = cast("Callable[..., Awaitable[Any]]", connection._execute)
        thread, total, rows = await execute(on_thread, 1, more=2)
        assert (total, rows) == (3, [(1,)])
        assert thread != threading.get_ident()
        with pytest.raises(ZeroDivisionError):
            await execute(lambda: 1 / 0)


async def test_a_function_goes_through_although_its_caller_is_cancelled(tmp_path: Path) -> None:
    connection = await open_writer(tmp_path / "chat.db")
    begun, go, done = threading.Event(), threading.Event(), threading.Event()

    def slow(_raw: object) -> None:
        begun.set()
        assert go.wait(10)
        done.set()

    task = asyncio.create_task(connection.run(slow))
    assert await anyio.to_thread.run_sync(begun.wait, 10)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    go.set()
    with anyio.fail_after(10):
        assert await connection.run(lambda _raw: done.is_set())
        await connection.close()
