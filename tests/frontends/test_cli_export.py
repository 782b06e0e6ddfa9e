"""`export`: whole files, the same with and without a server, and sentences where it can't be."""

import json
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import anyio
import pytest

from chatcore import Asked, Text, ToolCall, Upload, open_engine
from frontends.cli.main import main
from tests.frontends.commands import Finished, Terminal, command, environment, run, serving

Run = Callable[..., Finished]


async def answer(asked: Asked) -> AsyncGenerator[Text | ToolCall, None]:
    yield Text(f"You said: {asked.text} ({secrets.token_hex(4)})")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def chatcore(data: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command on that data directory, in this process."""

    def run(*arguments: str | Path) -> Finished:
        capfd.readouterr()
        code = main([*(str(argument) for argument in arguments), "--data", str(data)])
        return Finished(code, *capfd.readouterr())

    return run


async def fill(data: Path, attached: Path, count: int = 3) -> list[str]:
    """Conversations of a question with two answers, one liked and one not, with a file; gives their ids."""
    await anyio.Path(attached).write_bytes(b"0123456789")
    made = []
    async with open_engine(f"sqlite:{data}", responder=answer) as engine:
        for number in range(count):
            conversation = await engine.create(f"Number {number}")
            sent = await engine.send(conversation.id, f"What {number}?", [Upload("name.txt", attached)])
            await engine.wait_ended(sent.answer.id)
            again = await engine.regenerate(sent.answer.id)
            await engine.wait_ended(again.answer.id)
            await engine.rate(sent.answer.id, "dislike")
            await engine.rate(again.answer.id, "like", comment="good")
            made.append(conversation.id)
        await engine.archive(made[0])
        await engine.delete((await engine.create("gone")).id)
    return made


def records(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def left(folder: Path) -> list[str]:
    """All files below it, with what is hidden."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_everything_goes_to_standard_output(tmp_path: Path, data: Path, chatcore: Run) -> None:
    made = anyio.run(fill, data, tmp_path / "attached")
    done = chatcore("export")
    assert (done.code, done.err) == (0, "")
    found = records(done.out)
    assert [record["id"] for record in found] == made
    assert [record.get("archived", False) for record in found] == [True, False, False]
    assert [len(record["messages"]) for record in found] == [3, 3, 3]  # type: ignore[arg-type]


def test_the_same_through_a_server(tmp_path: Path, data: Path, chatcore: Run) -> None:
    made = anyio.run(fill, data, tmp_path / "attached")
    lines = [
        ("export",),
        ("export", "--format", "dpo"),
        ("export", "--format", "markdown", "--conversation", made[1], made[2]),
        ("export", "--format", "kto", "--rating", "like", "--since", "2026-01-01"),
        ("export", "--model", "nobody"),
        ("export", "--conversation", "nothing"),
        ("export", "--owner", "somebody else"),
    ]
    alone = [chatcore(*line) for line in lines]
    with serving(tmp_path, data):
        assert [chatcore(*line) for line in lines] == alone
        done = chatcore("export", "--out", tmp_path / "out.jsonl", "--files", tmp_path / "files")
        assert (done.code, done.err) == (0, "")
    assert [one.code for one in alone] == [0, 0, 0, 0, 0, 1, 0]
    assert [len(one.out.splitlines()) for one in alone[:2]] == [3, 3]
    assert [one.out for one in alone[4:]] == ["", "", ""]
    (copy,) = (tmp_path / "files").iterdir()
    assert copy.read_bytes() == b"0123456789"


def test_attachments_lie_beside_it_and_come_back(tmp_path: Path, data: Path, chatcore: Run) -> None:
    anyio.run(fill, data, tmp_path / "attached")
    out = tmp_path / "out"
    done = chatcore("export", "--out", f"{out}/", "--files", out / "files")
    assert (done.code, done.out) == (0, "Exported: 3 conversations, 3 lines, 3 files.\n")
    (copy,) = (out / "files").iterdir()
    assert copy.name.endswith("-name.txt")
    first = (out / "chatcore.jsonl").read_bytes()

    async def taken_in() -> None:
        async with open_engine(f"sqlite:{tmp_path / 'other'}") as engine:
            report = await engine.ingest(out / "chatcore.jsonl")
            assert (report.imported, report.attachments.imported) == (3, 3)
            again = await engine.ingest(out / "chatcore.jsonl")
            assert (again.unchanged, again.imported) == (3, 0)

    anyio.run(taken_in)
    again = tmp_path / "again"
    arguments = (
        "export",
        "--out",
        f"{again}/",
        "--files",
        str(again / "files"),
        "--data",
        str(tmp_path / "other"),
    )
    assert main(arguments) == 0
    assert records((again / "chatcore.jsonl").read_text()) == records(first.decode())
    assert left(again / "files") == left(out / "files")


def test_a_part_is_for_testing_and_no_conversation_is_in_both(
    tmp_path: Path, data: Path, chatcore: Run
) -> None:
    anyio.run(fill, data, tmp_path / "attached", 8)
    for name, share in (("a", "0.5"), ("b", "0.5"), ("c", "0.9")):
        assert chatcore("export", "--split", share, "--out", tmp_path / f"{name}.jsonl").code == 0

    def ids(name: str) -> set[object]:
        return {record["id"] for record in records((tmp_path / f"{name}.jsonl").read_text())}

    train, test = ids("a.train"), ids("a.test")
    assert (len(train) + len(test), train & test) == (8, set())
    assert (ids("b.train"), ids("b.test")) == (train, test)
    assert test <= ids("c.test")


def test_markdown_in_a_folder_is_a_file_for_each(tmp_path: Path, data: Path, chatcore: Run) -> None:
    anyio.run(fill, data, tmp_path / "attached")
    out = tmp_path / "notes"
    assert chatcore("export", "--format", "markdown", "--out", f"{out}/", "--files", out / "files").code == 0
    names = [path.name for path in out.glob("*.md")]
    assert sorted(name[11:19] for name in names) == ["Number 0", "Number 1", "Number 2"]
    written = next(out.glob("*Number 1*")).read_text()
    (link,) = [line for line in written.splitlines() if line.startswith("[name.txt](files/")]
    assert (out / link.partition("(")[2].rstrip(")")).read_bytes() == b"0123456789"
    refused = chatcore("export", "--format", "markdown", "--out", out)
    assert (refused.code, "is not empty" in refused.err) == (1, True)


# --- whole files


def test_what_is_there_stays_without_force(tmp_path: Path, data: Path, chatcore: Run) -> None:
    anyio.run(fill, data, tmp_path / "attached", 1)
    out = tmp_path / "out" / "mine.jsonl"
    out.parent.mkdir()
    out.write_text("precious")
    refused = chatcore("export", "--out", out)
    assert (refused.code, refused.out) == (1, "")
    assert "--force" in refused.err
    assert (out.read_text(), left(out.parent)) == ("precious", ["mine.jsonl"])
    assert chatcore("export", "--out", out, "--force").code == 0
    assert len(records(out.read_text())) == 1
    assert left(out.parent) == ["mine.jsonl"]


def test_a_file_that_comes_meanwhile_stays(tmp_path: Path) -> None:
    from chatcore.errors import StorageError
    from frontends.cli.outputs import WholeFile

    out = tmp_path / "mine.jsonl"
    with WholeFile.opened([out], replace=False) as (file,):
        file.write([b"new"])
        out.write_text("precious")
        with pytest.raises(StorageError, match="--force"):
            file.finish()
    assert (out.read_text(), left(tmp_path)) == ("precious", ["mine.jsonl"])


def test_what_fails_in_the_middle_leaves_nothing(tmp_path: Path, data: Path, chatcore: Run) -> None:
    (first, *_) = anyio.run(fill, data, tmp_path / "attached")
    out = tmp_path / "out"
    out.mkdir()
    done = chatcore("export", "--out", out / "x.jsonl", "--conversation", first, "nothing")
    assert (done.code, done.err) == (1, "chatcore: There is no such conversation.\n")
    assert left(out) == []


def test_a_file_whose_content_is_gone_is_told(tmp_path: Path, data: Path, chatcore: Run) -> None:
    anyio.run(fill, data, tmp_path / "attached", 1)
    for path in (data / "files").rglob("*"):
        if path.is_file():
            path.unlink()
    done = chatcore("export", "--out", tmp_path / "x.jsonl", "--files", tmp_path / "files")
    assert (done.code, "1 files" in done.err) == (1, True)
    assert len(records((tmp_path / "x.jsonl").read_text())) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--format", "docx"), 3, "can be written"),
        (("--split", "0.1"), 3, "--out names them"),
        (("--split", "1.5", "--out", "x"), 3, "between 0 and 1"),
        (("--since", "yesterday"), 3, "2026-01-31"),
        (("--rating", "meh"), 3, "like"),
        (("--format", "markdown", "--split", "0.1", "--out", "notes/"), 3, "training"),
        (("--out", "no/such/file"), 1, "no directory"),
        (("--out", "x.jsonl", "--files", "/tmp"), 3, "--files must be a folder in"),
    ],
)
def test_what_cant_be_is_told_in_a_sentence(
    tmp_path: Path,
    data: Path,
    chatcore: Run,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    anyio.run(fill, data, tmp_path / "attached", 1)
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    try:
        done = chatcore("export", *arguments)
    except SystemExit as exited:
        done = Finished(int(str(exited.code)), *capfd.readouterr())
    assert (done.code, done.out) == (code, "")
    assert words in done.err
    assert left(tmp_path / "cwd") == []


def test_nothing_is_no_error(tmp_path: Path, data: Path, chatcore: Run) -> None:
    anyio.run(fill, data, tmp_path / "attached", 1)
    done = chatcore("export", "--until", "2001-01-01", "--out", tmp_path / "x.jsonl")
    assert (done.code, done.out, done.err) == (0, "Exported: 0 conversations, 0 lines.\n", "")
    done = chatcore("export", "--split", "0.000001", "--format", "kto", "--out", tmp_path / "y.jsonl")
    assert (done.code, done.out) == (0, "Exported: 1 conversation, 2 lines.\n")
    assert (
        done.err == f"chatcore: {tmp_path / 'y.test.jsonl'} has no rows; most trainers refuse such a file.\n"
    )
    assert (tmp_path / "x.jsonl").read_bytes() == b""


# --- as a process of its own


def test_a_reader_that_goes_away_has_no_whole_export(tmp_path: Path, data: Path) -> None:
    anyio.run(fill, data, tmp_path / "attached", 1)
    process = subprocess.Popen(
        command("export", "--data", data),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        assert (process.wait(timeout=20), process.stderr.read()) == (1, b"")


def test_a_terminal_sees_how_far_it_is_and_nothing_harmful(tmp_path: Path, data: Path) -> None:
    async def hostile() -> None:
        async with open_engine(f"sqlite:{data}") as engine:
            await engine.post((await engine.create("x")).id, "\x1b]0;owned\x07 \x9b31m")

    anyio.run(hostile)
    with Terminal(tmp_path, "export", "--format", "markdown", "--data", str(data)) as terminal:
        shown = terminal.wait_for("owned")
        assert "\x1b]0" not in shown
    with Terminal(tmp_path, "export", "--data", str(data), "--out", str(tmp_path / "x.jsonl")) as terminal:
        assert "1 conversation, 1 line …" in terminal.wait_for("Exported: 1 conversation, 1 line.")
        assert terminal.ended() == 0


def test_a_signal_is_heard_where_no_row_is_written(tmp_path: Path, data: Path) -> None:
    anyio.run(fill, data, tmp_path / "attached", 1)
    out = tmp_path / "out"
    out.mkdir()
    code = (
        "import chatcore.formats.writers.training as t\n"
        "real = t.pairs\n"
        "def endless(paths):\n"
        "    (pair,) = real(paths)\n"
        "    print('begun', flush=True)\n"
        "    while True:\n"
        "        yield pair\n"
        "t.pairs, t._is_wanted = endless, lambda *given: False\n"
        "from frontends.cli.main import main\n"
        f"main(['export', '--format', 'dpo', '--data', {str(data)!r}, '--out', {str(out / 'x.jsonl')!r}])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(tmp_path)
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
    finally:
        process.kill()
    assert list(out.iterdir()) == []


def test_killed_it_leaves_no_half_file_under_the_name(tmp_path: Path, data: Path) -> None:
    anyio.run(fill, data, tmp_path / "attached", 1)
    out = tmp_path / "out"
    out.mkdir()
    code = (
        "import sys, frontends.cli.exporting as e\n"
        "real = e._write\n"
        "def slow(*given):\n"
        "    written = real(*given)\n"
        "    print('written', flush=True)\n"
        "    sys.stdin.read()\n"
        "    return written\n"
        "e._write = slow\n"
        "from frontends.cli.main import main\n"
        f"main(['export', '--data', {str(data)!r}, '--out', {str(out / 'x.jsonl')!r}])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(tmp_path)
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == b"written\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    assert not (out / "x.jsonl").exists()
    assert run(tmp_path, "export", "--data", data, "--out", out / "x.jsonl").code == 0
