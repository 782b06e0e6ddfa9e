"""Every route: what it does, whose things it finds, and what it makes of nonsense."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import anyio
import httpx
import msgspec
import pytest

from chatcore import (
    Asked,
    Conversation,
    ConversationChanged,
    ConversationPage,
    Limits,
    ListChanged,
    Message,
    Page,
    Sent,
    TextDelta,
    decode_event,
    text_of,
)
from chatcore.testing import ScriptedResponder
from frontends.http_api.bodies import Health, ListPage
from frontends.http_api.routes import ROUTES
from tests.frontends.serving import Served, serving

Json = dict[str, object]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path, limits=Limits(text_chars=1000, open_runs_per_user=3)) as served:
        yield served


async def made(served: Served, title: str = "Ours") -> Conversation:
    response = await served.http.post("/conversations", json={"title": title})
    assert response.status_code == 201
    return msgspec.json.decode(response.content, type=Conversation)


async def asked(served: Served, conversation: Conversation, text: str = "Hello", answer: str = "Hi") -> Sent:
    """A question with its answer, which has ended."""
    response = await served.http.post(f"/conversations/{conversation.id}/messages", json={"text": text})
    assert response.status_code == 201, response.text
    sent = msgspec.json.decode(response.content, type=Sent)
    (await served.script.next_run()).end(answer)
    await served.engine.wait_ended(sent.answer.id)
    return sent


def error(response: httpx.Response, status: int, code: str) -> str:
    """The sentence of an error that is as it should be."""
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    assert set(body) == {"code", "sentence", "data"}
    assert response.headers["Content-Type"] == "application/json"
    assert re.fullmatch(r"[^\n]+[.:!]|.+", body["sentence"])
    assert "Traceback" not in response.text
    return str(body["sentence"])


# --- what each does -----------------------------------------------------------------------------------------


async def test_health_says_who_answers_and_what_is_too_much(served: Served) -> None:
    response = await served.http.get("/health")
    health = msgspec.json.decode(response.content, type=Health)
    assert (health.title, health.model) == ("Tests", "a script")
    assert [responder.name for responder in health.responders] == ["scripted"]
    assert health.limits == served.engine.limits
    assert health.epoch == served.engine.epoch
    assert response.headers["Cache-Control"] == "no-store"


async def test_conversations_are_made_listed_changed_and_deleted(served: Served) -> None:
    first, second = await made(served, "First"), await made(served, "Second")
    path = f"/conversations/{first.id}"
    changed = await served.http.patch(
        path, json={"title": "Anew", "pinned": True, "settings": {"system_prompt": "Be brief."}}
    )
    conversation = msgspec.json.decode(changed.content, type=Conversation)
    assert (conversation.title, conversation.pinned) == ("Anew", True)
    assert conversation.settings.system_prompt == "Be brief."
    assert msgspec.json.decode((await served.http.get(path)).content, type=Conversation) == conversation

    page = msgspec.json.decode(
        (await served.http.get("/conversations", params={"limit": 1})).content, type=ListPage
    )
    assert [entry.id for entry in page.conversations] == [second.id]
    assert page.cursor.endswith(f".{page.list_seq}")
    rest = await served.http.get("/conversations", params={"after": page.next or ""})
    assert [entry["id"] for entry in rest.json()["conversations"]] == [first.id]
    pinned = await served.http.get("/conversations", params={"pinned": "1"})
    assert [entry["id"] for entry in pinned.json()["conversations"]] == [first.id]

    assert (await served.http.patch(path, json={"archived": True})).json()["archived"] is True
    archived = await served.http.get("/conversations", params={"archived": "true"})
    assert [entry["id"] for entry in archived.json()["conversations"]] == [first.id]

    assert (await served.http.delete(path)).json()["deleted"] is True
    error(await served.http.get(path), 404, "not_found")
    assert (await served.http.post(f"{path}/undelete")).json()["deleted"] is False
    assert (await served.http.get(path)).status_code == 200


async def test_a_title_is_taken_away_by_null(served: Served) -> None:
    conversation = await made(served)
    changed = await served.http.patch(f"/conversations/{conversation.id}", json={"title": None})
    assert changed.json()["title"] is None


async def test_what_the_responder_calls_it_is_listed(tmp_path: Path) -> None:
    class Titler(ScriptedResponder):
        async def make_title(self, asked: Asked, answer: str) -> str:
            return f"About “{asked.text}”"

    async with serving(tmp_path, script=Titler()) as served, served.engine.subscribe_user() as events:
        conversation = msgspec.json.decode(
            (await served.http.post("/conversations", json={})).content, type=Conversation
        )
        await asked(served, conversation)
        async for event in events:
            if isinstance(event, ListChanged) and event.conversation.title is not None:
                break
        listed = msgspec.json.decode((await served.http.get("/conversations")).content, type=ListPage)
        assert [entry.title for entry in listed.conversations] == ["About “Hello”"]


async def test_a_question_is_answered_and_paged(served: Served) -> None:
    conversation = await made(served)
    sent = await asked(served, conversation)
    response = await served.http.get(f"/conversations/{conversation.id}/messages")
    page = msgspec.json.decode(response.content, type=Page)
    assert [text_of(message.parts) for message in page.messages] == ["Hello", "Hi"]
    assert not page.has_older
    newest = await served.http.get(f"/conversations/{conversation.id}/messages", params={"limit": 1})
    assert [message["id"] for message in newest.json()["messages"]] == [sent.answer.id]
    older = await served.http.get(
        f"/conversations/{conversation.id}/messages", params={"before": sent.answer.id}
    )
    assert [message["id"] for message in older.json()["messages"]] == [sent.question.id]
    one = await served.http.get(f"/messages/{sent.answer.id}")
    assert msgspec.json.decode(one.content, type=Message).status == "complete"


async def test_a_page_shows_a_running_answer_so_far_and_its_cursor_goes_on(served: Served) -> None:
    conversation = await made(served)
    sent = await served.engine.send(conversation.id, "Hello")
    run = await served.script.next_run()
    run.say("so ")
    async with served.engine.subscribe(conversation.id) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    page = msgspec.json.decode(
        (await served.http.get(f"/conversations/{conversation.id}/messages")).content, type=Page
    )
    assert text_of(page.messages[-1].parts) == "so "
    run.say("far")
    params = {"conversation": conversation.id, "after": page.cursor}
    async with served.http.stream("GET", "/events", params=params) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                delta = decode_event(line[6:])
                assert isinstance(delta, TextDelta)
                assert (delta.message_id, delta.start, delta.text) == (sent.answer.id, 3, "far")
                break


async def test_stop_keeps_what_was_said(served: Served) -> None:
    conversation = await made(served)
    sent = await served.engine.send(conversation.id, "Hello")
    (await served.script.next_run()).say("half an ans")
    async with served.engine.subscribe(conversation.id) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    assert (await served.http.post(f"/conversations/{conversation.id}/stop")).json() == {"done": True}
    message = (await served.http.get(f"/messages/{sent.answer.id}")).json()
    assert (message["status"], message["parts"]) == ("stopped", [{"type": "text", "text": "half an ans"}])


async def test_a_busy_conversation_follows_the_policy(served: Served) -> None:
    conversation = await made(served)
    path = f"/conversations/{conversation.id}/messages"
    await served.engine.send(conversation.id, "First")
    error(await served.http.post(path, json={"text": "Second"}), 409, "busy")
    queued = await served.http.post(path, json={"text": "Second", "policy": "queue"})
    assert queued.json()["answer"]["status"] == "queued"


async def test_messages_are_posted_below_any_other(served: Served) -> None:
    conversation = await made(served)
    path = f"/conversations/{conversation.id}/posts"
    root = (await served.http.post(path, json={"text": "Be kind.", "role": "system"})).json()
    assert (root["role"], root["parent"]) == ("system", None)
    child = (await served.http.post(path, json={"text": "Hello"})).json()
    assert child["parent"] == root["id"]
    sibling = (await served.http.post(path, json={"text": "Hullo", "parent": root["id"]})).json()
    other_root = (await served.http.post(path, json={"text": "Be rude.", "parent": None})).json()
    assert (sibling["parent"], other_root["parent"]) == (root["id"], None)
    moved = await served.http.post(f"/conversations/{conversation.id}/head", json={"message_id": child["id"]})
    assert moved.json()["head"] == child["id"]
    late = {"message_id": sibling["id"], "expected_head": sibling["id"]}
    error(await served.http.post(f"/conversations/{conversation.id}/head", json=late), 409, "head_moved")


async def test_answers_are_regenerated_continued_edited_and_undone(served: Served) -> None:
    conversation = await made(served)
    sent = await asked(served, conversation)
    for what, body in (("regenerate", None), ("continue", {}), ("regenerate", {"policy": "reject"})):
        response = await served.http.post(f"/messages/{sent.answer.id}/{what}", json=body)
        again = msgspec.json.decode(response.content, type=Sent)
        assert (response.status_code, again.question.id) == (201, sent.question.id)
        assert (again.answer.continues is not None) == (what == "continue")
        (await served.script.next_run()).end(" and more")
        await served.engine.wait_ended(again.answer.id)
    response = await served.http.post(f"/messages/{sent.question.id}/edit", json={"text": "Hallo"})
    edited = msgspec.json.decode(response.content, type=Sent)
    assert (edited.question.parent, text_of(edited.question.parts)) == (None, "Hallo")
    (await served.script.next_run()).end("Tag")
    await served.engine.wait_ended(edited.answer.id)
    assert (await served.http.post(f"/conversations/{conversation.id}/undo")).json()["head"] is None


async def test_feedback_is_given_and_taken_back(served: Served) -> None:
    sent = await asked(served, await made(served))
    path = f"/messages/{sent.answer.id}/feedback"
    given = {"rating": "dislike", "comment": "No.", "reasons": ["wrong"]}
    assert (await served.http.put(path, json=given)).json() == {"feedback": given}
    error(await served.http.put(path, json={"rating": "love"}), 422, "invalid_input")
    assert (await served.http.delete(path)).json() == {"feedback": None}
    page = await served.engine.page(sent.answer.conversation_id)
    assert page.feedback == ()
    assert (await served.http.put(path, json={"rating": None})).json() == {"feedback": None}


async def test_a_key_gives_the_first_result_again(served: Served) -> None:
    headers = {"Idempotency-Key": "once"}
    first = await served.http.post("/conversations", json={"title": "A"}, headers=headers)
    assert (
        await served.http.post("/conversations", json={"title": "A"}, headers=headers)
    ).json() == first.json()
    other = await served.http.post("/conversations", json={"title": "B"}, headers=headers)
    error(other, 409, "idempotency_conflict")
    path = f"/conversations/{first.json()['id']}/messages"
    for status in (201, 200):
        sent = await served.http.post(
            path, json={"text": "Hello"}, headers=[(b"Idempotency-Key", "schlüssel".encode())]
        )
        assert (sent.status_code, sent.json()["repeated"]) == (status, status == 200)
    for key in ("", "x" * 201):
        refused = await served.http.post("/conversations", headers={"Idempotency-Key": key})
        error(refused, 422, "invalid_input")
    broken = await served.http.post("/conversations", headers=[(b"Idempotency-Key", b"\xff")])
    error(broken, 422, "invalid_input")


async def test_a_refusal_of_the_responder_is_a_sentence(served: Served) -> None:
    served.script.refuses = "I can't see images."
    conversation = await made(served)
    response = await served.http.post(f"/conversations/{conversation.id}/messages", json={"text": "Look"})
    assert error(response, 422, "refused") == "I can't see images."


# --- the owner ----------------------------------------------------------------------------------------------

OWNERS: list[tuple[Literal["GET", "POST"], str, Json | None]] = [
    ("POST", "/owner/check", None),
    ("POST", "/owner/backup", {"path": "/tmp/never"}),
    ("POST", "/owner/purge", {}),
    ("POST", "/owner/collect", {"untouched_seconds": 0}),
    ("GET", "/owner/files/x/0", None),
    ("POST", "/owner/reindex", {}),
    ("POST", "/owner/trees", {}),
    ("POST", "/owner/ingest", {}),
    ("POST", "/owner/ingest/files", {}),
]


async def test_the_owners_routes_are_for_the_socket_alone(served: Served) -> None:
    assert {path.split("/")[2] for _, path, _ in OWNERS} == {
        path.split("/")[2] for _, path, _ in ROUTES if path.startswith("/owner/")
    }
    for method, path, body in OWNERS:
        error(await served.http.request(method, path, json=body), 403, "forbidden")


async def test_the_owner_checks_purges_and_collects(served: Served) -> None:
    conversation = await made(served)
    await served.engine.delete(conversation.id)
    assert (await served.owner.post("/owner/check")).json() == {"problems": []}
    assert (await served.owner.post("/owner/purge")).json()["conversations"] == 1
    assert (await served.owner.post("/owner/collect")).json() == {"files": 0}


@pytest.mark.parametrize("path", ["here", "", "/", "//", "/.", "/tmp/nul\0", "/tmp/nul\0/copy"])
async def test_a_backup_goes_to_a_new_folder(served: Served, path: str) -> None:
    sentence = error(await served.owner.post("/owner/backup", json={"path": path}), 422, "invalid_input")
    assert sentence == "The path of a backup is absolute, and that of a folder which is not there yet."


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("purge", '{"older_than_seconds": 86313513600}'),
        ("purge", '{"older_than_seconds": 1e300}'),
        ("purge", '{"older_than_seconds": -1}'),
        ("purge", '{"max_rows": 0}'),
        ("purge", '{"max_rows": 9223372036854775808}'),
        ("collect", '{"untouched_seconds": 1e300}'),
        ("collect", '{"untouched_seconds": -1}'),
    ],
)
async def test_an_age_is_of_this_age(served: Served, route: str, body: str) -> None:
    error(await served.owner.post(f"/owner/{route}", content=body), 422, "invalid_input")


async def test_only_the_owner_may_say_who_it_is(served: Served) -> None:
    headers = {"Chatcore-User": "ann"}
    hers = (await served.owner.post("/conversations", headers=headers)).json()
    assert hers["owner"] == "ann"
    assert (await served.http.post("/conversations", headers=headers)).json()["owner"] == "local"
    error(await served.http.get(f"/conversations/{hers['id']}", headers=headers), 404, "not_found")


# --- whose things -------------------------------------------------------------------------------------------

BODIES: dict[tuple[str, str], Json] = {
    ("PATCH", "/conversations/{id}"): {"title": "Stolen"},
    ("POST", "/conversations/{id}/head"): {"message_id": "{message}"},
    ("POST", "/conversations/{id}/messages"): {"text": "Hello"},
    ("POST", "/conversations/{id}/posts"): {"text": "Hello"},
    ("POST", "/messages/{id}/edit"): {"text": "Other words"},
    ("PUT", "/messages/{id}/feedback"): {"rating": "like"},
}


async def test_nothing_of_another_user_is_found_on_any_route(served: Served) -> None:
    """Walks the table, so that a new route can't be forgotten."""
    conversation = await made(served)
    sent = await asked(served, conversation)
    with_file = await served.http.post(
        f"/conversations/{conversation.id}/posts", data={"text": "See"}, files={"file": ("a.txt", b"content")}
    )
    before = await served.engine.page(conversation.id)
    walked = 0
    for method, path, _ in ROUTES:
        if "{id}" not in path:
            continue
        if "{index}" in path:
            ids = [with_file.json()["id"]]
        elif path.startswith("/conversations"):
            ids = [conversation.id]
        else:
            ids = [sent.question.id, sent.answer.id]
        for id_ in ids:
            body = BODIES.get((method, path))
            if body and "message_id" in body:
                body = {"message_id": sent.answer.id}
            url = path.replace("{id}", id_).replace("{index}", "1")
            client = served.owner if path.startswith("/owner/") else served.http
            response = await client.request(method, url, json=body, headers={"Test-User": "eve"})
            error(response, 404, "not_found")
            walked += 1
    assert walked == 25
    theirs = (await served.http.get("/conversations", headers={"Test-User": "eve"})).json()
    assert theirs["conversations"] == []
    for headers in ({"Test-User": "eve"}, {"Test-User": "eve", "Last-Event-ID": before.cursor}):
        stream = await served.http.get("/events", params={"conversation": conversation.id}, headers=headers)
        error(stream, 404, "not_found")
    assert await served.engine.page(conversation.id) == before


