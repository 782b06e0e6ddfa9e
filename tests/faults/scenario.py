"""A fixed life of one engine on a disk that may fail: each call is tried until it is done, and watched."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from shutil import copytree
from typing import TypeVar

import anyio
from anyio.abc import TaskGroup, TaskStatus

from chatcore import (
    ConversationEvent,
    Engine,
    FeedbackChanged,
    Fold,
    Message,
    MessageChanged,
    PartAdded,
    StorageError,
    TextDelta,
    text_of,
)
from chatcore.testing import ScriptedResponder
from storage.sqlite.check import damage
from storage.sqlite.functions import add_functions
from storage.sqlite.store import DATABASE
from tests.search_index import index_damage

__all__ = ["Life"]

R = TypeVar("R")

MAX_TRIES = 50
WORDS = ("One ", "two ", "three ")

_FEEDBACK = "SELECT max(f.seq) FROM feedback AS f JOIN message AS m ON m.id = f.message WHERE m.public = ?"
# all that has been said is in the message once it has ended
_SAID = (
    "SELECT iif(ended_at_us IS NULL, (SELECT max(seq) FROM delta WHERE message = message.id), 1000000)"
    " FROM message WHERE public = ?"
)


class Life:
    """Drives an engine.

    Attributes:
        refused: How many calls the disk has refused.
    """

    def __init__(self, engine: Engine, script: ScriptedResponder, directory: Path, spare: Path) -> None:
        self.refused = 0
        self._engine = engine
        self._script = script
        self._directory = directory
        self._spare = spare
        self._followed: list[Fold] = []
        self._not_stored: list[ConversationEvent] = []

    async def live(self) -> None:
        """All that the engine can do, once."""
        engine, script = self._engine, self._script
        with closing(sqlite3.connect(self._directory / DATABASE)) as self._rows:
            engine._hub.watch(self._is_stored)
            async with anyio.create_task_group() as tasks:
                await self._talk(engine, script, tasks)
                await self._folds_are_the_store()
                tasks.cancel_scope.cancel()
        assert self._not_stored == []
        assert await engine.check() == []

    async def _talk(self, engine: Engine, script: ScriptedResponder, tasks: TaskGroup) -> None:
        first = await self._call(lambda: engine.create("first"))
        await tasks.start(self._follow, first.id)
        note = await self._call(lambda: engine.post(first.id, "A note", key="note"))
        assert await engine.post(first.id, "A note", key="note") == note
        sent = await self._call(lambda: engine.send(first.id, "Question"))
        run = await script.next_run()
        run.say(*WORDS)
        await self._shown(sent.answer)
        waiting = await self._call(lambda: engine.send(first.id, "Next", policy="queue"), quiet=False)
        run.end()
        await self._ended(sent.answer, "complete")
        run = await script.next_run()
        run.say(*WORDS)
        await self._shown(waiting.answer)
        await engine.stop(first.id)
        await self._ended(waiting.answer, "stopped")
        await self._call(lambda: engine.rename(first.id, "renamed"))
        await self._call(lambda: engine.rate(sent.answer.id, "like", comment="good"))
        edited = await self._call(lambda: engine.edit(sent.question.id, "Other question"))
        run = await script.next_run()
        run.say(*WORDS)
        await self._shown(edited.answer)
        again = await self._call(lambda: engine.regenerate(edited.answer.id, policy="interrupt"), quiet=False)
        await self._ended(edited.answer, "stopped")
        (await script.next_run()).end(*WORDS)
        await self._ended(again.answer, "complete")
        await self._call(lambda: engine.move_head(first.id, sent.answer.id))
        second = await self._call(lambda: engine.create("second"))
        await self._call(lambda: engine.post(second.id, "x" * 6_000))
        await self._call(lambda: engine.delete(second.id))
        await self._call(engine.purge)

    async def _call(self, call: Callable[[], Awaitable[R]], *, quiet: bool = True) -> R:
        """Have it done; each time that it is refused, nothing has changed (where no answer runs: `quiet`)."""
        for _ in range(MAX_TRIES):
            before = await self._state()
            try:
                return await call()
            except StorageError:
                self.refused += 1
                if quiet:
                    assert await self._state() == before
                assert not await self._engine._store._writer._connection.run(_in_transaction)  # type: ignore[attr-defined]
                self._sound_after_death()
        raise AssertionError("the call is refused for good")

    async def _state(self) -> object:
        page = await self._engine.conversations()
        ids = [conversation.id for conversation in page.conversations]
        return page, [await self._engine._store.changes("local", one, after=0, limit=1000) for one in ids]

    def _sound_after_death(self) -> None:
        """Were the process killed now, what is left would be whole."""
        if self._spare.exists():
            return  # looked at once
        copytree(self._directory, self._spare)
        with closing(sqlite3.connect(self._spare / DATABASE)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            add_functions(connection)
            assert damage(connection) == []
            assert index_damage(connection) == []

    async def _shown(self, answer: Message) -> None:
        said = ""
        async with self._engine.subscribe(answer.conversation_id) as events:
            async for event in events:
                if isinstance(event, TextDelta) and event.message_id == answer.id:
                    self._is_stored(event)
                    said += event.text
                    if said == "".join(WORDS):
                        return

    async def _ended(self, answer: Message, status: str) -> None:
        message = await self._engine.wait_ended(answer.id)
        assert (message.status, text_of(message.parts)) == (status, "".join(WORDS))

    async def _follow(
        self, conversation_id: str, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        fold = Fold()
        self._followed.append(fold)
        async with self._engine.subscribe(conversation_id) as events:
            task_status.started()
            async for event in events:
                if isinstance(event, TextDelta):
                    self._is_stored(event)
                fold.apply(event)

    def _is_stored(self, event: ConversationEvent) -> None:
        """A watcher (so it must not raise): what is being shown must be found by another connection."""
        match event:
            case MessageChanged(message=message):
                sql, public = "SELECT seq FROM message WHERE public = ?", message.id
            case FeedbackChanged(message_id=message_id):
                sql, public = _FEEDBACK, message_id
            case TextDelta(message_id=message_id) | PartAdded(message_id=message_id):
                sql, public = _SAID, message_id
            case _:
                sql, public = "SELECT counter FROM conversation WHERE public = ?", event.conversation_id
        row = self._rows.execute(sql, (bytes.fromhex(public),)).fetchone()
        if row is None or row[0] < event.seq:
            self._not_stored.append(event)

    async def _folds_are_the_store(self) -> None:
        """Whoever has followed from the beginning holds what is stored."""
        (conversation,) = (await self._engine.conversations()).conversations
        truth = Fold()
        rows = await self._engine._store.changes("local", conversation.id, after=0, limit=1000)
        for event in rows.events:
            truth.apply(event)
        (fold,) = self._followed
        while fold.seq < truth.seq:
            await anyio.lowlevel.checkpoint()
        assert vars(fold) == vars(truth)


def _in_transaction(connection: sqlite3.Connection) -> bool:
    return connection.in_transaction
