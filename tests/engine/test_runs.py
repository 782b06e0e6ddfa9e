"""A run belongs to the engine and ends exactly once, with the text kept and a reason a person understands."""

from collections.abc import AsyncIterator

import anyio
import pytest

from chatcore import (
    Asked,
    Busy,
    Engine,
    InvalidInput,
    LimitExceeded,
    Limits,
    ListChanged,
    Message,
    MessageChanged,
    Output,
    Reasoning,
    Refused,
    Sent,
    Settings,
    Text,
    TextDelta,
    ToolCall,
    ToolResult,
    Usage,
    open_engine,
    text_of,
)
from chatcore.testing import ScriptedResponder, ScriptedRun


async def ask(engine: Engine, script: ScriptedResponder, text: str = "Hello?") -> tuple[Sent, ScriptedRun]:
    conversation = await engine.create()
    sent = await engine.send(conversation.id, text)
    return sent, await script.next_run()


async def seen(engine: Engine, answer: Message, text: str) -> None:
    """Returns when a subscriber has been shown this text of the answer."""
    said = ""
    async with engine.subscribe(answer.conversation_id) as events:
        async for event in events:
            if isinstance(event, TextDelta) and event.message_id == answer.id:
                said += event.text
                if said == text:
                    return


async def test_an_answer_is_streamed_and_stored(engine: Engine, script: ScriptedResponder) -> None:
    sent, run = await ask(engine, script)
    assert sent.answer.status == "running"
    run.say("Well", ", ", "hello")
    await seen(engine, sent.answer, "Well, hello")
    run.end("!", Usage(prompt_tokens=3, completion_tokens=4))
    answer = await engine.wait_ended(sent.answer.id)
    assert (answer.status, text_of(answer.parts)) == ("complete", "Well, hello!")
    assert answer.usage == Usage(prompt_tokens=3, completion_tokens=4)
    assert (answer.responder, answer.model) == ("scripted", "scripted-1")
    assert answer.started_at is not None
    assert answer.ended_at is not None


async def test_parts_keep_their_order(engine: Engine, script: ScriptedResponder) -> None:
    sent, run = await ask(engine, script)
    call, result = ToolCall("c1", "clock", "{}"), ToolResult("c1", "noon")
    run.end(Reasoning("hm"), Reasoning("m"), call, result, "It is ", Text("noon."))
    answer = await engine.wait_ended(sent.answer.id)
    assert answer.parts == (Reasoning("hmm"), call, result, Text("It is noon."))


async def test_stop_keeps_the_text(engine: Engine, script: ScriptedResponder) -> None:
    sent, run = await ask(engine, script)
    run.say("so far")
    await seen(engine, sent.answer, "so far")
    await engine.stop(sent.answer.conversation_id)
    answer = await engine.message(sent.answer.id)
    assert (answer.status, text_of(answer.parts)) == ("stopped", "so far")
    await run.closed.wait()


async def test_leaving_does_not_stop_an_answer(engine: Engine, script: ScriptedResponder) -> None:
    sent, run = await ask(engine, script)
    run.say("a")
    async with engine.subscribe(sent.answer.conversation_id) as events:
        async for _ in events:
            break
    run.end("b")
    assert text_of((await engine.wait_ended(sent.answer.id)).parts) == "ab"


async def test_a_cancelled_send_leaves_no_orphan(engine: Engine, script: ScriptedResponder) -> None:
    conversation = await engine.create()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await engine.send(conversation.id, "never mind")
    page = await engine.page(conversation.id)
    assert page.messages == ()
    assert not page.conversation.running


@pytest.mark.parametrize(
    ("output", "reason"),
    [(42, "type int"), (None, "type NoneType"), (b"bytes", "type bytes"), ({"a": 1}, "type dict")],
)
async def test_garbage_ends_the_run(
    engine: Engine, script: ScriptedResponder, output: Output, reason: str
) -> None:
    sent, run = await ask(engine, script)
    run.say("good", output)
    answer = await engine.wait_ended(sent.answer.id)
    assert (answer.status, text_of(answer.parts)) == ("failed", "good")
    assert reason in (answer.reason or "")
    await run.closed.wait()


async def test_an_error_in_mid_answer_keeps_the_text(engine: Engine, script: ScriptedResponder) -> None:
    sent, run = await ask(engine, script)
    run.say("half an ")
    run.fail(ValueError("no more"))
    answer = await engine.wait_ended(sent.answer.id)
    assert (answer.status, answer.reason_code) == ("failed", "responder_error")
    assert "no more" in (answer.reason or "")
    assert text_of(answer.parts) == "half an "


