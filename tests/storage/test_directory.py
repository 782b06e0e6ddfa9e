"""The data directory belongs to one process at a time."""

import asyncio
import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

import storage.directory
from chatcore.errors import DataDirectoryInUse, StorageError
from storage.directory import own_directory


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the lock."""
    monkeypatch.setattr(storage.directory, "WAIT_SECONDS", 0.0)


OWNER = """
import sys, anyio
from pathlib import Path
from storage.directory import own_directory

async def main():
    async with own_directory(Path(sys.argv[1])):
        print("owned", flush=True)
        await anyio.to_thread.run_sync(sys.stdin.read)

anyio.run(main)
"""


@asynccontextmanager
async def other_owner(directory: Path) -> AsyncIterator[subprocess.Popen[bytes]]:
    """Another process owns the directory; it lets go when its standard input ends."""
    process = await to_thread.run_sync(
        lambda: subprocess.Popen(
            [sys.executable, "-c", OWNER, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert await to_thread.run_sync(process.stdout.readline) == b"owned\n"
        yield process
    finally:
        process.kill()
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(process.wait)
        process.stdin.close()
        process.stdout.close()


async def test_the_directory_is_made_for_its_user_alone(tmp_path: Path) -> None:
    wanted = tmp_path / "a" / "b"
    async with own_directory(wanted) as directory:
        assert directory == wanted
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert (directory / "lock").read_text() == f"{os.getpid()}\n"
        assert stat.S_IMODE((directory / "lock").stat().st_mode) == 0o600
    async with own_directory(wanted):
        pass


async def test_the_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    async with own_directory(Path("link")) as directory:
        assert directory == tmp_path / "real"
        assert directory.is_dir()


@pytest.mark.usefixtures("impatient")
async def test_a_second_owner_is_refused_with_a_sentence(tmp_path: Path) -> None:
    async with own_directory(tmp_path):
        with pytest.raises(DataDirectoryInUse) as caught:
            async with own_directory(tmp_path):
                pass
        assert str(tmp_path) in str(caught.value)
        assert str(os.getpid()) in str(caught.value)
        assert caught.value.data == {"directory": str(tmp_path), "pid": os.getpid()}
    async with own_directory(tmp_path):
        pass


@pytest.mark.usefixtures("impatient")
async def test_another_process_is_named(tmp_path: Path) -> None:
    async with other_owner(tmp_path) as process:
        with pytest.raises(DataDirectoryInUse) as caught:
            async with own_directory(tmp_path):
                pass
        assert caught.value.data["pid"] == process.pid


@pytest.mark.usefixtures("impatient")
async def test_an_owner_without_a_name(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for text in ("", "no number", "9" * 40):
            lock.seek(0)
            lock.truncate()
            lock.write(text)
            lock.flush()
            with pytest.raises(DataDirectoryInUse) as caught:
                async with own_directory(tmp_path):
                    pass
            assert caught.value.data["pid"] is None


async def test_an_owner_that_leaves_is_waited_for(tmp_path: Path) -> None:
    async with other_owner(tmp_path) as process:
        owned = anyio.Event()

        async def own() -> None:
            async with own_directory(tmp_path):
                owned.set()

        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(own)
                assert not owned.is_set()
                process.send_signal(signal.SIGKILL)  # however it dies
                await owned.wait()


async def test_waiting_does_not_block_the_loop_and_ends(tmp_path: Path) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while turns < 200:
            await to_thread.run_sync(int)
            turns += 1

    async with own_directory(tmp_path), anyio.create_task_group() as tasks:
        tasks.start_soon(count)
        start = anyio.current_time()
        with anyio.fail_after(10), pytest.raises(DataDirectoryInUse):
            async with own_directory(tmp_path):
                pass
        assert 1.9 < anyio.current_time() - start < 6
        assert turns == 200


async def test_a_cancelled_wait_holds_nothing(tmp_path: Path) -> None:
    async with own_directory(tmp_path):
        with anyio.move_on_after(0.05):
            async with own_directory(tmp_path):
                raise AssertionError("both own it")
    with anyio.fail_after(1):
        async with own_directory(tmp_path):
            pass


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.usefixtures("impatient")
async def test_a_task_cancelled_by_asyncio_itself_holds_nothing(tmp_path: Path) -> None:
    """It may be cancelled while a thread is at work for it, and does not wait for the thread."""

    async def own() -> None:
        async with own_directory(tmp_path):
            await anyio.sleep_forever()

    for turns in range(8):
        task = asyncio.create_task(own())
        for _ in range(turns):
            await anyio.lowlevel.checkpoint()
        task.cancel()
        with anyio.fail_after(5):
            await asyncio.wait([task])
            async with own_directory(tmp_path):
                pass


async def test_an_error_inside_lets_go(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with own_directory(tmp_path):
            raise ZeroDivisionError
    with anyio.fail_after(1):
        async with own_directory(tmp_path):
            pass


@pytest.mark.usefixtures("impatient")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the child does next to nothing
async def test_no_child_inherits_the_lock(tmp_path: Path) -> None:
    async with own_directory(tmp_path):
        start = "import sys; print(flush=True); sys.stdin.read()"
        executed = await to_thread.run_sync(
            lambda: subprocess.Popen(
                [sys.executable, "-c", start],
                close_fds=False,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        )
        going, waiting = os.pipe()
        running, runs = os.pipe()
        forked = os.fork()
        if forked == 0:
            os.close(waiting)
            os.write(runs, b"x")
            os.read(going, 1)
            os._exit(0)
        os.close(going)
        await to_thread.run_sync(os.read, running, 1)
        os.close(running)
        os.close(runs)
    try:
        async with own_directory(tmp_path):  # though both children live
            assert executed.poll() is None
    finally:
        os.close(waiting)
        await to_thread.run_sync(os.waitpid, forked, 0)
        executed.kill()
        await to_thread.run_sync(executed.communicate)


@pytest.mark.usefixtures("impatient")
async def test_a_lock_file_that_was_removed_is_nobodys(tmp_path: Path) -> None:
    """Whoever locks a file that is not at its place any more must not think that he owns the directory."""
    stale = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(stale, fcntl.LOCK_EX)
    (tmp_path / "lock").unlink()
    async with own_directory(tmp_path):
        with pytest.raises(DataDirectoryInUse):
            async with own_directory(tmp_path):
                pass
    os.close(stale)


async def test_a_lock_file_that_is_removed_before_it_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock
    removed: list[bool] = []

    def remove_first(descriptor: int, operation: int) -> None:
        if not removed:
            removed.append(True)
            (tmp_path / "lock").unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    async with own_directory(tmp_path):
        monkeypatch.setattr(storage.directory, "WAIT_SECONDS", 0.0)
        with pytest.raises(DataDirectoryInUse):
            async with own_directory(tmp_path):
                pass


def test_after_its_release_a_lock_is_not_taken(tmp_path: Path) -> None:
    """A thread may come to its work only after the task that sent it was cancelled."""
    lock = storage.directory._LockFile(tmp_path)
    lock.release()
    assert not lock._try()


async def test_what_is_no_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(StorageError, match="is not a directory") as caught:
            async with own_directory(path):
                pass
        assert not isinstance(caught.value, DataDirectoryInUse)
    with pytest.raises(StorageError):
        async with own_directory(tmp_path / "loop"):
            pass
    with pytest.raises(StorageError):
        async with own_directory(tmp_path / ("x" * 300)):
            pass
    assert (tmp_path / "file").read_bytes() == b"mine"


async def test_a_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    (tmp_path / "lock").symlink_to(tmp_path / "mine")
    with pytest.raises(StorageError, match="symbolic link"):
        async with own_directory(tmp_path):
            pass
    assert (tmp_path / "mine").read_text() == "precious"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.EACCES, "no permission"),
        (errno.EROFS, "read-only"),
        (errno.ENOSPC, "disk is full"),
        (errno.ENOLCK, "no locks"),
    ],
)
async def test_what_the_system_refuses_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, said: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StorageError, match=said) as caught:
        async with own_directory(tmp_path):
            pass
    assert str(tmp_path) in str(caught.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="drops the rights of root, who may write anywhere")
@pytest.mark.parametrize("name", ["closed", "closed/new", "closed/new/newer", "readable", "readable/new"])
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # as above
def test_an_unwritable_directory_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "closed").mkdir(0o700)
    (tmp_path / "readable").mkdir(0o755)
    for folder in tmp_path.parents[:3]:
        folder.chmod(0o755)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgid(65534)
        os.setuid(65534)
        try:
            storage.directory._LockFile(tmp_path / name)._try()
        except StorageError as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        sentence = pipe.read().decode()
    os.waitpid(child, 0)
    assert str(tmp_path / name) in sentence
    assert "permission" in sentence


MOUNTS = """\
proc /proc proc rw 0 0
/dev/vda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/vdb /home/ann/local ext4 rw 0 0
ann@host: /mnt/my\\040disk fuse.sshfs rw 0 0
/dev/vdc /srv ext4 rw 0 0
//host/srv /srv cifs rw 0 0
tmpfs /homestead tmpfs rw 0 0
broken
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/chatcore", "ext4"),
        ("/", "ext4"),
        ("/home/ann/chat", "nfs4"),
        ("/home", "nfs4"),
        ("/homestead/x", "tmpfs"),
        ("/home/ann/local/chat", "ext4"),
        ("/mnt/my disk/chat", "fuse.sshfs"),
        ("/mnt/my", "ext4"),
        ("/srv/chat", "cifs"),
    ],
)
async def test_network_file_systems_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str, kind: str
) -> None:
    assert storage.directory._file_system_of(Path(path), MOUNTS) == kind
    monkeypatch.setattr(storage.directory, "_mounts", lambda: f"x {tmp_path} {kind} rw 0 0\n")
    if kind in {"ext4", "tmpfs"}:
        async with own_directory(tmp_path):
            return
    with pytest.raises(StorageError, match="network file system") as caught:
        async with own_directory(tmp_path):
            pass
    assert kind in str(caught.value)
    assert not (tmp_path / "lock").exists()


def test_nothing_is_known_without_mounts() -> None:
    assert storage.directory._file_system_of(Path("/x"), "") is None
