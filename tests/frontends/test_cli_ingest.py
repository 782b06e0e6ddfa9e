"""`ingest`: right, the same with and without a running server, and honest about what it did."""

import gzip
import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from frontends.cli.main import main
from tests.frontends.commands import Finished, Terminal, command, environment, run, serving

Run = Callable[..., Finished]

LINES = "".join(
    json.dumps({"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": "a"}]})
    + "\n"
    for n in range(30)
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "lines.jsonl"
    path.write_text(LINES)
    return path


@pytest.fixture
def chatcore(data: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command on that data directory, in this process."""

    def run(*arguments: str | Path) -> Finished:
        capfd.readouterr()
        code = main([*map(str, arguments), "--data", str(data)])
        return Finished(code, *capfd.readouterr())

    return run


def listed(chatcore: Run) -> int:
    return len(chatcore("list").out.splitlines())


def test_files_are_taken_in_once(chatcore: Run, lines: Path) -> None:
    first = chatcore("ingest", lines)
    assert (first.code, first.err) == (0, "")
    assert first.out.splitlines()[1].split() == ["conversations", "30", "30", "0", "0", "0", "0"]
    assert first.out.splitlines()[2].split() == ["messages", "60", "60", "0", "0", "0", "0"]
    again = chatcore("ingest", lines)
    assert again.out.splitlines()[1].split() == ["conversations", "30", "0", "0", "30", "0", "0"]
    assert listed(chatcore) == 30


def test_a_dry_run_makes_nothing(chatcore: Run, lines: Path, data: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    dry = chatcore("ingest", lines, lines, "--dry-run", "--report", report)
    assert dry.code == 0
    assert dry.out.startswith("would be")
    assert not data.exists()
    told = json.loads(report.read_text())
    assert (told["dry_run"], told["read"], told["imported"], told["unchanged"]) == (True, 60, 30, 30)
    chatcore("ingest", lines)
    dry = chatcore("ingest", lines, "--dry-run")
    assert dry.out.splitlines()[1].split() == ["conversations", "30", "0", "0", "30", "0", "0"]


def test_a_report_that_cannot_be_written_hides_nothing(chatcore: Run, lines: Path, tmp_path: Path) -> None:
    done = chatcore("ingest", lines, "--report", "/dev/full")
    assert done.code == 1
    assert done.out.splitlines()[1].split() == ["conversations", "30", "30", "0", "0", "0", "0"]
    assert "chatcore: The report can't be written: /dev/full: No space left on device." in done.err
    lines.write_text(LINES + '{"messages": 7}\n')
    done = chatcore("ingest", lines, "--rejects", "/dev/full")
    assert done.code == 1
    assert done.out.splitlines()[1].split()[0] == "conversations"
    assert "rejects can't be written: No space left on device" in done.err


def test_what_was_put_right_or_came_twice_is_told_in_words(chatcore: Run, lines: Path) -> None:
    lines.write_bytes(
        LINES.encode() * 2 + LINES.splitlines()[0].replace("q0", "x\ud800").encode("utf-8", "replace")
    )
    lines.write_bytes(lines.read_bytes().replace(b"x?", b"x\xff"))
    done = chatcore("ingest", lines)
    assert done.code == 0
    assert "put right: 1 × bytes that are no UTF-8" in done.out
    assert "unchanged: 30 × the same as an earlier record" in done.out


def test_files_that_are_named_only_are_told_by_reason(chatcore: Run, lines: Path, tmp_path: Path) -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    lines.write_text(LINES + json.dumps({"messages": [{"role": "user", "content": [picture] * 3}]}))
    done = chatcore("ingest", lines, "--report", tmp_path / "report.json")
    assert (done.code, done.err) == (0, "")
    assert "named only: 3 × Only its address came along, and addresses are not followed." in done.out
    told = json.loads((tmp_path / "report.json").read_text())["missing_files"]
    assert len(told) == 3
    assert (told[0]["file"], told[0]["place"]) == ("lines.jsonl", "line 31")


def test_a_search_may_begin_with_a_dash_but_options_are_known_ones(
    chatcore: Run, lines: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    chatcore("ingest", lines)
    assert len(chatcore("search", "a", "-q3", "--limit", "100").out.splitlines()) == 60
    for wrong in (("--wrong",), ("--since", "-x")):
        with pytest.raises(SystemExit) as ended:
            chatcore("search", "a", *wrong)
        assert ended.value.code == 3
    assert "not '-x'" in capfd.readouterr().err


def test_what_is_given_to_options_of_a_search_may_begin_with_a_dash_too(
    chatcore: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for option, sentence in (("--config", "no settings file -x."), ("--log-level", "error, not '-x'.")):
        done = chatcore("search", option, "-x", "a")
        assert done.code == 3
        assert sentence in done.err


def test_what_fails_is_reported_and_rejected(chatcore: Run, tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl.gz"
    path.write_bytes(gzip.compress((LINES + '{"messages": 7}\n{"messages": [}\n').encode()))
    report, rejects = tmp_path / "report.json", tmp_path / "rejects.jsonl"
    done = chatcore("ingest", path, "--report", report, "--rejects", rejects)
    assert done.code == 1
    assert "odd.jsonl.gz, line 32" in done.err
    told = json.loads(report.read_text())
    for counts in (told, told["messages"], told["attachments"], told["feedback"]):
        parts = ("imported", "updated", "unchanged", "skipped", "failed")
        assert counts["read"] == sum(counts[part] for part in parts)
    assert told["read"] == 32
    assert len(told["failures"]) == told["failed"] == len(rejects.read_text().splitlines())
    assert {failure["file"] for failure in told["failures"]} == {"odd.jsonl.gz"}


def test_exit_codes(chatcore: Run, lines: Path, tmp_path: Path) -> None:
    strange = tmp_path / "strange.json"
    strange.write_text('[{"weather": "fine"}]')
    none = chatcore("ingest", strange)
    assert none.code == 2
    assert "weather" in none.err
    assert chatcore("ingest", strange, strange).code == 2
    both = chatcore("ingest", strange, lines)
    assert both.code == 1
    assert "weather" in both.err
    assert chatcore("ingest", lines).code == 0
    assert chatcore("ingest", tmp_path / "nothing").code == 3
    assert chatcore("ingest", lines, "--format", "nope").code == 3
    assert chatcore("ingest", lines, "--report", tmp_path / "no" / "where").code == 3
    assert chatcore("ingest", lines, "--rejects", tmp_path / "no" / "where").code == 3
    with pytest.raises(SystemExit) as caught:
        chatcore("ingest")
    assert caught.value.code == 3
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04")
    assert chatcore("ingest", tmp_path / "broken.zip").code == 1


@pytest.mark.parametrize("option", ["--report", "--rejects"])
def test_nothing_that_is_read_is_written_over(
    chatcore: Run, lines: Path, tmp_path: Path, option: str
) -> None:
    before = lines.read_bytes()
    for dry in ([], ["--dry-run"]):
        assert chatcore("ingest", lines, option, lines, *dry).code == 3
        assert chatcore("ingest", tmp_path, option, tmp_path / "new.json", *dry).code == 3
    same = tmp_path.parent / "same.json"
    assert chatcore("ingest", lines, "--report", same, "--rejects", same).code == 3
    assert chatcore("ingest", "").code == 3
    assert lines.read_bytes() == before


def test_options_are_heard(chatcore: Run, lines: Path) -> None:
    assert chatcore("ingest", lines, lines, "--limit", "40").out.splitlines()[1].split()[1:3] == ["40", "30"]
    chatcore("ingest", lines, "--limit", "2", "--source-name", "mine")
    assert listed(chatcore) == 32
    chatcore("ingest", lines, "--owner", "ann")
    assert listed(chatcore) == 32
    assert chatcore("ingest", lines, "--format", "chatgpt").code == 1


def test_a_running_server_takes_the_same(tmp_path: Path, data: Path, lines: Path) -> None:
    report = tmp_path / "report.json"
    with serving(tmp_path, data):
        dry = run(tmp_path, "ingest", lines, "--data", data, "--dry-run")
        assert dry.out.splitlines()[1].split()[1:3] == ["30", "30"]
        done = run(tmp_path, "ingest", "-", "--data", data, "--report", report, typed=LINES + "{[\n")
        assert done.code == 1
        assert "standard input, line 31" in done.err
        assert len(run(tmp_path, "list", "--data", data).out.splitlines()) == 30
        assert run(tmp_path, "ingest", lines, "--data", data).out.splitlines()[1].split()[4] == "30"
    assert json.loads(report.read_text())["imported"] == 30


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--no-index", "All before is stored. The same command goes on where this one stopped."),
        ("--dry-run", "This was a dry run, nothing was stored."),
    ],
)
def test_stopped_it_says_what_is_left(tmp_path: Path, data: Path, option: str, sentence: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    line = command("ingest", pipe, option, "--data", data)
    with subprocess.Popen(line, stderr=subprocess.PIPE, env=environment(tmp_path), cwd=tmp_path) as process:
        with pipe.open("w"):  # it reads
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=20)
        assert told.decode() == f"chatcore: Stopped. {sentence}\n"
        assert process.returncode == 128 + signal.SIGINT


def test_a_terminal_shows_how_far_it_is(tmp_path: Path, data: Path, lines: Path) -> None:
    with Terminal(tmp_path, "ingest", str(lines), "--data", str(data)) as terminal:
        shown = terminal.wait_for("messages/s")
        assert "lines.jsonl" in shown
        assert "━" in shown
        assert terminal.ended() == 0
