"""Runs: each is one try at answering and ends exactly once.

A run belongs to the engine. It starts because a commit says so (a published `MessageChanged` with status
``running``) and is superseded because a commit says so (one with an ending); no caller's life or death
comes into it. What its responder says goes to a draft; one pump for all runs commits what has arrived
from every draft while the last commit was under way.
"""

import logging
from collections.abc import AsyncIterator, Mapping

import anyio
from anyio.abc import TaskGroup

from chatcore.asked import Asked
from chatcore.commands import AppendDeltas
from chatcore.draft import Outgrown
from chatcore.errors import ChatcoreError, NotFound, ResponderError, RunEnded, StorageError
from chatcore.events import ConversationEvent, MessageChanged
from chatcore.limits import Limits
from chatcore.messages import ENDINGS, Status, text_of
from chatcore.ports import ANYBODY, Output, Responder, Store, Titling
from chatcore.run import Outcome, Run
from chatcore.strangers import StrangerFailed, strangers_code
from chatcore.titles import Titles

__all__ = ["Runs"]

log = logging.getLogger("chatcore.runs")

RETRY_SECONDS = (0.05, 2.0)


class Runs:
    """All runs of one engine.

    Attributes:
        owner: The id under which they write.
    """

    def __init__(
        self, store: Store, owner: str, responders: Mapping[str, Responder], limits: Limits, tasks: TaskGroup
    ) -> None:
        self._store = store
        self.owner = owner
        self._responders = responders
        self._limits = limits
        self._tasks = tasks
        self._titles = Titles(store, limits, tasks)
        self._by_message: dict[str, Run] = {}
        self._by_conversation: dict[str, Run] = {}
        self._alive: set[Run] = set()
        self._dirty: dict[str, Run] = {}
        self._wake = anyio.Event()
        self._unwritten: set[str] = set()
        self._closing = False

    @property
    def storage_fails(self) -> bool:
        """Whether an ending waits for a store that can't write."""
        return bool(self._unwritten)

    def running(self, conversation_id: str) -> Run | None:
        """The run of the conversation, if one is going on."""
        return self._by_conversation.get(conversation_id)

    def on_event(self, event: ConversationEvent) -> None:
        """Start and end runs as commits say (a watcher of the hub)."""
        if not isinstance(event, MessageChanged):
            return
        message = event.message
        if message.status == "running":
            if self._closing:
                return  # committed while the last tasks end: the next start finds it interrupted
            run = Run(message, self._limits)
            self._by_message[message.id] = self._by_conversation[message.conversation_id] = run
            self._alive.add(run)
            self._tasks.start_soon(self._run, run)
        elif message.status in ENDINGS and (known := self._by_message.get(message.id)) is not None:
            known.superseded = True
            known.end(message.status)
            self._forget(known)

    def start(self) -> None:
        """Begin to commit what runs say, and to watch over silent ones."""
        self._tasks.start_soon(self._pump)
        self._tasks.start_soon(self._watch)

    async def close(self, seconds: float) -> None:
        """End all runs as `interrupted`; gives up on what can't be stored within `seconds`."""
        self._closing = True
        self._titles.close()
        for run in list(self._by_message.values()):
            self.end(run, "interrupted", "The server was stopped.", "server_stopped")
        with anyio.move_on_after(seconds, shield=True):
            for run in list(self._alive):
                await run.ended.wait()
            for run in list(self._alive):
                await run.over.wait()

    def end(self, run: Run, status: Status, reason: str | None = None, code: str | None = None) -> None:
        """End the run like this, at once: a responder that does not let go is not waited for."""
        run.end(status, reason, code)
        if not run.ending_begun:
            run.ending_begun = True
            self._tasks.start_soon(self._store_ending, run, (status, reason, code))

    async def _run(self, run: Run) -> None:
        try:
            outcome = await self._answer(run)
            if not run.ending_begun:
                run.ending_begun = True
                await self._store_ending(run, outcome)
            if outcome[0] == "complete" and run.asked is not None:
                said = text_of(run.draft.parts())
                await self._titles.make(run.asked, said, self._titling(run))
        finally:
            self._alive.discard(run)
            run.over.set()

    async def _answer(self, run: Run) -> Outcome:
        """How the run ended, when nobody asked for another ending."""
        try:
            with strangers_code(Outgrown):
                stream = await self._begin(run)
                await run.listen(stream, self._said)
        except Outgrown:
            return (
                "failed",
                f"The answer was cut off at {self._limits.answer_chars:,} characters.",
                "too_long",
            )
        except ChatcoreError as error:
            return "failed", error.sentence, error.code
        except StrangerFailed as error:
            log.warning("responder failed", exc_info=error.__cause__, extra={"action": "responder_failed"})
            return "failed", f"The model failed: {error}", "responder_error"
        if not run.draft.parts():
            return "failed", "The model ended without a word.", "no_answer"
        return "complete", None, None

    async def _begin(self, run: Run) -> AsyncIterator[Output]:
        message = run.message
        responder = self._responders.get(message.responder or "")
        if responder is None:
            raise ResponderError(f"The responder “{message.responder}” is not there any more.")
        conversation = await self._store.conversation(ANYBODY, message.conversation_id)
        question = await self._store.message(ANYBODY, message.parent or "")
        beginning = ""
        if message.continues is not None:
            before = await self._store.message(ANYBODY, message.continues)
            for part in before.parts:
                run.draft.add(part)
            self._said(run)
            beginning = text_of(before.parts)
        run.asked = Asked(self._store, conversation, question, beginning=beginning)
        return responder.respond(run.asked)

    async def _store_ending(self, run: Run, outcome: Outcome) -> None:
        """Retried until it is written: a run that has ended must not look as if it went on."""
        pause, longest = RETRY_SECONDS
        self._dirty.pop(run.message.id, None)
        command = run.ending(self.owner, outcome)
        while not run.superseded:
            try:
                await self._store.write(command)
                break
            except (RunEnded, NotFound):
                break
            except StorageError as error:
                self._unwritten.add(run.message.id)
                log.error("ending not stored: %s", error, extra={"action": "ending_not_stored"})
                await anyio.sleep(pause)
                pause = min(pause * 2, longest)
        self._unwritten.discard(run.message.id)
        self._forget(run)

    def _titling(self, run: Run) -> Titling | None:
        """What may be asked for a title: an answer that was cut off says too little for one."""
        responder: object = self._responders.get(run.message.responder or "")
        return responder if run.ended_as == "complete" and isinstance(responder, Titling) else None

    def _forget(self, run: Run) -> None:
        if self._by_message.get(run.message.id) is run:
            del self._by_message[run.message.id]
        if self._by_conversation.get(run.message.conversation_id) is run:
            del self._by_conversation[run.message.conversation_id]
        run.ended.set()

    def _said(self, run: Run) -> None:
        if not self._dirty:
            self._wake.set()
        self._dirty[run.message.id] = run

    async def _pump(self) -> None:
        """Commit what has arrived from all runs while the last commit was under way."""
        pause, longest = RETRY_SECONDS
        while True:
            if not self._dirty:
                self._wake = anyio.Event()
                await self._wake.wait()
            runs, self._dirty = self._dirty, {}
            deltas = tuple(delta for run in runs.values() for delta in run.draft.take())
            try:
                refused = await self._store.write(AppendDeltas(owner=self.owner, deltas=deltas))
            except StorageError as error:
                log.error("deltas not stored: %s", error, extra={"action": "deltas_not_stored"})
                for run in runs.values():
                    run.draft.failed()
                    if run.message.id in self._by_message:
                        self._dirty[run.message.id] = run
                await anyio.sleep(pause)
                pause = min(pause * 2, longest)
                continue
            pause = RETRY_SECONDS[0]
            for message_id, run in runs.items():
                run.draft.committed()
                run.has_space()
                if message_id in refused:
                    run.end("stopped")

    async def _watch(self) -> None:
        """End runs whose responder has said nothing for too long; one look for all of them."""
        bound = self._limits.silence_seconds
        while True:
            await anyio.sleep(min(1.0, bound / 4))
            for run in list(self._by_message.values()):
                if run.silent_for() > bound:
                    self.end(run, "failed", f"The model said nothing for {bound:g} seconds.", "timeout")
