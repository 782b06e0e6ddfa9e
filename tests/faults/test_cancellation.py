"""Every call of the engine is cancelled at each of its awaits: all is whole, and the next call works."""

import inspect
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import TaskStatus

from chatcore import Engine, Fold, NotFound, Sent, Settings, Text, Upload, open_engine
from chatcore.arrivals import IngestConversation, IngestMessage
from chatcore.incoming import Incoming, IncomingFile, IncomingMessage
from chatcore.messages import ENDINGS
from chatcore.testing import ScriptedResponder, ScriptedRun
from tests.faults.cancelling import Cancelled, cancelled_at

WAYS = [("memory", "asyncio"), ("memory", "trio"), ("sqlite", "asyncio"), ("sqlite", "native")]
MAX_AWAITS = 200


@pytest.fixture(params=WAYS, ids="-".join)
def way(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The store, and how calls are cancelled on it: on which event loop, or as tasks of asyncio's."""
    pair: tuple[str, str] = request.param
    return pair


@pytest.fixture
def anyio_backend(way: tuple[str, str]) -> str:
    return "trio" if way[1] == "trio" else "asyncio"


@pytest.fixture
def natively(way: tuple[str, str]) -> bool:
    return way[1] == "native"


@pytest.fixture
def url(way: tuple[str, str], tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'data'}" if way[0] == "sqlite" else "memory:"


@pytest.fixture
def script() -> ScriptedResponder:
    return ScriptedResponder(can_continue=True)


@pytest.fixture
async def engine(url: str, script: ScriptedResponder) -> AsyncIterator[Engine]:
    async with open_engine(url, responder=script) as engine:
        yield engine


@dataclass
class Talk:
    """A conversation of its own for each try: an exchange with a file, and perhaps a running answer.

    Attributes:
        running: Id of the answer that runs.
        runs: What writes it.
        number: Of the try.
    """

    engine: Engine
    id: str
    sent: Sent
    directory: Path
    number: int
    running: str = ""
    runs: list[ScriptedRun] = field(default_factory=list)


@dataclass(frozen=True)
class Try:
    """A call to be cancelled.

    Attributes:
        running: Whether an answer runs when it is made.
        asks: Whether it begins an answer.
        before: What is done beforehand.
    """

    call: Callable[[Talk], Coroutine[Any, Any, object]]
    running: bool = False
    asks: bool = False
    before: Callable[[Talk], Awaitable[object]] | None = None


async def content() -> AsyncIterator[bytes]:
    yield b"content"
    yield b"of a file"


def upload() -> Upload:
    return Upload("name.txt", content())


async def follow(talk: Talk) -> None:
    async with talk.engine.subscribe(talk.id) as events:
        await events.next_batch()
        await talk.engine.rename(talk.id, "seen")
        await events.next_batch()


async def follow_list(talk: Talk) -> None:
    async with talk.engine.subscribe_user() as events:
        await talk.engine.rename(talk.id, "seen")
        await events.next_batch()


async def end_soon(talk: Talk) -> None:
    talk.runs[-1].end("at last")


def arriving(talk: Talk) -> Incoming:
    """Long enough for two slices, with a file."""
    file = IncomingFile(name="name.txt", content=b"content")
    said = [
        IncomingMessage(role="user", parts=(Text(f"{talk.number}: word {n}"), *([file] if n == 3 else [])))
        for n in range(520)
    ]
    return Incoming(source="tests", id=f"arriving {talk.number}", messages=said, linear=True)


def batch(talk: Talk) -> tuple[IngestConversation, ...]:
    said = (IngestMessage(origin=b"8 bytes.", parent=-1, role="user", parts=(Text("Hi"),), created_at_us=1),)
    one = IngestConversation(
        origin=talk.number.to_bytes(16, "big"),
        digest=bytes(16),
        title=None,
        messages=said,
        head=0,
        created_at_us=1,
        updated_at_us=1,
    )
    return (one,)


TRIES: dict[str, Try] = {
    "create": Try(lambda t: t.engine.create("made", key=f"key {t.number}")),
    "conversation": Try(lambda t: t.engine.conversation(t.id)),
    "message": Try(lambda t: t.engine.message(t.sent.answer.id)),
    "conversations": Try(lambda t: t.engine.conversations()),
    "rename": Try(lambda t: t.engine.rename(t.id, "name")),
    "pin": Try(lambda t: t.engine.pin(t.id)),
    "archive": Try(lambda t: t.engine.archive(t.id)),
    "change": Try(lambda t: t.engine.change(t.id, title="name", pinned=True)),
    "configure": Try(lambda t: t.engine.configure(t.id, Settings(system_prompt="Be brief."))),
    "delete": Try(lambda t: t.engine.delete(t.id)),
    "delete, while running": Try(lambda t: t.engine.delete(t.id), running=True),
    "undelete": Try(lambda t: t.engine.undelete(t.id), before=lambda t: t.engine.delete(t.id)),
    "post": Try(lambda t: t.engine.post(t.id, "note")),
    "post, with files": Try(lambda t: t.engine.post(t.id, "note", [upload(), upload()])),
    "send": Try(lambda t: t.engine.send(t.id, "question"), asks=True),
    "send, with a file": Try(lambda t: t.engine.send(t.id, "question", [upload()]), asks=True),
    "send, queued": Try(lambda t: t.engine.send(t.id, "next", policy="queue"), running=True, asks=True),
    "send, interrupting": Try(
        lambda t: t.engine.send(t.id, "no", policy="interrupt"), running=True, asks=True
    ),
    "edit": Try(lambda t: t.engine.edit(t.sent.question.id, "in other words"), asks=True),
    "regenerate": Try(lambda t: t.engine.regenerate(t.sent.answer.id), asks=True),
    "regenerate, interrupting": Try(
        lambda t: t.engine.regenerate(t.sent.answer.id, policy="interrupt"), running=True, asks=True
    ),
    "continue_answer": Try(lambda t: t.engine.continue_answer(t.sent.answer.id), asks=True),
    "stop": Try(lambda t: t.engine.stop(t.id), running=True),
    "move_head": Try(lambda t: t.engine.move_head(t.id, t.sent.question.id)),
    "undo": Try(lambda t: t.engine.undo(t.id)),
    "rate": Try(lambda t: t.engine.rate(t.sent.answer.id, "like", comment="good")),
    "page": Try(lambda t: t.engine.page(t.id), running=True),
    "attachment": Try(lambda t: t.engine.attachment(t.sent.question.id, 1)),
    "wait_ended": Try(lambda t: t.engine.wait_ended(t.running), running=True, before=end_soon),
    "check": Try(lambda t: t.engine.check()),
    "backup": Try(lambda t: t.engine.backup(t.directory / f"backup {t.number}")),
    "purge": Try(lambda t: t.engine.purge(), before=lambda t: t.engine.delete(t.id)),
    "collect_files": Try(lambda t: t.engine.collect_files(untouched_seconds=0)),
    "search": Try(lambda t: t.engine.search("question")),
    "reindex": Try(lambda t: t.engine.reindex(anew=True)),
    "statistics": Try(lambda t: t.engine.statistics()),
    "tree_batch": Try(lambda t: t.engine.tree_batch(), running=True),
    "ingest": Try(lambda t: t.engine.ingest([arriving(t)])),
    "ingest_batch": Try(lambda t: t.engine.ingest_batch(batch(t))),
    "ingest_file": Try(lambda t: t.engine.ingest_file(upload())),
    "subscribe": Try(follow),
    "subscribe_user": Try(follow_list),
}
"""Each public call, perhaps in several ways: the name of the call is what comes before the comma."""


def test_no_call_is_left_out() -> None:
    calls = {
        name
        for name, member in inspect.getmembers(Engine, inspect.isfunction)
        if not name.startswith("_") and (inspect.iscoroutinefunction(member) or "subscribe" in name)
    }
    assert calls - {"start", "close"} == {name.partition(",")[0] for name in TRIES}


@pytest.mark.parametrize("name", TRIES)
async def test_cancelled_anywhere(
    name: str,
    way: tuple[str, str],
    engine: Engine,
    script: ScriptedResponder,
    natively: bool,
    tmp_path: Path,
) -> None:
    if name == "backup" and way[0] == "memory":
        pytest.skip("there is nothing that could be backed up")
    to_cancel = TRIES[name]
    for number in range(1, MAX_AWAITS):
        with anyio.fail_after(10):
            talk = await begin(engine, script, tmp_path, number)
            if to_cancel.running:
                talk.running = (await engine.send(talk.id, "Another?")).answer.id
                talk.runs.append(await script.next_run())
                talk.runs[-1].say("so far")
            if to_cancel.before is not None:
                await to_cancel.before(talk)
            async with Follower(engine, talk.id).following() as follower:
                readers = held(engine)
                cancelled = False
                try:
                    await cancelled_at(number, to_cancel.call(talk), natively=natively)
                except Cancelled:
                    cancelled = True
                await whole(talk, script, follower, readers, asks=to_cancel.asks, natively=natively)
        if not cancelled:
            break
    else:
        pytest.fail("there is no end to its awaits")
    assert number > 1, "it has never waited"


async def begin(engine: Engine, script: ScriptedResponder, directory: Path, number: int) -> Talk:
    made = await engine.create("A title")
    sent = await engine.send(made.id, "Question?", [upload()])
    (await script.next_run()).end("Answer.")
    await engine.wait_ended(sent.answer.id)
    return Talk(engine, made.id, sent, directory, number)


class Follower:
    """A subscriber who is there all the time, and again when the conversation was deleted and is back."""

    def __init__(self, engine: Engine, conversation_id: str) -> None:
        self.fold = Fold()
        self.back = anyio.Event()
        self._engine = engine
        self._id = conversation_id

    @asynccontextmanager
    async def following(self) -> AsyncIterator["Follower"]:
        async with anyio.create_task_group() as tasks:
            await tasks.start(self._follow)
            yield self
            tasks.cancel_scope.cancel()

    async def _follow(self, *, task_status: TaskStatus[None]) -> None:
        async with self._engine.subscribe(self._id) as events:
            task_status.started()
            async for event in events:
                self.fold.apply(event)
        await self.back.wait()
        async with self._engine.subscribe(self._id) as events:
            async for event in events:
                self.fold.apply(event)


def held(engine: Engine) -> Counter[str]:
    """How many readers hold each log."""
    found = Counter({key: log.readers for key, log in engine._hub.conversations.items() if log.readers})
    found.update({key: log.readers for key, log in engine._hub.users.items() if log.readers})
    return found


async def whole(
    talk: Talk,
    script: ScriptedResponder,
    follower: Follower,
    readers: Counter[str],
    *,
    asks: bool,
    natively: bool,
) -> None:
    """Nothing is left over, the next calls work, and what runs goes on to its end."""
    engine, store = talk.engine, talk.engine._store
    assert held(engine) <= readers
    try:
        await engine.undelete(talk.id)  # behind all that may still be under way
    except NotFound:  # purged
        assert await in_transaction(engine) == []
        assert await engine.check() == []
        return
    follower.back.set()
    assert await in_transaction(engine) == []
    temporary = store.files._root / "tmp"  # type: ignore[attr-defined]
    if natively:  # then no shield protects the cleaning up: what it has left is for the collector
        await engine.collect_files(untouched_seconds=0)
    assert not temporary.exists() or list(temporary.iterdir()) == []
    await every_run_is_run(talk)
    rows = await store.changes("local", talk.id, after=0, limit=1000)
    truth = Fold()
    for event in rows.events:
        truth.apply(event)
    asked = {m.id for m in truth.messages.values() if m.role == "user"}
    answered = {m.parent for m in truth.messages.values() if m.role == "assistant"}
    assert not asks or asked == answered, "a question without its answer"
    for run in (*talk.runs, *script.begun()):
        run.end("The end.")
        await run.closed.wait()
    while (await engine.conversation(talk.id)).running:
        for run in script.begun():  # one that was queued behind
            run.end("The end.")
        await anyio.lowlevel.checkpoint()
    note = await engine.post(talk.id, "The next call works", [upload()])
    fold = follower.fold
    while note.id not in fold.messages:
        await anyio.lowlevel.checkpoint()
    truth = Fold()
    for event in (await store.changes("local", talk.id, after=0, limit=1000)).events:
        truth.apply(event)
    assert all(message.status in ENDINGS for message in truth.messages.values())
    assert (fold.conversation, fold.messages) == (truth.conversation, truth.messages)
    assert await engine.check() == []


async def every_run_is_run(talk: Talk) -> None:
    """An answer that is stored as running has a task that writes it, and no other has."""
    page = await talk.engine.page(talk.id)
    running = [message.id for message in page.messages if message.status == "running"]
    run = talk.engine._runs.running(talk.id)
    assert running == ([] if run is None else [run.message.id])


async def in_transaction(engine: Engine) -> list[object]:
    """The store's connections that were left inside of one."""
    writer = getattr(engine._store, "_writer", None)
    if writer is None:
        return []
    connections = [writer._connection, *engine._store._readers._connections]  # type: ignore[attr-defined]
    return [one for one in connections if await one.run(_in_transaction)]


def _in_transaction(connection: sqlite3.Connection) -> bool:
    return connection.in_transaction


async def test_opening_cancelled_anywhere(url: str, natively: bool, script: ScriptedResponder) -> None:
    """Whatever was opened is closed: the directory can be opened again at once."""

    async def use() -> None:
        async with open_engine(url, responder=script) as engine:
            made = await engine.create()
            sent = await engine.send(made.id, "Question?")
            (await script.next_run()).say("so far")
            await engine.page(sent.answer.conversation_id)

    for number in range(1, MAX_AWAITS):
        cancelled = False
        with anyio.fail_after(10):
            try:
                await cancelled_at(number, use(), natively=natively)
            except Cancelled:
                cancelled = True
            script.begun()
            async with open_engine(url, responder=script) as engine:
                assert await engine.check() == []
                for conversation in (await engine.conversations()).conversations:
                    assert not conversation.running
                await engine.create()
        if not cancelled:
            break
    assert number > 3
