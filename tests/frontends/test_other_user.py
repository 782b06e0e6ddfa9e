"""What belongs to somebody else is not found: by every route there is."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import anyio
import httpx
import msgspec
import pytest
from gradio_client import Client
from msgspec import Struct
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from frontends.http_api.bodies import IngestBatch
from frontends.http_api.routes import ROUTES
from tests.frontends.serving import Served, serving
from tests.frontends.serving_page import serving_page
from tests.frontends.test_gradio_endpoints import threaded
from tests.frontends.test_gradio_files import call

SECRET = "the wombat's secret"
MALLORY = {"Test-User": "mallory"}
TEXT = {"text": "I am Mallory."}
NOBODYS = "0" * 32


class Try(Struct, frozen=True):
    """How a stranger asks, and what is answered: with 200 it may hold nothing of anybody else's."""

    body: Mapping[str, object] | bytes | None = None
    query: str = ""
    status: int = 404


NOT_FOUND = Try()
SAYS = Try(TEXT)
FORBIDDEN = Try({}, status=403)

TRIES: Mapping[tuple[str, str], Try] = {
    ("GET", "/health"): Try(status=200),
    ("GET", "/conversations"): Try(status=200),
    ("POST", "/conversations"): Try({}, status=201),
    ("GET", "/conversations/{id}"): NOT_FOUND,
    ("PATCH", "/conversations/{id}"): Try({"title": "Mine"}),
    ("DELETE", "/conversations/{id}"): NOT_FOUND,
    ("POST", "/conversations/{id}/undelete"): NOT_FOUND,
    ("POST", "/conversations/{id}/head"): Try({"message_id": "{message}"}),
    ("POST", "/conversations/{id}/undo"): NOT_FOUND,
    ("POST", "/conversations/{id}/stop"): NOT_FOUND,
    ("GET", "/conversations/{id}/messages"): NOT_FOUND,
    ("POST", "/conversations/{id}/messages"): SAYS,
    ("POST", "/conversations/{id}/posts"): SAYS,
    ("GET", "/conversations/{id}/export"): NOT_FOUND,
    ("GET", "/messages/{id}"): NOT_FOUND,
    ("POST", "/messages/{id}/edit"): SAYS,
    ("POST", "/messages/{id}/regenerate"): NOT_FOUND,
    ("POST", "/messages/{id}/continue"): NOT_FOUND,
    ("PUT", "/messages/{id}/feedback"): Try({"rating": "like"}),
    ("DELETE", "/messages/{id}/feedback"): NOT_FOUND,
    ("GET", "/messages/{id}/files/{index}"): NOT_FOUND,
    ("GET", "/search"): Try(query="q=wombat", status=200),
    ("GET", "/export"): Try(query="format=chatcore", status=200),
    ("GET", "/statistics"): Try(status=200),
    ("POST", "/owner/check"): FORBIDDEN,
    ("POST", "/owner/backup"): FORBIDDEN,
    ("POST", "/owner/purge"): FORBIDDEN,
    ("POST", "/owner/collect"): FORBIDDEN,
    ("POST", "/owner/reindex"): FORBIDDEN,
    ("GET", "/owner/files/{id}/{index}"): FORBIDDEN,
    ("POST", "/owner/trees"): FORBIDDEN,
    ("POST", "/owner/ingest"): FORBIDDEN,
    ("POST", "/owner/ingest/files"): FORBIDDEN,
}
"""Every route of the API: one that is new fails the test until it says here what a stranger gets."""

OWNERS: Mapping[str, Try] = {
    "/owner/files/{message}/0": NOT_FOUND,
    "/owner/files/{message}/1": NOT_FOUND,
    "/owner/trees": Try({"conversation_ids": ["{conversation}"]}),
    "/owner/ingest": Try(msgspec.msgpack.encode(IngestBatch(conversations=())), status=200),
}
"""Those that the owner asks in a stranger's name."""


