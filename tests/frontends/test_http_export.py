"""Conversations as downloads, and whole for the owner."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from chatcore.filters import ExportFilter
from chatcore.views import Tree
from frontends.http_api.client import open_client
from tests.frontends.serving import Served, serving


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path) as served:
        yield served


async def filled(served: Served, user: str = "local") -> list[str]:
    """Two conversations with an answer each; the second's is liked."""
    made = []
    for title in ('Ä first/"one"', "Second"):
        conversation = await served.engine.create(title, user=user)
        sent = await served.engine.send(conversation.id, "What?", user=user)
        (await served.script.next_run()).end(f"{title} it is.")
        await served.engine.wait_ended(sent.answer.id, user=user)
        made.append(conversation.id)
        await served.engine.rate(sent.answer.id, "like" if title == "Second" else None, user=user)
    return made


async def test_a_conversation_is_saved_as_markdown(served: Served) -> None:
    first, _ = await filled(served)
    response = await served.http.get(f"/conversations/{first}/export")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/markdown; charset=utf-8"
    assert response.headers["x-content-type-options"] == "nosniff"
    disposition = response.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="')
    assert disposition.count('"') == 2
    assert "%C3%84%20first%20one" in disposition
    assert response.text.startswith('# Ä first/"one"\n')
    assert "first" in response.text


@pytest.mark.parametrize("name", ["chatcore", "openai", "sharegpt", "oasst", "sft"])
async def test_a_conversation_is_saved_in_other_formats(served: Served, name: str) -> None:
    _, second = await filled(served)
    response = await served.http.get(f"/conversations/{second}/export", params={"format": name})
    assert response.headers["content-type"] == "application/jsonl"
    (line,) = response.text.splitlines()
    assert "Second it is." in json.dumps(json.loads(line))
    assert f'Second {second[-12:]}.jsonl"' in response.headers["content-disposition"]


async def test_all_of_a_users_votes_are_saved(served: Served) -> None:
    await filled(served)
    await filled(served, "somebody else")
    response = await served.http.get("/export", params={"format": "kto"})
    (row,) = map(json.loads, response.text.splitlines())
    assert (row["completion"], row["label"]) == ([{"role": "assistant", "content": "Second it is."}], True)
    assert response.headers["content-disposition"].startswith('attachment; filename="kto.jsonl"')
    everything = await served.http.get("/export")
    assert len(everything.text.splitlines()) == 2
    liked = await served.http.get("/export", params={"rating": "like"})
    assert len(liked.text.splitlines()) == 1
    assert 'filename="chatcore-like.jsonl"' in liked.headers["content-disposition"]
    assert (await served.http.get("/export", params={"until": "2001-01-01T00:00:00Z"})).text == ""
    theirs = await served.http.get("/export", headers={"Test-User": "nobody"})
    assert (theirs.status_code, theirs.text) == (200, "")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/conversations/nothing/export", 404, "not_found"),
        ("/export?format=docx", 422, "invalid_input"),
        ("/export?rating=meh", 422, "invalid_input"),
        ("/export?since=yesterday", 422, "invalid_input"),
        ("/export?since=2026-01-01T00:00:00", 422, "invalid_input"),
        ("/export?reasoning=perhaps", 422, "invalid_input"),
    ],
)
async def test_what_cant_be_is_told(served: Served, path: str, status: int, code: str) -> None:
    response = await served.http.get(path)
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_another_users_conversation_is_not_found(served: Served) -> None:
    first, _ = await filled(served, "somebody else")
    assert (await served.http.get(f"/conversations/{first}/export")).status_code == 404


async def test_trees_are_the_owners_alone(served: Served) -> None:
    await filled(served)
    assert (await served.http.post("/owner/trees")).json()["code"] == "forbidden"
    batch = (await served.owner.post("/owner/trees")).json()
    assert [len(tree["nodes"]) for tree in batch["trees"]] == [2, 2]


async def test_the_client_gives_what_the_engine_gives(served: Served) -> None:
    first, second = await filled(served)

    async def gathered(trees: AsyncIterator[Tree]) -> list[bytes]:
        return [msgspec.json.encode(tree) async for tree in trees]

    async with open_client(served.socket_path) as client:
        liked = ExportFilter(rating="like")
        assert await gathered(client.trees()) == await gathered(served.engine.trees())
        assert await gathered(client.trees(only=liked)) == await gathered(served.engine.trees(only=liked))
        (tree,) = [tree async for tree in client.trees(conversation_ids=[second])]
        assert tree.conversation.id == second
        assert [tree async for tree in client.trees(user="somebody else")] == []
    assert first != second
