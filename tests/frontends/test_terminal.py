"""The terminal frontend as a person uses it, at a pseudo-terminal, and as scripts use it, by a pipe."""

import json
import os
import signal
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.frontends.commands import RESPONDER, Terminal, command, environment, let_go, run, serving, stop

GREETING = "Ctrl-D leaves."


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "scripted.py").write_text(RESPONDER)
    return tmp_path / "data"


@pytest.fixture
def alone(tmp_path: Path, data: Path) -> Iterator[Terminal]:
    """A terminal that owns the data itself."""
    with Terminal(tmp_path, "chat", "--data", data, "--responder", "scripted.py:answer") as terminal:
        terminal.wait_for(GREETING)
        yield terminal


def at_server(home: Path, data: Path, *arguments: str) -> Terminal:
    return Terminal(home, "chat", "--data", data, *arguments)


def newest(home: Path, data: Path) -> list[dict[str, object]]:
    """The messages of the newest conversation."""
    conversation = run(home, "list", "--limit", "1", "--data", data).out[:32]
    lines = run(home, "show", conversation, "--json", "--data", data).out.splitlines()
    return [json.loads(line)["message"] for line in lines[1:]]


def texts(messages: list[dict[str, object]]) -> list[object]:
    return [[part["text"] for part in message["parts"]] for message in messages]  # type: ignore[attr-defined]


# -- at a terminal --------------------------------------------------------------------------------------


def test_ask_and_leave(tmp_path: Path, data: Path, alone: Terminal) -> None:
    before = termios.tcgetattr(alone.child_side)
    alone.type("hellp\x7fo\r")
    assert "> hello" in alone.wait_for("You said: hello\r\n")
    alone.type("\x04")
    assert alone.ended() == 0
    after = termios.tcgetattr(alone.child_side)
    assert after[3] & termios.ECHO
    assert after[3] & termios.ICANON
    assert after != before  # it had been switched
    assert texts(newest(tmp_path, data)) == [["hello"], ["You said: hello"]]


def test_ctrl_c_stops_the_answer_and_keeps_its_text(tmp_path: Path, data: Path, alone: Terminal) -> None:
    alone.type("hold\r")
    alone.wait_for("begun ")
    alone.type("half a line")
    alone.wait_for("half a line")
    alone.type("\x03")
    alone.wait_for("(stopped)")
    alone.wait_for("> half a line")
    alone.type("\x15\x04")
    assert alone.ended() == 0
    answer = newest(tmp_path, data)[-1]
    assert (answer["status"], texts([answer])) == ("stopped", [["begun "]])


def test_ctrl_c_takes_back_what_was_typed(alone: Terminal) -> None:
    alone.type("half")
    alone.wait_for("> half")
    alone.type("\x03")
    alone.wait_for("\x1b[K> ")
    alone.type("\x03")
    alone.wait_for("Ctrl-D leaves.")
    alone.type("\x04")
    assert alone.ended() == 0


def test_a_question_waits_for_the_answer_before(tmp_path: Path, alone: Terminal) -> None:
    go = tmp_path / "go"
    os.mkfifo(go)
    alone.type(f"hold {go}\r")
    alone.wait_for("begun ")
    alone.type("next\r")
    alone.wait_for("(1 waiting) > ")
    alone.type("/list\r")  # what is said aside stands in rows of its own
    alone.wait_for("\x1b8\r\n\x1b[2m  1  ")
    let_go(go)
    shown = alone.wait_for("You said: next")
    assert shown.index("and ended") < shown.index("> next")


def test_commands(tmp_path: Path, alone: Terminal) -> None:
    (tmp_path / "note.txt").write_text("words")
    for line, shown in [
        ("/list", "There are no conversations yet."),
        ("/like", "There is no answer yet."),
        ("/nonsense", "There is no command /nonsense; /help lists them."),
        ("/file nowhere.txt", "nowhere.txt can't be read: No such file or directory."),
        ("/open", "Say which:"),
        ("/open 1", "There is no number 1 in the list"),
        ("/open 0123", "There is no number 0123 in the list"),
        ("/open nothing", "There is no such conversation."),
        ("/file note.txt", "note.txt (5 bytes) goes with the next message."),
        ("first", "You said: first [note.txt]"),
        ("/like well said", "(liked)"),
        ("/dislike", "(disliked)"),
        ("/unrate", "(vote taken back)"),
        ("/retry", "(another answer)"),
        ("//literal", "You said: /literal"),
        ("/new", "The next message begins a new conversation."),
        ("second", "You said: second"),
        ("/list", "  2  "),
        ("/open 2", "You said: /literal"),
        ("/help", "/continue"),
    ]:
        alone.type(f"{line}\r")
        alone.wait_for(shown)


