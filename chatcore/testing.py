"""Tools for tests of what is built on chatcore."""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Generic, TypeVar

import anyio

from chatcore.asked import Asked
from chatcore.messages import Part, Settings
from chatcore.ports import Output

__all__ = ["ScriptedResponder", "ScriptedRun"]

T = TypeVar("T")


class _Mailbox(Generic[T]):
    """An unbounded queue that needs no closing."""

    def __init__(self) -> None:
        self.items: deque[T] = deque()
        self._arrived = anyio.Event()

    def put(self, item: T) -> None:
        self.items.append(item)
        self._arrived.set()

    async def get(self) -> T:
        while not self.items:
            self._arrived = anyio.Event()
            await self._arrived.wait()
        return self.items.popleft()


class ScriptedRun:
    """One run of a `ScriptedResponder`, as the test drives it.

    Attributes:
        asked: What the responder was given.
        closed: Set when the engine has let go of the run (it ended, or was stopped).
    """

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.closed = anyio.Event()
        self._script: _Mailbox[Output | Exception] = _Mailbox()

    def say(self, *outputs: Output) -> None:
        """Have the responder yield these, one by one."""
        for output in outputs:
            self._script.put(output)

    def end(self, *outputs: Output) -> None:
        """Yield these and end the answer."""
        self.say(*outputs)
        self._script.put(_END)

    def fail(self, error: Exception) -> None:
        """Have the responder raise `error`."""
        self._script.put(error)

    async def outputs(self) -> AsyncIterator[Output]:
        """What the responder yields (for the responder)."""
        try:
            while (output := await self._script.get()) is not _END:
                if isinstance(output, Exception):
                    raise output
                yield output
        finally:
            self.closed.set()


_END = EOFError("the answer ends")


class ScriptedResponder:
    """A responder that says what the test tells it, when the test tells it.

    Attributes:
        refuses: The sentence with which it refuses questions; None: it takes them.
    """

    def __init__(self, name: str = "scripted", *, can_continue: bool = False) -> None:
        self.name = name
        self.model: str | None = f"{name}-1"
        self.context_tokens: int | None = None
        self.can_continue = can_continue
        self.refuses: str | None = None
        self._runs: _Mailbox[ScriptedRun] = _Mailbox()

    async def next_run(self) -> ScriptedRun:
        """The next run that the engine has begun; waits for it."""
        return await self._runs.get()

    def begun(self) -> list[ScriptedRun]:
        """Likewise, all of them, without waiting."""
        runs = list(self._runs.items)
        self._runs.items.clear()
        return runs

    def respond(self, asked: Asked) -> AsyncIterator[Output]:
        """See `chatcore.ports.Responder`."""
        run = ScriptedRun(asked)
        self._runs.put(run)
        return run.outputs()

    def refusal(self, parts: Sequence[Part], settings: Settings) -> str | None:
        """See `chatcore.ports.Responder`."""
        return self.refuses
