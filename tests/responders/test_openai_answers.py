"""What comes back from a model's server, and how its work is stopped."""

from contextlib import aclosing

import anyio
import pytest

from chatcore.messages import Reasoning, Text, ToolCall, Usage, clean_text
from chatcore.ports import Responder
from tests.responders.asking import said, talk_about
from tests.responders.remote import answer
from tests.responders.scripted_server import (
    DONE,
    ScriptedServer,
    delta_chunk,
    event,
    finish_chunk,
    text_chunk,
    usage_chunk,
)


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
async def test_reasoning_is_a_part_of_its_own(
    server: ScriptedServer, responder: Responder, name: str
) -> None:
    server.reply(
        delta_chunk(role="assistant", content=None),
        delta_chunk(**{name: "Let me "}),
        delta_chunk(**{name: "see."}, content=""),
        text_chunk("42"),
        finish_chunk(),
        DONE,
    )
    assert await answer(responder) == [Reasoning("Let me "), Reasoning("see."), "42"]


async def test_tool_calls_come_whole(server: ScriptedServer, responder: Responder) -> None:
    def call(
        index: int | None, name: str | None = None, arguments: str = "", id_: str | None = None
    ) -> bytes:
        function = {"name": name, "arguments": arguments}
        return delta_chunk(tool_calls=[{"index": index, "id": id_, "type": "function", "function": function}])

    server.reply(
        text_chunk("Wait."),
        call(0, "weather", "", "a"),
        call(0, arguments='{"city": '),
        call(0, arguments='"Oslo"}'),
        call(1, "time", "", "b"),
        call(0, "again", "{}", "c"),  # another id at the same index is another call
        finish_chunk("tool_calls"),
        DONE,
    )
    assert await answer(responder) == [
        "Wait.",
        ToolCall("a", "weather", '{"city": "Oslo"}'),
        ToolCall("b", "time", "{}"),
        ToolCall("c", "again", "{}"),
    ]


async def test_halves_of_a_pair_are_joined(server: ScriptedServer, responder: Responder) -> None:
    server.reply(
        event(b'{"choices":[{"index":0,"delta":{"content":"a \\ud83d"}}]}'),
        event(b'{"choices":[{"index":0,"delta":{"content":""}}]}'),
        event(b'{"choices":[{"index":0,"delta":{"content":"\\ude00 b \\ud83d"}}]}'),
        event(b'{"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}'),
        finish_chunk(),
        DONE,
    )
    outputs = await answer(responder)
    assert outputs[:2] == ["a ", "\U0001f600 b "]
    assert clean_text(said([o.text if isinstance(o, Text) else o for o in outputs])) == "a \U0001f600 b ��"


async def test_the_last_count_of_tokens_holds(server: ScriptedServer, responder: Responder) -> None:
    server.reply(
        usage_chunk(5, 1), text_chunk("a"), usage_chunk(5, 2), finish_chunk(), usage_chunk(5, 3), DONE
    )
    assert await answer(responder) == ["a", Usage(prompt_tokens=5, completion_tokens=3)]


async def test_other_choices_and_odd_deltas_are_passed_over(
    server: ScriptedServer, responder: Responder
) -> None:
    server.reply(
        b": a comment\n\n",
        event({"choices": [{"index": 1, "delta": {"content": "other"}}]}),
        event({"choices": None}),
        event({"choices": [{"index": 0, "delta": None, "finish_reason": None}]}),
        event({"choices": [{"index": 0, "delta": {"content": [{"type": "text"}]}, "finish_reason": None}]}),
        event({"choices": [{"index": 0, "delta": {"refusal": "No."}, "finish_reason": "stop"}]}),
        event({"choices": [], "usage": {"prompt_tokens": "many", "completion_tokens": None}}),
        DONE,
    )
    assert await answer(responder) == ["No.", Usage()]


async def test_long_answers_are_whole(server: ScriptedServer, responder: Responder) -> None:
    texts = [f"word {number} " for number in range(3000)]
    server.say(*texts)
    assert said(await answer(responder)) == "".join(texts)


async def test_closing_the_answer_ends_the_request(server: ScriptedServer, responder: Responder) -> None:
    server.reply(text_chunk("a"), text_chunk("b"), anyio.sleep_forever)
    async with aclosing(responder.respond(talk_about("Hello?").asked())) as outputs:  # type: ignore[type-var]
        async for _ in outputs:
            break
    with anyio.fail_after(3):
        await server.gone.wait()


async def test_cancelling_the_answer_ends_the_request(server: ScriptedServer, responder: Responder) -> None:
    server.reply(text_chunk("a"), anyio.sleep_forever)
    heard = anyio.Event()

    async def listen() -> None:
        async with aclosing(responder.respond(talk_about("Hello?").asked())) as outputs:  # type: ignore[type-var]
            async for _ in outputs:
                heard.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        await heard.wait()
        tasks.cancel_scope.cancel()
    with anyio.fail_after(3):
        await server.gone.wait()


async def test_cancelling_before_the_first_word_ends_the_request(
    server: ScriptedServer, responder: Responder
) -> None:
    asked = anyio.Event()

    async def wait() -> None:
        asked.set()
        await anyio.sleep_forever()

    server.reply(wait)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(answer, responder)
        await asked.wait()
        tasks.cancel_scope.cancel()
    with anyio.fail_after(3):
        await server.gone.wait()