class Things(Struct, frozen=True):
    """Of somebody else."""

    conversation: str
    message: str
    answer: str

    def filled(self, text: str) -> str:
        named = {"conversation": self.conversation, "message": self.message, "answer": self.answer}
        for name, id_ in named.items():
            text = text.replace(f"{{{name}}}", id_)
        return text


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path, url=f"sqlite:{tmp_path / 'data'}") as served:
        yield served


async def somebodys(served: Served) -> Things:
    conversation = await served.engine.create(SECRET, key="a key")
    form = {"data": {"text": SECRET}, "files": {"file": (f"{SECRET}.txt", SECRET.encode())}}
    sent = await served.http.post(f"/conversations/{conversation.id}/messages", **form)  # type: ignore[arg-type]
    (await served.script.next_run()).end(SECRET)
    message, answer = sent.json()["question"]["id"], sent.json()["answer"]["id"]
    await served.engine.wait_ended(answer)
    await served.engine.rate(answer, "like", comment=SECRET)
    return Things(conversation.id, message, answer)


def assert_nothing_told(answer: httpx.Response, things: Things, asked: str) -> None:
    """Nothing but the id that was asked for."""
    assert SECRET not in answer.text, answer.text
    for id_ in (things.conversation, things.message, things.answer):
        assert id_ in asked or id_ not in answer.text, answer.text


async def ask(
    http: httpx.AsyncClient, method: str, path: str, given: Try, things: Things, headers: Mapping[str, str]
) -> None:
    """What is somebody else's is answered as what is nowhere is."""
    body = given.body if isinstance(given.body, bytes) else json.dumps(given.body).encode()
    answers: list[tuple[int, str]] = []
    for named in (things, Things(NOBODYS, NOBODYS, NOBODYS)):
        content = None if given.body is None else named.filled(body.decode("latin-1")).encode("latin-1")
        address = named.filled(path)
        answer = await http.request(
            method, address, content=content, params=given.query or None, headers=headers
        )
        assert answer.status_code == given.status, (method, path, answer.text)
        assert_nothing_told(answer, things, f"{address} {content!r}")
        told = answer.text
        for id_ in (things.conversation, things.message, things.answer):
            told = told.replace(id_, NOBODYS)
        answers.append((answer.status_code, told))
    if given.status == 404:
        assert answers[0] == answers[1]
        assert json.loads(answers[0][1])["code"] == "not_found", (method, path)


async def test_every_route_finds_nothing_of_somebody_else(served: Served) -> None:
    routes = [(method, path) for method, path, _ in ROUTES]
    assert set(routes) - set(TRIES) == set(), "say in TRIES what a stranger gets"
    things = await somebodys(served)
    before = await served.engine.conversation(things.conversation)
    for method, path in routes:
        for id_ in ("{message}", "{answer}") if "/messages/{" in path else ("{conversation}",):
            for index in ("0", "1"):
                address = path.replace("{id}", id_).replace("{index}", index)
                headers = {**MALLORY, "Idempotency-Key": "a key"} if path == "/conversations" else MALLORY
                await ask(served.http, method, address, TRIES[method, path], things, headers)
    assert await served.engine.conversation(things.conversation) == before
    page = await served.engine.page(things.conversation)
    assert len(page.messages) == 2
    assert [given.user for given in page.feedback] == ["local"]
    # the same routes do find them for whom they belong to
    assert SECRET in (await served.http.get(f"/conversations/{things.conversation}/messages")).text
    assert SECRET in (await served.http.get("/search", params={"q": "wombat"})).text


async def test_a_stranger_can_refer_to_nothing_of_somebody_else(served: Served) -> None:
    things = await somebodys(served)
    own = (await served.http.post("/conversations", json={}, headers=MALLORY)).json()["id"]
    said = await served.http.post(f"/conversations/{own}/posts", json=TEXT, headers=MALLORY)
    assert said.status_code == 201
    for path, body in (
        (f"/conversations/{own}/head", {"message_id": "{answer}"}),
        (f"/conversations/{own}/messages", {**TEXT, "parent": "{answer}"}),
        (f"/conversations/{own}/posts", {**TEXT, "parent": "{message}"}),
    ):
        await ask(served.http, "POST", path, Try(body), things, MALLORY)
    for query in (f"before={things.answer}", f"around={things.answer}"):
        await ask(served.http, "GET", f"/conversations/{own}/messages?{query}", NOT_FOUND, things, MALLORY)
    found = await served.http.get(
        "/search", params={"q": "wombat", "conversation": things.conversation}, headers=MALLORY
    )
    assert found.json()["found"] == []


