"""What is the memory store's own: exact undoing, when it yields, where its files are."""

import copy
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest
from anyio import CancelScope
from anyio.lowlevel import checkpoint

from chatcore.commands import Command, CreateConversation, Purge
from chatcore.errors import ChatcoreError, StorageError
from chatcore.events import ConversationEvent, ListChanged
from chatcore.messages import Conversation
from chatcore.ports import ListMoved, Store
from storage.ids import IdSource
from storage.memory import MemoryStore, open_store
from storage.memory.arriving import ArrivingRows
from storage.memory.rows import MemoryRows
from storage.memory.tables import Tables
from storage.units import run_unit
from tests.storage.acting import Person, ending, pieces

R = TypeVar("R")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ignore(_: Sequence[ConversationEvent | ListChanged | ListMoved]) -> None:
    pass


def contents(tables: Tables) -> dict[str, object]:
    """All that is in the tables; an empty list or dict in one of them means nothing."""
    found: dict[str, object] = {}
    for field in fields(tables):
        if field.name != "keys":
            rows: dict[object, object] = getattr(tables, field.name)
            found[field.name] = {key: row for key, row in rows.items() if row not in ([], {})}
    return copy.deepcopy(found)


async def furnish(store: Store) -> tuple[Conversation, list[Command[Any]]]:
    """A conversation with all there can be, and commands that change something of each kind."""
    ann = Person(store)
    made = await ann.new("t", key="k")
    question, answer = await ann.ask(made, "q", "a")
    file = await ann.file("x")
    await ann.post(made, "file", files=[file], key="m")
    await ann.rate(answer, "like")
    await ann.rate(question, "like")
    await ann.rate(question, None)
    sent = await ann.send(made, "running")
    await ann.send(made, "queued", policy="queue")
    await ann.say(sent.answer, "so", " far")
    gone = await ann.new("gone")
    await ann.post(gone, "x", files=[file], key="gone")
    await ann.delete(gone)
    return made, [ending(sent.answer, "so far", status="complete"), ending(sent.answer, "so far"), Purge()]


class Late(Exception):
    pass


async def test_every_kind_of_unit_is_undone_exactly() -> None:
    async with open_store("", publish=ignore) as store:
        assert isinstance(store, MemoryStore)
        made, commands = await furnish(store)
        ann = Person(store)
        page = await ann.page(made)
        tables = store._tables
        before = contents(tables)
        message = page.messages[0]
        recorded: list[Command[Any]] = list(commands)

        class Recording(MemoryStore):
            async def write(self, command: Command[R]) -> R:
                recorded.append(command)
                raise Late

        recorder = Person(Recording(store._files, ignore))
        for call in (
            recorder.new("new", key="other"),
            recorder.change(made, title="other", pinned=True),
            recorder.post(made, "x", files=[await ann.file("y")], parent=message.id, key="p"),
            recorder.send(made, "x", policy="queue", key="s"),
            recorder.send(made, "x", policy="interrupt", ends=ending(page.messages[4], "so far"), key="i"),
            recorder.say(page.messages[4], "more"),
            recorder.rate(page.messages[1], None),
            recorder.rate(page.messages[4], "dislike"),
            recorder.delete(made, ends=ending(page.messages[4])),
        ):
            with pytest.raises(Late):
                await call
        assert len(recorded) == 12
        for command in recorded:
            rows = ArrivingRows(tables, IdSource())
            run_unit(rows, command)
            assert contents(tables) != before, command
            rows.undo()
            assert contents(tables) == before, command
            assert rows.events == []
        assert await store.check() == []
        await ann.store.write(commands[0])  # it still works after all that


async def test_an_error_in_a_unit_undoes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[ConversationEvent | ListChanged | ListMoved] = []
    async with open_store("", publish=published.extend) as store:
        assert isinstance(store, MemoryStore)
        made, _ = await furnish(store)
        before = contents(store._tables)
        published.clear()

        def fail(*_: object, **__: object) -> None:
            raise Late

        with monkeypatch.context() as patched:
            patched.setattr(MemoryRows, "update_conversation", fail)  # after all else was written
            with pytest.raises(Late):
                await Person(store).send(made, "x", policy="queue")
        assert contents(store._tables) == before
        assert published == []


async def test_events_are_published_before_the_caller_goes_on() -> None:
    order: list[str] = []

    def publish(events: Sequence[ConversationEvent | ListChanged | ListMoved]) -> None:
        order.append(f"{len(events)} events")

    async with open_store("", publish=publish) as store:
        await store.write(CreateConversation(user="ann"))
        order.append("result")
    assert order == ["2 events", "result"]


async def test_a_write_lets_others_run_first_and_can_be_cancelled_there() -> None:
    async with open_store("", publish=ignore) as store:
        ran = False

        async def other() -> None:
            nonlocal ran
            ran = True

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(other)
            for _ in range(2):  # trio wakes the tasks of one turn in any order
                await store.write(CreateConversation(user="ann"))
            assert ran
        with CancelScope() as scope:
            scope.cancel()
            await store.write(CreateConversation(user="ann"))
        page = await store.conversations("ann", archived=False, pinned=None, after=None, limit=10)
        assert len(page.conversations) == 2


async def test_callers_at_once_are_served_one_after_the_other() -> None:
    async with open_store("", publish=ignore) as store:
        ann = Person(store)
        made = await ann.new()
        refused = 0

        async def send(number: int) -> None:
            nonlocal refused
            await checkpoint()
            try:
                await ann.send(made, str(number))
            except ChatcoreError:
                refused += 1

        async with anyio.create_task_group() as tasks:
            for number in range(10):
                tasks.start_soon(send, number)
        assert refused == 9
        assert len((await ann.page(made)).messages) == 2
        assert await store.check() == []


async def test_files_are_gone_at_the_end() -> None:
    async with open_store("anywhere", publish=ignore) as store:
        kept = await store.files.put(pieces(b"x"), "x", max_bytes=1)
        path = store.files.path(kept)
        assert path.exists()
    assert not path.parents[2].exists()


async def test_each_store_is_its_own() -> None:
    async with open_store("", publish=ignore) as one, open_store("", publish=ignore) as two:
        assert one.epoch != two.epoch
        await Person(one).new()
        assert await Person(two).titles() == []


async def test_a_backup_is_refused(tmp_path: Path) -> None:
    async with open_store("", publish=ignore) as store:
        with pytest.raises(StorageError):
            await store.backup(tmp_path / "backup")


async def test_damage_is_found() -> None:
    async with open_store("", publish=ignore) as store:
        assert isinstance(store, MemoryStore)
        made, _ = await furnish(store)
        assert await store.check() == []
        kept = await Person(store).file("lost")
        await Person(store).post(await Person(store).new(), "x", files=[kept])
        store.files.path(kept).unlink()
        assert await store.check() == [f"The file {kept.path} is missing."]
        key = store._tables.conversation_keys[made.id]
        del store._tables.runs[key]
        assert len(await store.check()) >= 3
