"""The promises, on the real store: each test goes red when its promise is broken.

Promise 2 is shown in `test_runs.py`, promise 3 in `test_folds.py`, promise 4 in `test_cost.py`.
"""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from chatcore import (
    ChatcoreError,
    ConversationEvent,
    Engine,
    FeedbackChanged,
    HeadMoved,
    IdempotencyConflict,
    Message,
    MessageChanged,
    PartAdded,
    Sent,
    TextDelta,
    open_engine,
    text_of,
)
from chatcore.testing import ScriptedResponder

pytestmark = pytest.mark.parametrize("anyio_backend", ["asyncio"])


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def engine(directory: Path, script: ScriptedResponder) -> AsyncIterator[Engine]:
    async with open_engine(f"sqlite:{directory}", responder=script) as engine:
        with anyio.fail_after(15):
            yield engine


class Witness:
    """Asks the database itself, over a connection of its own, whether an event is committed."""

    def __init__(self, directory: Path) -> None:
        self._database = sqlite3.connect(f"file:{directory}/chat.db?mode=ro", uri=True)
        self.asked = 0

    def ask(self, event: ConversationEvent) -> bool:
        self.asked += 1
        match event:
            case TextDelta(message_id=message_id, index=index, start=start, text=text):
                return self._row(
                    "SELECT 1 FROM delta JOIN message ON message.id = delta.message WHERE message.public = ? "
                    "AND delta.part = ? AND delta.start + length(delta.body) >= ?",
                    bytes.fromhex(message_id),
                    index,
                    start + len(text),
                ) or self._ended(message_id)
            case PartAdded(message_id=message_id, index=index):
                return self._row(
                    "SELECT 1 FROM delta JOIN message ON message.id = delta.message "
                    "WHERE message.public = ? AND delta.part = ?",
                    bytes.fromhex(message_id),
                    index,
                ) or self._ended(message_id)
            case MessageChanged(message=message):
                return self._row(
                    "SELECT 1 FROM message WHERE public = ? AND seq >= ?", _id(message), event.seq
                )
            case FeedbackChanged(message_id=message_id):
                return self._row(
                    "SELECT 1 FROM feedback JOIN message ON message.id = feedback.message "
                    "WHERE message.public = ? AND feedback.seq >= ?",
                    bytes.fromhex(message_id),
                    event.seq,
                )
        return True

    def close(self) -> None:
        self._database.close()

    def _ended(self, message_id: str) -> bool:
        return self._row(
            "SELECT 1 FROM message WHERE public = ? AND status NOT IN ('queued', 'running')",
            bytes.fromhex(message_id),
        )

    def _row(self, sql: str, *values: bytes | int) -> bool:
        return self._database.execute(sql, values).fetchone() is not None


def _id(message: Message) -> bytes:
    return bytes.fromhex(message.id)


async def test_shown_is_stored(engine: Engine, directory: Path, script: ScriptedResponder) -> None:
    """Promise 1. Events are looked up the moment they are published, before anything else can run."""
    conversation = await engine.create()
    witness = Witness(directory)
    lies: list[ConversationEvent] = []
    publish = engine._hub._take

    def take(event: ConversationEvent) -> None:
        if not witness.ask(event):
            lies.append(event)
        publish(event)

    engine._hub._take = take  # type: ignore[method-assign]
    async with engine.subscribe(conversation.id) as events, anyio.create_task_group() as tasks:

        async def watch() -> None:
            async for event in events:
                if not witness.ask(event):
                    lies.append(event)

        tasks.start_soon(watch)
        for number in range(10):
            sent = await engine.send(conversation.id, f"question {number}")
            run = await script.next_run()
            for piece in range(20):
                run.say(f"piece {piece} ")
                await anyio.lowlevel.checkpoint()
            await engine.rate(sent.question.id, "like")
            run.end()
            await engine.wait_ended(sent.answer.id)
        tasks.cancel_scope.cancel()
    witness.close()
    assert lies == []
    assert witness.asked > 60


async def test_acknowledged_is_stored(engine: Engine, directory: Path) -> None:
    """Promise 1 and 5: whoever is woken finds its message in the database."""
    conversation = await engine.create()
    witness = Witness(directory)
    missing: list[Message] = []

    async def post(number: int) -> None:
        message = await engine.post(conversation.id, f"message {number}")
        if not witness._row("SELECT 1 FROM message WHERE public = ?", _id(message)):
            missing.append(message)

    async with anyio.create_task_group() as tasks:
        for number in range(200):
            tasks.start_soon(post, number)
    witness.close()
    assert missing == []
    page = await engine.page(conversation.id, limit=500)
    assert [message.depth for message in page.messages] == list(range(200)), "one path, no two below one"


async def test_one_of_many_wins_the_head(engine: Engine) -> None:
    """Promise 5: compare-and-set."""
    conversation = await engine.create()
    first = await engine.post(conversation.id, "first")
    outcomes: list[Message | ChatcoreError] = []

    async def post(number: int) -> None:
        try:
            outcomes.append(await engine.post(conversation.id, f"{number}", expected_head=first.id))
        except HeadMoved as error:
            outcomes.append(error)

    async with anyio.create_task_group() as tasks:
        for number in range(50):
            tasks.start_soon(post, number)
    assert sum(isinstance(outcome, Message) for outcome in outcomes) == 1
    assert len((await engine.page(conversation.id)).messages) == 2


async def test_one_key_makes_one_message(engine: Engine, script: ScriptedResponder) -> None:
    """Promise 5: keys."""
    conversation = await engine.create()
    results: list[Sent] = []

    async def send() -> None:
        results.append(await engine.send(conversation.id, "once", key="k"))

    async with anyio.create_task_group() as tasks:
        for _ in range(30):
            tasks.start_soon(send)
    assert len({sent.answer.id for sent in results}) == 1
    assert sum(not sent.repeated for sent in results) == 1
    with pytest.raises(IdempotencyConflict):
        await engine.send(conversation.id, "twice", key="k")
    (await script.next_run()).end("done")
    answer = await engine.wait_ended(results[0].answer.id)
    assert text_of(answer.parts) == "done"
    assert script.begun() == []
