"""The chat in somebody's own page: how it is placed, served, and kept from harm."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import cast

import anyio
import gradio as gr
import httpx
import pytest
import uvicorn
from anyio import to_thread
from gradio_client import handle_file
from gradio_client.client import Job
from starlette.applications import Starlette

from chatcore import Engine, Limits, TextDelta, open_engine, text_of
from chatcore.asked import Asked
from chatcore.errors import DataDirectoryInUse, EngineClosed, InvalidInput
from chatcore.ports import Responder
from chatcore.testing import ScriptedResponder
from frontends.gradio_web import Chat, LaunchOptions, mount
from frontends.gradio_web.headers import CONTENT_SECURITY_POLICY
from frontends.http_api.client import open_client
from frontends.listeners import AddressTaken, open_tcp
from frontends.server import StartFailed
from frontends.site import local_user
from tests.frontends.embedding import mounted, own_page, served
from tests.frontends.serving import user_of
from tests.frontends.test_gradio_endpoints import connect, threaded
from tests.frontends.test_gradio_files import SECRET, call

Serving = Callable[[Chat, gr.Blocks], AbstractAsyncContextManager[str]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def at_root(chat: Chat, demo: gr.Blocks) -> AbstractAsyncContextManager[str]:
    return mounted(chat, demo, "/")


def below(chat: Chat, demo: gr.Blocks) -> AbstractAsyncContextManager[str]:
    return mounted(chat, demo, "/pages/chat")


WAYS = pytest.mark.parametrize("serving", [served, at_root, below])


def page(source: str | Engine = "memory:", **given: object) -> tuple[gr.Blocks, Chat]:
    with gr.Blocks() as demo:
        chat = Chat(source, **given)  # type: ignore[arg-type]  # each test gives what fits
    return demo, chat


# --- being placed -------------------------------------------------------------------------------------------


async def test_it_stands_in_a_page() -> None:
    with pytest.raises(InvalidInput, match=r"with gr\.Blocks"):
        Chat("memory:")


async def test_a_page_has_one() -> None:
    with gr.Blocks():
        Chat("memory:")
        with pytest.raises(InvalidInput, match="has a chat already"):
            Chat("memory:")


async def test_a_piece_is_placed_once() -> None:
    with gr.Blocks():
        chat = Chat("memory:", place=False)
        chat.sidebar()
        chat.history(height=300)
        chat.composer()
        for piece in (chat.sidebar, chat.history, chat.composer):
            with pytest.raises(InvalidInput, match="placed already"):
                piece()


async def test_what_is_no_responder_is_told_where_it_is_written() -> None:
    async def answer(asked: Asked) -> str:
        return "no generator"

    with gr.Blocks(), pytest.raises(InvalidInput, match="async def answer"):
        Chat("memory:", responder=answer)  # type: ignore[arg-type]  # what is wrong here


async def test_an_open_engine_has_its_responders() -> None:
    async with open_engine("memory:") as engine:
        with gr.Blocks(), pytest.raises(InvalidInput, match="already"):
            Chat(engine, limits=Limits())


async def test_the_engine_is_there_once_the_server_runs() -> None:
    demo, chat = page()
    with pytest.raises(EngineClosed, match="opens when the server starts"):
        _ = chat.engine
    async with served(chat, demo):
        assert chat.engine.owner


async def test_other_blocks_are_refused() -> None:
    _, chat = page()
    other = gr.Blocks()
    with pytest.raises(InvalidInput, match="does not stand in these blocks"):
        mount(Starlette(), other, chat)


# --- options ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"share": True}, "nothing leaves this machine"),
        ({"auth": ("a", "b")}, "user_of"),
        ({"ssl_keyfile": "k.pem"}, "reverse proxy"),
        ({"colour": "red"}, "has no option “colour”"),
        ({"server_name": "0.0.0.0"}, "insecure=True"),
        ({"allow": ["everything"]}, "no origin"),
    ],
)
async def test_an_option_that_cannot_be_had_is_a_sentence(options: LaunchOptions, told: str) -> None:
    demo, chat = page()
    with pytest.raises(InvalidInput, match=told):
        await chat.serve(demo, **options)


async def test_options_that_ask_for_nothing_are_let_pass() -> None:
    demo, chat = page()
    harmless = cast(LaunchOptions, {"share": False, "auth": None, "debug": True, "allow": ["https://x.org"]})
    with pytest.raises(InvalidInput, match="no option"):
        await chat.serve(demo, **cast(LaunchOptions, {**harmless, "colour": 1}))
    with pytest.raises(InvalidInput, match=r"await chat\.serve"):
        chat.launch(demo, **harmless)


async def test_a_path_begins_with_a_slash() -> None:
    demo, chat = page()
    with pytest.raises(InvalidInput, match="begins with a slash"):
        mount(Starlette(), demo, chat, path="chat")


# --- being served -------------------------------------------------------------------------------------------


@WAYS
async def test_the_engine_is_open_as_long_as_the_server_runs(serving: Serving, tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'data'}"
    script = ScriptedResponder()
    demo, chat = page(url, responder=script)
    async with serving(chat, demo) as address, httpx.AsyncClient(timeout=10) as http:
        assert (await http.get(f"{address}/api/health")).json()["title"] == "Chat"
        with pytest.raises(DataDirectoryInUse):
            async with open_engine(url):
                raise AssertionError("opened")
        made = await chat.engine.create()
        sent = await chat.engine.send(made.id, "And so on?")
        (await script.next_run()).say("And so ")
        async with chat.engine.subscribe(made.id) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    break
    async with open_engine(url) as engine:
        kept = await engine.message(sent.answer.id)
        assert (kept.status, text_of(kept.parts)) == ("interrupted", "And so ")


@WAYS
async def test_the_owner_of_the_data_reaches_it(serving: Serving, tmp_path: Path) -> None:
    """As ``chatcore list`` does beside ``chatcore serve``."""
    data = tmp_path / "data"
    demo, chat = page(f"sqlite:{data}", user_of=user_of)
    async with serving(chat, demo):
        assert (data / "chatcore.sock").lstat().st_mode & 0o777 == 0o600
        async with open_client(data / "chatcore.sock") as client:
            made = await client.create("By the owner", user="somebody")
            assert [one.id for one in (await chat.engine.conversations(user="somebody")).conversations] == [
                made.id
            ]
            assert await client.check() == []
    assert not (data / "chatcore.sock").exists()
    assert not (data / "server.url").exists()


async def test_two_pages_of_one_engine_have_one_socket(tmp_path: Path) -> None:
    socket = tmp_path / "data" / "chatcore.sock"
    async with open_engine(f"sqlite:{tmp_path / 'data'}") as engine:
        pages = [page(engine), page(engine)]
        async with (
            served(pages[0][1], pages[0][0]) as first,
            mounted(pages[1][1], pages[1][0], "/two") as second,
        ):
            assert (tmp_path / "data" / "server.url").read_text() == f"{first}\n"
            async with open_client(socket) as client, httpx.AsyncClient(timeout=10) as http:
                made = await client.create()
                assert (await http.get(f"{second}/api/conversations/{made.id}")).status_code == 200
        assert not socket.exists()


async def test_what_keeps_it_from_being_served_is_told_as_itself(tmp_path: Path) -> None:
    demo, chat = page(f"sqlite:{tmp_path / 'data'}")
    async with open_tcp("127.0.0.1", 0) as taken:
        with pytest.raises(AddressTaken):
            await chat.serve(demo, server_port=taken[0].getsockname()[1])


@WAYS
async def test_where_no_socket_can_be_made_the_page_is_served_all_the_same(
    serving: Serving, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    socket = tmp_path / "data" / "chatcore.sock"
    socket.mkdir(parents=True)
    demo, chat = page(f"sqlite:{tmp_path / 'data'}")
    async with serving(chat, demo) as address, httpx.AsyncClient(timeout=10) as http:
        assert (await http.get(f"{address}/api/conversations")).is_success
    assert [record.message for record in caplog.records if record.name == "chatcore.server"] == [
        f"commands can't reach this engine: {socket} is in the way: it is not a socket."
    ]


async def test_a_server_that_ends_before_it_has_begun_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def startup(server: uvicorn.Server, sockets: object = None) -> None:
        server.should_exit = True

    monkeypatch.setattr(uvicorn.Server, "startup", startup)
    demo, chat = page(f"sqlite:{tmp_path / 'data'}")
    with pytest.raises(StartFailed, match="before it had begun"), anyio.fail_after(5):
        await chat.serve(demo, server_port=0)


@WAYS
async def test_an_open_engine_stays_open(serving: Serving) -> None:
    async with open_engine("memory:", responder=ScriptedResponder()) as engine:
        demo, chat = page(engine)
        async with serving(chat, demo) as address, httpx.AsyncClient(timeout=10) as http:
            made = await engine.create("Made beside the page")
            listed = (await http.get(f"{address}/api/conversations")).json()["conversations"]
            assert [one["id"] for one in listed] == [made.id]
        assert (await engine.conversations()).conversations


async def test_a_responder_is_opened_with_the_engine() -> None:
    happened: list[str] = []

    @asynccontextmanager
    async def opening() -> AsyncIterator[Responder]:
        happened.append("opened")
        yield ScriptedResponder("late", can_continue=True)
        happened.append("closed")

    demo, chat = page(responder=opening())
    assert happened == []
    async with served(chat, demo) as address, httpx.AsyncClient(timeout=10) as http:
        config = (await http.get(f"{address}/config")).json()
        (settings,) = [
            component["props"]["props"]["settings"]
            for component in config["components"]
            if component["props"].get("elem_id") == "cc-script"
        ]
        assert (settings["model"], settings["can_continue"]) == ("late-1", ["late"])
        assert happened == ["opened"]
    assert happened == ["opened", "closed"]


async def test_their_routes_stay_theirs() -> None:
    for path in ("/", "/chat"):
        demo, chat = page()
        async with mounted(chat, demo, path) as address, httpx.AsyncClient(timeout=10) as http:
            root = address.removesuffix(path.rstrip("/"))
            assert (await http.get(f"{root}/hello")).json() == "Their own route."
            assert "<gradio-app" in (await http.get(f"{address}/")).text


async def test_whose_request_it_is() -> None:
    demo, chat = page(user_of=user_of, responder=ScriptedResponder())
    async with mounted(chat, demo, "/chat") as address, httpx.AsyncClient(timeout=10) as http:
        made = await chat.engine.create(user="somebody")
        found = await http.get(f"{address}/api/conversations/{made.id}")
        assert found.status_code == 404
        found = await http.get(f"{address}/api/conversations/{made.id}", headers={"Test-User": "somebody"})
        assert found.status_code == 200
    assert local_user is not user_of


async def test_it_can_be_served_again(tmp_path: Path) -> None:
    """As an app's own tests do, one after the other."""
    demo, chat = page(f"sqlite:{tmp_path / 'data'}")
    for number in range(2):
        async with served(chat, demo) as address, httpx.AsyncClient(timeout=10) as http:
            assert (await http.post(f"{address}/api/conversations", json={})).status_code == 201
            listed = (await http.get(f"{address}/api/conversations")).json()["conversations"]
            assert len(listed) == number + 1


