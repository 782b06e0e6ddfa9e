"""A run: one try at answering, from the first word to its one ending."""

import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from time import monotonic
from typing import TypeVar

import anyio
import msgspec

from chatcore.asked import Asked
from chatcore.commands import EndRun
from chatcore.draft import Draft
from chatcore.errors import ResponderError
from chatcore.limits import Limits
from chatcore.messages import Message, Reasoning, Status, Text, ToolCall, ToolResult, Usage, clean_text
from chatcore.ports import Output

__all__ = ["Outcome", "Run"]

T = TypeVar("T", bound=Text | Reasoning | ToolCall | ToolResult | Usage)

MAX_PENDING_BYTES = 64 * 1024
MAX_REASON_CHARS = 1_000
CLOSE_SECONDS = 1.0

Outcome = tuple[Status, str | None, str | None]
"""How an answer ended: its status, and a sentence and a stable word for why it is not complete."""


class Run:
    """One try at answering.

    Attributes:
        message: The answer as it was when the run began.
        ended: Set when its ending is stored (by this run or by another's unit).
        over: Set when nothing more is done for it: its responder has let go, its title is made.
        first_token_seconds: From its begin until its responder said something; None: not yet.
        superseded: Its ending was committed by somebody else's unit.
        ending_begun: Somebody is storing its ending.
    """

    def __init__(self, message: Message, limits: Limits) -> None:
        self.message = message
        self.ended = anyio.Event()
        self.over = anyio.Event()
        self.draft = Draft(message.id, limits.answer_chars)
        self.asked: Asked | None = None
        self.usage: Usage | None = None
        self.model = message.model
        self.superseded = False
        self.ending_begun = False
        self._scope = anyio.CancelScope()
        # not anyio's clock: looking up the running loop costs more than all else that is done for a token
        self._heard = self._begun = monotonic()
        self.first_token_seconds: float | None = None
        self._space = anyio.Event()
        self._ending: Outcome | None = None

    def end(self, status: Status, reason: str | None = None, code: str | None = None) -> None:
        """Have it end like this, with what was said so far; the first ending asked for holds."""
        if self._ending is None:
            self._ending = (status, reason, code)
        self._scope.cancel()

    @property
    def ended_as(self) -> Status | None:
        """The ending that was asked for or, since, committed; None: neither."""
        return self._ending[0] if self._ending is not None else None

    def ending(self, owner: str, default: Outcome) -> EndRun:
        """The ending as a command, with all that was said until this moment."""
        status, reason, code = self._ending or default
        # the sentence may be a stranger's: of a responder, or of the server that it asks
        reason = reason and clean_text(reason)[:MAX_REASON_CHARS]
        return EndRun(
            owner=owner,
            message_id=self.message.id,
            status=status,
            parts=self.draft.parts(),
            reason=reason,
            reason_code=code and clean_text(code),
            model=self.model,
            usage=self.usage,
            memory_from=self.asked.memory_from if self.asked else None,
            first_token_seconds=self.first_token_seconds,
        )

    def silent_for(self) -> float:
        """Seconds since its responder last said something; 0 while it waits for the store."""
        return max(0.0, monotonic() - self._heard)

    def has_space(self) -> None:
        """Its deltas were committed: a responder that waits goes on."""
        self._space.set()

    async def listen(self, stream: AsyncIterator[Output], said: Callable[["Run"], None]) -> None:
        """Take what the responder says until it ends, is cancelled or raises."""
        given = self.draft.chars  # of the answer that this one continues
        with self._scope:
            if self._ending is not None:
                self._scope.cancel()
            try:
                async for output in stream:
                    if self._ending is not None:
                        return  # a responder that goes on although it was cancelled is not listened to
                    self._heard = monotonic()
                    if type(output) is str:
                        self.draft.say(output)
                    else:
                        self._take(output)
                    if self.first_token_seconds is None and self.draft.chars > given:
                        self.first_token_seconds = round(self._heard - self._begun, 6)
                    said(self)
                    if self.draft.pending_bytes > MAX_PENDING_BYTES:
                        await self._wait_for_space()
            finally:
                if isinstance(stream, AsyncGenerator):
                    with anyio.CancelScope(shield=True, deadline=anyio.current_time() + CLOSE_SECONDS):
                        await stream.aclose()

    def _take(self, output: object) -> None:
        match output:
            case Text() | Reasoning() | ToolCall() | ToolResult():
                self.draft.add(_checked(output))
            case str():  # a subclass of str
                self.draft.say(str(output))
            case Usage():
                self.usage = _checked(output)
            case _:
                kind = type(output).__name__
                raise ResponderError(
                    f"The responder gave a value of type {kind} where text or a part belongs."
                )

    async def _wait_for_space(self) -> None:
        self._heard = math.inf
        while self.draft.pending_bytes > MAX_PENDING_BYTES:
            self._space = anyio.Event()
            await self._space.wait()
        self._heard = monotonic()


def _checked(output: T) -> T:
    """The value, its fields of the types that they are declared with: nothing else must reach the store."""
    try:
        return msgspec.convert(msgspec.structs.asdict(output), type(output))
    except msgspec.ValidationError as error:
        kind = type(output).__name__
        raise ResponderError(f"The responder gave a {kind} that is none: {error}.") from error
