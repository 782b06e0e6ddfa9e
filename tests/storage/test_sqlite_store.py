"""The store from outside: its epochs, its backups, its directory."""

import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from chatcore.commands import Purge, Reindex
from chatcore.errors import DataDirectoryInUse, StorageError
from chatcore.messages import Settings
from storage.sqlite import SqliteStore, open_store, opening
from storage.sqlite.connection import prepare_writer
from tests.storage.acting import Person, pieces


def _silent(_events: object) -> None:
    pass


async def _names(directory: Path) -> set[str]:
    return {entry.name async for entry in anyio.Path(directory).iterdir()}


async def _epoch(directory: Path) -> str:
    async with open_store(str(directory), publish=_silent) as store:
        return store.epoch


async def test_the_epoch_stays_over_a_clean_stop_only(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    first = await _epoch(data)
    assert await _epoch(data) == first
    async with open_store(str(data), publish=_silent) as store:
        assert store.epoch == first
        made = await Person(store).new()
        shutil.copytree(data, copy)  # what a death would leave
    assert await _epoch(data) == first
    async with open_store(str(copy), publish=_silent) as store:
        assert store.epoch != first
        assert (await store.conversation("ann", made.id)).id == made.id
    assert await _epoch(copy) == store.epoch


@pytest.mark.parametrize("kind", ["backup", "copy"])
async def test_each_start_from_a_copy_has_an_epoch_of_its_own(tmp_path: Path, kind: str) -> None:
    """Else a reader of the one life would go on in the other, whose numbers mean other things."""
    data, copy = tmp_path / "data", tmp_path / "kept"
    async with open_store(str(data), publish=_silent) as store:
        await Person(store).new()
        if kind == "backup":
            await store.backup(copy)
    if kind == "copy":
        shutil.copytree(data, copy)  # of a stopped one; it keeps all times that can be kept
    epochs = {store.epoch}
    for _ in range(3):
        shutil.rmtree(data)
        shutil.copytree(copy, data)
        epochs.add(await _epoch(data))
    assert len(epochs) == 4


async def test_a_file_put_in_place_of_the_one_that_was_closed_is_another(tmp_path: Path) -> None:
    epoch = await _epoch(tmp_path)
    content = (tmp_path / "chat.db").read_bytes()
    (tmp_path / "chat.db").write_bytes(content)
    assert await _epoch(tmp_path) != epoch


async def test_a_directory_may_be_moved(tmp_path: Path) -> None:
    epoch = await _epoch(tmp_path / "data")
    (tmp_path / "data").rename(tmp_path / "moved")
    assert await _epoch(tmp_path / "moved") == epoch


async def test_a_start_that_fails_makes_no_copy_the_very_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    epoch = await _epoch(data)
    shutil.copytree(data, copy)

    def fail(*_arguments: object) -> None:
        raise sqlite3.OperationalError("planted")

    with monkeypatch.context() as planted:
        planted.setattr(opening, "migrate", fail)
        with pytest.raises(StorageError):
            await _epoch(copy)
    assert await _epoch(copy) != epoch


async def test_the_directory_is_the_owners_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with open_store(str(data), publish=_silent):
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        with anyio.fail_after(10), pytest.raises(DataDirectoryInUse):
            await _epoch(data)
    await _epoch(data)


async def test_nothing_is_left_beside_a_closed_database(tmp_path: Path) -> None:
    async with open_store(str(tmp_path), publish=_silent) as store:
        await Person(store).new()
        assert (tmp_path / "chat.db-wal").exists()
    assert not (tmp_path / "chat.db-wal").exists()


def _bytes_of(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()).lower()


async def test_what_was_purged_is_overwritten(tmp_path: Path) -> None:
    """Once the store is closed; single words are in the search index until it is made anew."""
    said = "zqxvortex and wjkfnord"
    async with open_store(str(tmp_path), publish=_silent) as store:
        ann = Person(store)
        kept, gone = await ann.new("kept"), await ann.new(said, settings=Settings(system_prompt=said))
        for conversation, text in ((kept, "other words"), (gone, said)) * 3:
            _, answer = await ann.ask(conversation, text, f"{text} answered")
            await ann.rate(answer, "like", text)
            streamed = (await ann.send(conversation, text)).answer
            await ann.say(streamed, text, f" {text}")
            await ann.end(streamed, f"{text} {text}")
            await ann.post(conversation, f"{text} " * 2_000, key=text)  # longer than a page
        await ann.change(gone, title=None, settings=Settings())
        await ann.delete(gone)
    assert said.encode() in _bytes_of(tmp_path)
    async with open_store(str(tmp_path), publish=_silent) as store:
        while (await store.write(Purge(max_rows=3))).more:
            pass
    assert said.encode() not in _bytes_of(tmp_path)
    async with open_store(str(tmp_path), publish=_silent) as store:
        unit = await store.write(Reindex(anew=True))
        while unit.left:
            unit = await store.write(Reindex())
    left = _bytes_of(tmp_path)
    assert b"other words answered" in left
    assert b"zqxvortex" not in left
    assert b"wjkfnord" not in left


def test_what_is_removed_is_overwritten_however_sqlite_was_built(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "chat.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        prepare_writer(connection)
        assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)


async def test_a_backup_is_whole_while_others_write(tmp_path: Path) -> None:
    async with open_store(str(tmp_path / "data"), publish=_silent) as store:
        ann = Person(store)
        made = await ann.new()
        attachment = await ann.file("letter")
        await ann.post(made, "with a file", files=[attachment])
        acknowledged: list[str] = []
        stop = anyio.Event()

        async def write() -> None:
            while not stop.is_set():
                acknowledged.append((await ann.post(made, "x")).id)

        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(write)
                while len(acknowledged) < 20:
                    await anyio.wait_all_tasks_blocked()
                before = list(acknowledged)
                await store.backup(tmp_path / "backup")
                stop.set()
    async with open_store(str(tmp_path / "backup"), publish=_silent) as copy:
        assert copy.epoch != store.epoch
        assert await copy.check() == []
        for message_id in before:
            await copy.message("ann", message_id)
        assert copy.files.path(attachment).read_bytes() == b"letter"
        await Person(copy).post(made, "on we go")


async def test_a_backup_does_not_overwrite(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "kept").write_text("mine")
    async with open_store(str(tmp_path / "data"), publish=_silent) as store:
        with pytest.raises(StorageError, match="already"):
            await store.backup(tmp_path / "there")
        with pytest.raises(StorageError):
            await store.backup(tmp_path / "no" / "such" / "folder")
    assert [entry.name for entry in (tmp_path / "there").iterdir()] == ["kept"]


async def test_a_backup_removes_nothing_that_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "out.part").mkdir()
    (tmp_path / "out.part" / "kept").write_text("mine")
    async with open_store(str(tmp_path / "data"), publish=_silent) as store:
        await store.backup(tmp_path / "out")
    assert (tmp_path / "out.part" / "kept").read_text() == "mine"
    assert await _names(tmp_path) == {"data", "out", "out.part"}
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


