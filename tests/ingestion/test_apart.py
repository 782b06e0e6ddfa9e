"""Reading in a process of its own: the same comes of it, whatever happens to either process."""

import io
import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from errno import ENOSPC
from pathlib import Path
from typing import NoReturn

import anyio
import msgspec
import pytest

from chatcore import (
    Engine,
    IngestProgress,
    IngestReport,
    IngestStopped,
    InvalidInput,
    Limits,
    Unrecognised,
    open_engine,
)
from chatcore.formats.format import ReadOptions
from chatcore.formats.records import Faults
from chatcore.formats.spool import grouped
from chatcore.incoming import Incoming, IncomingFile, IncomingMessage, Unread
from chatcore.ingestion import apart
from chatcore.ingestion.batches import Batches, Rejects
from chatcore.ingestion.delivery import IngestOptions
from chatcore.ingestion.feeds import FileItems
from chatcore.ingestion.frames import Kept, read_frame, write_frame
from chatcore.ingestion.pipeline import ingest
from chatcore.ingestion.preparation import Preparation
from chatcore.ingestion.sink import FileReading, IngestFile
from chatcore.messages import Attachment, File, Text
from chatcore.opening import open_reading
from tests.ingestion.sinks import EmptySink
from tests.search_index import index_damage

HERE = Path(__file__).parent


@pytest.fixture(params=[0, 2**40], ids=["apart", "here"])
def apart_or_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(apart, "LARGE_BYTES", request.param)
    return bool(request.param == 0)


@pytest.fixture
def always_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "LARGE_BYTES", 0)


ADDRESSES = {
    3: "data:text/plain;base64,aGVsbG8=",
    4: "data:text/plain;base64,aGVsbG8gYWxs",  # a byte too much
    5: "data:text/plain;base64,a",  # damaged
    6: "https://example.org/a.png",
}
"""Of what is shown to the model, by the last digit of eleven."""


def lines(count: int, *, turns: int = 4, longer: int = 0) -> Iterator[dict[str, object]]:
    """Conversations in OpenAI's form, some with what is not plain."""
    for number in range(count):
        said = [
            {"role": ("user", "assistant")[place % 2], "content": f"{number} says {place}, naïve 漢字"}
            for place in range(turns + longer)
        ]
        if number % 5 == 1:
            said[1]["weight"] = "0"
        if number % 7 == 2:
            said.insert(0, {"role": "system", "content": "Be brief."})
        if (address := ADDRESSES.get(number % 11)) is not None:
            picture = {"type": "image_url", "image_url": {"url": address}}
            said[0]["content"] = [{"type": "text", "text": "look"}, picture]  # type: ignore[assignment]
        yield {"id": f"c{number}", "messages": said}


def written(path: Path, records: Iterator[dict[str, object]], *, bad: str = "") -> Path:
    path.write_text(bad + "".join(json.dumps(record) + "\n" for record in records) + bad)
    return path


async def rows_of(engine: Engine) -> list[object]:
    """All that was stored, without ids and times."""
    found: list[object] = []
    async for tree in engine.trees():
        said = [
            (one.depth, one.role, one.status, one.hidden, msgspec.to_builtins(one.parts))
            for one in (node.message for node in tree.nodes)
        ]
        found.append((tree.conversation.title, said))
    return sorted(found, key=repr)


def timeless(report: IngestReport) -> IngestReport:
    return msgspec.structs.replace(report, seconds=0)


