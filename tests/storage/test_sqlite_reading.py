"""A data directory in which nothing can be written is read all the same, and nothing of it is changed."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatcore.commands import CreateConversation
from chatcore.errors import DataDirectoryInUse, SchemaTooNew, StorageError
from chatcore.messages import Text
from storage.directory import LOCK_NAME
from storage.sqlite import open_for_reading, open_store
from storage.sqlite.connection import Sharing
from storage.sqlite.readers import Readers
from storage.sqlite.reading import _open
from tests.storage.acting import Person


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _silent(_events: object) -> None:
    pass


async def made(directory: Path, copy: Path) -> None:
    """A store with a question that is being answered; `copy` is what the death of its process leaves."""
    async with open_store(str(directory), publish=_silent) as store:
        ann = Person(store)
        sent = await ann.send(await ann.new("kept"), "needle")
        shutil.copytree(directory, copy)
        await ann.end(sent.answer, "said")


def bytes_of(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.suffix != ".db-shm"}


async def test_all_is_read_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.directory.WAIT_SECONDS", 0.0)
    await made(tmp_path / "data", tmp_path / "died")
    for name, status, words in (("data", "complete", (Text("said"),)), ("died", "running", ())):
        before = bytes_of(tmp_path / name)
        async with open_for_reading(str(tmp_path / name), publish=_silent) as store:
            ann = Person(store)
            (listed,) = await ann.titles()
            assert listed == "kept"
            page = await store.conversations("ann", archived=False, pinned=None, after=None, limit=9)
            shown = await ann.page(page.conversations[0])
            assert [message.status for message in shown.messages] == ["complete", status]
            assert shown.messages[1].parts == words
            assert await store.orphans("me") == []
            with pytest.raises(StorageError, match="read only"):
                await store.write(CreateConversation(user="ann"))
            # several may read, and nobody may write meanwhile
            with pytest.raises(DataDirectoryInUse):
                async with open_store(str(tmp_path / name), publish=_silent):
                    pass
            await store.backup(tmp_path / f"copy of {name}")
        assert before.items() <= bytes_of(tmp_path / name).items()
        async with open_store(str(tmp_path / f"copy of {name}"), publish=_silent) as store:
            assert await Person(store).titles() == ["kept"]


async def test_one_that_is_owned_is_left_to_its_owner(tmp_path: Path) -> None:
    async with open_store(str(tmp_path / "data"), publish=_silent):
        with pytest.raises(DataDirectoryInUse):
            async with open_for_reading(str(tmp_path / "data"), publish=_silent):
                pass


async def test_a_lock_that_cannot_be_opened_is_not_taken_for_none(tmp_path: Path) -> None:
    await made(tmp_path / "data", tmp_path / "died")
    lock = tmp_path / "data" / LOCK_NAME
    lock.rename(lock.with_name("elsewhere"))
    lock.symlink_to("elsewhere")
    with pytest.raises(StorageError, match=r"lock.* can't be read"):
        async with open_for_reading(str(tmp_path / "data"), publish=_silent):
            pass


async def test_what_the_block_raises_is_no_owner(tmp_path: Path) -> None:
    await made(tmp_path / "data", tmp_path / "died")
    with pytest.raises(BlockingIOError):
        async with open_for_reading(str(tmp_path / "data"), publish=_silent):
            raise BlockingIOError


async def test_what_stands_beside_the_database_and_cannot_be_looked_at_is_told(tmp_path: Path) -> None:
    await made(tmp_path / "data", tmp_path / "died")
    beside = tmp_path / "data" / "chat.db-journal"
    beside.symlink_to(beside)
    with pytest.raises(StorageError, match=r"chat\.db-journal can't be read"):
        await _open(Readers(), tmp_path / "data" / "chat.db")


@pytest.mark.parametrize(("version", "error"), [(1, StorageError), (99, SchemaTooNew)])
async def test_another_schema_is_told(tmp_path: Path, version: int, error: type[Exception]) -> None:
    await made(tmp_path / "data", tmp_path / "died")
    with closing(sqlite3.connect(tmp_path / "data" / "chat.db")) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(error, match=r"older|newer"):
        async with open_for_reading(str(tmp_path / "data"), publish=_silent):
            pass


async def test_where_no_way_helps_it_is_said_what_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def open_(readers: Readers, path: Path, sharing: Sharing = "others") -> None:
        raise StorageError("The disk is full: this was not stored.")

    monkeypatch.setattr(Readers, "open", open_)
    with pytest.raises(StorageError, match="Make room"):
        async with open_for_reading(str(tmp_path), publish=_silent):
            pass


@pytest.mark.parametrize(("name", "way"), [("data", "nobody writes"), ("died", "alone")])
async def test_where_sqlite_can_have_nothing_beside_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, way: Sharing
) -> None:
    """As on a full disk (tests/frontends/test_cli_unwritable.py has one): the second way reads it."""
    await made(tmp_path / "data", tmp_path / "died")
    real, ways = Readers.open, list[Sharing]()

    async def open_(readers: Readers, path: Path, sharing: Sharing = "others") -> None:
        ways.append(sharing)
        if sharing == "others":
            raise StorageError("The disk is full: this was not stored.")
        await real(readers, path, sharing)

    monkeypatch.setattr(Readers, "open", open_)
    readers = Readers()
    try:
        await _open(readers, tmp_path / name / "chat.db")
        count = await readers.run(
            lambda connection: connection.execute("SELECT count(*) FROM message").fetchone()
        )
        assert (count, ways) == ((2,), ["others", way])
    finally:
        await readers.close()
