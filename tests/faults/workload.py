"""A random life of one engine: what people do, all at once, drawn from a seed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from random import Random
from unittest.mock import patch

import anyio

from chatcore import (
    ChatcoreError,
    ConversationDeleted,
    Engine,
    Incoming,
    IncomingMessage,
    MessageChanged,
    Policy,
    Rating,
    Settings,
    TextDelta,
    Upload,
    open_engine,
)
from chatcore.messages import Text
from chatcore.testing import ScriptedResponder, ScriptedRun
from storage.files import collector
from tests.faults.recording import Recorder

__all__ = ["counted", "record", "record_ingestions"]

SESSIONS = 2
FILES = 6

_POLICIES: tuple[Policy, ...] = ("queue", "queue", "interrupt", "reject")
_RATINGS: tuple[Rating | None, ...] = ("like", "dislike", None)
_Act = Callable[["_Life"], Awaitable[None]]


def record(seed: int, directory: Path, *, acts: int = 60) -> Recorder:
    """Two processes' work on one data directory, the first of which stops in order."""
    recorder = Recorder(directory)
    anyio.run(_record, recorder, Random(seed), directory, acts, _ACTS)
    return recorder


def record_ingestions(seed: int, directory: Path) -> Recorder:
    """The same, but nothing is done beside that would have it on the disk as well."""
    recorder = Recorder(directory)
    kinds: Mapping[_Act, int] = {_Life.ingest: 1}
    anyio.run(_record, recorder, Random(seed), directory, 12, kinds)
    return recorder


def counted(start: int, count: int) -> str:
    """What all answers say: any piece that is missing shows."""
    return "".join(f"{number} " for number in range(start, start + count))


async def _record(
    recorder: Recorder, rng: Random, directory: Path, acts: int, kinds: Mapping[_Act, int]
) -> None:
    # nothing is held for its message here: what is put is sent before anything is collected
    held = patch.object(collector, "HELD_SECONDS", 0.0)
    with recorder.recording(), held, anyio.fail_after(20):
        for session in range(SESSIONS):
            script = ScriptedResponder(can_continue=True)
            async with open_engine(f"sqlite:{directory}", responder=script) as engine:
                engine._hub.watch(recorder.on_event)
                recorder.epochs.append(engine.epoch)
                life = _Life(engine, script, recorder, rng)
                await life.begin(session)
                for _ in range(acts):
                    await life.act(kinds)