def test_an_answer_that_fails_says_why_and_nothing_else(alone: Terminal) -> None:
    alone.type("raise\r")
    shown = alone.wait_for("(failed: ") + alone.wait_for("out of words)")
    assert "Traceback" not in shown
    alone.type("\x04")
    assert alone.ended() == 0


def test_pasted_lines_are_one_message(alone: Terminal) -> None:
    alone.type("\x1b[200~one\ntwo\x1b[201~")
    alone.wait_for("one↵two")
    alone.type("\r")
    alone.wait_for("You said: one\r\ntwo")


def test_what_is_said_elsewhere_appears_and_harms_nobody(tmp_path: Path, data: Path) -> None:
    with serving(tmp_path, data), at_server(tmp_path, data) as terminal:
        terminal.wait_for(GREETING)
        terminal.type("here\r")
        terminal.wait_for("You said: here")
        hostile = "there \x1b[2J\x1b]0;owned\x07 \x9b1m"
        done = run(tmp_path, "chat", "--data", data, typed=f"{hostile}\n")
        assert done.code == 0
        shown = terminal.wait_for("You said: there ␛[2J␛]0;owned␇ �1m")
        assert "> there ␛[2J" in shown
        assert "\x1b[2J" not in shown
        assert "\x1b]0;" not in shown


def test_joins_in_mid_answer_and_a_stop_from_elsewhere_is_seen(tmp_path: Path, data: Path) -> None:
    go = tmp_path / "go"
    os.mkfifo(go)
    with serving(tmp_path, data), at_server(tmp_path, data) as first:
        first.wait_for(GREETING)
        first.type("before\r")
        first.wait_for("You said: before")
        first.type(f"hold {go}\r")
        first.wait_for("begun ")
        with at_server(tmp_path, data) as second:
            shown = second.wait_for("begun ")
            assert "> before" in shown
            assert "You said: before" in shown
            let_go(go)
            for terminal in (first, second):
                terminal.wait_for("and ended")
            second.type("hold\r")
            first.wait_for("begun ")
            second.wait_for("begun ")
            first.type("\x03")
            second.wait_for("(stopped)")
            second.type("\x04")
            assert second.ended() == 0


def test_a_server_that_goes_and_comes_back(tmp_path: Path, data: Path) -> None:
    with serving(tmp_path, data) as served, at_server(tmp_path, data) as terminal:
        terminal.wait_for(GREETING)
        terminal.type("hold\r")
        terminal.wait_for("begun ")
        stop(served, signal.SIGKILL)
        with serving(tmp_path, data):
            terminal.wait_for("(interrupted: ")
            terminal.type("again\r")
            assert "begun " not in terminal.wait_for("You said: again")
            terminal.type("\x04")
            assert terminal.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_ended_by_a_signal(tmp_path: Path, data: Path, alone: Terminal, number: signal.Signals) -> None:
    alone.type("hold\r")
    alone.wait_for("begun ")
    alone.process.send_signal(number)
    assert alone.ended() == 128 + number
    assert termios.tcgetattr(alone.child_side)[3] & termios.ECHO
    answer = newest(tmp_path, data)[-1]
    assert (answer["status"], texts([answer])) == ("interrupted", [["begun "]])


def test_the_window_is_closed(tmp_path: Path, data: Path, alone: Terminal) -> None:
    alone.type("hold\r")
    alone.wait_for("begun ")
    alone.close_window()
    assert alone.ended() in {0, 128 + signal.SIGHUP}  # whichever is heard first
    answer = newest(tmp_path, data)[-1]
    assert (answer["status"], texts([answer])) == ("interrupted", [["begun "]])


