"""The client of a running server: it can't be told from the engine."""

import inspect
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import httpx
import msgspec
import pytest

from chatcore import (
    ChatcoreError,
    Conversation,
    ConversationChanged,
    ConversationDeleted,
    Engine,
    Feedback,
    FileInput,
    Fold,
    HeadMoved,
    InvalidInput,
    LimitExceeded,
    Limits,
    MessageChanged,
    NotFound,
    Reset,
    Settings,
    TextDelta,
    Upload,
    errors,
    open_engine,
    text_of,
)
from chatcore.testing import ScriptedResponder
from frontends import http_api
from frontends.chat import Chat
from frontends.http_api.client import Client, ServerGone, open_client
from frontends.http_api.errors import error_of, status_of
from frontends.server import build_app
from frontends.site import Site
from tests.frontends.serving import Served, running, serving


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path, limits=Limits(file_bytes=300_000)) as served:
        yield served


@pytest.fixture
async def client(served: Served) -> AsyncIterator[Client]:
    with anyio.fail_after(20):
        async with open_client(served.socket_path, patience_seconds=0.5) as client:
            yield client


# --- the same as the engine ---------------------------------------------------------------------------------


def calls() -> list[str]:
    return [
        name for name, value in vars(Chat).items() if inspect.isfunction(value) and not name.startswith("_")
    ]


def test_engine_and_client_are_both_a_chat() -> None:
    def takes(chat: type[Chat]) -> None: ...

    takes(Engine)  # asserted by mypy
    takes(Client)
    assert len(calls()) > 20


@pytest.mark.parametrize("name", calls())
def test_a_call_has_one_signature(name: str) -> None:
    def parameters(owner: type) -> list[inspect.Parameter]:
        return list(inspect.signature(getattr(owner, name)).parameters.values())

    assert parameters(Client) == parameters(Engine) == parameters(Chat)


async def test_conversations(client: Client, served: Served) -> None:
    engine = served.engine
    made = await client.create("Title", Settings(system_prompt="Be brief."), key="once")
    assert made == await client.create("Title", Settings(system_prompt="Be brief."), key="once")
    assert await client.conversation(made.id) == await engine.conversation(made.id) == made
    assert (await client.rename(made.id, None)).title is None
    assert (await client.pin(made.id)).pinned
    assert not (await client.pin(made.id, False)).pinned
    assert (await client.configure(made.id, Settings())).settings == Settings()
    assert (await client.archive(made.id)).archived
    assert await client.conversations(archived=True) == await engine.conversations(archived=True)
    for _ in range(3):
        await client.create()
    page = await client.conversations(limit=2)
    assert page == await engine.conversations(limit=2)
    assert await client.conversations(after=page.next) == await engine.conversations(after=page.next)
    assert (await client.conversations(pinned=True)).conversations == ()
    assert (await client.delete(made.id)).deleted
    assert not (await client.undelete(made.id)).deleted


async def test_messages(client: Client, served: Served) -> None:
    made = await client.create()
    root = await client.post(made.id, "Be kind.", role="system", key="root")
    assert root == await client.post(made.id, "Be kind.", role="system", key="root")
    sent = await client.send(made.id, "Hello", parent=root.id, expected_head=root.id, key="schlüssel 1")
    assert (
        await client.send(made.id, "Hello", parent=root.id, expected_head=root.id, key="schlüssel 1")
    ).repeated
    (await served.script.next_run()).end("Hi")
    assert text_of((await client.wait_ended(sent.answer.id)).parts) == "Hi"
    again = await client.regenerate(sent.answer.id)
    (await served.script.next_run()).say("Hm")
    await client.stop(made.id)
    assert (await client.message(again.answer.id)).status == "stopped"
    more = await client.continue_answer(sent.answer.id)
    (await served.script.next_run()).end(" there")
    await client.wait_ended(more.answer.id)
    edited = await client.edit(sent.question.id, "Hallo")
    (await served.script.next_run()).end("Tag")
    await client.wait_ended(edited.answer.id)
    assert await client.page(made.id) == await served.engine.page(made.id)
    assert await client.page(made.id, around=root.id, limit=1) == await served.engine.page(
        made.id, around=root.id, limit=1
    )
    assert await client.page(made.id, before=edited.answer.id) == await served.engine.page(
        made.id, before=edited.answer.id
    )
    assert (await client.move_head(made.id, sent.question.id)).head == more.answer.id
    assert (await client.undo(made.id)).head == root.id
    new_root = await client.post(made.id, "Another beginning", parent=None)
    assert new_root.parent is None
    with pytest.raises(HeadMoved):
        await client.move_head(made.id, root.id, expected_head=None)


