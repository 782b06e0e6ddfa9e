"""How long a person waited for the first that was said."""

from time import monotonic

from chatcore import Engine, ResponderError, TextDelta, Usage
from chatcore.testing import ScriptedResponder


async def test_it_is_told_when_the_answer_has_ended(engine: Engine, script: ScriptedResponder) -> None:
    conversation = await engine.create()
    begun = monotonic()
    sent = await engine.send(conversation.id, "Well?")
    run = await script.next_run()
    run.say(Usage(prompt_tokens=3), "", "Well")
    async with engine.subscribe(conversation.id) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
        waited = monotonic() - begun
        run.end(" then")
    told = await engine.wait_ended(sent.answer.id)
    assert told.first_token_seconds is not None
    assert 0 < told.first_token_seconds <= waited


async def test_nothing_said_is_no_first_token(engine: Engine, script: ScriptedResponder) -> None:
    sent = await engine.send((await engine.create()).id, "Well?")
    run = await script.next_run()
    run.say(Usage(prompt_tokens=3), "")
    run.fail(ResponderError("No."))
    assert (await engine.wait_ended(sent.answer.id)).first_token_seconds is None


async def test_what_an_answer_continues_is_not_said_again(engine: Engine, script: ScriptedResponder) -> None:
    sent = await engine.send((await engine.create()).id, "Well?")
    script.can_continue = True
    (await script.next_run()).end("A beginning")
    await engine.wait_ended(sent.answer.id)
    more = await engine.continue_answer(sent.answer.id)
    (await script.next_run()).end(Usage(prompt_tokens=3))
    assert (await engine.wait_ended(more.answer.id)).first_token_seconds is None