async def test_an_answer_without_a_word_fails(engine: Engine, script: ScriptedResponder) -> None:
    sent, run = await ask(engine, script)
    run.end("")
    answer = await engine.wait_ended(sent.answer.id)
    assert (answer.status, answer.reason_code, answer.parts) == ("failed", "no_answer", ())


class TestBounds:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(answer_chars=1000, silence_seconds=0.2, text_chars=50, open_runs_per_user=2)

    async def test_a_silent_responder_times_out(self, engine: Engine, script: ScriptedResponder) -> None:
        sent, run = await ask(engine, script)
        run.say("wait")
        answer = await engine.wait_ended(sent.answer.id)
        assert (answer.status, answer.reason_code, text_of(answer.parts)) == ("failed", "timeout", "wait")
        await run.closed.wait()

    async def test_a_flood_is_cut_off(self, engine: Engine, script: ScriptedResponder) -> None:
        sent, run = await ask(engine, script)
        run.say(*["x" * 300] * 100)
        answer = await engine.wait_ended(sent.answer.id)
        assert (answer.status, answer.reason_code) == ("failed", "too_long")
        assert text_of(answer.parts) == "x" * 1000
        await run.closed.wait()

    async def test_too_many_open_runs(self, engine: Engine, script: ScriptedResponder) -> None:
        for _ in range(2):
            await ask(engine, script)
        conversation = await engine.create()
        with pytest.raises(LimitExceeded):
            await engine.send(conversation.id, "one more")

    async def test_too_long_a_question(self, engine: Engine) -> None:
        conversation = await engine.create()
        with pytest.raises(InvalidInput, match="51 is more than the limit of 50"):
            await engine.send(conversation.id, "x" * 51)


async def test_a_refusal_starts_no_run(engine: Engine, script: ScriptedResponder) -> None:
    conversation = await engine.create()
    script.refuses = "I can't see pictures."
    with pytest.raises(Refused, match="pictures"):
        await engine.send(conversation.id, "look")
    assert (await engine.page(conversation.id)).messages == ()


class TestBusy:
    async def test_reject(self, engine: Engine, script: ScriptedResponder) -> None:
        sent, _ = await ask(engine, script)
        with pytest.raises(Busy):
            await engine.send(sent.answer.conversation_id, "and?")

    async def test_queue(self, engine: Engine, script: ScriptedResponder) -> None:
        sent, run = await ask(engine, script)
        queued = await engine.send(sent.answer.conversation_id, "and?", policy="queue")
        assert queued.answer.status == "queued"
        run.end("first")
        second = await script.next_run()
        assert [text_of(m.parts) for m in await second.asked.newest()] == ["Hello?", "first", "and?"]
        second.end("second")
        assert (await engine.wait_ended(queued.answer.id)).status == "complete"
        page = await engine.page(sent.answer.conversation_id)
        assert [text_of(m.parts) for m in page.messages] == ["Hello?", "first", "and?", "second"]

    async def test_stop_ends_those_behind(self, engine: Engine, script: ScriptedResponder) -> None:
        sent, _ = await ask(engine, script)
        queued = await engine.send(sent.answer.conversation_id, "and?", policy="queue")
        await engine.stop(sent.answer.conversation_id)
        assert (await engine.message(queued.answer.id)).status == "stopped"

    async def test_interrupt(self, engine: Engine, script: ScriptedResponder) -> None:
        sent, run = await ask(engine, script)
        run.say("so far")
        await seen(engine, sent.answer, "so far")
        second = await engine.send(sent.answer.conversation_id, "no, this", policy="interrupt")
        await run.closed.wait()
        first = await engine.message(sent.answer.id)
        assert (first.status, text_of(first.parts)) == ("stopped", "so far")
        (await script.next_run()).end("that")
        assert (await engine.wait_ended(second.answer.id)).status == "complete"

    async def test_delete_stops_the_answer(self, engine: Engine, script: ScriptedResponder) -> None:
        sent, run = await ask(engine, script)
        run.say("so far")
        await seen(engine, sent.answer, "so far")
        await engine.delete(sent.answer.conversation_id)
        await run.closed.wait()
        await engine.undelete(sent.answer.conversation_id)
        answer = await engine.message(sent.answer.id)
        assert (answer.status, text_of(answer.parts)) == ("stopped", "so far")


