"""Disk full and I/O errors at every single write: a typed error, nothing half done, and then all goes on."""

import errno
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from shutil import rmtree
from unittest.mock import patch

import anyio
import pytest

import storage.files.contents
from chatcore import (
    Engine,
    StorageError,
    StorageUnavailable,
    TextDelta,
    Upload,
    open_engine,
    text_of,
)
from chatcore.testing import ScriptedResponder
from storage.files import Disk
from tests.faults.failing import Fault, failing_disk
from tests.faults.scenario import Life

PARTS = 4
Plant = Callable[[Fault], None]


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="chatcore")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def plant() -> Iterator[Plant]:
    with failing_disk() as plant:
        yield plant


async def live(plant: Plant, fault: Fault, directory: Path) -> int:
    """How many calls were refused."""
    script = ScriptedResponder()
    data, spare = directory / "data", directory / "spare"
    async with open_engine(f"sqlite:{data}", responder=script) as engine:
        life = Life(engine, script, data, spare)
        plant(fault)
        with anyio.fail_after(10):
            await life.live()
        plant(Fault())
    rmtree(data)
    rmtree(spare, ignore_errors=True)
    return life.refused


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("full", [True, False], ids=["full", "error"])
async def test_a_fault_at_every_write(plant: Plant, tmp_path: Path, full: bool, part: int) -> None:
    refused = 0
    at = 1 + part
    while True:
        # some last so long that what is tried again is refused again
        fault = Fault(at, lasts=1 + at // PARTS % 3 * 2, full=full)
        refused += await live(plant, fault, tmp_path)
        if not fault.failed:
            break
        at += PARTS
    assert at > 50, "the faults were planted where nothing is written"
    assert refused > 30, "hardly any call has noticed"


async def test_a_fault_at_every_write_of_the_opening(plant: Plant, tmp_path: Path) -> None:
    at = refused = 0
    while True:
        at += 1
        fault = Fault(at)
        plant(fault)
        url = f"sqlite:{tmp_path / str(at)}"
        try:
            async with open_engine(url) as engine:
                await engine.create("made")
        except StorageError:
            refused += 1
        plant(Fault())
        async with open_engine(url) as engine:
            assert await engine.check() == []
            await engine.create("made later")
        if not fault.failed:
            break
    assert refused > 30


async def test_an_ending_waits_for_the_disk(plant: Plant, tmp_path: Path) -> None:
    script = ScriptedResponder()
    async with open_engine(f"sqlite:{tmp_path}", responder=script) as engine:
        with anyio.fail_after(10):
            here, there = await engine.create(), await engine.create()
            sent = await engine.send(here.id, "Question")
            run = await script.next_run()
            run.say("One ")
            await shown(engine, here.id, "One ")
            plant(fault := Fault(1, lasts=1_000_000, full=True))
            run.end("two")
            await run.closed.wait()
            while fault.failed < 5:  # deltas and ending are tried again and again
                await anyio.lowlevel.checkpoint()
            with pytest.raises(StorageError):
                await engine.post(there.id, "while the disk is full")
            with pytest.raises(StorageUnavailable):
                await engine.send(there.id, "while the disk is full")
            answer = await engine.message(sent.answer.id)
            assert (answer.status, text_of(answer.parts)) == ("running", "One ")
            plant(Fault())
            answer = await engine.wait_ended(sent.answer.id)
            assert (answer.status, text_of(answer.parts)) == ("complete", "One two")
            while engine._runs.storage_fails:  # the caller of the ending is woken after its readers
                await anyio.lowlevel.checkpoint()
            again = await engine.send(there.id, "now")
            (await script.next_run()).end("yes")
            assert (await engine.wait_ended(again.answer.id)).status == "complete"
            assert script.begun() == []


async def test_deltas_wait_for_the_disk(plant: Plant, tmp_path: Path) -> None:
    script = ScriptedResponder()
    async with open_engine(f"sqlite:{tmp_path}", responder=script) as engine:
        with anyio.fail_after(10):
            here = await engine.create()
            sent = await engine.send(here.id, "Question")
            run = await script.next_run()
            plant(fault := Fault(1, lasts=1_000_000))
            run.say(*(f"{number} " for number in range(50)))
            while fault.failed < 5:
                await anyio.lowlevel.checkpoint()
            page = await engine.page(here.id)
            assert text_of(page.messages[-1].parts) == "", "shown, though it could not be stored"
            plant(Fault())
            await shown(engine, here.id, "".join(f"{number} " for number in range(50)))
            run.end()
            answer = await engine.wait_ended(sent.answer.id)
            assert text_of(answer.parts) == "".join(f"{number} " for number in range(50))


async def test_a_database_that_may_not_grow(tmp_path: Path) -> None:
    """The same with nothing planted: SQLite's own word for a full disk."""
    async with open_engine(f"sqlite:{tmp_path}") as engine:
        conversation = await engine.create()
        connection = engine._store._writer._connection  # type: ignore[attr-defined]
        pages = await connection.run(_limit_pages, None)
        await connection.run(_limit_pages, pages)
        with pytest.raises(StorageError, match="disk is full"):
            await engine.post(conversation.id, "x" * 100_000)
        assert (await engine.page(conversation.id)).messages == ()
        await connection.run(_limit_pages, 1_000_000)
        await engine.post(conversation.id, "x" * 100_000)
        assert await engine.check() == []


def _limit_pages(connection: sqlite3.Connection, pages: int | None) -> int:
    if pages is None:
        (count,) = connection.execute("PRAGMA page_count").fetchone()
        return int(count)
    connection.execute(f"PRAGMA max_page_count = {pages}")
    return pages


async def shown(engine: Engine, conversation_id: str, text: str) -> None:
    said = ""
    async with engine.subscribe(conversation_id) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                said += event.text
                if said == text:
                    return


# Files


class FailingDisk(Disk):
    """Its step number `at` fails."""

    def __init__(self, at: int, code: int) -> None:
        self.at = at
        self.code = code
        self.steps: list[str] = []

    def _step(self, name: str) -> None:
        self.steps.append(name)
        if len(self.steps) == self.at:
            raise OSError(self.code, "planted")

    def make_folder(self, path: Path) -> None:
        self._step("make_folder")
        super().make_folder(path)

    def create(self, path: Path) -> int:
        self._step("create")
        return super().create(path)

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        if self.at == len(self.steps) + 1:
            super().write(descriptor, data[: len(data) // 2])  # as far as there was space
        self._step("write")
        super().write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        self._step("fsync")
        super().fsync(descriptor)

    def close(self, descriptor: int) -> None:
        super().close(descriptor)  # gone all the same: close(2)
        self._step("close")

    def rename(self, source: Path, target: Path) -> None:
        self._step("rename")
        super().rename(source, target)

    def touch(self, path: Path) -> None:
        self._step("touch")
        super().touch(path)

    def unlink(self, path: Path) -> None:
        self._step("unlink")
        super().unlink(path)

    def fsync_folder(self, path: Path) -> None:
        self._step("fsync_folder")
        super().fsync_folder(path)


async def content(piece: bytes = b"x" * 400_000) -> AsyncIterator[bytes]:
    yield piece
    yield b"the end"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["full", "error"])
async def test_a_fault_at_every_step_of_a_file(tmp_path: Path, code: int) -> None:
    at = 0
    while True:
        at += 1
        disk = FailingDisk(at, code)
        data = tmp_path / str(at)
        with patch.object(storage.files.contents, "Disk", lambda disk=disk: disk):
            async with open_engine(f"sqlite:{data}") as engine:
                conversation = await engine.create()
                refused = False
                for upload in ("one", "the same again"):
                    try:
                        await engine.post(conversation.id, upload, [Upload("x", content())])
                    except StorageError:
                        refused = True
                        texts = [text_of(m.parts) for m in (await engine.page(conversation.id)).messages]
                        assert upload not in texts
                        await engine.post(conversation.id, upload, [Upload("x", content())])
                removed = "unlink" if len(disk.steps) < at else disk.steps[at - 1]
                assert refused or removed == "unlink", f"{removed} failed, and nobody was told"
                left = [path.name for path in (data / "files" / "tmp").iterdir()]
                assert not left or removed == "unlink"
                assert await engine.check() == []
                for message in (await engine.page(conversation.id)).messages:
                    _, path = await engine.attachment(message.id, 1)
                    assert path.read_bytes() == b"x" * 400_000 + b"the end"
        if len(disk.steps) < at:
            return
