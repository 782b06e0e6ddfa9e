"""Whole conversations: all branches, one moment each, a bounded number at a time."""

import gc
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chatcore import Engine, NotFound, exporting, open_engine
from chatcore.filters import ExportFilter
from chatcore.formats.format import WriteOptions
from chatcore.formats.output import gathered, written
from chatcore.formats.registry import write_formats
from chatcore.incoming import Incoming, IncomingMessage
from chatcore.messages import Feedback, Text
from chatcore.testing import ScriptedResponder


async def answered(
    engine: Engine, script: ScriptedResponder, conversation: str, text: str
) -> tuple[str, str]:
    """Ids of a question and its answer."""
    sent = await engine.send(conversation, "What?")
    (await script.next_run()).end(text)
    await engine.wait_ended(sent.answer.id)
    return sent.question.id, sent.answer.id


async def test_a_tree_has_all_branches_and_votes() -> None:
    script = ScriptedResponder()
    async with open_engine("memory:", responder=script) as engine:
        conversation = await engine.create("x")
        question, first = await answered(engine, script, conversation.id, "This.")
        again = await engine.regenerate(first)
        (await script.next_run()).end("That.")
        await engine.wait_ended(again.answer.id)
        await engine.rate(first, "dislike", comment="no")
        (tree,) = [tree async for tree in engine.trees()]
        assert [node.message.id for node in tree.nodes] == [question, first, again.answer.id]
        assert [len(node.feedback) for node in tree.nodes] == [0, 1, 0]
        assert tree.conversation.head == again.answer.id


async def test_a_running_answer_has_what_was_said_so_far() -> None:
    script = ScriptedResponder()
    async with open_engine("memory:", responder=script) as engine:
        conversation = await engine.create("x")
        async with engine.subscribe(conversation.id) as events:
            await engine.send(conversation.id, "What?")
            (await script.next_run()).say("So far")
            async for event in events:
                if type(event).__name__ == "TextDelta":
                    break
        (tree,) = [tree async for tree in engine.trees()]
        assert tree.nodes[1].message.status == "running"
        assert tree.nodes[1].message.parts == (Text("So far"),)


async def test_filters_ask_one_message_to_be_all_of_it() -> None:
    script = ScriptedResponder()
    async with open_engine("memory:", responder=script) as engine:
        liked, disliked, plain = [(await engine.create(name)).id for name in ("liked", "disliked", "plain")]
        for conversation, rating in ((liked, "like"), (disliked, "dislike"), (plain, None)):
            _, answer = await answered(engine, script, conversation, "x")
            await engine.rate(answer, rating)  # type: ignore[arg-type]

        async def found(**wanted: object) -> list[str]:
            only = ExportFilter(**wanted)  # type: ignore[arg-type]
            return [tree.conversation.id async for tree in engine.trees(only=only)]

        assert await found() == [liked, disliked, plain]
        assert await found(rating="like") == [liked]
        assert await found(rating="dislike") == [disliked]
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        assert await found(rating="like", since=tomorrow) == []
        assert await found(until=tomorrow) == [liked, disliked, plain]
        assert await found(model="nobody") == []


async def test_whose_and_which() -> None:
    async with open_engine("memory:") as engine:
        mine, deleted = (await engine.create("a")).id, (await engine.create("b")).id
        await engine.delete(deleted)
        theirs = (await engine.create("c", user="somebody else")).id
        assert [tree.conversation.id async for tree in engine.trees()] == [mine]
        for wanted in (deleted, theirs, "nothing"):
            with pytest.raises(NotFound):
                [tree async for tree in engine.trees(conversation_ids=[mine, wanted])]


TEXT = "x" * 1_000
EACH = 10
"""Messages of a conversation."""


def incoming(count: int) -> Iterator[Incoming]:
    for number in range(count):
        said = [
            IncomingMessage(
                id=f"{place}",
                role="assistant" if place % 2 else "user",
                parts=(Text(f"{number} {place} {TEXT}"),),
                feedback=Feedback(rating="like") if place % 2 else None,
            )
            for place in range(EACH)
        ]
        yield Incoming(source="test", id=f"{number}", messages=said, linear=True)


async def peak_of(engine: Engine) -> dict[str, int]:
    """The most bytes that an export into each format holds at a time."""
    peaks = {}
    for known in write_formats():
        gc.collect()
        tracemalloc.start()
        try:
            size = 0
            async for tree in engine.trees():
                for piece in gathered(written(known, tree, WriteOptions())):
                    size += len(piece)
            _, peaks[known.name] = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert size > 0 or known.name in {"dpo", "openai_dpo"}
    return peaks


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_what_is_held_does_not_grow_with_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> None:
    batch = 10
    assert batch * EACH <= exporting.BATCH_MESSAGES
    monkeypatch.setattr(exporting, "BATCH_MESSAGES", batch * EACH)
    async with open_engine(f"sqlite:{tmp_path}") as engine:
        await engine.ingest(incoming(2 * batch), index=False)
        few = await peak_of(engine)
        await engine.ingest(incoming(5 * batch), index=False)
        many = await peak_of(engine)
    assert many.keys() == few.keys() > {"chatcore", "kto", "markdown"}
    assert {name: many[name] for name in few if many[name] > 1.3 * few[name]} == {}
