"""Every fault that servers show ends in a sentence, and is tried again only where that harms nobody."""

import re
import socket

import anyio
import httpx2
import openai
import pytest

from chatcore.ports import Responder
from chatcore.responders import ResponderOptions
from chatcore.responders.failures import failure
from chatcore.responders.openai_compatible import open_responder
from tests.responders.remote import answer, failing, options
from tests.responders.scripted_server import (
    DONE,
    ScriptedServer,
    cut,
    delta_chunk,
    event,
    finish_chunk,
    free_port,
    text_chunk,
)


@pytest.mark.parametrize(
    ("status", "message", "words", "requests"),
    [
        (400, "temperature must be a number", r"answers with an error \(400\): temperature must be", 1),
        (401, "Incorrect API key secret-key", r"does not accept the API key\.$", 1),
        (402, "Pay", "has no credit left: Pay", 1),
        (403, "Country not supported", "does not allow this key to use the model “m-1”: Country", 1),
        (404, "The model does not exist", "has no model “m-1”.*: The model does not exist", 1),
        (413, "", r"too large for the server at http://127\.0\.0\.1:\d+/v1\.$", 1),
        (429, "Slow down", "too many requests.*: Slow down", 3),
        (500, "Oops", r"answers with an error \(500\): Oops", 3),
        (503, "Loading model", "overloaded or still loading the model: Loading model", 3),
    ],
)
async def test_refusals_are_sentences(
    server: ScriptedServer, responder: Responder, status: int, message: str, words: str, requests: int
) -> None:
    server.refuse(status, message)
    text, error = await failing(responder)
    assert re.search(words, error.sentence), error.sentence
    assert (text, error.code, len(server.requests)) == ("", "responder_error", requests)


async def test_an_error_without_the_protocol_is_a_sentence(
    server: ScriptedServer, responder: Responder
) -> None:
    server.reply_raw(418, b"<html><body>I'm a\nteapot</body></html>")
    _, error = await failing(responder)
    assert "answers with an error (418): <html><body>I'm a teapot" in error.sentence


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503])
async def test_it_is_tried_again_before_the_first_word(
    server: ScriptedServer, responder: Responder, status: int
) -> None:
    server.refuse(status, "later")
    server.say("here")
    assert await answer(responder) == ["here"]
    assert len(server.requests) == 2


@pytest.mark.parametrize("chunks", [(), (cut,), (delta_chunk(role="assistant"), cut), (DONE,)])
async def test_a_stream_without_a_word_is_tried_again(
    server: ScriptedServer, chunks: tuple[bytes], fast_pauses: None
) -> None:
    server.reply(*chunks)
    server.say("here")
    async with open_responder(options(server)) as responder:
        assert await answer(responder) == ["here"]


async def test_an_error_in_the_stream_is_tried_again_before_the_first_word(
    server: ScriptedServer, responder: Responder, fast_pauses: None
) -> None:
    for _ in range(3):
        server.reply(event({"error": {"message": "slot unavailable", "code": 500}}))
    _, error = await failing(responder)
    assert error.sentence.endswith("reports an error: slot unavailable")
    assert len(server.requests) == 3


@pytest.mark.parametrize("chunks", [(), (cut,), (DONE,)])
async def test_a_stream_that_ends_in_mid_answer_is_an_error(
    server: ScriptedServer, responder: Responder, chunks: tuple[bytes]
) -> None:
    server.reply(text_chunk("The answer "), text_chunk("is"), *chunks)
    text, error = await failing(responder)
    assert text == "The answer is"
    assert error.sentence == f"The connection to the server at {server.url} ended in mid-answer."
    assert len(server.requests) == 1


async def test_an_error_in_mid_answer_is_not_tried_again(
    server: ScriptedServer, responder: Responder
) -> None:
    server.reply(text_chunk("The"), event({"error": {"message": "out of memory"}}))
    text, error = await failing(responder)
    assert (text, len(server.requests)) == ("The", 1)
    assert "reports an error: out of memory" in error.sentence


@pytest.mark.parametrize(
    "garbage",
    [
        event(b"{not json"),
        event(b'{"choices": [{"index": 0, "delta": {"content": "\xff\xfe"}}]}'),
        event(5),
        event(b'"text"'),
        event({"choices": 5}),
        event({"choices": [5]}),
        event({"choices": [{"index": 0, "delta": 5}]}),
        event({"choices": [{"index": 0, "delta": {"tool_calls": 5}}]}),
        event({"choices": [{"index": 0, "delta": {"tool_calls": [5]}}]}),
        event({"choices": [], "usage": 5}),
    ],
)
async def test_garbage_is_an_error(server: ScriptedServer, responder: Responder, garbage: bytes) -> None:
    server.reply(text_chunk("The"), garbage, finish_chunk(), DONE)
    text, error = await failing(responder)
    assert text == "The"
    assert "sent an answer that can't be read" in error.sentence


async def test_a_page_instead_of_an_answer_is_an_error(
    server: ScriptedServer, responder: Responder, fast_pauses: None
) -> None:
    server.reply_raw(200, b"<html>Please log in</html>")
    _, error = await failing(responder)
    assert error.data["reason"] in {"cut_off", "garbage"}


async def test_a_silent_server_is_an_error(server: ScriptedServer) -> None:
    server.reply(text_chunk("The"), anyio.sleep_forever)
    async with open_responder(options(server, timeout_seconds=0.2)) as responder:
        text, error = await failing(responder)
    assert text == "The"
    assert error.sentence == f"The server at {server.url} was silent for too long."


async def test_a_server_that_is_not_there_is_an_error() -> None:
    address = f"http://127.0.0.1:{free_port()}/v1"
    async with open_responder(ResponderOptions(base_url=address, model="m-1", retries=0)) as responder:
        _, error = await failing(responder)
    assert error.sentence == f"The server at {address} can't be reached: connection refused."


def test_a_name_that_is_not_there_is_told_in_the_resolver_s_words() -> None:
    error = openai.APIConnectionError(request=httpx2.Request("POST", "http://name.invalid/v1"))
    error.__cause__ = OSError("All connection attempts failed")
    error.__cause__.__cause__ = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    sentence = failure(error, where="the server at http://name.invalid/v1", model="m-1").sentence
    assert sentence == "The server at http://name.invalid/v1 can't be reached: name or service not known."


async def test_an_answer_that_a_filter_ended_is_an_error(
    server: ScriptedServer, responder: Responder
) -> None:
    server.say("The", finish="content_filter")
    text, error = await failing(responder)
    assert (text, error.data["reason"]) == ("The", "content_filter")


async def test_an_answer_of_reasoning_alone_is_an_error(server: ScriptedServer, responder: Responder) -> None:
    server.reply(delta_chunk(reasoning="hm"), finish_chunk("length"), DONE)
    _, error = await failing(responder)
    assert error.sentence == "The model used up all tokens of its answer before the first word of it."


async def test_an_answer_that_is_cut_off_at_its_bound_is_one(
    server: ScriptedServer, responder: Responder
) -> None:
    server.say("The", finish="length")
    assert await answer(responder) == ["The"]
