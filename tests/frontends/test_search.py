"""Searching by HTTP, by the client and by the command, whoever owns the data."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import msgspec
import pytest

from chatcore import Asked, Engine, InvalidInput, open_engine
from chatcore.arrivals import Ingest, IngestConversation, IngestMessage
from chatcore.commands import Reindexed
from chatcore.messages import Text
from chatcore.views import SearchPage
from frontends.chat import Chat
from frontends.cli.main import main
from frontends.http_api.client import open_client
from tests.frontends.commands import Finished, Terminal
from tests.frontends.commands import serving as served_by_command
from tests.frontends.serving import Served, serving

HOSTILE = "needle \x1b[2J and\nthread"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path, url=f"sqlite:{tmp_path / 'data'}") as served:
        yield served


async def answer(asked: Asked) -> AsyncIterator[str]:
    yield f"You said: {asked.text}"


async def fill(chat: Chat) -> str:
    """Two conversations with a needle each; gives the id of the second."""
    first = await chat.create("A needle's title")
    await chat.post(first.id, "one needle")
    second = await chat.create("Other")
    await chat.post(second.id, HOSTILE)
    return second.id


async def ingest_unindexed(engine: Engine, count: int) -> None:
    messages = tuple(
        IngestMessage(
            origin=number.to_bytes(8, "big"),
            parent=number - 1,
            role="user",
            parts=(Text(f"needle {number}"),),
            created_at_us=number,
        )
        for number in range(count)
    )
    whole = IngestConversation(
        origin=b"o" * 16,
        digest=b"d" * 16,
        title=None,
        messages=messages,
        head=count - 1,
        created_at_us=0,
        updated_at_us=0,
    )
    await engine._write(Ingest(user="local", conversations=(whole,), index=False))


# --- HTTP


async def test_what_is_found_by_http(served: Served) -> None:
    second = await fill(served.engine)
    response = await served.http.get("/search", params={"q": "needle ", "limit": 2})
    page = msgspec.json.decode(response.content, type=SearchPage)
    assert page == await served.engine.search("needle ", limit=2)
    assert [found.text for found in page.found] == ["needle \x1b[2J and thread", "A needle's title"]
    title = page.found[1]
    assert (title.message_id, title.marks) == (None, ((2, 8),))
    response = await served.http.get("/search", params={"q": "needle ", "after": page.next or ""})
    (last,) = msgspec.json.decode(response.content, type=SearchPage).found
    assert last.text == "one needle"
    response = await served.http.get(
        "/search", params={"q": "needle", "conversation": second, "order": "rank"}
    )
    assert [found["text"] for found in response.json()["found"]] == ["needle \x1b[2J and thread"]
    nothing: dict[str, object] = {"found": [], "next": None, "unindexed": 0, "first_words": {}}
    assert (await served.http.get("/search")).json() == nothing
    other = await served.http.get("/search", params={"q": "needle"}, headers={"Test-User": "bob"})
    assert other.json()["found"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"role": "king"},
        {"rating": "good"},
        {"since": "yesterday"},
        {"since": "2024-05-01T00:00:00"},
        {"order": "oldest"},
        {"after": "x"},
        {"limit": "0"},
        {"limit": "many"},
        {"archived": "perhaps"},
    ],
)
async def test_what_can_not_be_taken_is_told(served: Served, query: dict[str, str]) -> None:
    response = await served.http.get("/search", params={"q": "needle", **query})
    assert response.status_code == 422
    assert response.json()["code"] == "invalid_input"


async def test_any_string_is_a_query_by_http(served: Served) -> None:
    for query in ('"', "(", "a AND", "NEAR(", "%00", "%ED%A0%80", "天" * 500, "*" * 500):
        assert (await served.http.get(f"/search?q={query}")).status_code == 200


async def test_reindexing_is_for_the_owner(served: Served) -> None:
    await ingest_unindexed(served.engine, 3)
    assert (await served.engine.search("needle")).unindexed == 3
    assert (await served.http.post("/owner/reindex")).status_code == 403
    response = await served.owner.post("/owner/reindex", json={"max_messages": 2})
    assert msgspec.json.decode(response.content, type=Reindexed) == Reindexed(messages=2, left=1)
    assert (await served.owner.post("/owner/reindex", json={"anew": True})).json()["left"] == 0
    page = await served.engine.search("needle")
    assert (len(page.found), page.unindexed) == (3, 0)


# --- client


async def test_the_client_finds_the_same(served: Served) -> None:
    second = await fill(served.engine)
    async with open_client(served.socket_path) as client:
        now = datetime.now(UTC)
        for wanted in (
            {},
            {"role": "user", "conversation_id": second},
            {"since": now - timedelta(hours=1), "until": now + timedelta(hours=1)},
            {"since": now + timedelta(hours=1)},
            {"rating": "like"},
            {"model": "m"},
            {"archived": False, "order": "rank", "limit": 1},
        ):
            mine = await client.search("needle", **wanted)
            assert mine == await served.engine.search("needle", **wanted)
        with pytest.raises(InvalidInput):
            await client.search("needle", after="x")
        await ingest_unindexed(served.engine, 3)
        assert await client.reindex(max_messages=2) == Reindexed(messages=2, left=1)
        assert await client.reindex() == Reindexed(messages=1, left=0)


# --- the command


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with two conversations."""

    async def make() -> None:
        async with open_engine(f"sqlite:{tmp_path / 'data'}", responder=answer) as engine:
            await fill(engine)

    anyio.run(make)
    return tmp_path / "data"