async def test_the_same_comes_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Report, rejects, rows, votes, files and the search index."""
    source = written(tmp_path / "all.jsonl", lines(300), bad='{"messages"\n')
    results = []
    for name, bytes_ in (("apart", 0), ("here", 2**40)):
        monkeypatch.setattr(apart, "LARGE_BYTES", bytes_)
        rejects = io.BytesIO()
        async with open_engine(f"sqlite:{tmp_path / name}", limits=Limits(file_bytes=8)) as engine:
            dry = await engine.ingest(str(source), dry_run=True)
            report = await engine.ingest(str(source), rejects=rejects)
            assert dry.missing_files == report.missing_files
            found = await engine.search("naïve says")
            results.append((timeless(report), rejects.getvalue(), await rows_of(engine), len(found.found)))
            assert await engine.check() == []
        with closing(sqlite3.connect(tmp_path / name / "chat.db")) as database:
            assert index_damage(database) == []
    assert results[0] == results[1]
    assert results[0][0].failed == results[0][1].count(b"\n") == 2
    assert results[0][0].attachments.imported > 0
    reasons = {one.reason for one in results[0][0].missing_files}
    assert len(reasons) == 3
    assert "It is longer than the 8 bytes that a file may have." in reasons


async def test_what_comes_again_is_compared_with_what_is_there(tmp_path: Path, apart_or_here: bool) -> None:
    """Here the packed rows are of no use, and the messages are decoded."""
    source = tmp_path / "some.jsonl"
    async with open_engine(f"sqlite:{tmp_path / 'data'}") as engine:
        await engine.ingest(str(written(source, lines(40))))
        again = await engine.ingest(str(source))
        assert (again.read, again.unchanged) == (40, 40)
        report = await engine.ingest(str(written(source, lines(60, longer=2))))
        assert (report.imported, report.updated) == (20, 40)
        assert report.messages.imported == 40 * 2 + 20 * 6 + sum(n % 7 == 2 for n in range(40, 60))
        assert await engine.check() == []


async def test_long_ones_come_in_slices(tmp_path: Path, always_apart: None) -> None:
    source = written(tmp_path / "long.jsonl", lines(3, turns=1_300))
    async with open_engine(f"sqlite:{tmp_path / 'data'}") as engine:
        report = await engine.ingest(str(source))
        assert (report.imported, report.messages.imported) == (3, 3_901)


async def test_a_dry_run_tells_the_same_and_stores_nothing(tmp_path: Path, always_apart: None) -> None:
    source = written(tmp_path / "some.jsonl", lines(40))
    async with open_engine(f"sqlite:{tmp_path / 'data'}") as engine:
        told = await engine.ingest(str(source), dry_run=True)
        assert (await engine.conversations()).conversations == ()
        done = await engine.ingest(str(source))
    assert timeless(done) == msgspec.structs.replace(timeless(told), dry_run=False)


async def test_without_the_index_it_is_made_later(tmp_path: Path, always_apart: None) -> None:
    source = written(tmp_path / "some.jsonl", lines(30))
    async with open_engine(f"sqlite:{tmp_path / 'data'}") as engine:
        await engine.ingest(str(source), index=False)
        assert (await engine.search("naïve")).found == ()
        while (await engine.reindex()).left:
            pass
        assert len((await engine.search("naïve")).found) > 0


async def test_the_memory_store_takes_it_too(tmp_path: Path, always_apart: None) -> None:
    source = written(tmp_path / "some.jsonl", lines(40))
    async with open_engine("memory:") as engine:
        report = await engine.ingest(str(source))
        assert (report.imported, report.failed) == (40, 0)
        files = 0
        async for tree in engine.trees():
            files += sum(isinstance(part, File) for node in tree.nodes for part in node.message.parts)
        assert files == report.attachments.imported > 0


async def test_errors_of_the_reader_are_raised_here(tmp_path: Path, always_apart: None) -> None:
    strange = tmp_path / "strange.json"
    strange.write_text('[{"neither": 1}]')
    async with open_engine("memory:") as engine:
        with pytest.raises(Unrecognised) as caught:
            await engine.ingest(str(strange))
        assert "neither" in str(caught.value.data["keys"])
        with pytest.raises(InvalidInput):
            await engine.ingest(str(strange), format="no such")


async def test_a_name_that_is_no_text_is_told_all_the_same(tmp_path: Path, always_apart: None) -> None:
    source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/odd\xff.jsonl"))
    written(source, lines(3), bad='{"messages"\n')
    async with open_engine("memory:") as engine:
        report = await engine.ingest(source)
        assert (report.imported, {one.file for one in report.failures}) == (3, {"odd\ufffd.jsonl"})


async def test_rejects_that_cannot_be_written_stop_it(tmp_path: Path, apart_or_here: bool) -> None:
    """What was read before then is stored."""
    source = written(tmp_path / "bad.jsonl", lines(3))
    with source.open("a") as file:
        file.write('{"messages": 3}\n')
    async with open_engine("memory:") as engine:
        with pytest.raises(IngestStopped, match="rejects") as caught:
            await engine.ingest(str(source), rejects="/dev/full")
        assert (caught.value.report.imported, caught.value.report.failed) == (3, 1)
        assert len(await rows_of(engine)) == 3


async def test_long_rejects_make_small_batches() -> None:
    """They wait in memory with their batch."""
    rejected = io.BytesIO()
    items = FileItems(ALotOfRejects())
    batches = Batches(
        items,
        Preparation(Limits(), no_files, 0),
        Rejects(rejected),
        limit=None,
        index=True,
        whole=False,
    )
    noted, written_before = [], 0
    while (batch := batches.next()) is not None:
        noted.append(len(batch.notes))
        assert rejected.tell() - written_before < 250_000
        written_before = rejected.tell()
    assert sum(noted) == 20


def no_files(file: IncomingFile) -> NoReturn:
    raise AssertionError("There are none.")


class ALotOfRejects:
    """Ten records that can't be read, and ten of which nothing can be made, of 100,000 bytes each."""

    def __init__(self) -> None:
        self._left = 20

    def __iter__(self) -> Iterator[Incoming | Unread]:
        return self

    def __next__(self) -> Incoming | Unread:
        if not self._left:
            raise StopIteration
        self._left -= 1
        if self._left >= 10:
            return Unread(kind="failed", reason="bad", record=b"x" * 100_000)
        return Incoming(source="t", messages=[IncomingMessage(role="user", parts=(Text("x" * 5_000_000),))])

    def record_of(self, item: Incoming) -> bytes | None:
        return b"y" * 100_000

    def release(self, path: Path) -> None:
        pass

    def progress(self) -> tuple[int, int | None]:
        return 0, None

    def stop(self) -> None:
        pass

    def close(self) -> None:
        pass


