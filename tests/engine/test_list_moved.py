"""A list of which very much has changed at once: its readers go to the rows, at every race window."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import anyio
import pytest

import storage.memory
from chatcore.commands import ChangeConversation, CreateConversation
from chatcore.events import ListEvent, ListReset
from chatcore.hub import Hub
from chatcore.ports import ListMoved, Store
from chatcore.subscription import LIST_RESET_AFTER, Subscription, follow_list
from chatcore.views import ListChanges
from tests.storage.bringing import bring, brought

MANY = 60
"""More than are told one by one, fewer than a reader wants to hear of."""


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return backend


class Gated:
    """The store, and a moment after each reading of the list in which anything may happen."""

    def __init__(self, store: Store) -> None:
        self.epoch = store.epoch
        self.after_reading: Callable[[], Awaitable[None]] | None = None
        self._store = store

    async def list_changes(self, user: str, *, after: int, limit: int) -> ListChanges:
        rows = await self._store.list_changes(user, after=after, limit=limit)
        act, self.after_reading = self.after_reading, None
        if act is not None:
            await act()
        return rows


class Reader:
    """A sidebar: what it holds of the list."""

    def __init__(self, store: Store, events: Subscription[ListEvent]) -> None:
        self.held: dict[str, str | None] = {}
        self.resets = 0
        self._store = store
        self._events = events

    async def read(self, count: int) -> None:
        """Take events until that many conversations are held."""
        with anyio.fail_after(5):
            while len(self.held) < count:
                event = await anext(self._events)
                if isinstance(event, ListReset):
                    self.resets += 1
                    self.held = await self.page()
                else:
                    self.held[event.conversation_id] = event.conversation.title

    async def page(self) -> dict[str, str | None]:
        page = await self._store.conversations("ann", archived=False, pinned=None, after=None, limit=10**6)
        return {entry.id: entry.title for entry in page.conversations}


class Scene:
    """A store, its hub, and what happens there."""

    def __init__(self, store: Store, hub: Hub) -> None:
        self.store = store
        self.hub = hub
        self.gated = Gated(store)
        self._count = 0

    @asynccontextmanager
    async def reader(self, after: str | None = None) -> AsyncIterator[Reader]:
        gated = cast("Store", self.gated)
        async with follow_list(self.hub, gated, "ann", after, 0.0) as events:
            yield Reader(self.store, events)

    async def bring(self, count: int) -> None:
        """Ingest so many conversations as one unit."""
        new = [brought(str(self._count + number), "x") for number in range(count)]
        self._count += count
        await bring(self.store, *new)

    async def new(self) -> None:
        await self.store.write(CreateConversation(user="ann"))


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    hub = Hub()
    async with storage.memory.open_store("", publish=hub.publish) as store:
        yield Scene(store, hub)


async def test_a_reader_who_waits_at_the_place_is_woken(scene: Scene) -> None:
    async with scene.reader() as reader, anyio.create_task_group() as tasks:
        tasks.start_soon(reader.read, MANY)
        await anyio.wait_all_tasks_blocked()
        await scene.bring(MANY)
    assert (len(reader.held), reader.resets) == (MANY, 0)


async def test_of_too_many_a_reader_is_told_to_page(scene: Scene) -> None:
    async with scene.reader() as reader, anyio.create_task_group() as tasks:
        tasks.start_soon(reader.read, LIST_RESET_AFTER + 1)
        await anyio.wait_all_tasks_blocked()
        await scene.bring(LIST_RESET_AFTER + 1)
    assert (len(reader.held), reader.resets) == (LIST_RESET_AFTER + 1, 1)


async def test_a_reader_who_is_behind_misses_nothing(scene: Scene) -> None:
    """It holds events of the log that it has not read when the log begins anew."""
    async with scene.reader() as reader:
        await scene.new()
        await reader.read(1)
        await scene.new()
        await scene.bring(MANY)
        await scene.new()
        await reader.read(MANY + 3)
        assert reader.held == await reader.page()


async def test_while_a_reader_reads_rows(scene: Scene) -> None:
    """They were read before, and their end is not where the log begins."""
    await scene.new()
    async with scene.reader(after=f"{scene.store.epoch}.0") as reader:
        scene.gated.after_reading = lambda: scene.bring(MANY)
        await reader.read(MANY + 1)
        assert reader.held == await reader.page()


@pytest.mark.parametrize("later", [0, 1, 5])
async def test_while_a_reader_reads_too_many_rows(scene: Scene, later: int) -> None:
    """What is told after the move is in the log; that all before it is to be paged must not get lost."""

    async def go_on() -> None:
        for _ in range(later):
            await scene.new()

    async with scene.reader() as reader:
        await scene.new()
        await reader.read(1)
        await scene.bring(LIST_RESET_AFTER + 1)
        await go_on()  # the rows go further than where the log begins
        scene.gated.after_reading = go_on
        await reader.read(LIST_RESET_AFTER + 2 + later)
        await scene.new()
        await reader.read(LIST_RESET_AFTER + 3 + 2 * later)
        assert reader.held == await reader.page()


async def test_a_reader_who_begins_while_it_happens(scene: Scene) -> None:
    scene.gated.after_reading = lambda: scene.bring(MANY)
    async with scene.reader() as reader:  # it stands before them
        await reader.read(MANY)
        assert reader.held == await reader.page()


async def test_changes_after_the_move_go_through_the_log(scene: Scene) -> None:
    async with scene.reader() as reader:
        await scene.bring(MANY)
        await reader.read(MANY)
        name = next(iter(reader.held))
        await scene.store.write(ChangeConversation(user="ann", conversation_id=name, title="new"))
        scene.gated.after_reading = _fail
        await reader.read(MANY)
        with anyio.fail_after(5):
            event = await anext(reader._events)
        assert not isinstance(event, ListReset)
        assert event.conversation.title == "new"


async def test_nothing_is_kept_where_nobody_reads(scene: Scene) -> None:
    await scene.bring(MANY)
    assert scene.hub.users == {}
    scene.hub.publish([ListMoved(user="nobody", seq=1)])
    assert scene.hub.users == {}


async def _fail() -> None:
    raise AssertionError("rows were read")