def command(capfd: pytest.CaptureFixture[str], data: Path, *arguments: str) -> Finished:
    capfd.readouterr()
    code = main([*arguments, "--data", str(data)])
    return Finished(code, *capfd.readouterr())


@pytest.mark.parametrize("is_served", [False, True], ids=["alone", "served"])
def test_the_command_finds(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], is_served: bool
) -> None:
    if is_served:
        with served_by_command(tmp_path, data):
            _check_command(data, capfd)
    else:
        _check_command(data, capfd)


def _check_command(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    done = command(capfd, data, "search", "needle")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert [line[50:] if line[0] != " " else line for line in lines] == [
        "  Other",
        "    user: needle ␛[2J and thread",
        "  A needle's title",
        "  A needle's title",
        "    user: one needle",
    ]
    done = command(capfd, data, "search", "needle", "--json", "--limit", "1")
    (line,) = done.out.splitlines()
    assert json.loads(line)["type"] == "found"
    assert json.loads(line)["found"]["marks"] == [[0, 6]]
    assert command(capfd, data, "search", "need").out == "Nothing was found.\n"
    assert "one needle" in command(capfd, data, "search", "need*").out
    assert command(capfd, data, "search", "need", "--json").out == ""
    day = f"{datetime.now().astimezone():%Y-%m-%d}"
    assert len(command(capfd, data, "search", "needle", "--since", day).out.splitlines()) == 5
    assert command(capfd, data, "search", "needle", "--until", day).out == "Nothing was found.\n"
    assert command(capfd, data, "search", '"needle one"').out == "Nothing was found.\n"
    assert "one needle" not in command(capfd, data, "search", "needle", "-one").out
    assert "and thread" in command(capfd, data, "search", "-one", "-hello", "needle", "--role", "user").out
    assert command(capfd, data, "search", "-needle").code == 0
    assert command(capfd, data, "search", "--data", str(data), "--", "needle").out == "Nothing was found.\n"
    assert command(capfd, data, "search", "needle", "--model", "-x").out == "Nothing was found.\n"
    assert command(capfd, data, "search", "(", '"', "XOR").out == "Nothing was found.\n"
    done = command(capfd, data, "reindex", "--anew")
    assert (done.code, done.out, done.err) == (0, "Indexed: 2 messages.\n", "")
    done = command(capfd, data, "reindex")
    assert done.out == "Indexed: 0 messages.\n"
    assert len(command(capfd, data, "search", "needle", "--order", "rank").out.splitlines()) == 5


def test_a_date_that_is_none_is_told(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command(capfd, data, "search", "needle", "--since", "yesterday")
    assert ended.value.code == 3
    assert "must be a date such as" in capfd.readouterr().err


def test_what_has_no_title_is_called_by_its_first_words(
    data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def post() -> None:
        async with open_engine(f"sqlite:{data}", responder=answer) as engine:
            await engine.post((await engine.create()).id, "Where is\nthe haystack?")

    anyio.run(post)
    found = command(capfd, data, "search", "haystack").out.splitlines()
    assert found[0][50:] == "  Where is the haystack?"


def test_what_can_not_be_found_yet_is_told(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def add() -> None:
        async with open_engine(f"sqlite:{data}", responder=answer) as engine:
            await ingest_unindexed(engine, 3)

    anyio.run(add)
    done = command(capfd, data, "search", "needle", "--json")
    assert (done.code, len(done.out.splitlines())) == (0, 3)
    assert done.err == "chatcore: About 3 messages can't be found yet: chatcore reindex.\n"
    assert command(capfd, data, "reindex").out == "Indexed: 3 messages.\n"
    done = command(capfd, data, "search", "needle", "--json")
    assert (len(done.out.splitlines()), done.err) == (6, "")


def test_a_terminal_shows_it_in_bold(data: Path, tmp_path: Path) -> None:
    with Terminal(tmp_path, "search", "needle", "--limit", "2", "--data", str(data)) as terminal:
        terminal.wait_for("A \x1b[1mneedle\x1b[0m's title")
        assert terminal.ended() == 0
