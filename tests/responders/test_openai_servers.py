"""What servers differ in: options, the context, what they say of themselves."""

import json
from pathlib import Path

import pytest

from chatcore.errors import InvalidInput, Refused, ResponderError
from chatcore.messages import File, Settings, Text
from chatcore.ports import Responder
from chatcore.responders import ResponderOptions
from chatcore.responders.openai_compatible import open_responder
from tests.responders.asking import Talk, talk_about
from tests.responders.remote import PNG, answer, attachment, failing, options
from tests.responders.scripted_server import (
    ScriptedServer,
    free_port,
)


async def test_a_server_that_does_not_count_is_asked_without(
    server: ScriptedServer, responder: Responder
) -> None:
    server.refuse(400, "Unknown field: stream_options")
    server.say("a")
    assert await answer(responder) == ["a"]
    assert await answer(responder) == ["a"]
    assert ["stream_options" in request for request in server.requests] == [True, False, False]


async def test_the_bound_of_an_answer_has_two_names(server: ScriptedServer) -> None:
    server.refuse(
        400, "Use 'max_completion_tokens' instead.", param="max_tokens", code="unsupported_parameter"
    )
    server.say("a")
    async with open_responder(options(server, max_tokens=77)) as responder:
        await answer(responder)
        await answer(responder)
    bounds = [
        (request.get("max_tokens"), request.get("max_completion_tokens")) for request in server.requests
    ]
    assert bounds == [(77, None), (None, 77), (None, 77)]


async def test_a_model_that_turns_out_not_to_see(
    server: ScriptedServer, responder: Responder, tmp_path: Path
) -> None:
    talk = Talk(folder=tmp_path)
    image = await talk.file("a.png", "image/png", PNG)
    assert responder.refusal([image], Settings()) is None
    server.refuse(400, "This model does not support image input.")
    talk.add("user", "What is this?", image)
    with pytest.raises(Refused, match=r"^m-1 can't see images, so it can't be asked about a\.png\.$"):
        await answer(responder, talk)
    refusal = responder.refusal([image], Settings())
    assert refusal == "m-1 can't see images, so it can't be asked about a.png."


async def test_an_image_of_the_history_does_not_spoil_the_next_question(
    server: ScriptedServer, responder: Responder, tmp_path: Path
) -> None:
    talk = Talk(folder=tmp_path)
    talk.add("user", "What is this?", await talk.file("a.png", "image/png", PNG))
    talk.add("assistant", "A cat.")
    talk.add("user", "Thanks.")
    server.refuse(400, "At most 0 image(s) may be provided in one request.")
    server.say("Welcome.")
    assert await answer(responder, talk) == ["Welcome."]
    assert "The file a.png was given here" in json.dumps(server.requests[1])


async def test_history_is_halved_when_the_server_says_that_it_is_too_long(
    server: ScriptedServer, responder: Responder
) -> None:
    talk = talk_about(*["some words " * 10] * 41)
    server.refuse(400, "This model's maximum context length is 8192 tokens.", code="context_length_exceeded")
    server.refuse(
        400, "request (9000 tokens) exceeds the available context size", type="exceed_context_size_error"
    )
    server.say("ok")
    asked = talk.asked()
    assert [output async for output in responder.respond(asked)] == ["ok"]
    lengths = [len(request["messages"]) for request in server.requests]  # type: ignore[arg-type]
    assert lengths[0] == 41
    assert 18 <= lengths[1] <= 21
    assert 8 <= lengths[2] <= 11
    assert asked.memory_from == f"m{41 - lengths[2]:04}"
    assert server.requests[2]["messages"][0]["role"] == "user"  # type: ignore[index]


async def test_a_question_too_long_for_the_server_is_refused(
    server: ScriptedServer, responder: Responder
) -> None:
    server.refuse(400, "Prompt is too long", code="context_length_exceeded")
    _, error = await failing(responder, talk_about(*["some words " * 10] * 41))
    assert error.sentence == "The question is too long for m-1, even without the history."
    assert error.code == "refused"
    assert 3 <= len(server.requests) <= 8


