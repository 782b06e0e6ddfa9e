"""Promise 3, pick up anywhere: whatever happens and whoever reads, the folds equal the store."""

import tempfile
from dataclasses import dataclass, field

import anyio
import pytest
from anyio.abc import TaskGroup
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatcore import (
    ChatcoreError,
    ConversationDeleted,
    ConversationEvent,
    Engine,
    Fold,
    Message,
    MessageChanged,
    Policy,
    Reset,
    TextDelta,
    open_engine,
)
from chatcore.testing import ScriptedResponder, ScriptedRun
from chatcore.views import Changes

WORDS = ["a", "Hello ", "wörld", "😀😀", "\ud83d\ude00", "line\n", "x" * 200]
Step = tuple[str, int, int]


@dataclass
class Reader:
    """A subscriber that can be slowed down, and left and joined again."""

    engine: Engine
    conversation_id: str
    fold: Fold = field(default_factory=Fold)
    held: set[str] | None = None
    """Ids of the messages it answers for; None: all."""
    cursor: str | None = None
    open: anyio.Event = field(default_factory=anyio.Event)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    left: anyio.Event = field(default_factory=anyio.Event)
    moved: anyio.Event = field(default_factory=anyio.Event)
    last_seq: int = 0

    async def follow(self) -> None:
        left = self.left
        with self.scope:
            await self._follow()
        left.set()

    async def _follow(self) -> None:
        async with self.engine.subscribe(self.conversation_id, after=self.cursor) as events:
            while True:
                await self.open.wait()
                try:
                    batch = await events.next_batch()
                except StopAsyncIteration:
                    return
                for event in batch:
                    again = isinstance(event, Reset | ConversationDeleted)
                    assert again or event.seq > self.last_seq, "seq order"
                    self.last_seq = event.seq
                    self._apply(event)
                    self.cursor = events.cursor_of(event)
                self.moved.set()
                self.moved = anyio.Event()

    async def leave(self) -> None:
        self.scope.cancel()
        await self.left.wait()
        self.scope, self.left = anyio.CancelScope(), anyio.Event()

    def _apply(self, event: ConversationEvent) -> None:
        if self.held is not None and isinstance(event, MessageChanged) and event.message.id not in self.held:
            return  # a page's reader asks for a page around what it does not know
        self.fold.apply(event)

    async def reach(self, seq: int) -> None:
        self.open.set()
        while self.last_seq < seq and not self.fold.deleted:
            await self.moved.wait()