async def test_a_backup_is_refused_where_something_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    async with open_store(str(tmp_path / "data"), publish=_silent) as store:
        for target in (Path("/"), Path(), Path(".."), tmp_path / "file", tmp_path / "link"):
            with pytest.raises(StorageError, match=r"already\.$"):
                await store.backup(target)
        with pytest.raises(StorageError, match=r"could not be written: .*\.$"):
            await store.backup(tmp_path / "file" / "below")
    assert await _names(tmp_path) == {"data", "file", "link"}


async def test_a_backup_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_store(str(tmp_path / "data"), publish=_silent) as store:

        async def fail(_directory: Path) -> None:
            raise StorageError("planted")

        monkeypatch.setattr(store._files, "copy_to", fail)
        with pytest.raises(StorageError, match="planted"):
            await store.backup(tmp_path / "backup")
        assert await _names(tmp_path) == {"data"}


async def test_the_check_finds_files_that_are_not_as_they_were(tmp_path: Path) -> None:
    async with open_store(str(tmp_path), publish=_silent) as store:
        ann = Person(store)
        made = await ann.new()
        shorter, gone = await ann.file("shorter"), await ann.file("gone")
        await ann.post(made, "x", files=[shorter, gone])
        assert await store.check() == []
        path = store.files.path(shorter)
        path.chmod(0o600)
        path.write_bytes(b"short")
        store.files.path(gone).unlink()
        assert await store.check() == [
            f"The file {shorter.path} has 5 bytes, not 7.",
            f"The file {gone.path} is missing.",
        ]


async def test_ids_never_go_back_even_when_the_clock_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(str(tmp_path), publish=_silent) as store:
        before = await Person(store).new()
    future = "ffff" + before.id[4:]
    with closing(sqlite3.connect(tmp_path / "chat.db")) as connection, connection:
        connection.execute("UPDATE conversation SET public = ?", (bytes.fromhex(future),))
    async with open_store(str(tmp_path), publish=_silent) as store:
        after = await Person(store).new()
        assert future < after.id < (await Person(store).new()).id


async def test_reads_go_on_while_the_writer_is_busy(tmp_path: Path) -> None:
    async with open_store(str(tmp_path), publish=_silent) as store:
        made = await Person(store).new()
        with closing(sqlite3.connect(tmp_path / "chat.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with anyio.fail_after(2):
                assert await store.conversation("ann", made.id) == made
            other.execute("ROLLBACK")


async def test_pages_are_asked_for_in_parallel(tmp_path: Path) -> None:
    async with open_store(str(tmp_path), publish=_silent) as store:
        ann = Person(store)
        made = await ann.new()
        await ann.post(made, "x")
        found: list[int] = []

        async def look() -> None:
            found.append(len((await ann.page(made)).messages))

        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                for _ in range(20):
                    tasks.start_soon(look)
        assert found == [1] * 20
        assert isinstance(store, SqliteStore)


async def test_an_upload_is_referred_to_by_hash(tmp_path: Path) -> None:
    async with open_store(str(tmp_path), publish=_silent) as store:
        one = await store.files.put(pieces(b"same"), "a.txt", max_bytes=9)
        two = await store.files.put(pieces(b"same"), "b.txt", max_bytes=9)
        ann = Person(store)
        await ann.post(await ann.new(), "x", files=[one, two])
        kept, after = await store.attachments(after=0, limit=10)
        assert ([attachment.sha256 for attachment in kept], after) == ([one.sha256], None)
