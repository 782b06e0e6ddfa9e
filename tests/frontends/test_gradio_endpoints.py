"""The named endpoints, driven by `gradio_client` and by nothing else: no browser is open."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

import anyio
import httpx
import pytest
from anyio import to_thread
from gradio_client import Client, handle_file
from gradio_client.client import Job
from gradio_client.exceptions import AppError

from chatcore import Limits
from chatcore.messages import File, text_of
from tests.frontends.serving_page import serving_page

T = TypeVar("T")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def threaded(function: Callable[..., T], *given: object, **named: object) -> T:
    """Gradio's client blocks."""
    return await to_thread.run_sync(partial(function, *given, **named), abandon_on_cancel=True)


async def connect(url: str, user: str = "local", max_workers: int = 4) -> Client:
    return await threaded(
        Client,
        url,
        verbose=False,
        analytics_enabled=False,
        headers={"Test-User": user},
        max_workers=max_workers,
    )


async def test_a_whole_conversation(tmp_path: Path) -> None:
    async with serving_page(tmp_path) as (url, engine, script):
        client = await connect(url)
        job = cast("Job", await threaded(client.submit, "How are you?", api_name="/chat"))
        run = await script.next_run()
        run.say("I am ")
        while not job.outputs():
            await to_thread.run_sync(job.status)
        text, conversation = job.outputs()[0]
        assert text in ("", "I am ")
        run.end("well.")
        assert await threaded(job.result) == ("I am well.", conversation)

        notes = tmp_path / "notes.txt"
        notes.write_text("Remember the milk.")
        message = {"text": "And this?", "files": [handle_file(str(notes))]}
        job = await threaded(client.submit, message, conversation, api_name="/chat")
        (await script.next_run()).end("Milk.")
        assert await threaded(job.result) == ("Milk.", conversation)

        listed = await threaded(client.predict, api_name="/conversations")
        assert [entry["id"] for entry in listed["conversations"]] == [conversation]
        page = await threaded(client.predict, conversation, api_name="/messages")
        assert [message["role"] for message in page["messages"]] == ["user", "assistant"] * 2
        stored = await engine.page(conversation)
        (index,) = [n for n, part in enumerate(stored.messages[2].parts) if isinstance(part, File)]
        attachment = page["messages"][2]["parts"][index]["attachment"]
        assert (attachment["name"], attachment["size_bytes"]) == ("notes.txt", 18)
        async with httpx.AsyncClient(base_url=url) as http:
            assert (await http.get(attachment["url"])).text == "Remember the milk."

        answer = page["messages"][3]["id"]
        assert (await threaded(client.predict, answer, "like", api_name="/feedback"))["rating"] == "like"
        assert [given.message_id for given in (await engine.page(conversation)).feedback] == [answer]
        assert await threaded(client.predict, answer, None, api_name="/feedback") is None
        assert (await engine.page(conversation)).feedback == ()


async def test_answer_goes_on_when_the_client_leaves(tmp_path: Path) -> None:
    async with serving_page(tmp_path) as (url, engine, script):
        client = await connect(url)
        job = await threaded(client.submit, "Will you go on?", api_name="/chat")
        run = await script.next_run()
        run.say("Yes, ")
        while not job.outputs():
            await to_thread.run_sync(job.status)
        await threaded(job.cancel)
        run.end("I will.")
        await run.closed.wait()
        (conversation,) = (await engine.conversations()).conversations
        assert conversation.head is not None
        ended = await engine.wait_ended(conversation.head)
        assert (ended.status, text_of(ended.parts)) == ("complete", "Yes, I will.")


async def test_failed_answer_is_an_error_at_the_client(tmp_path: Path) -> None:
    async with serving_page(tmp_path) as (url, _, script):
        client = await connect(url)
        job = await threaded(client.submit, "Please fail.", api_name="/chat")
        run = await script.next_run()
        run.fail(ValueError("no more tokens"))
        with pytest.raises(AppError, match="no more tokens"):
            await threaded(job.result)


async def test_another_users_things_are_not_found(tmp_path: Path) -> None:
    async with serving_page(tmp_path) as (url, engine, script):
        made = await engine.create(user="somebody")
        sent = await engine.send(made.id, "A secret.", user="somebody")
        (await script.next_run()).end("Kept.")
        await engine.wait_ended(sent.answer.id, user="somebody")
        client = await connect(url)
        calls: list[tuple[str, tuple[object, ...]]] = [
            ("/messages", (made.id,)),
            ("/feedback", (sent.answer.id, "like")),
            ("/chat", ("Hello?", made.id)),
        ]
        for name, given in calls:
            with pytest.raises(AppError, match="no such"):
                await threaded(client.predict, *given, api_name=name)
        assert (await threaded(client.predict, api_name="/conversations"))["conversations"] == []
        own = await connect(url, user="somebody")
        assert (await threaded(own.predict, made.id, api_name="/messages"))["has_older"] is False


async def test_what_is_of_another_kind_is_refused_in_a_sentence(tmp_path: Path) -> None:
    refused = "The request can't be taken: "
    async with serving_page(tmp_path) as (url, engine, _):
        client = await connect(url)
        made = (await engine.create(user="local")).id
        wrong: list[tuple[str, list[object]]] = [
            ("/conversations", [5]),
            ("/conversations", [None, 1.5]),
            ("/messages", [5]),
            ("/messages", [{}]),
            ("/messages", [made, 5]),
            ("/messages", [made, None, None]),
            ("/feedback", [5, "like"]),
            ("/feedback", [made, "like", 5]),
            ("/chat", ["Hello", 5]),
        ]
        for name, given in wrong:
            with pytest.raises(AppError) as caught:
                await threaded(client.predict, *given, api_name=name)
            assert str(caught.value).startswith(refused), (name, given)
        half = '{"data": ["x", "\\ud800", null]}'  # of a character, which the client can't send
        async with httpx.AsyncClient(headers={"Content-Type": "application/json"}) as http:
            called = await http.post(f"{url}/gradio_api/call/feedback", content=half)
            reply = await http.get(f"{url}/gradio_api/call/feedback/{called.json()['event_id']}")
        assert refused in reply.text


async def test_many_at_once(tmp_path: Path) -> None:
    """More than Gradio's own bound of 40 running events."""
    many = 45
    async with serving_page(tmp_path, Limits(open_runs_per_user=many)) as (url, _, script):
        client = await connect(url, max_workers=many)
        jobs = [await threaded(client.submit, f"Question {n}", api_name="/chat") for n in range(many)]
        runs = [await script.next_run() for _ in jobs]
        assert len(runs) == len(jobs)
        for run in runs:
            run.end(run.asked.text.replace("Question", "Answer"))
        with anyio.fail_after(15):
            results = [await threaded(job.result) for job in jobs]
        assert {text for text, _ in results} == {f"Answer {n}" for n in range(many)}
