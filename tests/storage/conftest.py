"""Every store there is, for the one suite that all of them pass."""

import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path

import anyio
import pytest

import storage.memory
from chatcore.events import ConversationEvent, ListChanged
from chatcore.ports import ListMoved, Publish, Store
from tests.search_index import index_damage
from tests.storage.acting import Person

Published = list[ConversationEvent | ListChanged]
Opening = Callable[[Path, Publish], AbstractAsyncContextManager[Store]]


def _open_memory(_directory: Path, publish: Publish) -> AbstractAsyncContextManager[Store]:
    return storage.memory.open_store("", publish=publish)


def _open_sqlite(directory: Path, publish: Publish) -> AbstractAsyncContextManager[Store]:
    import storage.sqlite

    return storage.sqlite.open_store(str(directory), publish=publish)


OPENERS: dict[str, Opening] = {"memory": _open_memory, "sqlite": _open_sqlite}
STORES = [("memory", "asyncio"), ("memory", "trio"), ("sqlite", "asyncio")]


@pytest.fixture(params=STORES, ids="-".join)
def kind_and_backend(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A test that asks for a store runs with every store, on every event loop that it runs on."""
    found: tuple[str, str] = request.param
    return found


@pytest.fixture
def store_kind(kind_and_backend: tuple[str, str]) -> str:
    """The name of the store."""
    return kind_and_backend[0]


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """The event loop: that of the store; asyncio for tests that ask for none, unless they say otherwise."""
    if "kind_and_backend" not in request.fixturenames:
        return "asyncio"
    _, backend = request.getfixturevalue("kind_and_backend")
    return str(backend)


@pytest.fixture
def published() -> Published:
    """What the store has published, in order."""
    return []


@pytest.fixture
def moved() -> list[ListMoved]:
    """What it has published of lists that are read from rows instead."""
    return []


@pytest.fixture
async def store(
    store_kind: str, tmp_path: Path, published: Published, moved: list[ListMoved]
) -> AsyncIterator[Store]:
    """An empty store, which must be sound at the end of the test."""
    async with opened(store_kind, tmp_path / "data", keeping(published, moved)) as opened_store:
        yield opened_store
        with anyio.fail_after(10):
            assert await opened_store.check() == []
    if store_kind == "sqlite":
        with closing(sqlite3.connect(tmp_path / "data" / "chat.db")) as connection:
            assert index_damage(connection) == []
    check_numbers(published)


@pytest.fixture
def ann(store: Store) -> Person:
    """A person."""
    return Person(store, "ann")


@pytest.fixture
def bob(store: Store) -> Person:
    """Another."""
    return Person(store, "bob")


@asynccontextmanager
async def opened(kind: str, directory: Path, publish: Publish) -> AsyncIterator[Store]:
    """A store of this kind."""
    async with OPENERS[kind](directory, publish) as opened_store:
        yield opened_store


def keeping(published: Published, moved: list[ListMoved] | None = None) -> Publish:
    """What appends to `published`, and what is read from rows instead to `moved`."""

    def publish(events: Sequence[ConversationEvent | ListChanged | ListMoved]) -> None:
        for event in events:
            if not isinstance(event, ListMoved):
                published.append(event)
            elif moved is not None:
                moved.append(event)

    return publish


def check_numbers(published: Published) -> None:
    """Events of a stream are published in the order of their numbers, each used once."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for event in published:
        if isinstance(event, ListChanged):
            numbers[f"list of {event.conversation.owner}"].append(event.seq)
        else:
            numbers[event.conversation_id].append(event.seq)
    for stream, found in numbers.items():
        assert found == sorted(set(found)), stream
