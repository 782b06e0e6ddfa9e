"""The local model, with real weights: its answers, its turns, and how it is stopped."""

import json
import time
from collections.abc import AsyncIterator
from typing import cast
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import anyio
import anyio.to_thread
import pytest

from chatcore.errors import Refused
from chatcore.messages import Settings, Text, Usage
from chatcore.responders import local
from chatcore.responders.local import LocalModel, cautious_tokens, open_responder
from tests.responders.asking import said, talk_about
from tests.responders.local_model import (
    OPTIONS,
    answer,
    endless,
    first_word,
    needs_weights,
)

pytestmark = needs_weights


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def model() -> AsyncIterator[LocalModel]:
    async with open_responder(OPTIONS) as responder:
        assert isinstance(responder, LocalModel)
        yield responder


async def test_it_answers(model: LocalModel) -> None:
    outputs = await answer(model, talk_about("What is the capital of France?", parameters={"temperature": 0}))
    assert "Paris" in said(outputs)
    assert isinstance(outputs[-1], Usage)
    assert outputs[-1].completion_tokens
    assert (model.name, model.model, model.context_tokens) == ("local", "SmolLM2-135M-Instruct", 1024)
    assert model.can_continue


async def test_it_does_not_babble_on(model: LocalModel) -> None:
    outputs = await answer(model, talk_about("Go on.", parameters={"ignore_eos": True}))
    assert outputs[-1] == Usage(prompt_tokens=33, completion_tokens=256)  # a quarter of its context


async def test_it_goes_on_from_a_beginning(model: LocalModel) -> None:
    talk = talk_about("Count to ten in words.", parameters={"temperature": 0, "max_tokens": 12})
    rest = said(await answer(model, talk, "One, two, three,"))
    assert rest.lstrip().startswith("four")


async def test_a_question_that_is_too_long_is_refused_before(model: LocalModel) -> None:
    refusal = model.refusal([Text("word " * 2000)], Settings())
    assert refusal is not None
    assert refusal.startswith("The question is too long: it has about 3,131 tokens")


async def test_a_question_that_was_taken_for_shorter_is_refused_by_the_server(model: LocalModel) -> None:
    talk = talk_about("Hello", "Hi", "\u0b95" * 600)  # three tokens each
    assert model.refusal([Text("\u0b95" * 200)], Settings()) is None
    with pytest.raises(Refused, match="too long for SmolLM2-135M-Instruct, even without the history"):
        await answer(model, talk)


async def test_two_answer_at_once_and_more_wait_for_their_turn(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "SIGN_OF_LIFE_SECONDS", 0.01)
    running = [model.respond(endless().asked()) for _ in range(2)]
    for outputs in running:
        await first_word(outputs)
    third = model.respond(talk_about("Hello", parameters={"max_tokens": 2}).asked())
    assert [await anext(third) for _ in range(3)] == ["", "", ""]
    await running[0].aclose()
    assert await first_word(third)
    await third.aclose()
    await running[1].aclose()


async def test_stopping_an_answer_stops_the_model(model: LocalModel) -> None:
    for _ in range(6):  # more than there are places: each must have become free again
        outputs = model.respond(endless().asked())
        await first_word(outputs)
        await outputs.aclose()
    started = time.monotonic()
    assert await answer(model, talk_about("Hello", parameters={"max_tokens": 2}))
    assert time.monotonic() - started < 5  # an answer to its end takes longer


async def test_cancelling_an_answer_stops_the_model(model: LocalModel) -> None:
    for _ in range(4):
        heard = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen, model, heard)
            await heard.wait()
            tasks.cancel_scope.cancel()
    assert await answer(model, talk_about("Hello", parameters={"max_tokens": 2}))


async def listen(model: LocalModel, heard: anyio.Event) -> None:
    async for output in model.respond(endless().asked()):
        if output != "":
            heard.set()


async def test_a_long_prompt_gives_signs_of_life(model: LocalModel) -> None:
    talk = talk_about("Once upon a time there was a fox. " * 50, parameters={"max_tokens": 2})
    outputs = [output async for output in model.respond(talk.asked())]
    assert outputs[:2] == ["", ""]


async def test_nobody_else_may_ask_it(model: LocalModel) -> None:
    completions = await model.start()
    address = str(completions._client.base_url)

    def ask() -> tuple[int, str | None]:
        body = json.dumps({"messages": [{"role": "user", "content": "Hi"}]}).encode()
        request = Request(f"{address}chat/completions", body, {"Origin": "http://web.page"})
        with pytest.raises(HTTPError) as caught:
            urlopen(request, timeout=5)
        with caught.value:
            return caught.value.code, caught.value.headers["Access-Control-Allow-Origin"]

    assert await anyio.to_thread.run_sync(ask) == (401, "")


@pytest.mark.parametrize(
    ("text", "at_most"),
    [
        ("0123456789 " * 30, 1.1),
        ("x1;y=2.5,(a+b)!\n" * 20, 1.3),
        ("今天天气很好,我们去公园散步吧。" * 20, 1.5),
        ("Сегодня хорошая погода, и мы пошли гулять в парк." * 10, 1.6),
        ("Heute ist das Wetter schön, und wir gehen im Park spazieren." * 10, 1.5),
        ("The weather is fine today, and we go for a walk in the park. " * 10, 2.0),
        ("\U0001f600\U0001f389 " * 30, 1.6),
    ],
)
async def test_tokens_are_counted_on_the_safe_side(model: LocalModel, text: str, at_most: float) -> None:
    client = (await model.start())._client
    url = str(client.base_url).replace("/v1/", "/tokenize")
    counted = cast("dict[str, list[int]]", await client.post(url, body={"content": text}, cast_to=object))
    tokens = len(counted["tokens"])
    assert 0.9 * tokens <= cautious_tokens(text) <= at_most * tokens + 6