class World:
    """One conversation, its readers and its runs, driven by steps."""

    def __init__(self, engine: Engine, script: ScriptedResponder, tasks: TaskGroup) -> None:
        self.engine, self.script, self.tasks = engine, script, tasks
        self.readers: list[Reader] = []
        self.runs: list[ScriptedRun] = []
        self.conversation_id = ""
        self.deleted = False

    async def begin(self) -> None:
        self.conversation_id = (await self.engine.create()).id

    async def step(self, name: str, a: int, b: int) -> None:
        try:
            await getattr(self, "do_" + name)(a, b)
        except ChatcoreError:
            pass  # refusals are results like others: the folds must hold all the same
        for _ in range(b % 4):
            await anyio.lowlevel.checkpoint()

    async def messages(self) -> list[Message]:
        return list((await self.engine.page(self.conversation_id, limit=200)).messages)

    async def pick(self, a: int, role: str) -> Message | None:
        found = [message for message in await self.messages() if message.role == role]
        return found[a % len(found)] if found else None

    async def do_send(self, a: int, b: int) -> None:
        policies: tuple[Policy, ...] = ("reject", "queue", "interrupt")
        await self.engine.send(self.conversation_id, f"question {b}", policy=policies[a % 3])

    def take_runs(self) -> None:
        self.runs = [run for run in (*self.runs, *self.script.begun()) if not run.closed.is_set()]

    async def do_join(self, a: int, b: int) -> None:
        reader = Reader(self.engine, self.conversation_id)
        if a % 3 == 1:
            page = await self.engine.page(self.conversation_id, limit=1 + b % 5)
            reader.cursor = page.cursor
            reader.last_seq = int(page.cursor.rpartition(".")[2])
            reader.held = {message.id for message in page.messages}
            reader.fold.conversation = page.conversation
            reader.fold.messages = {message.id: message for message in page.messages}
            reader.fold.feedback = {(f.message_id, f.user): f.feedback for f in page.feedback}
        if a % 3 == 2:
            reader.cursor = f"another-epoch.{b}"
        if b % 3:
            reader.open.set()
        self.readers.append(reader)
        self.tasks.start_soon(reader.follow)

    async def do_leave(self, a: int, b: int) -> None:
        if self.readers:
            reader = self.readers[a % len(self.readers)]
            await reader.leave()
            self.tasks.start_soon(reader.follow)

    async def do_slow(self, a: int, b: int) -> None:
        if self.readers and (reader := self.readers[a % len(self.readers)]).open.is_set():
            reader.open = anyio.Event()

    async def do_stop(self, a: int, b: int) -> None:
        await self.engine.stop(self.conversation_id)

    async def do_edit(self, a: int, b: int) -> None:
        if message := await self.pick(a, "user"):
            await self.engine.edit(message.id, f"edited {b}")

    async def do_regenerate(self, a: int, b: int) -> None:
        if message := await self.pick(a, "assistant"):
            await self.engine.regenerate(message.id, policy=("reject", "interrupt")[b % 2])

    async def do_continue(self, a: int, b: int) -> None:
        if message := await self.pick(a, "assistant"):
            await self.engine.continue_answer(message.id)

    async def do_head(self, a: int, b: int) -> None:
        page = await self.engine.page(self.conversation_id, limit=200)
        ids = sorted({sibling for siblings in page.siblings.values() for sibling in siblings})
        if ids:
            await self.engine.move_head(self.conversation_id, ids[a % len(ids)])

    async def do_vote(self, a: int, b: int) -> None:
        if message := await self.pick(a, "assistant"):
            await self.engine.rate(message.id, ("like", "dislike", None)[b % 3])

    async def do_post(self, a: int, b: int) -> None:
        await self.engine.post(self.conversation_id, f"note {b}")

    async def do_rename(self, a: int, b: int) -> None:
        await self.engine.rename(self.conversation_id, f"title {b}")

    async def do_delete(self, a: int, b: int) -> None:
        if b % 4 == 0:
            await self.engine.delete(self.conversation_id)
            self.deleted = True

    async def do_speak(self, a: int, b: int) -> None:
        self.take_runs()
        if self.runs:
            self.runs[a % len(self.runs)].say(*(WORDS[(a + k) % len(WORDS)] for k in range(b % 9)))

    async def do_end(self, a: int, b: int) -> None:
        self.take_runs()
        if self.runs:
            run = self.runs.pop(a % len(self.runs))
            if b % 4 == 3:
                run.fail(RuntimeError("planned"))
            else:
                run.end(WORDS[b % len(WORDS)])

    async def finish(self) -> None:
        """All runs ended, all readers at the end: each fold is the store."""
        if self.deleted:
            await self.engine.undelete(self.conversation_id)
            self.readers = [reader for reader in self.readers if not reader.fold.deleted]
        await self.engine.stop(self.conversation_id)
        await self.engine.rename(self.conversation_id, "The end")  # no title is being made from here on
        fresh = Reader(self.engine, self.conversation_id)
        self.readers.append(fresh)
        self.tasks.start_soon(fresh.follow)
        store = self.engine._store
        rows: Changes = await store.changes("local", self.conversation_id, after=0, limit=100_000)
        truth = Fold()
        for event in rows.events:
            assert not isinstance(event, TextDelta | ConversationDeleted)
            truth.apply(event)
        for reader in self.readers:
            await reader.reach(truth.seq)
            if reader.fold.deleted:
                continue
            assert reader.fold.conversation == truth.conversation
            held = reader.fold.messages if reader.held is not None else truth.messages
            assert reader.fold.messages == {key: truth.messages[key] for key in held}
            for key, feedback in truth.feedback.items():
                if key[0] in reader.fold.messages:
                    assert reader.fold.feedback.get(key) == feedback
            assert set(reader.fold.feedback) <= set(truth.feedback)
        self.tasks.cancel_scope.cancel()


STEPS = (
    "send send speak speak speak end end join join leave slow stop edit regenerate continue head vote "
    "post rename delete"
)
steps = st.lists(
    st.tuples(st.sampled_from(STEPS.split()), st.integers(0, 50), st.integers(0, 50)), min_size=5, max_size=60
)


async def play(url: str, script: list[Step]) -> None:
    responder = ScriptedResponder(can_continue=True)
    async with open_engine(url, responder=responder) as engine:
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                world = World(engine, responder, tasks)
                await world.begin()
                for step in script:
                    await world.step(*step)
                await world.finish()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(script=steps)
def test_folds_equal_the_memory_store(backend: str, script: list[Step]) -> None:
    anyio.run(play, "memory:", script, backend=backend)


@settings(max_examples=120, suppress_health_check=list(HealthCheck))
@given(script=steps)
def test_folds_equal_the_sqlite_store(script: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        anyio.run(play, f"sqlite:{directory}", script, backend="asyncio")
