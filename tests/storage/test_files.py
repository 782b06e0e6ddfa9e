"""Attachments on the disk: what is put is there after a power cut, and nothing else is."""

import asyncio
import errno
import io
import os
import shutil
import stat
import threading
import time
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import cast

import anyio
import msgspec
import pytest
from anyio import CancelScope, from_thread
from anyio.lowlevel import checkpoint

from chatcore.commands import Command, ForgetFiles
from chatcore.errors import InvalidInput, LimitExceeded, NotFound, StorageError
from chatcore.messages import Attachment
from chatcore.ports import Store
from storage.files import Disk, Files, collector, open_files
from storage.files.media import Sniffer
from storage.files.names import clean_name
from storage.files.temp import Temp

SIZE = 1_000_000


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return open_files(tmp_path)


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece


def below(directory: Path) -> set[str]:
    """All files below, relative to it."""
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if not path.is_dir()}


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


class TellingLock:
    """Tells when somebody has to wait for it."""

    def __init__(self, waited_for: threading.Event) -> None:
        self._lock = threading.Lock()
        self._waited_for = waited_for

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self._waited_for.set()
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


# Keeping


async def test_a_content_is_kept_under_its_hash(files: Files, tmp_path: Path) -> None:
    kept = await files.put(pieces(b"hello ", b"world"), "greeting.txt", max_bytes=SIZE)
    digest = sha256(b"hello world").hexdigest()
    assert kept == Attachment(
        name="greeting.txt",
        media_type="text/plain",
        size_bytes=11,
        sha256=digest,
        path=f"files/{digest[:2]}/{digest}",
    )
    path = files.path(kept)
    assert path == tmp_path / kept.path
    assert path.read_bytes() == b"hello world"
    assert below(tmp_path) == {kept.path}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "files").stat().st_mode) == 0o700


async def test_a_file_is_copied(files: Files, tmp_path: Path) -> None:
    source = tmp_path / "source"
    data = os.urandom(700_000)
    source.write_bytes(data)
    kept = await files.put(source, "a.bin", max_bytes=700_000)
    source.write_bytes(b"changed")
    assert files.path(kept).read_bytes() == data


async def test_folders_that_somebody_removed_are_made_again(tmp_path: Path) -> None:
    synced: list[Path] = []

    class Watched(Disk):
        def fsync_folder(self, path: Path) -> None:
            super().fsync_folder(path)
            synced.append(path)

    files = open_files(tmp_path, disk=Watched())
    first = await files.put(pieces(b"x"), "x", max_bytes=SIZE)
    shutil.rmtree(tmp_path / "files")
    synced.clear()
    again = await files.put(pieces(b"x"), "x", max_bytes=SIZE)
    assert again == first
    assert files.path(again).read_bytes() == b"x"
    assert {tmp_path, tmp_path / "files", files.path(again).parent} <= set(synced)


async def test_an_empty_content(files: Files) -> None:
    kept = await files.put(pieces(), "empty", max_bytes=0)
    assert (kept.size_bytes, kept.media_type) == (0, "text/plain")
    assert files.path(kept).read_bytes() == b""


async def test_the_same_content_is_kept_once(files: Files, tmp_path: Path) -> None:
    first = await files.put(pieces(b"same"), "one.txt", max_bytes=SIZE)
    age(files.path(first), 3600)
    second = await files.put(pieces(b"sa", b"me"), "two.md", max_bytes=SIZE)
    assert (second.sha256, second.path) == (first.sha256, first.path)
    assert (second.name, second.media_type) == ("two.md", "text/markdown")
    assert below(tmp_path) == {first.path}
    assert time.time() - files.path(first).stat().st_mtime < 60  # touched


async def test_many_at_once(files: Files, tmp_path: Path) -> None:
    kept: list[Attachment] = []

    async def put(data: bytes) -> None:
        kept.append(await files.put(pieces(data), "x", max_bytes=SIZE))

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(put, b"%d" % (number % 5))
    assert below(tmp_path) == {one.path for one in kept}
    assert len(below(tmp_path)) == 5