def test_given_and_new_conversation(tmp_path: Path, data: Path) -> None:
    with serving(tmp_path, data):
        for text in ("one", "two"):
            run(tmp_path, "chat", "--new", "--data", data, typed=f"{text}\n")
        lines = run(tmp_path, "list", "--data", data).out.splitlines()
        oldest = lines[-1][:32]
        with at_server(tmp_path, data, "--conversation", oldest) as terminal:
            assert "You said: two" not in terminal.wait_for("You said: one")
        with at_server(tmp_path, data) as terminal:
            assert "You said: one" not in terminal.wait_for("You said: two")
        with at_server(tmp_path, data, "--conversation", "nothing") as terminal:
            terminal.wait_for("chatcore: There is no such conversation.")
            assert terminal.ended() == 1


# -- by a pipe ------------------------------------------------------------------------------------------


def test_each_line_is_a_message(tmp_path: Path, data: Path) -> None:
    lines = "one\n\ntwo\r\n//three\nwithout an end"
    done = run(tmp_path, "chat", "--data", data, "--responder", "scripted.py:answer", typed=lines)
    assert (done.code, done.err) == (0, "")
    said = [line.removeprefix("You said: ") for line in done.out.splitlines()]
    assert said == ["one", "two", "/three", "without an end"]
    assert len(newest(tmp_path, data)) == 8


def test_what_goes_wrong_is_told_and_the_rest_goes_on(tmp_path: Path, data: Path) -> None:
    lines = "raise\n/nonsense\nstill there\n"
    done = run(tmp_path, "chat", "--data", data, "--responder", "scripted.py:answer", typed=lines)
    assert (done.code, done.out) == (1, "so far \nYou said: still there\n")
    # the log before them has the trace of the person's own function
    first, second = done.err.splitlines()[-2:]
    assert first.startswith("failed: ")
    assert "out of words" in first
    assert second == "There is no command /nonsense; /help lists them."


def test_files_votes_and_bytes_that_are_no_text(tmp_path: Path, data: Path) -> None:
    (tmp_path / "note.txt").write_text("words")
    lines = b"/file note.txt\nlook \xff\n/like\n/retry\n/list\n"
    done = run(tmp_path, "chat", "--data", data, "--responder", "scripted.py:answer", typed=lines)
    assert done.code == 0, done
    first, *answers, listed = done.out.splitlines()
    assert first == "note.txt (5 bytes) goes with the next message."
    assert answers == ["You said: look � [note.txt]"] * 2
    assert listed.endswith("look �")


def test_input_from_a_file(tmp_path: Path, data: Path) -> None:
    (tmp_path / "questions").write_text("one\ntwo\n")
    with (tmp_path / "questions").open("rb") as questions:
        done = subprocess.run(
            command("chat", "--data", data, "--responder", "scripted.py:answer"),
            stdin=questions,
            capture_output=True,
            env=environment(tmp_path),
            cwd=tmp_path,
            timeout=20,
            check=True,
        )
    assert done.stdout == b"You said: one\nYou said: two\n"


@pytest.mark.parametrize("served", [False, True])
def test_ctrl_c_in_a_script_stops_the_answer(tmp_path: Path, data: Path, served: bool) -> None:
    server = serving(tmp_path, data) if served else None
    if server is not None:
        server.__enter__()
    try:
        line = command("chat", "--data", data, *([] if served else ["--responder", "scripted.py:answer"]))
        with subprocess.Popen(
            line,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(tmp_path),
            cwd=tmp_path,
        ) as chatting:
            assert chatting.stdin is not None
            assert chatting.stdout is not None
            chatting.stdin.write(b"hold\n")
            chatting.stdin.flush()
            assert os.read(chatting.stdout.fileno(), 100) == b"begun "
            chatting.send_signal(signal.SIGINT)
            _, err = chatting.communicate(timeout=20)
        assert (chatting.returncode, err) == (128 + signal.SIGINT, b"")
        answer = newest(tmp_path, data)[-1]
        assert (answer["status"], texts([answer])) == ("stopped", [["begun "]])
    finally:
        if server is not None:
            server.__exit__(None, None, None)
