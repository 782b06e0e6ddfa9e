"""`list`, `show`, `check`, `backup`, `purge`: right, and the same with and without a running server."""

import json
import os
import re
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import anyio
import pytest

from chatcore import Asked, ConversationChanged, MessageChanged, Upload, decode_event, open_engine
from frontends.cli.main import main
from tests.frontends.commands import Finished, run, serving

HOSTILE = "\x1b]0;owned\x07 \x1b[2J \x9b31m \u202e"


Run = Callable[..., Finished]


async def answer(asked: Asked) -> AsyncGenerator[str, None]:
    yield f"You said: {asked.text}"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def chatcore(data: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command on that data directory, in this process: a hundred times as fast as a new one."""

    def run(*arguments: str | Path) -> Finished:
        capfd.readouterr()
        given = [str(argument) for argument in arguments]
        code = main(given if "--data" in given else [*given, "--data", str(data)])
        return Finished(code, *capfd.readouterr())

    return run


async def fill(data: Path, attached: Path) -> dict[str, str]:
    """Conversations of all kinds, by the name of what is special about them."""
    await anyio.Path(attached).write_bytes(b"0123456789")
    async with open_engine(f"sqlite:{data}", responder=answer) as engine:
        made = {name: (await engine.create(name)).id for name in ("rated", "pinned", "archived", "deleted")}
        for conversation in made.values():
            sent = await engine.send(conversation, "What\nnow?", [Upload("name.txt", attached)])
            await engine.wait_ended(sent.answer.id)
            await engine.rate(sent.answer.id, "like", comment="good")
        hostile = await engine.create()
        await engine.post(hostile.id, HOSTILE)
        await engine.rename(hostile.id, HOSTILE)
        await engine.create()
        await engine.pin(made["pinned"])
        await engine.archive(made["archived"])
        await engine.delete(made["deleted"])
        return {**made, "hostile": hostile.id}


@contextmanager
def perhaps_served(home: Path, data: Path, served: bool) -> Iterator[None]:
    if served:
        with serving(home, data):
            yield
    else:
        yield


def commands(ids: dict[str, str]) -> list[tuple[str, ...]]:
    return [
        ("list",),
        ("list", "--json"),
        ("list", "--archived"),
        ("list", "--limit", "2"),
        ("show", ids["rated"]),
        ("show", ids["rated"], "--json"),
        ("show", ids["hostile"]),
        ("show", ids["hostile"], "--json"),
        ("show", ids["deleted"]),
        ("show", "nothing"),
        ("check",),
        ("purge", "--older-than", "1"),
    ]


def test_the_same_with_and_without_a_server(tmp_path: Path, data: Path, chatcore: Run) -> None:
    ids = anyio.run(fill, data, tmp_path / "attached")
    alone = {arguments: chatcore(*arguments) for arguments in commands(ids)}
    with serving(tmp_path, data):
        with_server = {arguments: chatcore(*arguments) for arguments in commands(ids)}
    assert alone == with_server
    failed = {arguments for arguments, done in alone.items() if done.code}
    assert failed == {("show", ids["deleted"]), ("show", "nothing")}
    for done in alone.values():
        assert done.code == 0 or (done.out, done.err) == ("", "chatcore: There is no such conversation.\n")
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.out)


async def untitle(data: Path, conversation: str) -> None:
    async with open_engine(f"sqlite:{data}") as engine:
        await engine.change(conversation, title=None)


def test_list(tmp_path: Path, data: Path, chatcore: Run) -> None:
    ids = anyio.run(fill, data, tmp_path / "attached")
    anyio.run(untitle, data, ids["rated"])
    lines = chatcore("list").out.splitlines()
    titles = [line[52:] for line in lines]
    assert sorted(titles) == sorted(["pinned (pinned)", "untitled", "␛]0;owned␇ ␛[2J �31m �", "What now?"])
    assert all(re.fullmatch(r"[0-9a-f]{32}  \d{4}-\d\d-\d\d \d\d:\d\d  .+", line) for line in lines)
    objects = [json.loads(line) for line in chatcore("list", "--json").out.splitlines()]
    assert [found["type"] for found in objects] == ["conversation"] * 4
    assert [found["conversation"]["id"] for found in objects] == [line[:32] for line in lines]
    assert " ".join(HOSTILE.split()) in {found["conversation"]["title"] for found in objects}
    archived = chatcore("list", "--archived").out.splitlines()
    assert [line[52:] for line in archived] == ["archived"]
    assert ids["archived"] == archived[0][:32]


def test_show(tmp_path: Path, data: Path, chatcore: Run) -> None:
    ids = anyio.run(fill, data, tmp_path / "attached")
    assert chatcore("show", ids["rated"]).out == (
        f"── rated ── {ids['rated']}\n"
        "\n> What\n  now?\n  [file: name.txt, 10 bytes]\n"
        "\nYou said: What\nnow?\n(liked)\n"
    )
    anyio.run(untitle, data, ids["rated"])
    assert chatcore("show", ids["rated"]).out.startswith("── What now? ── ")
    done = chatcore("show", ids["rated"], "--json")
    first, question, answered = (json.loads(line) for line in done.out.splitlines())
    assert first["conversation"]["id"] == ids["rated"]
    assert question["message"]["parts"][1]["attachment"]["name"] == "name.txt"
    assert (question["feedback"], question["siblings"]) == (None, [])
    assert answered["feedback"] == {"rating": "like", "comment": "good", "reasons": []}
    assert datetime.fromisoformat(answered["message"]["created_at"]).tzinfo is not None


@pytest.mark.parametrize("served", [False, True])
def test_show_a_long_conversation(tmp_path: Path, data: Path, chatcore: Run, served: bool) -> None:
    async def write() -> str:
        async with open_engine(f"sqlite:{data}") as engine:
            conversation = await engine.create("long")
            async with anyio.create_task_group() as tasks:  # at once: a few commits instead of hundreds
                for number in range(450):
                    tasks.start_soon(engine.post, conversation.id, f"number {number}")
        return conversation.id

    conversation_id = anyio.run(write)
    with perhaps_served(tmp_path, data, served):
        done = chatcore("show", conversation_id, "--json")
    messages = [json.loads(line)["message"] for line in done.out.splitlines()[1:]]
    assert [message["depth"] for message in messages] == list(range(450))
    assert [message["parent"] for message in messages] == [
        None,
        *(message["id"] for message in messages[:-1]),
    ]


def test_list_many(tmp_path: Path, data: Path, chatcore: Run) -> None:
    async def write() -> None:
        async with open_engine(f"sqlite:{data}") as engine, anyio.create_task_group() as tasks:
            for number in range(450):
                tasks.start_soon(engine.create, f"number {number}")

    anyio.run(write)
    all_of_them = chatcore("list").out.splitlines()
    assert len({line[:32] for line in all_of_them}) == 450
    assert chatcore("list", "--limit", "333").out.splitlines() == all_of_them[:333]


@pytest.mark.parametrize("served", [False, True])
def test_check_finds_damage(tmp_path: Path, data: Path, chatcore: Run, served: bool) -> None:
    ids = anyio.run(fill, data, tmp_path / "attached")
    [content] = [path for path in (data / "files").rglob("*") if path.is_file()]
    content.write_bytes(b"012345678")
    with perhaps_served(tmp_path, data, served):
        done = chatcore("check")
    assert (done.code, done.err) == (1, "")
    assert len(done.out.splitlines()) == 1
    assert content.name in done.out
    assert ids


def test_check_of_a_file_that_is_no_database(tmp_path: Path, data: Path) -> None:
    data.mkdir()
    (data / "chat.db").write_bytes(b"not a database at all" * 1000)
    done = run(tmp_path, "check", "--data", data)
    assert (done.code, done.err) == (1, "")
    assert len(done.out.splitlines()) == 1
    listed = run(tmp_path, "list", "--data", data)
    assert (listed.code, listed.out, listed.err) == (1, "", f"chatcore: {done.out}")


@pytest.mark.parametrize("served", [False, True])
def test_backup(tmp_path: Path, data: Path, chatcore: Run, served: bool) -> None:
    ids = anyio.run(fill, data, tmp_path / "attached")
    copy = tmp_path / "copy"
    with perhaps_served(tmp_path, data, served):
        done = chatcore("backup", copy)
        again = chatcore("backup", copy)
        nowhere = chatcore("backup", tmp_path / "no" / "copy")
        left = {path.name for path in data.iterdir()}
    assert (done.code, done.out, done.err) == (0, f"Backup written to {copy}.\n", "")
    assert again.code == nowhere.code == 1
    assert again.err == f"chatcore: {copy} is there already; a backup is written to a new directory.\n"
    assert nowhere.err == f"chatcore: There is no directory {tmp_path / 'no'}.\n"
    assert not {name for name in left if name.startswith("snapshot-")}
    assert {path.name for path in tmp_path.iterdir()} <= {
        "data",
        "copy",
        "attached",
        "scripted.py",
        "__pycache__",
    }
    for arguments in (("list",), ("show", ids["rated"], "--json"), ("check",)):
        of_copy = chatcore(*arguments, "--data", copy)
        assert of_copy.code == 0
        assert of_copy.out == chatcore(*arguments).out
    assert [path.read_bytes() for path in (copy / "files").rglob("*") if path.is_file()] == [b"0123456789"]


@pytest.mark.parametrize("served", [False, True])
def test_purge(tmp_path: Path, data: Path, chatcore: Run, served: bool) -> None:
    ids = anyio.run(fill, data, tmp_path / "attached")
    (tmp_path / "attached").write_bytes(b"of the deleted one only")

    async def attach() -> None:
        async with open_engine(f"sqlite:{data}") as engine:
            await engine.undelete(ids["deleted"])
            await engine.post(ids["deleted"], "", [tmp_path / "attached"])
            await engine.delete(ids["deleted"])

    anyio.run(attach)
    contents = [path for path in (data / "files").rglob("*") if path.is_file()]
    long_ago = 1_000_000_000
    for content in contents:
        os.utime(content, (long_ago, long_ago))
    (data / "snapshot-999999999-abcd").mkdir()  # of a process that is no more
    (data / f"snapshot-{os.getpid()}-abcd").mkdir()

    with perhaps_served(tmp_path, data, served):
        recent = chatcore("purge", "--older-than", "1")
        assert recent.out == "Removed: 0 conversations, 0 messages, 0 files.\n", recent
        assert not (data / "snapshot-999999999-abcd").exists()
        assert (data / f"snapshot-{os.getpid()}-abcd").exists()
        done = chatcore("purge")
        assert (done.code, done.err) == (0, "")
        assert done.out == "Removed: 1 conversation, 3 messages, 1 file.\n"
    assert len([path for path in (data / "files").rglob("*") if path.is_file()]) == 1
    assert chatcore("check").code == 0


@pytest.mark.parametrize("served", [False, True])
def test_purge_of_what_was_deleted_long_ago(
    tmp_path: Path, data: Path, chatcore: Run, capfd: pytest.CaptureFixture[str], served: bool
) -> None:
    anyio.run(fill, data, tmp_path / "attached")
    with perhaps_served(tmp_path, data, served):
        assert chatcore("purge", "--older-than", "36500").code == 0
        for days in ("36501", "999999", "1e300", "inf", "nan", "-1", "x", ""):
            with pytest.raises(SystemExit) as ended:
                chatcore("purge", "--older-than", days)
            assert ended.value.code == 3
            err = capfd.readouterr().err
            assert err.startswith(
                "chatcore: argument --older-than: must be a number of days, 0 to 36500, not "
            )
            assert len(err.splitlines()) == 1


@pytest.mark.parametrize("served", [False, True])
def test_backup_to_what_is_there(tmp_path: Path, data: Path, chatcore: Run, served: bool) -> None:
    anyio.run(fill, data, tmp_path / "attached")
    (tmp_path / "dangling").symlink_to("nowhere")
    with perhaps_served(tmp_path, data, served):
        for there in (Path("/"), data, tmp_path / "attached", tmp_path / "dangling"):
            done = chatcore("backup", there)
            sentence = f"{there} is there already; a backup is written to a new directory."
            assert (done.code, done.out, done.err) == (1, "", f"chatcore: {sentence}\n")


@pytest.mark.parametrize("served", [False, True])
@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("check",), "database and files are being checked"),
        (("backup", "copy"), "the copy is being written"),
        (("purge",), "what was deleted is being removed"),
    ],
)
def test_a_long_wait_is_explained_on_a_terminal(
    tmp_path: Path,
    data: Path,
    chatcore: Run,
    monkeypatch: pytest.MonkeyPatch,
    served: bool,
    arguments: tuple[str, ...],
    what: str,
) -> None:
    anyio.run(fill, data, tmp_path / "attached")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("frontends.cli.upkeep.LONG_SECONDS", 0.0)
    with perhaps_served(tmp_path, data, served):
        piped = chatcore(*arguments)
        assert (piped.code, piped.err) == (0, "")
        if arguments[0] == "backup":
            arguments = ("backup", "another")
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        shown = chatcore(*arguments)
    assert shown.code == 0
    told = f"waiting for the server: {what}" if served else what
    assert shown.err.startswith(f"\r\x1b[K{told} …")
    assert shown.err.endswith("\r\x1b[K")


def test_json_is_made_like_events(tmp_path: Path, data: Path, chatcore: Run) -> None:
    ids = anyio.run(fill, data, tmp_path / "attached")
    first, *lines = chatcore("show", ids["rated"], "--json").out.splitlines()
    head = {"conversation_id": ids["rated"], "seq": 1, "at": "2026-01-01T00:00:00Z"}
    changed = {**head, "type": "conversation_changed", "conversation": json.loads(first)["conversation"]}
    assert isinstance(decode_event(json.dumps(changed)), ConversationChanged)
    for line in lines:
        said = {**head, "type": "message_changed", "message": json.loads(line)["message"]}
        assert isinstance(decode_event(json.dumps(said)), MessageChanged)
