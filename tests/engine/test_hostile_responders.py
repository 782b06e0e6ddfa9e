"""Whatever a responder does ends its own run, with a sentence, and nothing else."""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator, Callable

import anyio
import anyio.lowlevel
import pytest

from chatcore import (
    Asked,
    Engine,
    InvalidInput,
    Limits,
    Output,
    Settings,
    Text,
    ToolCall,
    ToolResult,
    Usage,
    open_engine,
    text_of,
)
from chatcore.testing import ScriptedResponder

HALF = "\ud800"


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even that")


class Strange(BaseException):
    pass


async def answered(engine: Engine, script: ScriptedResponder) -> None:
    """Others are answered as ever."""
    conversation = await engine.create()
    sent = await engine.send(conversation.id, "Still there?")
    (await script.next_run()).end("yes")
    assert text_of((await engine.wait_ended(sent.answer.id)).parts) == "yes"
    assert await engine.check() == []


OUTPUTS: list[object] = [
    ToolCall(1, "n", "{}"),  # type: ignore[arg-type]
    ToolCall("c", "n", {"a": 1}),  # type: ignore[arg-type]
    ToolResult("c", b"bytes"),  # type: ignore[arg-type]
    Text(5),  # type: ignore[arg-type]
    Usage(prompt_tokens="5"),  # type: ignore[arg-type]
    Usage(prompt_tokens=object),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("output", OUTPUTS, ids=repr)
async def test_wrong_fields_fail_the_run(engine: Engine, script: ScriptedResponder, output: Output) -> None:
    sent = await engine.send((await engine.create()).id, "?")
    run = await script.next_run()
    run.say("so far ", output)
    answer = await engine.wait_ended(sent.answer.id)
    assert (answer.status, text_of(answer.parts)) == ("failed", "so far ")
    assert type(output).__name__ in (answer.reason or "")
    await answered(engine, script)


ERRORS: list[BaseException] = [
    ValueError(HALF),
    Mute(),
    SystemExit(3),
    GeneratorExit(),
    Strange("odd"),
    ExceptionGroup("many", [ValueError(HALF)]),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_whatever_is_raised_fails_the_run(url: str, error: BaseException) -> None:
    async def raises(asked: Asked) -> AsyncIterator[str]:
        yield "so far"
        raise error

    script = ScriptedResponder()
    async with open_engine(url, responder=raises, responders=[script]) as engine:
        with anyio.fail_after(10):
            sent = await engine.send((await engine.create()).id, "?")
            answer = await engine.wait_ended(sent.answer.id)
            assert (answer.status, text_of(answer.parts)) == ("failed", "so far")
            assert type(error).__name__ in (answer.reason or "")
            conversation = await engine.create(settings=Settings(responder=script.name))
            sent = await engine.send(conversation.id, "Still there?")
            (await script.next_run()).end("yes")
            assert (await engine.wait_ended(sent.answer.id)).status == "complete"


async def test_halves_of_pairs_are_made_harmless(engine: Engine, script: ScriptedResponder) -> None:
    sent = await engine.send((await engine.create()).id, "?")
    run = await script.next_run()
    run.end(ToolCall(HALF, HALF, HALF), ToolResult(HALF, HALF), f"a{HALF}")
    answer = await engine.wait_ended(sent.answer.id)
    assert answer.status == "complete"
    assert answer.parts == (ToolCall("�", "�", "�"), ToolResult("�", "�"), Text("a�"))
    await answered(engine, script)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_awaiting_a_cancelled_task_fails_the_run(url: str) -> None:
    async def waits(asked: Asked) -> AsyncIterator[str]:
        yield "so far"
        task = asyncio.ensure_future(asyncio.Event().wait())
        task.cancel()
        await task

    async with open_engine(url, responder=waits) as engine:
        with anyio.fail_after(10):
            sent = await engine.send((await engine.create()).id, "?")
            answer = await engine.wait_ended(sent.answer.id)
            assert (answer.status, text_of(answer.parts)) == ("failed", "so far")


async def test_stop_does_not_wait_for_a_responder_that_holds_on(url: str) -> None:
    let_go = threading.Event()

    async def holds(asked: Asked) -> AsyncIterator[str]:
        yield "so far"
        await anyio.to_thread.run_sync(let_go.wait)
        yield " and on"

    async with open_engine(url, responder=holds) as engine:
        try:
            with anyio.fail_after(5):
                conversation = await engine.create()
                sent = await engine.send(conversation.id, "?")
                async with engine.subscribe(conversation.id) as events:
                    async for event in events:
                        if getattr(event, "text", "") == "so far":
                            break
                await engine.stop(conversation.id)
                answer = await engine.message(sent.answer.id)
                assert (answer.status, text_of(answer.parts)) == ("stopped", "so far")
                await engine.post(conversation.id, "next")
        finally:
            let_go.set()


async def test_a_responder_that_swallows_cancellation_is_not_listened_to(url: str) -> None:
    said: list[int] = []

    async def swallows(asked: Asked) -> AsyncIterator[str]:
        for number in itertools.count():
            with contextlib.suppress(BaseException):
                await anyio.lowlevel.checkpoint()
            said.append(number)
            yield "on and on "

    async with open_engine(url, responder=swallows) as engine:
        with anyio.fail_after(10):
            conversation = await engine.create()
            sent = await engine.send(conversation.id, "?")
            run = engine._runs.running(conversation.id)
            assert run is not None
            await engine.stop(conversation.id)
            heard = len(said)
            await run.over.wait()
            assert len(said) <= heard + 1
            assert (await engine.message(sent.answer.id)).status == "stopped"


class TestBounds:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(answer_chars=1_000, parameters_bytes=100)

    async def test_ids_of_tool_steps_count(self, engine: Engine, script: ScriptedResponder) -> None:
        sent = await engine.send((await engine.create()).id, "?")
        run = await script.next_run()
        run.say(ToolCall("x" * 2_000, "n", "{}"))
        assert (await engine.wait_ended(sent.answer.id)).reason_code == "too_long"

    async def test_parameters_are_bounded(self, engine: Engine) -> None:
        with pytest.raises(InvalidInput, match="parameters"):
            await engine.create(settings=Settings(parameters={"stop": "x" * 200}))


async def test_settings_are_checked_before_they_are_stored(engine: Engine) -> None:
    kept = await engine.create(settings=Settings(parameters={"stop": ["END"], "temperature": 0.5}))
    assert (await engine.conversation(kept.id)).settings.parameters["stop"] == ["END"]
    wrong: Callable[..., Settings] = Settings
    for settings in (
        wrong(parameters={"stop": object()}),
        wrong(parameters=["stop"]),
        wrong(system_prompt=5),
        wrong(parameters={"stop": {"a": 1}}),
    ):
        with pytest.raises(InvalidInput):
            await engine.create(settings=settings)
    assert len((await engine.conversations()).conversations) == 1
    assert await engine.check() == []


async def test_change_is_all_or_nothing(engine: Engine) -> None:
    conversation = await engine.create("Old")
    with pytest.raises(InvalidInput):
        await engine.change(conversation.id, title="New", settings=Settings(responder="nope"))
    assert (await engine.conversation(conversation.id)).title == "Old"


async def test_undeleted_is_not_reported_deleted(engine: Engine) -> None:
    conversation = await engine.create()
    async with engine.subscribe(conversation.id) as slow:
        await anext(slow)
        await engine.delete(conversation.id)
        await engine.undelete(conversation.id)
        await engine.post(conversation.id, "back")
        async with engine.subscribe(conversation.id) as fresh:
            kinds = [type(event).__name__ for event in await fresh.next_batch()]
        assert "ConversationDeleted" not in kinds
        kinds = [type(event).__name__ for event in await slow.next_batch()]
        assert "ConversationDeleted" not in kinds
        assert "MessageChanged" in kinds


async def test_unknown_words_are_refused(engine: Engine) -> None:
    conversation = await engine.create()
    with pytest.raises(InvalidInput, match="zap"):
        await engine.send(conversation.id, "?", policy="zap")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="robot"):
        await engine.post(conversation.id, "?", role="robot")  # type: ignore[arg-type]