async def test_feedback(client: Client) -> None:
    message = await client.post((await client.create()).id, "Hello")
    given = await client.rate(message.id, "like", comment="Yes", reasons=["short", "kind"])
    assert given == Feedback(rating="like", comment="Yes", reasons=("short", "kind"))
    assert await client.rate(message.id, None) is None


async def test_files(client: Client, served: Served, tmp_path: Path) -> None:
    content = os.urandom(150_000)
    path = tmp_path / 'quo"te é.bin'
    path.write_bytes(content)

    async def pieces() -> AsyncIterator[bytes]:
        yield b"first, "
        yield b"second"

    made = await client.create()
    files: list[FileInput] = [path, str(path), Upload("shown.bin", path), Upload("piecewise.txt", pieces())]
    message = await client.post(made.id, "😀 See", files, parent=None)
    assert text_of(message.parts) == "😀 See"
    names = [path.name, path.name, "shown.bin", "piecewise.txt"]
    for index, name in enumerate(names, 1):
        attachment, where = await client.attachment(message.id, index)
        assert attachment.name == name
        assert (attachment, where) == await served.engine.attachment(message.id, index)
    assert await anyio.Path((await client.attachment(message.id, 2))[1]).read_bytes() == content
    assert await anyio.Path((await client.attachment(message.id, 4))[1]).read_bytes() == b"first, second"
    with pytest.raises(NotFound):
        await client.attachment(message.id, 0)

    sent = await client.send(made.id, "", [path])
    (await served.script.next_run()).end("Yes")
    await client.wait_ended(sent.answer.id)
    for given, expected in (None, 1), ((), 0), ([path, path], 2):
        edited = await client.edit(sent.question.id, "New", given)
        assert len(edited.question.parts) == 1 + expected
        (await served.script.next_run()).end("Yes")
        await client.wait_ended(edited.answer.id)


async def test_files_that_cannot_be_sent(client: Client, tmp_path: Path) -> None:
    made = await client.create()
    for missing in (tmp_path / "none", tmp_path):
        with pytest.raises(InvalidInput, match="can't be read"):
            await client.post(made.id, "See", [missing])
    large = tmp_path / "large"
    large.write_bytes(bytes(5_000_000))
    with pytest.raises(LimitExceeded) as caught:
        await client.post(made.id, "See", [large])
    assert caught.value.data["limit"] == 300_000
    with pytest.raises(LimitExceeded):
        await client.post(made.id, "See", [Upload(str(number), large) for number in range(11)])


async def test_upkeep(client: Client, served: Served, tmp_path: Path) -> None:
    assert await client.check() == []
    await client.delete((await client.create()).id)
    assert (await client.purge()).conversations == 1
    assert (await client.purge(older_than_seconds=3600, max_rows=5)).conversations == 0
    assert await client.collect_files(untouched_seconds=0) == 0
    assert (await client.health()).limits == served.engine.limits


async def test_a_backup_is_named_by_the_callers_own_folder(
    client: Client, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    async def backup(target: Path) -> None:
        asked.append(target)

    monkeypatch.setattr(served.engine, "backup", backup)
    monkeypatch.chdir(tmp_path)
    await client.backup(Path("here"))
    assert asked == [tmp_path / "here"]


async def test_a_backup_of_a_served_directory_opens(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, url=f"sqlite:{tmp_path / 'data'}") as served,
        open_client(served.socket_path) as client,
    ):
        made = await client.create("Kept")
        message = await client.post(made.id, "See", [__file__])
        assert await client.check() == []
        await client.backup(tmp_path / "copy")
    async with open_engine(f"sqlite:{tmp_path / 'copy'}") as engine:
        assert (await engine.message(message.id)).parts == message.parts
        assert await engine.check() == []