def test_of_what_cannot_be_read_so_much_is_held() -> None:
    faults = Faults()
    record = b"x" * 10_000_000
    for _ in range(3):
        faults.add("bad", "f", record=record)
    held = [faults.take() for _ in range(2)]
    faults.add("bad", "f", record=record)  # there is room again
    before = len(faults)
    faults.add("bad", "f", record=b"short")
    faults.forget(before)
    faults.add("bad", "f", record=b"x" * 2**27)
    while len(faults):
        held.append(faults.take())
    faults.add("bad", "f", record=b"x" * 2**27)  # one is, however long
    held.append(faults.take())
    lengths = [len(one.record or b"") for one in held if one is not None]
    assert lengths == [10_000_000, 0, 0, 10_000_000, 0, 2**27]


@pytest.mark.parametrize("size", [10, 2**21])
def test_frames_of_any_length_arrive(size: int) -> None:
    pipe = io.BytesIO()
    kept = Kept(Attachment(name="x" * size, media_type="", size_bytes=0, sha256="", path=""))
    write_frame(pipe, kept)
    write_frame(pipe, kept)
    pipe.seek(0)
    for _ in range(2):
        body = read_frame(pipe)
        assert body is not None
        assert msgspec.msgpack.decode(body, type=Kept) == kept
    assert read_frame(pipe) is None