async def test_regenerate_and_edit_keep_what_was(engine: Engine, script: ScriptedResponder) -> None:
    sent, run = await ask(engine, script)
    run.end("one")
    await engine.wait_ended(sent.answer.id)
    again = await engine.regenerate(sent.answer.id)
    (await script.next_run()).end("two")
    await engine.wait_ended(again.answer.id)
    page = await engine.page(sent.answer.conversation_id)
    assert page.siblings[again.answer.id] == (sent.answer.id, again.answer.id)
    edited = await engine.edit(sent.question.id, "Other?")
    (await script.next_run()).end("three")
    await engine.wait_ended(edited.answer.id)
    page = await engine.page(sent.answer.conversation_id)
    assert [text_of(m.parts) for m in page.messages] == ["Other?", "three"]
    await engine.move_head(sent.answer.conversation_id, sent.question.id)
    page = await engine.page(sent.answer.conversation_id)
    assert [text_of(m.parts) for m in page.messages] == ["Hello?", "two"]
    await engine.undo(sent.answer.conversation_id)
    assert (await engine.page(sent.answer.conversation_id)).messages == ()


async def test_continue_begins_with_what_was_said(url: str) -> None:
    script = ScriptedResponder(can_continue=True)
    async with open_engine(url, responder=script) as engine:
        with anyio.fail_after(10):
            sent, run = await ask(engine, script)
            run.say(Reasoning("hm"), "Once upon")
            await seen(engine, sent.answer, "hmOnce upon")
            await engine.stop(sent.answer.conversation_id)
            more = await engine.continue_answer(sent.answer.id)
            run = await script.next_run()
            assert run.asked.beginning == "Once upon"
            run.end(" a time")
            answer = await engine.wait_ended(more.answer.id)
            assert answer.parts == (Reasoning("hm"), Text("Once upon a time"))
            assert answer.continues == sent.answer.id


async def test_a_title_is_made_once(engine: Engine, script: ScriptedResponder) -> None:
    sent, run = await ask(engine, script, "  What is\nthe time? ")
    async with engine.subscribe_user() as events:
        run.end("noon")
        async for event in events:
            if isinstance(event, ListChanged) and event.conversation.title:
                assert event.conversation.title == "What is the time?"
                break
    await engine.rename(sent.answer.conversation_id, "Mine")
    again = await engine.regenerate(sent.answer.id)
    (await script.next_run()).end("noon")
    await engine.wait_ended(again.answer.id)
    assert (await engine.conversation(sent.answer.conversation_id)).title == "Mine"


async def test_closing_interrupts_with_the_text_kept(url: str, script: ScriptedResponder) -> None:
    if url == "memory:":
        pytest.skip("a memory store is gone when it is closed")
    async with open_engine(url, responder=script) as engine:
        sent, run = await ask(engine, script)
        queued = await engine.send(sent.answer.conversation_id, "and?", policy="queue")
        run.say("so far")
        await seen(engine, sent.answer, "so far")
    async with open_engine(url, responder=script) as engine:
        first, second = await engine.message(sent.answer.id), await engine.message(queued.answer.id)
        assert (first.status, text_of(first.parts)) == ("interrupted", "so far")
        assert (second.status, second.parts) == ("interrupted", ())


async def test_closing_waits_for_the_title(url: str, script: ScriptedResponder) -> None:
    if url == "memory:":
        pytest.skip("a memory store is gone when it is closed")
    async with open_engine(url, responder=script) as engine:
        sent, run = await ask(engine, script, "What is it?")
        run.end("It.")
        await engine.wait_ended(sent.answer.id)
    async with open_engine(url, responder=script) as engine:
        assert (await engine.conversation(sent.answer.conversation_id)).title == "What is it?"


async def test_the_simplest_responder(url: str) -> None:
    async def shout(asked: Asked) -> AsyncIterator[str]:
        for word in asked.text.split():
            yield word.upper() + " "

    async with open_engine(url, responder=shout) as engine:
        conversation = await engine.create(settings=Settings(system_prompt="Be loud."))
        sent = await engine.send(conversation.id, "hello there")
        assert text_of((await engine.wait_ended(sent.answer.id)).parts) == "HELLO THERE "


async def test_a_subscriber_sees_the_interruption_before_the_end(url: str, script: ScriptedResponder) -> None:
    last: list[str] = []
    subscribed = anyio.Event()

    async def follow(engine: Engine, conversation_id: str) -> None:
        async with engine.subscribe(conversation_id) as events:
            subscribed.set()
            async for event in events:
                if isinstance(event, MessageChanged):
                    last.append(event.message.status)

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks, open_engine(url, responder=script) as engine:
            sent, _ = await ask(engine, script)
            tasks.start_soon(follow, engine, sent.answer.conversation_id)
            await subscribed.wait()
            await anyio.wait_all_tasks_blocked()
    assert last[-1] == "interrupted"