async def test_another_users_message_is_no_parent_and_no_head(served: Served) -> None:
    theirs = await served.engine.create(user="eve")
    message = await served.engine.post(theirs.id, "Mine", user="eve")
    ours = await made(served)
    path = f"/conversations/{ours.id}"
    posted = await served.http.post(f"{path}/posts", json={"text": "Below yours", "parent": message.id})
    error(posted, 404, "not_found")
    error(await served.http.post(f"{path}/head", json={"message_id": message.id}), 404, "not_found")
    error(await served.http.get(f"{path}/messages", params={"around": message.id}), 404, "not_found")
    error(await served.http.get(f"{path}/messages", params={"before": message.id}), 404, "not_found")


# --- nonsense -----------------------------------------------------------------------------------------------

BAD_IDS = ["0", "x", "-", "%00", "ä", "a" * 300, "0" * 32, "g" * 32, "1;drop", "%2e%2e%2f", "null", "😀"]


@pytest.mark.parametrize("bad", BAD_IDS)
async def test_ids_that_are_none_are_not_found(served: Served, bad: str) -> None:
    for method, path, _ in ROUTES:
        if "{id}" in path and not path.startswith("/owner/"):
            url = path.replace("{id}", bad).replace("{index}", "0")
            body = BODIES.get((method, path))
            response = await served.http.request(method, url, json=body)
            error(response, 404, "not_found")
    assert (await served.http.get("/events", params={"conversation": bad})).status_code == 404


