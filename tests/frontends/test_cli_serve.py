"""`serve`: started, talked to, and ended by a signal with an answer running and streams open."""

import http.client
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.frontends.commands import Finished, Served, command, environment, read_until, run, serving, stop

MOST_SECONDS = 3.0
"""A second is promised, and `test_server.py` holds the server to it. This is with the end of a whole process,
on a machine that may be busy. What must not be waited for (streams, answers, a stuck responder) lasts longer.
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def call(served: Served, method: str, path: str, body: object = None) -> dict[str, object]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, f"/api{path}", content, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        assert response.status < 300, answer
        found: dict[str, object] = json.loads(answer)
        return found
    finally:
        connection.close()


@contextmanager
def begun_answer(served: Served) -> Iterator[tuple[str, http.client.HTTPResponse]]:
    """A conversation with an answer in mid-text, and an event stream that has shown that text."""
    conversation = str(call(served, "POST", "/conversations", {})["id"])
    call(served, "POST", f"/conversations/{conversation}/messages", {"text": "hold"})
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    try:
        connection.request("GET", f"/api/events?conversation={conversation}&list=1")
        stream = connection.getresponse()
        assert stream.status == 200
        while b"begun " not in stream.readline():
            pass
        yield conversation, stream
    finally:
        connection.close()


def messages(done: Finished) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert lines[0]["type"] == "conversation", done
    return [line["message"] for line in lines[1:]]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_with_an_answer_running_and_streams_open(
    tmp_path: Path, data: Path, number: signal.Signals
) -> None:
    with serving(tmp_path, data) as served:
        assert "Model: answer\n" in served.printed
        assert f"Data: {data}\n" in served.printed
        with begun_answer(served) as (conversation, stream):
            # what is shown is stored: another process sees it now
            shown = messages(run(tmp_path, "show", conversation, "--json", "--data", data))
            assert shown[-1]["status"] == "running"
            assert shown[-1]["parts"] == [{"type": "text", "text": "begun "}]
            code, seconds, err = stop(served, number)
            assert (code, err) == (0, "")
            assert seconds < MOST_SECONDS
            stream.read()  # it has ended
    answer = messages(run(tmp_path, "show", conversation, "--json", "--data", data))[-1]
    assert answer["status"] == "interrupted"
    assert answer["parts"] == [{"type": "text", "text": "begun "}]
    plain = run(tmp_path, "show", conversation, "--data", data)
    assert "begun \n(interrupted: " in plain.out
    assert run(tmp_path, "check", "--data", data).code == 0
    assert {path.name for path in data.iterdir()} <= {"chat.db", "clean", "files", "lock"}


def test_killed_and_started_again(tmp_path: Path, data: Path) -> None:
    with serving(tmp_path, data) as served, begun_answer(served) as (conversation, _):
        assert stop(served, signal.SIGKILL)[0] == -signal.SIGKILL
    with serving(tmp_path, data):  # the socket and the address that were left behind are no obstacle
        answer = messages(run(tmp_path, "show", conversation, "--json", "--data", data))[-1]
        assert (answer["status"], answer["parts"]) == ("interrupted", [{"type": "text", "text": "begun "}])


def test_second_ctrl_c_does_not_wait(tmp_path: Path, data: Path) -> None:
    (tmp_path / "stubborn.py").write_text(
        "import signal, anyio\n"
        "async def answer(asked):\n"
        "    yield 'begun '\n"
        "    try:\n        await anyio.sleep_forever()\n"
        "    finally:\n        print('stuck', flush=True)\n        signal.pause()\n"
    )
    with serving(tmp_path, data, function="stubborn.py:answer") as served:
        with begun_answer(served):
            served.process.send_signal(signal.SIGINT)
            read_until(served.process, b"stuck\n")
            code, seconds, err = stop(served, signal.SIGINT)
        assert (code, err) == (128 + signal.SIGINT, "")
        assert seconds < MOST_SECONDS


def test_second_server_on_the_same_data(tmp_path: Path, data: Path) -> None:
    with serving(tmp_path, data) as served:
        arguments = (
            "--data",
            data,
            "--port",
            "0",
            "--frontend",
            "http_api",
            "--responder",
            "scripted.py:answer",
        )
        done = run(tmp_path, "serve", *arguments)
        assert (done.code, done.out) == (1, "")
        sentence = f"A server runs on the data directory {data} already, at {served.url}."
        assert done.err == f"chatcore: {sentence}\n"
        assert call(served, "GET", "/health")["default_responder"] == "answer"


def test_data_that_a_terminal_owns(tmp_path: Path, data: Path) -> None:
    (tmp_path / "scripted.py").write_text("async def answer(asked):\n    yield 'yes'\n")
    line = command("chat", "--data", data, "--responder", "scripted.py:answer")
    with subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(tmp_path), cwd=tmp_path
    ) as chatting:
        assert chatting.stdin is not None
        assert chatting.stdout is not None
        chatting.stdin.write(b"hello\n")
        chatting.stdin.flush()
        assert chatting.stdout.readline() == b"yes\n"
        done = run(
            tmp_path, "serve", "--data", data, "--port", "0", "--frontend", "http_api",
            "--responder", "scripted.py:answer",
        )  # fmt: skip
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(
            f"chatcore: The data directory {data} is in use by process {chatting.pid}:"
        )
        assert done.err.count("\n") == 1
        chatting.communicate(timeout=20)
    assert chatting.returncode == 0


def test_very_long_path_of_the_data_directory(tmp_path: Path) -> None:
    data = tmp_path / ("long" * 40) / "data"
    assert len(os.fsencode(data)) > 150
    with serving(tmp_path, data):
        assert run(tmp_path, "chat", "--data", data, typed="hello\n").out == "You said: hello\n"


def test_other_names_are_allowed_by_a_setting(tmp_path: Path, data: Path) -> None:
    with serving(tmp_path, data, "--name", "chat.example") as served:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
        for host, status in (("chat.example", 200), ("evil.example", 403)):
            connection.request("GET", "/api/health", headers={"Host": host})
            response = connection.getresponse()
            response.read()
            assert response.status == status
        connection.close()


def test_limits_reach_the_engine(tmp_path: Path, data: Path) -> None:
    with serving(tmp_path, data, "--limit-text-chars", "5"):
        done = run(tmp_path, "chat", "--data", data, typed="hello\nhello!\n")
        assert (done.code, done.out) == (1, "You said: hello\n")
        assert done.err == "Length of the text: 6 is more than the limit of 5.\n"
