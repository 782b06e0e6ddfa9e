"""A title costs one short request, and is asked for only where that is wanted."""

import anyio
import pytest

from chatcore import open_engine
from chatcore.errors import ResponderError
from chatcore.messages import File, Settings
from chatcore.ports import Responder, Titling
from chatcore.responders.local import LocalModel
from chatcore.responders.openai_compatible import open_responder
from tests.responders.asking import Talk, talk_about
from tests.responders.remote import attachment, options
from tests.responders.scripted_server import DONE, ScriptedServer, delta_chunk, finish_chunk, text_chunk


async def title_by(responder: Responder, talk: Talk | None = None, answer: str = "In an oven.") -> str | None:
    titling: object = responder
    assert isinstance(titling, Titling)
    return await titling.make_title((talk or talk_about("How do I bake bread?")).asked(), answer)


def prompt_of(server: ScriptedServer) -> str:
    messages = server.requests[-1]["messages"]
    assert isinstance(messages, list)
    [message] = messages
    assert message["role"] == "user"
    return str(message["content"])


async def test_one_short_request(server: ScriptedServer, responder: Responder) -> None:
    server.say("Bak", "ing bread")
    talk = talk_about("How do I bake bread? {braces}" + "x" * 5_000)
    talk.settings = Settings(
        system_prompt="Be rude.", parameters={"temperature": 2, "max_tokens": 900, "tools": "all"}
    )
    assert await title_by(responder, talk, "In an oven." + "y" * 5_000) == "Baking bread"
    prompt = prompt_of(server)
    assert "How do I bake bread? {braces}xxx" in prompt
    assert "In an oven.yyy" in prompt
    assert "language of the conversation" in prompt
    assert len(prompt) < 4_000
    [request] = server.requests
    del request["messages"]
    assert request == {
        "model": "m-1",
        "max_tokens": 40,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_of_a_question_without_words_the_files_are_named(
    server: ScriptedServer, responder: Responder
) -> None:
    server.say("A plan")
    talk = Talk()
    talk.add("user", File(attachment("plan.pdf", "application/pdf", 9)))
    await title_by(responder, talk)
    assert "<question>\nplan.pdf\n</question>" in prompt_of(server)


async def test_options_that_are_refused_are_left_out_from_then_on(
    server: ScriptedServer, responder: Responder
) -> None:
    server.refuse(400, "Unsupported value", param="temperature")
    server.refuse(400, "Use 'max_completion_tokens' instead.", param="max_tokens")
    server.refuse(400, "Unknown", param="stream_options")
    server.say("Bread")
    for _ in range(2):
        assert await title_by(responder) == "Bread"
        request = server.requests[-1]
        assert request.keys() == {"model", "messages", "stream", "max_completion_tokens"}
    assert len(server.requests) == 5


@pytest.mark.parametrize(("status", "requests"), [(400, 1), (401, 1), (429, 2), (500, 2)])
async def test_a_server_that_fails_is_asked_once_more_at_most(
    server: ScriptedServer, responder: Responder, status: int, requests: int
) -> None:
    server.refuse(status, "no")
    with pytest.raises(ResponderError, match="he server at"):
        await title_by(responder)
    assert len(server.requests) == requests


async def test_what_fails_after_a_refusal_is_not_asked_once_more(
    server: ScriptedServer, responder: Responder
) -> None:
    server.refuse(400, "Unsupported value", param="temperature")
    server.refuse(500, "no")
    with pytest.raises(ResponderError, match="he server at"):
        await title_by(responder)
    assert len(server.requests) == 2


async def test_a_stream_that_is_cut_off_gives_none(server: ScriptedServer, responder: Responder) -> None:
    server.reply(text_chunk("Bre"), DONE)
    with pytest.raises(ResponderError, match="ended in mid-answer"):
        await title_by(responder)


async def test_what_is_no_title(server: ScriptedServer, responder: Responder) -> None:
    server.say("")
    server.say("Let me think about this", finish="length")
    server.reply(text_chunk("x" * 2_000), *[text_chunk("x")] * 9)
    server.reply(delta_chunk(reasoning_content="Bread?"), finish_chunk(), DONE)
    for _ in range(4):
        assert await title_by(responder) is None


async def test_what_the_model_thought_is_no_part_of_it(server: ScriptedServer, responder: Responder) -> None:
    server.say("<think>\nBread?\n</think>\n\nBread")
    assert await title_by(responder) == "Bread"


async def test_a_slow_one_is_let_go(server: ScriptedServer, responder: Responder) -> None:
    thinks = anyio.Event()

    async def think() -> None:
        thinks.set()
        await anyio.sleep_forever()

    server.reply(text_chunk("Bre"), think)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(title_by, responder)
        await thinks.wait()
        tasks.cancel_scope.cancel()
    await server.gone.wait()


async def test_it_can_be_left_out_and_the_small_model_is_never_asked(server: ScriptedServer) -> None:
    async with open_responder(options(server, titles=False)) as responder:
        assert not isinstance(responder, Titling)
    assert not issubclass(LocalModel, Titling)


@pytest.mark.parametrize(("titles", "expected"), [(True, "Baking bread"), (False, "How do I bake bread?")])
async def test_the_conversation_is_called_by_it(server: ScriptedServer, titles: bool, expected: str) -> None:
    server.say("In an oven.")
    server.say("Baking bread")
    async with (
        open_responder(options(server, titles=titles)) as responder,
        open_engine("memory:", responder=responder) as engine,
    ):
        sent = await engine.send((await engine.create()).id, "How do I bake bread?")
        run = engine._runs.running(sent.answer.conversation_id)
        assert run is not None
        await run.over.wait()
        assert (await engine.conversation(sent.answer.conversation_id)).title == expected
    assert len(server.requests) == 1 + titles