BAD_BODIES: list[tuple[bytes, int, str]] = [
    (b"{", 400, "malformed"),
    (b"\xff\xfe", 400, "malformed"),
    (b'{"text": "\\ud800"}', 400, "malformed"),
    (b'"text"', 422, "invalid_input"),
    (b"[]", 422, "invalid_input"),
    (b"null", 422, "invalid_input"),
    (b"{}", 422, "invalid_input"),
    (b"", 422, "invalid_input"),
    (b'{"text": 1}', 422, "invalid_input"),
    (b'{"text": null}', 422, "invalid_input"),
    (b'{"text": "a", "txet": "b"}', 422, "invalid_input"),
    (b'{"text": "a", "policy": "maybe"}', 422, "invalid_input"),
    (b'{"text": "a", "parent": 5}', 422, "invalid_input"),
    (b'{"text": ""}', 422, "invalid_input"),
    (b'{"text": "  \\n "}', 422, "invalid_input"),
    (b'{"text": ' + b"[" * 50_000, 422, "invalid_input"),
    (b'{"text": "' + b"x" * 1001 + b'"}', 413, "limit_exceeded"),
    (b'{"text": "' + b"x" * 100_000 + b'"}', 413, "limit_exceeded"),
]


@pytest.mark.parametrize(("body", "status", "code"), BAD_BODIES, ids=lambda value: repr(value)[:30])
async def test_bodies_that_are_none_are_refused(served: Served, body: bytes, status: int, code: str) -> None:
    conversation = await made(served)
    path = f"/conversations/{conversation.id}/messages"
    error(await served.http.post(path, content=body), status, code)
    assert (await served.engine.page(conversation.id)).messages == ()
    # and the connection can be used again
    assert (await served.http.get("/health")).status_code == 200