# --- being kept from harm -----------------------------------------------------------------------------------


@WAYS
async def test_it_is_kept_from_harm(serving: Serving, tmp_path: Path) -> None:
    """As the server's own page is: each way of serving has these holes to itself."""
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    demo, chat = page(responder=ScriptedResponder())
    own_page(chat, demo)
    async with serving(chat, demo) as address, httpx.AsyncClient(base_url=address, timeout=10) as http:
        await no_client_reads_a_file_by_naming_it(http, secret)
        await other_sites_pages_are_refused(http)
        await every_answer_says_what_the_page_may_do(http, f"/{chat.assets.address}/page.js")


async def no_client_reads_a_file_by_naming_it(http: httpx.AsyncClient, secret: Path) -> None:
    """Neither by the chat's listeners nor by theirs."""
    file = {"path": str(secret), "orig_name": "x.txt", "meta": {"_type": "gradio.FileData"}}
    config = (await http.get("/config")).json()
    asked = 0
    for dependency in config["dependencies"]:
        if not dependency["backend_fn"]:
            continue
        data: list[object] = [{"text": "look", "files": [file]}, {"conversation": None, "key": "k"}]
        if len(dependency["inputs"]) == 1:
            data = [file]
        said = await call(http, dependency["id"], data[: len(dependency["inputs"])])
        assert '"success":false' in said.replace(" ", ""), said
        assert SECRET not in said
        asked += 1
    assert asked >= 5
    for where in (f"/gradio_api/file={secret}", f"/file={secret}"):
        answer = await http.get(where)
        assert answer.status_code >= 400
        assert SECRET not in answer.text


