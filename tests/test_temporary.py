"""Folders for a while: a dead process's are removed, a living one's never."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chatcore.temporary import HeldFolder, hold_too
from tests.source_tree import ROOT

HOLDING = """
import sys
from chatcore.temporary import HeldFolder
print(HeldFolder(sys.argv[1]).path, flush=True)
sys.stdin.read()
"""
HOLDING_TOO = """
import sys
from pathlib import Path
from chatcore.temporary import hold_too
hold_too(Path(sys.argv[1]))
print(sys.argv[1], flush=True)
sys.stdin.read()
"""
WAITING = "import sys; print(sys.argv[1], flush=True); sys.stdin.read()"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@contextmanager
def process(script: str, argument: str, *inherited: int) -> Iterator[Path]:
    """Gives what it printed; it is killed in the end."""
    with subprocess.Popen(
        [sys.executable, "-c", script, argument],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=inherited,
        text=True,
    ) as started:
        assert started.stdout is not None
        try:
            yield Path(started.stdout.readline().strip())
        finally:
            started.send_signal(signal.SIGKILL)


def sweep() -> None:
    HeldFolder("tests").close()


def test_it_is_empty_private_and_gone_when_it_is_closed(place: Path) -> None:
    folder = HeldFolder("tests")
    assert list(folder.path.iterdir()) == []
    assert folder.path.stat().st_mode & 0o777 == 0o700
    (folder.path / "file").write_bytes(b"x")
    folder.close()
    folder.close()
    assert list(place.iterdir()) == []


def test_a_killed_process_leaves_none_for_good(place: Path) -> None:
    with process(HOLDING, "tests") as left, process(HOLDING, "others") as of_another_kind:
        (left / "file").write_bytes(b"x")
        sweep()
        assert (left / "file").exists()  # its process lives
    assert left.exists()
    sweep()
    assert list(place.iterdir()) == [of_another_kind]


def test_who_inherits_it_holds_it(place: Path) -> None:
    folder = HeldFolder("tests")
    with process(WAITING, "-", folder.lock):
        os.close(folder.lock)  # as the end of this process would
        sweep()
        assert folder.path.exists()
    sweep()
    assert not folder.path.exists()


def test_who_was_given_it_holds_it_too(place: Path) -> None:
    folder = HeldFolder("tests")
    with process(HOLDING_TOO, str(folder.path)):
        os.close(folder.lock)
        sweep()
        assert folder.path.exists()
    sweep()
    assert not folder.path.exists()
    hold_too(folder.path)  # which is nothing by now
    hold_too(place)


def test_what_is_found_before_it_is_locked_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process starts at the same moment."""
    make = tempfile.mkdtemp
    made: list[str] = []

    def make_and_lose(**given: str) -> str:
        made.append(make(**given))
        if len(made) == 1:
            os.rmdir(made[0])
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", make_and_lose)
    folder = HeldFolder("tests")
    assert str(folder.path) == made[1]
    assert folder.path.exists()


@pytest.mark.parametrize("is_removed", [True, False])
def test_what_is_locked_to_be_removed_is_left_to_it(
    monkeypatch: pytest.MonkeyPatch, *, is_removed: bool
) -> None:
    make, real = tempfile.mkdtemp, fcntl.flock
    made: list[str] = []
    locks: list[int] = []

    def make_and_lock(**given: str) -> str:
        made.append(make(**given))
        if not locks:
            locks.append(os.open(made[0], os.O_RDONLY))
            real(locks[0], fcntl.LOCK_EX)
        return made[-1]

    def remove_and_lock(lock: int, how: int) -> None:
        if locks and is_removed and os.path.exists(made[0]):
            os.rmdir(made[0])
            os.close(locks[0])
        real(lock, how)

    monkeypatch.setattr(tempfile, "mkdtemp", make_and_lock)
    monkeypatch.setattr(fcntl, "flock", remove_and_lock)
    folder = HeldFolder("tests")
    assert str(folder.path) == made[1]
    assert folder.path.exists()


def test_links_are_not_followed(place: Path) -> None:
    target = place / "target"
    target.mkdir()
    (target / "file").write_bytes(b"x")
    (place / "chatcore-tests-link.held").symlink_to(target)
    (place / "chatcore-tests-file.held").write_bytes(b"x")
    sweep()
    assert (target / "file").exists()
    assert (place / "chatcore-tests-file.held").exists()


def test_another_users_is_left_alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "chatcore-tests-theirs.held").mkdir()
    us = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: us + 1)
    sweep()
    assert (place / "chatcore-tests-theirs.held").exists()


def test_without_locks_it_can_never_be_taken_for_left(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    with monkeypatch.context() as without_locks:
        without_locks.setattr(fcntl, "flock", refuse)
        folder = HeldFolder("tests")
    sweep()
    assert folder.path.exists()
    folder.close()
    assert list(place.iterdir()) == []