def readers_of(pid: int) -> list[int]:
    """Processes that read for the process."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if b"chatcore.ingestion.reader" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found


async def test_a_reader_that_dies_is_told_and_what_came_before_is_kept(
    tmp_path: Path, always_apart: None
) -> None:
    source = written(tmp_path / "many.jsonl", lines(20_000))
    async with open_engine("memory:") as engine:
        with pytest.raises(IngestStopped, match="SIGKILL") as caught:
            await engine.ingest(
                str(source), progress=lambda at: os.kill(readers_of(os.getpid())[0], signal.SIGKILL)
            )
        assert caught.value.report.imported > 0
        stored = sum([1 async for _ in engine.trees()])
        assert stored == caught.value.report.imported
    assert readers_of(os.getpid()) == []


@pytest.mark.parametrize(
    ("failing", "told"),
    [
        ("raise ImportError('half\\x1b[31m an  upgrade.')", "(ImportError: half [31m an upgrade)"),
        ("raise ImportError('long ' * 5000)", "long…)"),
        ("import os; os._exit(3)", "code 3."),
    ],
    ids=["a line", "a long one", "nothing"],
)
async def test_a_reader_that_cannot_start_says_why(
    tmp_path: Path, always_apart: None, monkeypatch: pytest.MonkeyPatch, failing: str, told: str
) -> None:
    """As in the middle of an upgrade: here all is imported, there it is not."""
    (tmp_path / "chatcore").mkdir()
    (tmp_path / "chatcore" / "__init__.py").write_text(failing)
    monkeypatch.syspath_prepend(str(tmp_path))
    source = written(tmp_path / "some.jsonl", lines(3))
    async with open_engine("memory:") as engine:
        with pytest.raises(IngestStopped) as caught:
            await engine.ingest(str(source))
        assert told in caught.value.sentence
        assert len(caught.value.sentence) < 400
        with source.open("rb") as opened:  # the way out that it names
            assert "as an open file" in caught.value.sentence
            assert (await engine.ingest(opened)).imported == 3


async def test_cancelling_ends_the_reader(tmp_path: Path, always_apart: None) -> None:
    source = written(tmp_path / "many.jsonl", lines(20_000))
    async with open_engine("memory:") as engine:
        with anyio.CancelScope() as scope:
            await engine.ingest(str(source), progress=lambda at: scope.cancel())
        assert scope.cancelled_caught
    assert readers_of(os.getpid()) == []


def test_the_reader_ends_with_whom_it_reads_for(tmp_path: Path) -> None:
    """By SIGKILL too; and the same again ends as one that ran through."""
    source = written(tmp_path / "many.jsonl", lines(4_000))
    command = [sys.executable, str(HERE / "apart_main.py"), str(tmp_path / "data"), str(source)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        (reader,) = readers_of(process.pid)
        watched = os.pidfd_open(reader)
        process.send_signal(signal.SIGKILL)
    with closing(open(watched, "rb")):
        assert select.select([watched], [], [], 10)[0], "the reader goes on"

    async def again() -> tuple[int, int]:
        async with open_engine(f"sqlite:{tmp_path / 'data'}") as engine:
            report = await engine.ingest(str(source))
            assert await engine.check() == []
            return report.read, report.imported + report.unchanged

    assert anyio.run(again) == (4_000, 4_000)


async def test_an_opener_without_a_name_reads_here(tmp_path: Path, always_apart: None) -> None:
    called: list[object] = []

    def opener(source: IngestFile, known: str | None, options: ReadOptions) -> FileReading:
        called.append(source)
        return open_reading(source, known, options)

    source = written(tmp_path / "some.jsonl", lines(3))
    report = await ingest(str(source), EmptySink(Limits()), opener, IngestOptions())
    assert (report.imported, called) == (3, [str(source)])


@pytest.mark.parametrize("folder", ["/dev/fd", "/proc/self/fd", "//dev/fd"])
async def test_a_name_that_means_something_in_this_process_only(
    tmp_path: Path, always_apart: None, folder: str
) -> None:
    """By its number, another process would find a file of its own, or none."""
    with written(tmp_path / "some.jsonl", lines(3)).open("rb") as file:
        name = f"{folder}/{file.fileno()}"
        async with open_engine("memory:") as engine:
            assert (await engine.ingest(name)).imported == 3
        link, link_to_folder = tmp_path / "link", tmp_path / "folder"
        link.symlink_to(name)
        link_to_folder.symlink_to(folder)
        for one in (name, link, link_to_folder / str(file.fileno()), "/dev/stdin", "/dev/./fd/9"):
            assert not apart.is_large(one), one
        opened = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
        assert not apart.is_large(f"{folder}/{opened}/some.jsonl")
        os.close(opened)
        link.unlink()
        link.symlink_to("some.jsonl")
        assert apart.is_large(link)


async def test_without_a_process_it_is_read_here(
    tmp_path: Path, always_apart: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = written(tmp_path / "some.jsonl", lines(3))
    for executable in (str(tmp_path / "python3"), "/usr/bin/true", "", None):
        monkeypatch.setattr(sys, "executable", executable)
        async with open_engine("memory:") as engine:
            assert (await engine.ingest(str(source))).imported == 3


async def test_without_a_temporary_folder_it_is_read_here(
    tmp_path: Path, always_apart: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = written(tmp_path / "some.jsonl", lines(3))
    async with open_engine("memory:") as engine:  # it has a folder itself
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
        assert (await engine.ingest(str(source))).imported == 3


@pytest.mark.parametrize(
    ("executable", "can"),
    [
        ("python", True),
        ("python3.11", True),
        ("Python.exe", True),
        ("python3.13t", True),
        ("python3-dbg", True),
        ("pypy3.10", True),
        ("uwsgi", False),
        ("pythonista", False),
        ("chat", False),
    ],
)
def test_only_a_python_is_started(monkeypatch: pytest.MonkeyPatch, executable: str, can: bool) -> None:
    """Else it would be the very program that embeds this, once more."""
    monkeypatch.setattr(sys, "executable", f"/usr/bin/{executable}")
    assert (apart.name_of(open_reading) is not None) == can
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert apart.name_of(open_reading) is None


async def test_entries_of_the_path_that_are_no_text(
    tmp_path: Path, always_apart: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python passes them over."""
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.path.insert(0, tmp_path)  # type: ignore[arg-type]
    source = written(tmp_path / "some.jsonl", lines(3))
    async with open_engine("memory:") as engine:
        assert (await engine.ingest(str(source))).imported == 3