class _Life:
    def __init__(self, engine: Engine, script: ScriptedResponder, recorder: Recorder, rng: Random) -> None:
        self._engine = engine
        self._script = script
        self._recorder = recorder
        self._rng = rng
        self._runs: list[ScriptedRun] = []
        self._said: dict[ScriptedRun, int] = {}
        self._conversations: list[str] = []
        self._messages: list[str] = []
        self._number = 0

    async def begin(self, session: int) -> None:
        page = await self._engine.conversations()
        self._conversations = [one.id for one in page.conversations][:3]
        while len(self._conversations) < 3 + session:
            await self.create()

    async def act(self, kinds: Mapping[_Act, int]) -> None:
        act = self._rng.choices(list(kinds), weights=list(kinds.values()))[0]
        try:
            await act(self)
        except ChatcoreError:
            pass  # a refusal: what it has promised is that nothing was done

    async def create(self) -> None:
        made = await self._engine.create(self._text(30), settings=Settings(system_prompt=self._text(50)))
        self._recorder.know(made)
        self._conversations.append(made.id)

    async def post(self) -> None:
        made = await self._engine.post(self._conversation(), self._text(3000), key=self._key())
        self._recorder.know(made)
        self._messages.append(made.id)

    async def post_together(self) -> None:
        # as many as there are conversations share groups, some of which a refusal undoes in part
        async with anyio.create_task_group() as tasks:
            for _ in range(self._rng.randrange(2, 7)):
                tasks.start_soon(self._try, self.post)

    async def post_files(self) -> None:
        files = [self._file() for _ in range(self._rng.randrange(1, 3))]
        made = await self._engine.post(self._conversation(), self._text(30), files)
        self._recorder.know(made)
        self._messages.append(made.id)

    async def send(self) -> None:
        policy = self._rng.choice(_POLICIES)
        files = [self._file()] if self._rng.random() < 0.2 else []
        sent = await self._engine.send(
            self._conversation(), self._text(300), files, policy=policy, key=self._key()
        )
        self._recorder.know(sent.question, sent.answer)
        self._messages += [sent.question.id, sent.answer.id]

    async def speak(self) -> None:
        if (run := self._run()) is None:
            return
        said = self._said.get(run, 0)
        count = self._rng.choice((1, 3, 30, 600))
        if run.asked.beginning and not said:
            said = len(run.asked.beginning.split())
        self._said[run] = said + count
        run.say(*(f"{number} " for number in range(said, said + count)))
        await self._shown(run, f"{said + count - 1} ")

    async def end(self) -> None:
        if (run := self._run()) is None:
            return
        self._runs.remove(run)
        if self._rng.random() < 0.2:
            run.fail(RuntimeError("planned"))
        else:
            run.end()
        await run.closed.wait()

    async def stop(self) -> None:
        await self._engine.stop(self._conversation())

    async def edit(self) -> None:
        sent = await self._engine.edit(self._message(), self._text(100))
        self._recorder.know(sent.question, sent.answer)
        self._messages += [sent.question.id, sent.answer.id]

    async def again(self) -> None:
        call = self._rng.choice((self._engine.regenerate, self._engine.continue_answer))
        sent = await call(self._message(), policy=self._rng.choice(_POLICIES[2:]))
        self._recorder.know(sent.question, sent.answer)
        self._messages.append(sent.answer.id)

    async def rate(self) -> None:
        message = await self._engine.message(self._message())
        rating = self._rng.choice(_RATINGS)
        await self._engine.rate(message.id, rating, comment=self._text(20) if rating else None)

    async def rename(self) -> None:
        self._recorder.know(await self._engine.rename(self._conversation(), self._text(20)))

    async def head(self) -> None:
        message = await self._engine.message(self._message())
        self._recorder.know(await self._engine.move_head(message.conversation_id, message.id))

    async def undo(self) -> None:
        self._recorder.know(await self._engine.undo(self._conversation()))

    async def delete(self) -> None:
        conversation = self._conversation()
        self._recorder.know(await self._engine.delete(conversation))
        if self._rng.random() < 0.4:
            self._recorder.know(await self._engine.undelete(conversation))
        else:
            self._conversations.remove(conversation)
            await self.create()

    async def purge(self) -> None:
        while (await self._engine.purge(max_rows=self._rng.choice((2, 5, 500)))).more:
            pass
        await self._engine.collect_files(untouched_seconds=0)

    async def reindex(self) -> None:
        max_messages = self._rng.choice((2, 7, 500))
        anew = self._rng.random() < 0.5
        for _ in range(self._rng.randrange(1, 4)):  # perhaps not to its end
            await self._engine.reindex(max_messages=max_messages, anew=anew)
            anew = False

    async def ingest(self) -> None:
        """Nothing is promised before the call returns."""
        title = self._text(8)
        said = [
            IncomingMessage(role="user", parts=(Text(self._text(400)),), id=f"{place}")
            for place in range(self._rng.randrange(1, 6))
        ]
        await self._engine.ingest(
            [Incoming(source="power", id=title, title=title, messages=said, linear=True)]
        )
        (newest,) = (await self._engine.conversations(limit=1)).conversations
        self._recorder.know(newest, *(await self._engine.page(newest.id)).messages)

    async def _try(self, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except ChatcoreError:
            pass

    async def _shown(self, run: ScriptedRun, last: str) -> None:
        """Returns when a reader has seen the end of it."""
        conversation = run.asked.conversation.id
        async with self._engine.subscribe(conversation) as events:
            async for event in events:
                match event:
                    case TextDelta(text=text) if text.endswith(last):
                        return
                    case ConversationDeleted():
                        return
                    case MessageChanged(message=message) if (
                        message.parent == run.asked.question.id and message.ended_at is not None
                    ):
                        return

    def _run(self) -> ScriptedRun | None:
        self._runs = [run for run in (*self._runs, *self._script.begun()) if not run.closed.is_set()]
        return self._rng.choice(self._runs) if self._runs else None

    def _conversation(self) -> str:
        return self._rng.choice(self._conversations)

    def _message(self) -> str:
        return self._rng.choice(self._messages[-12:]) if self._messages else "none"

    def _text(self, chars: int) -> str:
        self._number += 1
        return f"{self._number} 'quoted' wörld 😀 " + "x" * self._rng.randrange(chars)

    def _key(self) -> str | None:
        return f"key {self._rng.randrange(40)}" if self._rng.random() < 0.3 else None

    def _file(self) -> Upload:
        # few contents, so that some are there already and some are being removed
        number = self._rng.randrange(FILES)
        return Upload(f"{number}.bin", _pieces(number))


async def _pieces(number: int) -> AsyncIterator[bytes]:
    yield b"%d" % number * (number * 1500 + 1)


_ACTS: dict[_Act, int] = {
    _Life.post: 6,
    _Life.post_together: 4,
    _Life.post_files: 6,
    _Life.send: 12,
    _Life.speak: 25,
    _Life.end: 7,
    _Life.stop: 3,
    _Life.edit: 3,
    _Life.again: 5,
    _Life.rate: 6,
    _Life.rename: 3,
    _Life.head: 2,
    _Life.undo: 2,
    _Life.delete: 4,
    _Life.purge: 3,
    _Life.reindex: 3,
    _Life.ingest: 4,
}