async def test_the_window_keeps_to_the_context(server: ScriptedServer) -> None:
    server.say("ok")
    async with open_responder(options(server, context_tokens=1000, max_tokens=100)) as responder:
        assert responder.context_tokens == 1000
        await answer(responder, talk_about(*["some words " * 10] * 41))
        refusal = responder.refusal([Text("some words " * 300)], Settings())
    words = len(json.dumps(server.requests[0]["messages"]))
    assert 900 < words < (1000 - 64 - 100) * 3
    assert refusal == (
        "The question is too long: it has about 1,104 tokens, system prompt and files included, "
        "and m-1 has room for 836."
    )


@pytest.mark.parametrize(
    "known",
    [
        {"max_model_len": 4096},
        {"context_length": 4096},
        {"context_window": 4096},
        {"max_context_length": 4096},
    ],
)
async def test_the_context_is_what_the_server_says(server: ScriptedServer, known: dict[str, object]) -> None:
    server.models = [{"id": "other"}, {"id": "m-1", **known}]
    async with open_responder(options(server)) as responder:
        assert responder.context_tokens == 4096
    async with open_responder(options(server, context_tokens=100)) as responder:
        assert responder.context_tokens == 100


async def test_llama_cpp_is_asked_for_the_context_of_one_slot(server: ScriptedServer) -> None:
    server.models = [{"id": "m-1", "owned_by": "llamacpp", "meta": {"n_ctx": 16384}}]
    server.props = {"default_generation_settings": {"n_ctx": 8192}, "modalities": {"vision": False}}
    async with open_responder(options(server)) as responder:
        assert responder.context_tokens == 8192
        image = File(attachment("a.png", "image/png", 9))
        assert responder.refusal([image], Settings()) == (
            "m-1 can't see images, so it can't be asked about a.png."
        )


@pytest.mark.parametrize("models", [404, 401, 500, [], [{"no": "id"}]])
async def test_a_server_that_says_nothing_of_itself_will_do(
    server: ScriptedServer, models: list[dict[str, object]] | int
) -> None:
    server.models = models
    server.say("ok")
    async with open_responder(options(server)) as responder:
        assert responder.context_tokens is None
        assert await answer(responder) == ["ok"]


async def test_the_only_model_need_not_be_named(server: ScriptedServer) -> None:
    async with open_responder(ResponderOptions(base_url=server.url)) as responder:
        assert (responder.name, responder.model) == ("openai_compatible", "m-1")


async def test_one_of_several_models_must_be_named(server: ScriptedServer) -> None:
    server.models = [{"id": "m-1"}, {"id": "m-2"}]
    with pytest.raises(ResponderError, match="has several models; name one: m-1, m-2"):
        async with open_responder(ResponderOptions(base_url=server.url)):
            pass


async def test_a_model_must_be_named_when_the_server_has_no_list() -> None:
    address = f"http://127.0.0.1:{free_port()}/v1"
    with pytest.raises(
        ResponderError, match=r"Which model is to answer\? .* does not say: .* can't be reached"
    ):
        async with open_responder(ResponderOptions(base_url=address)):
            pass


async def test_openai_wants_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(ResponderError, match="set OPENAI_API_KEY"):
        async with open_responder(ResponderOptions(model="gpt")):
            pass


@pytest.mark.parametrize(
    "address", ["localhost:11434/v1", "ftp://x/v1", "http://", "http://[::/v1", "http://x:y/v1"]
)
async def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="is no address: it should look like"):
        async with open_responder(ResponderOptions(base_url=address, model="m-1")):
            pass


async def test_a_password_in_the_address_is_not_shown() -> None:
    address = f"http://me:hidden@127.0.0.1:{free_port()}/v1"
    async with open_responder(ResponderOptions(base_url=address, model="m-1", retries=0)) as responder:
        _, error = await failing(responder)
    assert "hidden" not in error.sentence