@pytest.mark.parametrize("leftover", [b"", b"sh"])
async def test_what_a_crash_left_too_short_is_replaced(files: Files, tmp_path: Path, leftover: bytes) -> None:
    digest = sha256(b"short").hexdigest()
    path = tmp_path / "files" / digest[:2] / digest
    path.parent.mkdir(parents=True)
    path.write_bytes(leftover)
    kept = await files.put(pieces(b"short"), "x", max_bytes=SIZE)
    assert files.path(kept).read_bytes() == b"short"
    assert below(tmp_path) == {kept.path}


async def test_too_long_is_found_while_reading(files: Files, tmp_path: Path) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1000
            yield b"x" * 1000

    with pytest.raises(LimitExceeded) as caught:
        await files.put(endless(), "x", max_bytes=300_500)
    assert caught.value.data["limit"] == 300_500
    assert read == 301_000
    source = tmp_path / "source"
    source.write_bytes(b"12345")
    with pytest.raises(LimitExceeded):
        await files.put(source, "x", max_bytes=4)
    assert (await files.put(source, "x", max_bytes=5)).size_bytes == 5
    assert len(below(tmp_path / "files")) == 1


async def test_sources_that_can_not_be_read(files: Files, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("missing", "folder", "pipe", "missing/deeper", "x" * 300):
        with pytest.raises(InvalidInput) as caught:
            await files.put(tmp_path / name, "x", max_bytes=SIZE)
        assert str(tmp_path) not in str(caught.value)
    assert below(tmp_path / "files") == set()


async def test_an_error_of_the_source_is_passed_on(files: Files, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 300_000
        raise ConnectionResetError("the client has gone")

    with pytest.raises(ConnectionResetError):
        await files.put(broken(), "x", max_bytes=SIZE)
    assert below(tmp_path) == set()


# Where it is


async def test_paths_stay_inside(files: Files, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    kept = await files.put(pieces(b"x"), "x", max_bytes=SIZE)
    for digest in (
        "../../secret",
        "..",
        "",
        "0" * 64,
        "0" * 63,
        kept.sha256.upper(),
        "/etc/passwd",
        "\0" * 64,
    ):
        with pytest.raises(NotFound):
            files.path(msgspec.structs.replace(kept, sha256=digest))
    files.path(msgspec.structs.replace(kept, path="../../secret", name="../../secret"))  # data, not a way

    path = files.path(kept)
    path.unlink()
    with pytest.raises(NotFound):
        files.path(kept)
    path.symlink_to(secret)
    with pytest.raises(NotFound):
        files.path(kept)
    path.unlink()
    path.mkdir()
    with pytest.raises(NotFound):
        files.path(kept)


async def test_a_folder_that_is_a_link_is_not_followed(files: Files, tmp_path: Path) -> None:
    kept = await files.put(pieces(b"x"), "x", max_bytes=SIZE)
    folder = files.path(kept).parent
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotFound):
        files.path(kept)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a.txt", "a.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\Bild 1.png", "Bild 1.png"),
        ("/", "file"),
        ("", "file"),
        ("..", "file"),
        (" . ", "file"),
        ("a/b/", "b"),
        ("a\0b\r\nc\x7f.txt", "a�bc.txt"),
        ("Größe 🙂 日本語.md", "Größe 🙂 日本語.md"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("👩\u200d💻.txt", "👩\u200d💻.txt"),
        ("half \ud83d", "half �"),
        ("line\u2028break", "linebreak"),
        (".bashrc", ".bashrc"),
        ("%2e%2e%2f", "%2e%2e%2f"),
    ],
)
def test_names_are_data(given: str, expected: str) -> None:
    assert clean_name(given) == expected


@pytest.mark.parametrize(
    "name", ["x" * 1000 + ".png", "é" * 1000 + ".tar.gz", "🙂" * 1000, "." * 999, "a." + "b" * 999]
)
def test_names_are_short_enough_for_a_disk(name: str) -> None:
    short = clean_name(name)
    assert 0 < len(short.encode()) <= 255
    if name.endswith((".png", ".gz")):
        assert short.endswith(name[-3:])


# What it is


def zipped(*names: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 50)
    return data.getvalue()


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.png", PNG, "image/png"),
        ("a.txt", PNG, "image/png"),
        ("a.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0\1", "image/jpeg"),
        ("a.gif", b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff", "image/gif"),
        ("a.webp", b"RIFF\x24\0\0\0WEBPVP8 " + b"\x10" * 20, "image/webp"),
        ("a.pdf", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "application/pdf"),
        ("a.pdf", b"%PDF-1.4\n1 0 obj\n", "application/pdf"),
        ("a.zip", zipped("a.txt"), "application/zip"),
        (
            "a.docx",
            zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("a.wav", b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x80", "audio/wav"),
        ("a.mp3", b"ID3\3\0\0\0\0\0\x21" + b"\xff\xfb" * 20, "audio/mpeg"),
        ("a.mp4", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "video/mp4"),
        ("a", b"hello\n", "text/plain"),
        ("a.txt", "Größe: 5 €\n".encode(), "text/plain"),
        ("a.txt", b"\xef\xbb\xbfwith a mark", "text/plain"),
        ("a.md", b"# Title\n", "text/markdown"),
        ("a.csv", b"a,b\n1,2\n", "text/csv"),
        ("A.CSV", b"a,b\n1,2\n", "text/csv"),
        ("a.tsv", b"a\tb\n", "text/tab-separated-values"),
        ("a.json", b'{"a": 1}', "application/json"),
        ("a", b' [{"a": 1}]\n', "application/json"),
        ("a", b"{not json}", "text/plain"),
        ("a.py", b"print(1)\n", "text/x-python"),
        ("a.html", b"<!DOCTYPE html><html></html>", "text/html"),
        ("a.png", b"<!DOCTYPE html><script>alert(1)</script>", "text/html"),
        ("a.jpg", b"\n <!-- x --><HTML >", "text/html"),
        ("a.png", "<html>é</html>".encode("latin-1"), "application/octet-stream"),
        ("a.svg", SVG, "text/xml"),
        ("a.png", SVG, "text/xml"),
        ("a.png", b"<?xml version='1.0'?>" + SVG, "text/xml"),
        ("a.svg", b'<svg xmlns="x">\xe9</svg>', "application/octet-stream"),
        ("a.png", b"hello\n", "text/plain"),
        ("a.png", b"BM is no bitmap here", "text/plain"),
        ("a.csv", "Größe;5\n".encode("latin-1"), "application/octet-stream"),
        ("a.txt", "hello".encode("utf-16"), "application/octet-stream"),
        ("a.txt", b"one\0two", "application/octet-stream"),
        ("a", b"\x80\x81\x82\x83" * 10, "application/octet-stream"),
        ("a.txt", b"", "text/plain"),
    ],
)
def test_the_type_is_that_of_the_content(name: str, data: bytes, expected: str) -> None:
    for size in (1, 7, len(data) or 1):
        sniffer = Sniffer()
        for start in range(0, len(data), size):
            sniffer.feed(data[start : start + size])
        assert sniffer.media_type(name) == expected


def test_all_of_a_text_is_looked_at() -> None:
    sniffer = Sniffer()
    sniffer.feed(b"text " * 100_000)
    sniffer.feed(b"\xff\xfe\xfd")
    assert sniffer.media_type("a.txt") == "application/octet-stream"


def test_a_row_of_comments_is_no_trap() -> None:
    sniffer = Sniffer()
    sniffer.feed(b"<!---->" * 1100 + b"<x>")
    assert sniffer.media_type("a") == "text/plain"


# Faults


class FailingDisk(Disk):
    """Fails at its `fail_at`th step (from 1), once or from then on; counts the steps."""

    def __init__(self, fail_at: int, code: int = errno.ENOSPC, *, again: bool = False) -> None:
        self.steps = 0
        self._fail_at = fail_at
        self._code = code
        self._again = again

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self._fail_at or (self._again and self.steps > self._fail_at):
            raise OSError(self._code, os.strerror(self._code))

    def make_folder(self, path: Path) -> None:
        self._step()
        super().make_folder(path)

    def create(self, path: Path) -> int:
        self._step()
        return super().create(path)

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        self._step()
        super().write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        self._step()
        super().fsync(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        super().rename(source, target)

    def touch(self, path: Path) -> None:
        self._step()
        super().touch(path)

    def fsync_folder(self, path: Path) -> None:
        self._step()
        super().fsync_folder(path)


DATA = [b"x" * 200_000, b"y" * 200_000, b"z"]


def failures() -> Iterator[int]:
    """1, 2, … and one more than any put has steps."""
    return iter(range(1, 30))


@pytest.mark.parametrize("before", [False, True], ids=["new", "there already"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
async def test_a_failure_at_any_step_leaves_nothing(tmp_path: Path, code: int, before: bool) -> None:
    for fail_at in failures():
        directory = tmp_path / str(fail_at)
        directory.mkdir()
        held = set()
        if before:
            held = {(await open_files(directory).put(pieces(*DATA), "x", max_bytes=SIZE)).path}
        disk = FailingDisk(fail_at, code)
        files = open_files(directory, disk=disk)
        try:
            await files.put(pieces(*DATA), "x", max_bytes=SIZE)
        except StorageError as error:
            failure = error
        else:
            assert disk.steps < fail_at
            assert fail_at > 8
            return
        assert failure.data["errno"] == code
        assert str(failure).endswith(".")
        assert below(directory) == held
        kept = await files.put(pieces(*DATA), "x", max_bytes=SIZE)  # the disk is well again
        assert files.path(kept).read_bytes() == b"".join(DATA)
        assert below(directory) == {kept.path}
    raise AssertionError("it fails for ever")


class CancellingDisk(FailingDisk):
    """Has the caller cancelled in the midst of a step."""

    scope: CancelScope

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self._fail_at:
            from_thread.run_sync(self.scope.cancel)


async def test_a_cancellation_at_any_step_leaves_nothing(tmp_path: Path) -> None:
    for cancel_at in failures():
        directory = tmp_path / str(cancel_at)
        directory.mkdir()
        disk = CancellingDisk(cancel_at)
        files = open_files(directory, disk=disk)
        with anyio.fail_after(10), CancelScope() as disk.scope:
            await files.put(pieces(*DATA), "x", max_bytes=SIZE)
        left = below(directory)
        assert not any("tmp" in path for path in left)
        if not disk.scope.cancel_called:
            assert cancel_at > 8
            return
        await files.put(pieces(*DATA), "x", max_bytes=SIZE)
        assert len(below(directory)) == 1
    raise AssertionError("it is cancelled for ever")


async def test_a_cancellation_between_pieces_leaves_nothing(files: Files, tmp_path: Path) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 300_000
        scope.cancel()
        await anyio.sleep_forever()

    with anyio.fail_after(10), CancelScope() as scope:
        await files.put(slow(), "x", max_bytes=SIZE)
    assert scope.cancelled_caught
    assert below(tmp_path) == set()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_task_cancelled_by_asyncio_itself_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not wait for its thread, as tasks in a cancel scope do: the thread must notice by itself."""
    loop = asyncio.get_running_loop()
    went_on = threading.Event()
    monkeypatch.setattr("storage.files.temp.Lock", lambda: TellingLock(went_on))

    class Disk(FailingDisk):
        def _step(self) -> None:
            self.steps += 1
            if self.steps == self._fail_at:
                loop.call_soon_threadsafe(task.cancel)
                # stay at work while the task goes on without, to its end or as far as it can
                assert went_on.wait(5)

    for cancel_at in failures():
        directory = tmp_path / str(cancel_at)
        directory.mkdir()
        disk = Disk(cancel_at)
        files = open_files(directory, disk=disk)
        went_on.clear()
        task = asyncio.create_task(files.put(pieces(*DATA), "x", max_bytes=SIZE))
        task.add_done_callback(lambda _: went_on.set())
        with anyio.fail_after(10):
            done, _ = await asyncio.wait([task])
        assert done == {task}
        assert not any("tmp" in path for path in below(directory))
        if not task.cancelled():
            assert cancel_at > 8
            return
    raise AssertionError("it is cancelled for ever")


class ForgetfulDisk(Disk):
    """Knows what a power cut would leave: only what was synced, and only under names that were."""

    def __init__(self) -> None:
        self._written: dict[int, tuple[Path, bytes]] = {}
        self._content: dict[Path, bytes] = {}
        self._names: dict[Path, dict[Path, bytes | None]] = {}
        self.left: dict[Path, bytes | None] = {}
        """Files with their synced content, folders with None."""

    def make_folder(self, path: Path) -> None:
        super().make_folder(path)
        self._names.setdefault(path.parent, {})[path] = None

    def create(self, path: Path) -> int:
        descriptor = super().create(path)
        self._written[descriptor] = path, b""
        self._names.setdefault(path.parent, {})[path] = b""
        return descriptor

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        super().write(descriptor, data)
        path, written = self._written[descriptor]
        self._written[descriptor] = path, written + bytes(data)

    def fsync(self, descriptor: int) -> None:
        super().fsync(descriptor)
        path, written = self._written[descriptor]
        self._names[path.parent][path] = written

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        self._names.setdefault(target.parent, {})[target] = self._names[source.parent].pop(source)

    def unlink(self, path: Path) -> None:
        super().unlink(path)
        self._names.get(path.parent, {}).pop(path, None)

    def fsync_folder(self, path: Path) -> None:
        super().fsync_folder(path)
        for name in [name for name in self.left if name.parent == path]:
            del self.left[name]
        self.left |= self._names.get(path, {})

    def survives(self, path: Path, directory: Path) -> bytes | None:
        """The content that would be there; None: it can't be reached."""
        folders = [
            parent for parent in path.parents if parent.is_relative_to(directory) and parent != directory
        ]
        return self.left.get(path) if all(folder in self.left for folder in folders) else None


async def test_what_is_put_survives_a_power_cut(tmp_path: Path) -> None:
    disk = ForgetfulDisk()
    files = open_files(tmp_path, disk=disk)
    for data in (b"one", b"two", b"one", b"three"):
        kept = await files.put(pieces(data), "x", max_bytes=SIZE)
        assert disk.survives(files.path(kept), tmp_path) == data


async def test_what_was_put_by_a_process_that_died_too_early_survives_when_put_again(tmp_path: Path) -> None:
    """It died between rename and the syncing of the folders: all is there, none of it is safe."""
    kept = await open_files(tmp_path).put(pieces(b"one"), "x", max_bytes=SIZE)

    class Remembering(ForgetfulDisk):
        def fsync_folder(self, path: Path) -> None:
            for entry in path.iterdir():
                content = None if entry.is_dir() else entry.read_bytes()
                self._names.setdefault(path, {})[entry] = content
            super().fsync_folder(path)

    disk = Remembering()
    files = open_files(tmp_path, disk=disk)
    await files.put(pieces(b"one"), "x", max_bytes=SIZE)
    assert disk.survives(files.path(kept), tmp_path) == b"one"


# Collecting


class Referring:
    """Answers the collector: what is referred to; `asked` is called while it waits for the answer."""

    def __init__(self, *referred: Attachment) -> None:
        self.referred = {one.sha256 for one in referred}
        self.batches: list[tuple[str, ...]] = []

    async def write(self, command: Command[object]) -> object:
        await checkpoint()
        assert isinstance(command, ForgetFiles)
        self.batches.append(command.sha256s)
        await self.asked()
        return frozenset(command.sha256s) - self.referred

    async def asked(self) -> None:
        """To be replaced."""

    @property
    def store(self) -> Store:
        return cast(Store, self)


async def put_all(files: Files, contents: Iterable[bytes]) -> list[Attachment]:
    return [await files.put(pieces(data), "x", max_bytes=SIZE) for data in contents]


async def test_only_what_is_unreferenced_and_untouched_goes(tmp_path: Path) -> None:
    used, old, fresh = await put_all(open_files(tmp_path), [b"used", b"old", b"fresh"])
    files = open_files(tmp_path)  # after a restart: only the disk knows when something was put
    for one in (used, old):
        age(files.path(one), 7200)
    age(files.path(fresh), 1800)
    referring = Referring(used)
    assert await files.collect(referring.store, untouched_seconds=3600) == 1
    assert below(tmp_path) == {used.path, fresh.path}
    assert fresh.sha256 not in {name for batch in referring.batches for name in batch}


async def test_a_clock_set_forward_makes_nothing_old(files: Files, tmp_path: Path) -> None:
    (kept,) = await put_all(files, [b"x"])
    age(files.path(kept), 10**6)  # as it looks to a clock that jumped
    assert await files.collect(Referring().store, untouched_seconds=3600) == 0
    assert below(tmp_path) == {kept.path}


@pytest.mark.parametrize("untouched_seconds", [0, 3600])
async def test_a_content_put_again_while_it_is_decided_stays(tmp_path: Path, untouched_seconds: int) -> None:
    kept, spare = await put_all(open_files(tmp_path), [b"again", b"spare"])
    files = open_files(tmp_path)
    for one in (kept, spare):
        age(files.path(one), 7200)
    referring = Referring()

    async def put_again() -> None:
        with anyio.fail_after(5):  # the collector does not stop the uploads
            await put_all(files, [b"again"])

    referring.asked = put_again  # type: ignore[method-assign]
    assert await files.collect(referring.store, untouched_seconds=untouched_seconds) >= 1
    assert files.path(kept).read_bytes() == b"again"
    assert below(tmp_path) == {kept.path}


async def test_a_content_waits_for_its_message_for_an_hour(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the caller says: nobody knows what is put but not sent yet."""
    (kept,) = await put_all(files, [b"x"])
    for _ in range(2):  # the note of it outlives a collection
        assert await files.collect(Referring().store, untouched_seconds=0) == 0
    assert below(tmp_path) == {kept.path}
    monkeypatch.setattr(collector, "HELD_SECONDS", 0.0)
    assert await files.collect(Referring().store, untouched_seconds=0) == 1
    assert below(tmp_path) == set()


async def test_that_an_older_message_refers_to_a_content_ends_nothing(files: Files, tmp_path: Path) -> None:
    """It may be purged before the newer one commits."""
    (kept,) = await put_all(files, [b"x"])
    assert await files.collect(Referring(kept).store, untouched_seconds=0) == 0
    assert await files.collect(Referring().store, untouched_seconds=0) == 0
    assert below(tmp_path) == {kept.path}


class SteppedDisk(Disk):
    """Calls `before_touch` when a content was found and is about to be touched."""

    def before_touch(self) -> None:
        """To be replaced."""

    def touch(self, path: Path) -> None:
        self.before_touch()
        super().touch(path)


async def test_a_content_that_was_found_is_not_removed_before_it_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SteppedDisk()
    (kept,) = await put_all(open_files(tmp_path), [b"again"])
    collector_waits = threading.Event()
    monkeypatch.setattr("storage.files.contents.Lock", lambda: TellingLock(collector_waits))
    files = open_files(tmp_path, disk=disk)
    age(files.path(kept), 7200)
    collected = anyio.Event()
    removed = []

    async def collect() -> None:
        removed.append(await files.collect(Referring().store, untouched_seconds=3600))
        collected.set()

    def in_between() -> None:
        from_thread.run_sync(tasks.start_soon, collect)
        assert collector_waits.wait(5)

    disk.before_touch = in_between  # type: ignore[method-assign]
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            await put_all(files, [b"again"])
            await collected.wait()
    assert removed == [0]
    assert files.path(kept).read_bytes() == b"again"


async def test_a_content_that_is_just_removed_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The upload comes between the collector's last look and the removal: it must wait and keep its own."""
    (kept,) = await put_all(open_files(tmp_path), [b"again"])
    upload_waits = threading.Event()
    monkeypatch.setattr("storage.files.contents.Lock", lambda: TellingLock(upload_waits))

    class SlowDisk(Disk):
        def unlink(self, path: Path) -> None:
            if path.name == kept.sha256:
                from_thread.run_sync(tasks.start_soon, upload)
                assert upload_waits.wait(5)
            super().unlink(path)

    files = open_files(tmp_path, disk=SlowDisk())
    age(files.path(kept), 7200)

    async def upload() -> None:
        await put_all(files, [b"again"])

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            assert await files.collect(Referring().store, untouched_seconds=3600) == 1
    assert files.path(kept).read_bytes() == b"again"


def test_after_its_discarding_a_temporary_file_is_not_made(tmp_path: Path) -> None:
    """A thread may come to its work only after the task that sent it was cancelled and has cleaned up."""
    temp = Temp(Disk(), tmp_path / "temp")
    temp.discard()
    temp.append(b"x")
    assert not temp.sync()
    assert below(tmp_path) == set()


async def test_temporary_files_of_the_dead_go_and_those_of_the_living_stay(
    files: Files, tmp_path: Path
) -> None:
    await put_all(files, [b"x"])
    folder = tmp_path / "files" / "tmp"
    old, young, foreign = folder / ("0" * 32), folder / ("1" * 32), folder / "notes.txt"
    for path in (old, young, foreign):
        path.write_bytes(b"x")
    age(old, 7200)
    age(foreign, 7200)

    async def slow() -> AsyncIterator[bytes]:
        yield b"y" * 300_000
        (mine,) = set(folder.iterdir()) - {old, young, foreign}
        age(mine, 7200)
        await files.collect(Referring().store, untouched_seconds=3600)

    kept = await files.put(slow(), "y", max_bytes=SIZE)
    assert files.path(kept).stat().st_size == 300_000
    assert set(folder.iterdir()) == {young, foreign}


async def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (kept,) = await put_all(open_files(tmp_path), [b"x"])
    files = open_files(tmp_path)
    folder = files.path(kept).parent
    (folder / "README").write_bytes(b"x")
    (folder / ("0" * 64)).symlink_to(tmp_path)
    (tmp_path / "files" / "other").mkdir()
    await files.collect(Referring().store, untouched_seconds=0)
    assert {path.name for path in folder.iterdir()} == {"README", "0" * 64}


async def test_collecting_nothing(files: Files, tmp_path: Path) -> None:
    assert await files.collect(Referring().store, untouched_seconds=0) == 0
    assert below(tmp_path) == set()


async def test_large_stores_are_asked_about_in_batches(files: Files, tmp_path: Path) -> None:
    folder = tmp_path / "files" / "ab"
    folder.mkdir(parents=True)
    for number in range(450):
        (folder / f"{number:064x}").write_bytes(b"")
    referring = Referring()
    assert await files.collect(referring.store, untouched_seconds=0) == 450
    assert max(len(batch) for batch in referring.batches) <= 200


async def test_nothing_is_collected_while_a_backup_is_made(files: Files, tmp_path: Path) -> None:
    kept = await put_all(open_files(tmp_path), [b"one", b"two"])
    target = tmp_path / "target"
    target.mkdir()
    removed = []

    async def collect() -> None:
        removed.append(await files.collect(Referring().store, untouched_seconds=0))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks, files.uncollected():
            tasks.start_soon(collect)
            await anyio.wait_all_tasks_blocked()
            await files.copy_to(target)
            assert removed == []
    assert removed == [2]
    assert below(target) == {one.path for one in kept}
    assert [open_files(target).path(one).read_bytes() for one in kept] == [b"one", b"two"]
    assert await open_files(target).damage(kept) == []
    assert len(await files.damage(kept)) == 2


async def test_failures_of_collecting_are_errors_of_the_store(files: Files, tmp_path: Path) -> None:
    await put_all(files, [b"x"])

    class Stuck(Disk):
        def unlink(self, path: Path) -> None:
            raise OSError(errno.EIO, "broken")

    with pytest.raises(StorageError):
        await open_files(tmp_path, disk=Stuck()).collect(Referring().store, untouched_seconds=0)