async def test_a_body_without_an_end_is_refused_while_it_comes(served: Served) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(2000):
            sent += 65536
            yield b" " * 65536

    response = await served.http.post("/conversations", content=endless())
    error(response, 413, "limit_exceeded")


async def test_a_body_is_as_long_as_what_its_route_takes(tmp_path: Path) -> None:
    """Not only where a text is taken: what has no use for one is refused long before."""
    async with serving(tmp_path) as served:
        sent = await asked(served, await made(served))
        vote = b'{"rating": "like"' + b" " * 200_000 + b"}"
        error(
            await served.http.put(f"/messages/{sent.answer.id}/feedback", content=vote), 413, "limit_exceeded"
        )
        settings = {"parameters": {f"k{number}": "x" * 1000 for number in range(2200)}}
        error(await served.http.post("/conversations", json={"settings": settings}), 413, "limit_exceeded")
        path = f"/conversations/{sent.answer.conversation_id}"
        error(await served.http.patch(path, json={"settings": settings}), 413, "limit_exceeded")
        # the longest text there may be, written at its longest: 12 bytes for a code point
        text = ("\\uD83D\\uDE00" * served.engine.limits.text_chars).encode()
        posted = await served.http.post(f"{path}/posts", content=b'{"text": "' + text + b'"}')
        assert posted.status_code == 201