async def test_the_owner_in_a_strangers_name_finds_nothing_either(served: Served) -> None:
    things = await somebodys(served)
    headers = {"Chatcore-User": "mallory"}
    for path, given in OWNERS.items():
        await ask(served.owner, "GET" if "files" in path else "POST", path, given, things, headers)
    everything = await served.owner.post("/owner/trees", json={}, headers=headers)
    assert everything.json() == {"trees": [], "next": None}
    await ask(served.owner, "GET", "/messages/{answer}", NOT_FOUND, things, headers)


async def test_no_event_of_somebody_else_comes(served: Served) -> None:
    things = await somebodys(served)
    for after in ("", "x.0", f"{served.engine.epoch}.0"):
        query = f"conversation={things.conversation}&list=1&after={after}"
        answer = await served.http.get(f"/events?{query}", headers=MALLORY)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert_nothing_told(answer, things, things.conversation)
    address = served.address.url.replace("http:", "ws:", 1)
    url = f"{address}/api/events?conversation={things.conversation}&list=1"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, additional_headers=MALLORY):
            pass
    assert refused.value.response.status_code == 404
    # of their own list comes what they do, and nothing of what others do
    seen = ""
    with anyio.fail_after(5):
        async with connect(f"{address}/api/events?list=1&after=", additional_headers=MALLORY) as own:
            await served.engine.rename(things.conversation, f"{SECRET} again")
            await served.engine.create("Mallory's", user="mallory")
            while "Mallory's" not in seen:
                seen += str(await own.recv())
    assert SECRET not in seen
    assert things.conversation not in seen


async def test_gradios_endpoints_find_nothing_of_somebody_else(tmp_path: Path) -> None:
    async with serving_page(tmp_path) as (url, engine, script):
        conversation = await engine.create(SECRET)
        sent = await engine.send(conversation.id, SECRET)
        (await script.next_run()).end(SECRET)
        await engine.wait_ended(sent.answer.id)
        client = await threaded(
            Client, url, verbose=False, analytics_enabled=False, headers=MALLORY, max_workers=2
        )
        calls: Mapping[str, tuple[object, ...]] = {
            "/chat": ("Hello", conversation.id),
            "/conversations": (),
            "/messages": (conversation.id,),
            "/feedback": (sent.answer.id, "like"),
        }
        named = (await threaded(client.view_api, return_format="dict"))["named_endpoints"]
        assert set(named) == set(calls), "say in `calls` how a stranger asks"
        for name, given in calls.items():
            if name == "/conversations":
                assert (await threaded(client.predict, api_name=name))["conversations"] == []
                continue
            with pytest.raises(Exception, match="There is no such") as refused:
                await threaded(client.predict, *given, api_name=name)
            assert SECRET not in str(refused.value)
        async with httpx.AsyncClient(base_url=url, headers=MALLORY) as http:
            config = (await http.get("/config")).json()
            for dependency in config["dependencies"]:
                if not dependency["backend_fn"] or dependency["api_name"] in {n.lstrip("/") for n in calls}:
                    continue
                # the composer's: what was written, and where it is to go
                target = {"conversation": conversation.id, "key": "k", "names": []}
                told = await call(http, dependency["id"], [{"text": "Hello", "files": []}, target])
                assert '"success":false' in told.replace(" ", ""), told
                assert SECRET not in told
        assert len((await engine.page(conversation.id)).messages) == 2
        assert (await engine.page(conversation.id)).feedback == ()