@pytest.mark.parametrize("kind", ["cut off", "damaged"])
async def test_what_is_damaged_from_its_beginning_is_a_sentence(
    tmp_path: Path, apart_or_here: bool, kind: str
) -> None:
    source = tmp_path / "broken"
    content = b'[{"mapping": "' + b"x" * 300 if kind == "cut off" else b"PK\x03\x04" + b"x" * 300
    source.write_bytes(content)
    async with open_engine("memory:") as engine:
        with pytest.raises((InvalidInput, IngestStopped)) as caught:
            await engine.ingest(str(source))
        assert isinstance(caught.value, InvalidInput), caught.value.sentence


def with_picture(folder: Path, record: dict[str, object]) -> None:
    (folder / "pictures").mkdir(parents=True)
    (folder / "pictures" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 20)
    (folder / "data.json").write_text(json.dumps([record]))


async def test_an_export_in_a_folder_whose_name_is_no_text(tmp_path: Path, always_apart: None) -> None:
    """Its pictures are stored from where they lie."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/exp\xff"))
    asked = {"role": "user", "content": "<image>What is it?"}
    said = {"role": "assistant", "content": "A picture."}
    with_picture(folder, {"messages": [asked, said], "images": ["pictures/a.png"]})
    async with open_engine("memory:") as engine:
        report = await engine.ingest(folder)
        assert (report.imported, report.attachments.imported) == (1, 1)
        strange = folder / "strange.json"
        strange.write_text('[{"neither": 1}]')
        with pytest.raises(Unrecognised):
            await engine.ingest(strange)


async def test_a_reader_that_was_stopped_for_a_while_goes_on(tmp_path: Path, always_apart: None) -> None:
    """A write that a signal interrupts has written a part."""
    source = written(tmp_path / "many.jsonl", lines(6_000))
    stopped: list[int] = []

    def tell(at: IngestProgress) -> None:
        if len(stopped) < 5 and (found := readers_of(os.getpid())):
            os.kill(found[0], signal.SIGSTOP)
            os.kill(found[0], signal.SIGCONT)
            stopped.append(found[0])

    async with open_engine("memory:") as engine:
        report = await engine.ingest(str(source), progress=tell)
    assert (report.imported, report.failed, len(stopped)) == (6_000, 0, 5)


async def test_cancelling_ends_a_reader_that_is_stopped(
    tmp_path: Path, always_apart: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "_STOP_SECONDS", 0.2)
    source = written(tmp_path / "many.jsonl", lines(6_000))
    async with open_engine("memory:") as engine:
        with anyio.fail_after(10), anyio.CancelScope() as scope:

            def stop_both(at: IngestProgress) -> None:
                os.kill(readers_of(os.getpid())[0], signal.SIGSTOP)
                scope.cancel()

            await engine.ingest(str(source), progress=stop_both)
        assert scope.cancelled_caught
    assert readers_of(os.getpid()) == []


async def test_nothing_unpacked_is_left(
    tmp_path: Path, always_apart: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    (scratch / "chatcore-reading-left.held" / "some").mkdir(parents=True)  # by one that was killed
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", None)  # which is found out once
    written(tmp_path / "some.jsonl", lines(20))
    archive = tmp_path / "some.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(tmp_path / "some.jsonl", "some.jsonl")
    async with open_engine("memory:") as engine:
        for _ in range(3):
            assert (await engine.ingest(str(archive))).read == 20
    assert list(scratch.iterdir()) == []


def test_one_entry_that_cannot_be_read_makes_no_folder_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "LARGE_BYTES", 10)
    (tmp_path / "a link").symlink_to(tmp_path / "nowhere")
    assert not apart.is_large(tmp_path)
    (tmp_path / "large").write_bytes(b"x" * 11)
    assert apart.is_large(tmp_path)


async def test_a_full_folder_for_temporary_files_stops_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no fault of the format, or of the records."""

    def full(*arguments: object) -> NoReturn:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    monkeypatch.setattr(grouped, "__kwdefaults__", {"max_bytes": 100})
    nodes: list[dict[str, object]] = [
        {
            "message_id": f"{number}",
            "parent_id": None,
            "text": "x",
            "role": "prompter",
            "lang": "en",
            "message_tree_id": f"{number}",
            "created_date": "2026-01-01T00:00:00+00:00",
        }
        for number in range(50)
    ]
    source = written(tmp_path / "nodes.jsonl", iter(nodes))
    async with open_engine("memory:") as engine:
        with pytest.raises(IngestStopped, match="temporary files can't be used: No space left"):
            await engine.ingest(str(source), format="oasst")