async def test_users(client: Client) -> None:
    hers = await client.create(user="ann")
    assert hers.owner == "ann"
    assert (await client.conversation(hers.id, user="ann")) == hers
    with pytest.raises(NotFound):
        await client.conversation(hers.id)
    with pytest.raises(NotFound):
        async with client.subscribe(hers.id):
            raise AssertionError("entered")
    async with client.subscribe(hers.id, user="ann") as events:
        assert isinstance(await anext(events), ConversationChanged)


@pytest.mark.parametrize("bad", ["", "x\r\nHost: y", " x", "\0", "\x7f"])
async def test_keys_and_users_that_no_header_holds(client: Client, bad: str) -> None:
    with pytest.raises(InvalidInput):
        await client.create(key=bad)
    with pytest.raises(InvalidInput):
        await client.create(user=bad)


@pytest.mark.parametrize("bad", ["", ".", "..", "a/b", "../../owner/check", "?x", "#", "%2e", "é", "\n"])
async def test_ids_that_are_none(client: Client, bad: str) -> None:
    for call in (client.conversation, client.message, client.delete, client.page, client.stop, client.undo):
        with pytest.raises(NotFound):
            await call(bad)
    with pytest.raises(NotFound):
        async with client.subscribe(bad):
            raise AssertionError("entered")


# --- errors -------------------------------------------------------------------------------------------------


