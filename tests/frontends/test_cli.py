"""The command line: what it says, with which exit code, and how fast it is there."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.frontends.commands import RESPONDER, ROOT, Finished, command, environment, run

HEAVY = ("aiosqlite", "gradio", "httpx", "openai", "pandas", "starlette", "uvicorn", "xllamacpp")


def failed(done: Finished, sentence: str, code: int = 1) -> None:
    """One sentence on standard error, nothing else."""
    assert done.code == code, done
    assert done.out == "", done
    assert done.err.count("\n") == 1, done
    assert done.err.startswith("chatcore: "), done
    assert sentence in done.err, done


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def scripted(tmp_path: Path) -> str:
    (tmp_path / "scripted.py").write_text(RESPONDER)
    return "scripted.py:answer"


@pytest.mark.measures
def test_version_is_there_at_once(tmp_path: Path) -> None:
    took: list[float] = []
    for _ in range(5):
        began = time.monotonic()
        done = run(tmp_path, "--version")
        took.append(time.monotonic() - began)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("chatcore ")
    assert min(took) < 0.5


@pytest.mark.parametrize("arguments", [("--version",), ("list", "--data", "nowhere")])
def test_heavy_packages_are_imported_only_where_needed(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    script = (
        "import json, sys\n"
        "from frontends.cli.main import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "print(json.dumps([name for name in sys.modules]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        env=environment(tmp_path),
        cwd=tmp_path,
        timeout=20,
        check=True,
    )
    imported = set(json.loads(done.stdout.splitlines()[-1]))
    assert not imported & {
        name for name in HEAVY if arguments == ("--version",) or name in {"gradio", "openai"}
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("frobnicate",), "invalid choice: 'frobnicate'"),
        (("list", "--nonsense"), "unrecognized arguments: --nonsense"),
        (("list", "--limit", "0"), "must be a whole number, 1 or more, not '0'"),
        (("purge", "--older-than", "never"), "must be a number of days, 0 to 36500, not 'never'"),
        (("show",), "required: ID"),
        (("backup",), "required: OUT"),
        (("serve", "--port", "99999"), "--port must be a port number, 0 to 65535, not '99999'."),
        (("list", "--log-level", "loud"), "--log-level must be debug, info, warning or error, not 'loud'."),
        (("list", "--config", "nowhere.toml"), "There is no settings file nowhere.toml."),
        (("serve", "--host", "0.0.0.0"), "others could reach this server"),
        (("serve", "--host", "chat.example"), "others could reach this server"),
        (("serve", "--host", "::"), "others could reach this server"),
        (("serve", "--port", "0", "--frontend", "fax"), "There is no frontend “fax” (there are: "),
    ],
)
def test_what_is_not_understood(
    tmp_path: Path, data: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    failed(run(tmp_path, *arguments, env={"CHATCORE_DATA": str(data)}), sentence, code=3)
    assert not data.exists()


def test_without_a_command_it_says_what_there_is(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert (done.code, done.out) == (3, "")
    for name in ("serve", "chat", "list", "show", "check", "backup", "purge"):
        assert name in done.err
    assert run(tmp_path, "--help").code == 0


def test_wrong_variable_is_named(tmp_path: Path) -> None:
    failed(run(tmp_path, "list", env={"CHATCORE_LOG_LEVEL": "x"}), "CHATCORE_LOG_LEVEL must be", code=3)


@pytest.mark.parametrize("name", ["list", "check", "purge"])
def test_no_data_directory(tmp_path: Path, data: Path, name: str) -> None:
    told = f"There are no conversations in {data}; --data names another directory."
    failed(run(tmp_path, name, "--data", data), told)
    assert not data.exists()  # a mistyped name makes nothing
    data.mkdir()
    failed(run(tmp_path, name, "--data", data), told)
    assert list(data.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/below"])
@pytest.mark.parametrize("name", ["list", "check", "chat", "serve"])
def test_data_directory_that_cannot_be_used(tmp_path: Path, scripted: str, place: str, name: str) -> None:
    (tmp_path / "file").write_text("in the way")
    extra = ("--responder", scripted) if name in {"chat", "serve"} else ()
    if name == "serve":
        extra = (*extra, "--port", "0", "--frontend", "http_api")
    done = run(tmp_path, name, "--data", tmp_path / place, *extra, typed="hello\n")
    failed(done, str(tmp_path / place))
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unwritable to root")
def test_data_directory_that_may_not_be_written(tmp_path: Path, data: Path) -> None:
    data.mkdir(mode=0o500)
    failed(run(tmp_path, "check", "--data", data), "permission")


def test_busy_port(tmp_path: Path, data: Path, scripted: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run(tmp_path, "serve", "--data", data, "--port", str(port), "--responder", scripted)
        failed(done, f"Port {port} of 127.0.0.1 is taken")
    assert not data.exists()


@pytest.mark.parametrize(
    ("responder", "sentence"),
    [
        ("missing.py:answer", "There is no file missing.py."),
        ("scripted.py:question", "scripted.py has no “question”."),
        ("broken.py:answer", "broken.py can't be imported: NameError: name 'nonsense' is not defined"),
        ("missing.module:answer", "There is no module “missing.module”."),
        ("scripted.py:anyio", "“anyio” in scripted.py is not a function."),
    ],
)
@pytest.mark.parametrize("name", ["chat", "serve"])
def test_responder_that_is_none(
    tmp_path: Path, data: Path, scripted: str, responder: str, sentence: str, name: str
) -> None:
    (tmp_path / "broken.py").write_text("nonsense\n")
    extra = ("--port", "0", "--frontend", "http_api") if name == "serve" else ()
    failed(run(tmp_path, name, "--data", data, "--responder", responder, *extra), sentence)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("serve", "--port", "0", "--responder", "nobody"), "There is no responder “nobody” (there are: "),
        (("chat", "--responder", "no.function.py:"), "names no function"),
        (("chat", "--responder", "scripted.py:anyio.sleep"), "sleep returns once"),
        (("chat", "--base-url", "foo"), "“foo” is no address"),
    ],
)
def test_what_a_setting_can_not_be(
    tmp_path: Path, data: Path, scripted: str, arguments: tuple[str, ...], sentence: str
) -> None:
    failed(run(tmp_path, *arguments, "--data", data), sentence, code=3)


def test_missing_weights(tmp_path: Path, data: Path) -> None:
    done = run(tmp_path, "chat", "--data", data, "--model", tmp_path / "missing.gguf", typed="hello\n")
    failed(done, "missing.gguf")


def test_ctrl_c_while_starting(tmp_path: Path, data: Path) -> None:
    (tmp_path / "slow.py").write_text("import signal\nprint('loading', flush=True)\nsignal.pause()\n")
    for number in (signal.SIGINT, signal.SIGTERM):
        line = command(
            "serve", "--data", data, "--port", "0", "--frontend", "http_api", "--responder", "slow.py:f"
        )
        with subprocess.Popen(
            line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(tmp_path), cwd=tmp_path
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"loading\n"
            process.send_signal(number)
            _, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (128 + number, b"")


def test_output_that_nobody_reads(tmp_path: Path, data: Path, scripted: str) -> None:
    run(tmp_path, "chat", "--data", data, "--responder", scripted, typed="hello\n")
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            command("list", "--data", data),
            stdout=writing,
            stderr=subprocess.PIPE,
            env=environment(tmp_path),
            timeout=20,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_that_does_not_fit(tmp_path: Path, data: Path, scripted: str) -> None:
    run(tmp_path, "chat", "--data", data, "--responder", scripted, typed="hello\n")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command("list", "--data", data),
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(tmp_path),
            timeout=20,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"chatcore: No space left on device.\n")


def test_nothing_is_written_beside_the_data(tmp_path: Path, data: Path, scripted: str) -> None:
    assert run(tmp_path, "chat", "--data", data, "--responder", scripted, typed="hello\n").code == 0
    assert {path.name for path in tmp_path.iterdir()} <= {"data", "scripted.py", "__pycache__"}
    assert ROOT not in tmp_path.parents