@pytest.mark.parametrize(("count", "status"), [(50, 200), (51, 413), (40_000, 413)])
async def test_the_reasons_of_a_vote_are_few(served: Served, count: int, status: int) -> None:
    sent = await asked(served, await made(served))
    vote = {"rating": "like", "reasons": [""] * count}
    response = await served.http.put(f"/messages/{sent.answer.id}/feedback", json=vote)
    assert response.status_code == status
    if status == 413:
        assert response.json()["data"] == {"limit": 50, "given": count}
        assert (await served.engine.page(sent.answer.conversation_id)).feedback == ()


@pytest.mark.parametrize("index", ["9" * 5000, "9" * 19, "-1", "1.0", "x", "%D9%A3", "%00"])
async def test_numbers_of_files_that_are_none(served: Served, index: str) -> None:
    sent = await asked(served, await made(served))
    error(await served.http.get(f"/messages/{sent.question.id}/files/{index}"), 404, "not_found")
    error(await served.owner.get(f"/owner/files/{sent.question.id}/{index}"), 404, "not_found")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"settings": {"responder": "nope"}}, 422),
        ({"settings": {"system_prompt": "x" * 1001}}, 413),
        ({"title": "x" * 201, "settings": {"system_prompt": "Be brief."}}, 413),
    ],
)
async def test_a_change_is_made_whole_or_not_at_all(served: Served, change: Json, status: int) -> None:
    before = await made(served)
    path = f"/conversations/{before.id}"
    given = {"title": "Anew", "pinned": True, "archived": True, **change}
    assert (await served.http.patch(path, json=given)).status_code == status
    assert await served.engine.conversation(before.id) == before
    assert (
        await served.http.patch(path, json={"title": "Anew", "pinned": True, "archived": True})
    ).status_code == 200
    async with served.engine.subscribe(before.id, after=f"{served.engine.epoch}.{before.seq}") as events:
        changed = await anext(events)
    assert isinstance(changed, ConversationChanged)
    assert (changed.conversation.title, changed.conversation.archived) == ("Anew", True)  # as one


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=1.5",
        "limit=",
        "limit=٣",
        "limit=9999999999",
        "archived=maybe",
        "after=x",
    ],
)
async def test_queries_that_are_none_are_refused(served: Served, query: str) -> None:
    error(await served.http.get(f"/conversations?{query}"), 422, "invalid_input")