def all_errors(kind: type[ChatcoreError] = ChatcoreError) -> Iterator[type[ChatcoreError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from all_errors(below)


@pytest.mark.parametrize("kind", list(all_errors()), ids=lambda kind: kind.code)
async def test_every_error_comes_back_as_itself(
    client: Client, served: Served, monkeypatch: pytest.MonkeyPatch, kind: type[ChatcoreError]
) -> None:
    raised = kind("A sentence “for” people.", limit=1, head="x", nothing=None, share=0.5, yes=True)

    async def fail(conversation_id: str, *, user: str) -> Conversation:
        raise raised

    monkeypatch.setattr(served.engine, "conversation", fail)
    with pytest.raises(ChatcoreError) as caught:
        await client.conversation("x")
    assert type(caught.value) is kind
    assert (caught.value.sentence, caught.value.data) == (raised.sentence, raised.data)
    assert status_of(raised) >= 400


def test_there_is_a_status_for_all_of_them() -> None:
    expected = {
        "error": 500,
        "not_found": 404,
        "invalid_input": 422,
        "unrecognised": 422,
        "limit_exceeded": 413,
        "refused": 422,
        "conflict": 409,
        "busy": 409,
        "head_moved": 409,
        "run_ended": 409,
        "idempotency_conflict": 409,
        "storage_error": 500,
        "storage_unavailable": 503,
        "storage_corrupt": 500,
        "schema_too_new": 500,
        "data_directory_in_use": 500,
        "responder_error": 502,
        "engine_closed": 503,
    }
    assert {kind.code: status_of(kind("x")) for kind in all_errors()} == expected


def test_errors_of_no_known_kind() -> None:
    assert type(error_of(500, b'{"code": "new", "sentence": "Hm."}')) is ChatcoreError
    assert "502" in str(error_of(502, b"<html>"))


# --- following ----------------------------------------------------------------------------------------------


async def test_following_is_that_of_the_engine(client: Client, served: Served) -> None:
    made = await client.create()
    sent = await client.send(made.id, "Hello")
    run = await served.script.next_run()
    fold = Fold()
    async with client.subscribe(made.id) as events:
        assert events.cursor.endswith(".0")
        run.say("a", " b", "\u2028", "😀")
        run.end(" c")
        async for event in events:
            fold.apply(event)
            assert events.cursor == f"{served.engine.epoch}.{event.seq}"
            if isinstance(event, MessageChanged) and event.message.ended_at:
                break
    assert text_of(fold.messages[sent.answer.id].parts) == "a b\u2028😀 c"
    async with client.subscribe(made.id, after=events.cursor) as later:
        assert later.cursor == events.cursor
        await client.rename(made.id, "New")
        event = await anext(later)
        while not isinstance(event, ConversationChanged) or event.conversation.title != "New":
            assert event.seq > fold.seq
            event = await anext(later)


async def test_following_a_foreign_place_begins_with_a_reset(client: Client) -> None:
    made = await client.create()
    async with client.subscribe(made.id, after="feed.7") as events:
        assert events.cursor == "feed.7"
        assert isinstance(await anext(events), Reset)
        assert isinstance(await anext(events), ConversationChanged)


async def test_following_ends_with_the_conversation(client: Client) -> None:
    made = await client.create()
    async with client.subscribe(made.id) as events:
        await client.delete(made.id)
        assert isinstance([event async for event in events][-1], ConversationDeleted)
        assert [event async for event in events] == []


async def test_a_wait_that_is_given_up_can_be_taken_up_again(client: Client, served: Served) -> None:
    made = await client.create()
    async with client.subscribe(made.id) as events:
        await anext(events)
        with anyio.move_on_after(0.01) as scope:
            await anext(events)
        assert scope.cancelled_caught
        await client.rename(made.id, "New")
        event = await anext(events)
        assert isinstance(event, ConversationChanged)
        assert event.conversation.title == "New"


async def test_waiting_for_an_answer_of_a_conversation_that_is_deleted(
    client: Client, served: Served
) -> None:
    made = await client.create()
    sent = await client.send(made.id, "Hello")
    await served.script.next_run()
    caught: list[ChatcoreError] = []

    async def wait() -> None:
        try:
            await client.wait_ended(sent.answer.id)
        except NotFound as error:
            caught.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        while served.engine._hub.conversations[made.id].readers == 0:
            await anyio.lowlevel.checkpoint()
        await client.delete(made.id)
    assert len(caught) <= 1  # its ending may come first


# --- a server that is gone ----------------------------------------------------------------------------------


async def test_no_server(tmp_path: Path) -> None:
    for path in (tmp_path / "chatcore.sock", tmp_path / "none" / "x", tmp_path / ("n" * 100) / ("o" * 100)):
        with pytest.raises(ServerGone, match=r"chatcore\.sock|none|nnn"):
            async with open_client(path):
                raise AssertionError("opened")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
        with pytest.raises(ServerGone, match="No server answers at"):
            async with open_client(tmp_path / "dead.sock"):
                raise AssertionError("opened")


async def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    """As one that was suspended: connections are taken by the kernel, and that is all."""
    path = tmp_path / "chatcore.sock"
    with socket.socket(socket.AF_UNIX) as silent, anyio.fail_after(5):
        silent.bind(str(path))
        silent.listen()
        with pytest.raises(ServerGone) as caught:
            async with open_client(path, answer_seconds=0.05):
                raise AssertionError("opened")
    assert caught.value.sentence == f"The server at {path} does not answer."
    assert inspect.signature(open_client).parameters["answer_seconds"].default == 10


async def test_what_takes_long_is_waited_for(client: Client, served: Served, tmp_path: Path) -> None:
    timeouts: dict[str, object] = {}

    async def note(request: httpx.Request) -> None:
        timeouts[request.url.path.removeprefix("/api/")] = request.extensions["timeout"]["read"]

    client._connection._http.event_hooks = {"request": [note], "response": []}
    attached = anyio.Path(tmp_path / "a.txt")
    await attached.write_bytes(b"content")
    made = await client.create()
    await client.post(made.id, "", [attached])
    await client.check()
    await client.purge()
    await client.collect_files()
    assert timeouts == {
        "conversations": 10,
        f"conversations/{made.id}/posts": 60,
        "owner/check": None,
        "owner/purge": None,
        "owner/collect": None,
    }


STRANGE_IDS = ["", ".", "..", "a/b", "../health", "a?b", "a#b", "%2e%2e", "a b", "ä", "\n", "a" * 200_000]


@pytest.mark.parametrize("id_", STRANGE_IDS, ids=lambda id_: repr(id_)[:12])
async def test_strange_ids_are_not_found(client: Client, served: Served, id_: str) -> None:
    for chat in (client, served.engine):
        for call in (chat.conversation, chat.message, chat.page, chat.delete, chat.undo, chat.stop):
            with pytest.raises(NotFound, match=r"There is no such (conversation|message)"):
                await call(id_)
        with pytest.raises(NotFound, match="There is no such message"):
            await chat.attachment(id_, 0)
        with pytest.raises(NotFound, match="There is no such conversation"):
            async with chat.subscribe(id_):
                raise AssertionError("entered")


async def test_strange_numbers_of_files_are_not_found(client: Client, served: Served) -> None:
    made = await client.create()
    message = await client.post(made.id, "Hello")
    for chat in (client, served.engine):
        for index in (-1, 0, 1, 10**30):
            with pytest.raises(NotFound, match="There is no such file"):
                await chat.attachment(message.id, index)


async def test_a_server_that_has_stopped(client: Client, served: Served) -> None:
    made = await client.create()
    async with client.subscribe(made.id) as events:
        await anext(events)
        served.site.close()
        await served.ended.wait()
        with pytest.raises(ServerGone):
            await client.create()
        with pytest.raises(ServerGone), anyio.fail_after(5):
            await anext(events)


@asynccontextmanager
async def server(engine: Engine, folder: Path) -> AsyncIterator[None]:
    site = Site(engine)
    async with running(build_app(site, {"http_api": http_api.mount}), site, folder):
        yield


async def test_following_goes_on_when_the_server_comes_back(tmp_path: Path) -> None:
    script = ScriptedResponder()
    async with open_engine("memory:", responder=script) as engine:
        made = await engine.create()
        sent = await engine.send(made.id, "Hello")
        run = await script.next_run()
        async with server(engine, tmp_path):
            client_context = open_client(tmp_path / "chatcore.sock")
            client = await client_context.__aenter__()
            following = client.subscribe(made.id)
            events = await following.__aenter__()
            run.say("before ")
            text = ""
            while text != "before ":
                event = await anext(events)
                text += event.text if isinstance(event, TextDelta) else ""
        run.say("while it was away ")
        async with server(engine, tmp_path):
            with anyio.fail_after(5):
                while text != "before while it was away ":
                    event = await anext(events)
                    assert not isinstance(event, Reset)
                    text += event.text if isinstance(event, TextDelta) else ""
                run.end("after")
                assert text_of((await client.wait_ended(sent.answer.id)).parts) == text + "after"
            await following.__aexit__(None, None, None)
            await client_context.__aexit__(None, None, None)


async def test_another_database_at_the_same_place_begins_with_a_reset(tmp_path: Path) -> None:
    async with open_engine("memory:") as first:
        made = await first.create("First")
        async with (
            server(first, tmp_path),
            open_client(tmp_path / "chatcore.sock") as client,
            client.subscribe(made.id) as events,
        ):
            await anext(events)
            cursor = events.cursor
        async with open_engine("memory:") as second, server(second, tmp_path):
            other = await second.create("Second")
            async with open_client(tmp_path / "chatcore.sock") as client:
                with pytest.raises(NotFound):
                    async with client.subscribe(made.id, after=cursor):
                        raise AssertionError("entered")
                async with client.subscribe(other.id, after=cursor) as events:
                    assert isinstance(await anext(events), Reset)


async def test_a_server_of_another_version(
    client: Client, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("frontends.http_api.calls._encode", lambda value: msgspec.json.encode({"new": 1}))
    with pytest.raises(ChatcoreError, match="another version"):
        await client.create()