async def other_sites_pages_are_refused(http: httpx.AsyncClient) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await http.post("/api/conversations", json={}, headers=headers)).status_code == 403
        assert (await http.post("/gradio_api/queue/join", json={}, headers=headers)).status_code == 403
    assert (await http.get("/config", headers={"Origin": "null"})).status_code == 403
    handshake = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Origin": "http://evil.example",
    }
    assert (await http.get("/api/events?list=1", headers=handshake)).status_code == 403
    origin = f"{http.base_url.scheme}://{http.base_url.netloc.decode()}"
    own = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    assert (await http.post("/api/conversations", json={}, headers=own)).status_code == 201
    # somebody follows a link on another site
    assert (await http.get("/", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 200


async def every_answer_says_what_the_page_may_do(http: httpx.AsyncClient, script: str) -> None:
    for path in ("/", "/config", "/theme.css"):
        answer = await http.get(path)
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    for path in ("/", "/api/health", script):
        answer = await http.get(path)
        assert answer.status_code == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


# --- gradio_client ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("serving", [served, below])
async def test_gradio_client_drives_a_whole_conversation(serving: Serving, tmp_path: Path) -> None:
    script = ScriptedResponder()
    demo, chat = page(responder=script)
    own_page(chat, demo)
    notes = tmp_path / "notes.txt"
    notes.write_text("Remember the milk.")
    async with serving(chat, demo) as address:
        client = await connect(f"{address}/")
        message = {"text": "What is in it?", "files": [handle_file(str(notes))]}
        job = cast("Job", await threaded(client.submit, message, api_name="/chat"))
        run = await script.next_run()
        assert [file.name for file in run.asked.files] == ["notes.txt"]
        run.say("A thing ")
        while not any(text for text, _ in job.outputs()):
            await to_thread.run_sync(job.status)
        text, conversation = job.outputs()[-1]
        assert text == "A thing "
        run.end("to buy.")
        assert await threaded(job.result) == ("A thing to buy.", conversation)

        listed = await threaded(client.predict, api_name="/conversations")
        assert [one["id"] for one in listed["conversations"]] == [conversation]
        told = await threaded(client.predict, conversation, api_name="/messages")
        (file,) = [part["attachment"] for part in told["messages"][0]["parts"] if part["type"] == "file"]
        async with httpx.AsyncClient(base_url=str(httpx.URL(address).copy_with(path="/"))) as http:
            assert (await http.get(file["url"])).text == "Remember the milk."
        answer = told["messages"][1]["id"]
        given = await threaded(client.predict, answer, "dislike", "Too short.", api_name="/feedback")
        assert (given["rating"], given["comment"]) == ("dislike", "Too short.")
        (vote,) = (await chat.engine.page(conversation)).feedback
        assert (vote.message_id, vote.feedback.rating) == (answer, "dislike")