async def test_a_page_is_bounded_whatever_is_asked(served: Served) -> None:
    await made(served)
    response = await served.http.get("/conversations", params={"limit": 999_999_999})
    assert len(msgspec.json.decode(response.content, type=ConversationPage).conversations) == 1


async def test_nothing_to_change_is_refused(served: Served) -> None:
    conversation = await made(served)
    error(await served.http.patch(f"/conversations/{conversation.id}", json={}), 422, "invalid_input")
    long = await served.http.patch(f"/conversations/{conversation.id}", json={"title": "x" * 201})
    error(long, 413, "limit_exceeded")
    assert long.json()["data"] == {"limit": 200, "given": 201}
    unknown = await served.http.patch(
        f"/conversations/{conversation.id}", json={"settings": {"responder": "x"}}
    )
    error(unknown, 422, "invalid_input")


async def test_routes_that_are_none(served: Served) -> None:
    error(await served.http.get("/nothing"), 404, "not_found")
    error(await served.http.get("/conversations/x/nothing"), 404, "not_found")
    error(await served.http.get("/conversations/"), 404, "not_found")
    error(await served.http.get("/messages/x/files/-1"), 404, "not_found")
    error(await served.http.put("/conversations"), 405, "method_not_allowed")
    assert (await served.http.head("/health")).content == b""
    assert (await served.http.request("OPTIONS", "/health")).status_code == 405


async def test_a_stream_of_nothing_is_refused(served: Served) -> None:
    error(await served.http.get("/events"), 422, "invalid_input")
    error(await served.http.get("/events?list=0"), 422, "invalid_input")
    error(await served.http.get("/events?list=perhaps"), 422, "invalid_input")
    error(await served.http.get("/events?list=1&window_ms=soon"), 422, "invalid_input")


async def test_a_closed_engine_is_a_sentence(served: Served) -> None:
    await served.engine.close()
    error(await served.http.post("/conversations"), 503, "engine_closed")


async def test_our_own_mistake_is_a_sentence_and_a_log_entry(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(conversation_id: str, *, user: str) -> Conversation:
        raise ZeroDivisionError("secret of the house")

    monkeypatch.setattr(served.engine, "conversation", fail)
    with anyio.fail_after(5):
        response = await served.http.get("/conversations/x")
    assert "secret" not in error(response, 500, "error")
    assert "ZeroDivisionError" in caplog.text
