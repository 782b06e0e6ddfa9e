"""Answering by streamed chat completions, OpenAI's protocol that most servers of models speak."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import anyio
from msgspec import Struct
from openai import AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletionChunk

from chatcore.asked import Asked, estimate_tokens, part_tokens
from chatcore.errors import ChatcoreError, Refused, ResponderError
from chatcore.messages import File, Message, Part, Settings
from chatcore.ports import Output
from chatcore.responders.contents import attachment_tokens, kind_of
from chatcore.responders.deltas import Deltas
from chatcore.responders.dialect import Dialect, Parameters, request_body
from chatcore.responders.failures import FAILURES, CutOff, context_exceeded, failure, too_long
from chatcore.responders.prompt import chat_messages
from chatcore.responders.refusals import cannot_see, refusal

__all__ = ["CLOSE_SECONDS", "ChatCompletions", "ChatModel", "closing"]

TRIES = 12
"""Requests for one answer, retries not counted: history is halved a few times, an option or two left out."""

PAUSE_SECONDS = 0.5
"""Before the first retry; twice as long before each further one."""

CLOSE_SECONDS = 1.0
TEMPLATE_TOKENS = 64
"""What a model's own template may add to the messages."""


class ChatModel(Struct, frozen=True, kw_only=True):
    """What is asked, and how.

    Attributes:
        where: Its server as errors name it: ``the server at http://…``.
        parameters: Defaults of what a conversation's settings may set.
        retries: How often a stream that ends before its first token is tried again.
        count: How many tokens a text has, about.
    """

    name: str
    model: str
    where: str
    context_tokens: int | None = None
    can_continue: bool = False
    parameters: Parameters = {}
    retries: int = 2
    count: Callable[[str], int] = estimate_tokens


class ChatCompletions:
    """Answers with a model behind chat completions; see `chatcore.ports.Responder` for the attributes."""

    def __init__(self, client: AsyncOpenAI, chat: ChatModel, dialect: Dialect) -> None:
        self.name = chat.name
        self.model: str | None = chat.model
        self.context_tokens = chat.context_tokens
        self.can_continue = chat.can_continue
        self._client = client
        self._chat = chat
        self._dialect = dialect

    def refusal(self, parts: Sequence[Part], settings: Settings) -> str | None:
        """Why it can't answer this question at all (a sentence), else None."""
        return refusal(
            parts,
            settings,
            model=self._chat.model,
            room=self._room(settings),
            sees=self._dialect.sees is not False,
            count=self._chat.count,
        )

    async def respond(self, asked: Asked) -> AsyncGenerator[Output]:
        """Stream the answer; nothing is asked a second time once a word of it has come.

        Raises:
            ResponderError: The server can't be reached or fails; the sentence says how.
            Refused: The question is too long, even without the history.
        """
        attempt = _Attempt(self._room(asked.settings), self._chat.retries)
        for _ in range(TRIES + self._chat.retries):
            deltas = Deltas()
            said = opened = False
            try:
                async with closing(await self._ask(asked, attempt)) as stream:
                    opened = True
                    async for chunk in stream:
                        for output in deltas.take(chunk):
                            said = said or output != ""
                            yield output
                if deltas.finish_reason is None:
                    raise CutOff
                break
            except FAILURES as error:
                if said or not await self._helps(error, asked, attempt, opened=opened):
                    raise failure(error, where=self._chat.where, model=self._chat.model, said=said) from error
        else:
            raise too_long(self._chat.model)
        for output in deltas.rest():
            yield output
        if (problem := self._problem(deltas)) is not None:
            raise problem

    async def _ask(self, asked: Asked, attempt: "_Attempt") -> AsyncStream[ChatCompletionChunk]:
        history = await asked.newest(attempt.room, self._chat.count, attachment_tokens)
        attempt.sent(asked, history, self._chat.count)
        messages = await chat_messages(asked, history, sees=self._dialect.sees is not False)
        return await self._client.chat.completions.create(
            model=self._chat.model,
            messages=messages,
            stream=True,
            extra_body=request_body(
                self._chat.parameters, asked.settings, self._dialect, continues=bool(asked.beginning)
            ),
        )

    async def _helps(self, error: Exception, asked: Asked, attempt: "_Attempt", *, opened: bool) -> bool:
        """Whether there is sense in asking again, differently or after a pause."""
        if context_exceeded(error):
            return attempt.halve()
        if self._dialect.learn(error, has_images=attempt.has_images):
            unseen = next(filter(_is_image, asked.question.parts), None)
            if self._dialect.sees is False and isinstance(unseen, File):
                raise Refused(cannot_see(unseen.attachment.name, self._chat.model)) from error
            return True
        # Before the stream was opened the client has tried again by itself.
        return opened and await attempt.pause()

    def _room(self, settings: Settings) -> int | None:
        """Tokens that system prompt, history and question may have."""
        context = self._chat.context_tokens
        if context is None:
            return None
        wanted = settings.parameters.get("max_tokens") or self._chat.parameters.get("max_tokens")
        answer = wanted if isinstance(wanted, int) and wanted > 0 else context // 4
        return context - TEMPLATE_TOKENS - min(answer, context // 2)

    def _problem(self, deltas: Deltas) -> ChatcoreError | None:
        if deltas.finish_reason == "content_filter":
            return ResponderError("The model's content filter ended the answer.", reason="content_filter")
        if deltas.finish_reason == "length" and not deltas.has_text:
            return ResponderError(
                "The model used up all tokens of its answer before the first word of it.", reason="length"
            )
        return None


class _Attempt:
    """How far one answer's requests have come."""

    def __init__(self, room: int | None, retries: int) -> None:
        self.room = room
        self.has_images = False
        self._retries = retries
        self._pause_seconds = PAUSE_SECONDS
        self._tokens = 0
        self._messages = 0

    def sent(self, asked: Asked, history: Sequence[Message], count: Callable[[str], int]) -> None:
        """Note what is being sent."""
        parts = [part for message in history for part in message.parts]
        self._messages = len(history)
        self.has_images = any(map(_is_image, parts))
        self._tokens = count(asked.settings.system_prompt or "") + count(asked.beginning)
        self._tokens += sum(part_tokens(part, count, attachment_tokens) for part in parts)

    def halve(self) -> bool:
        """Leave half of the history out; false when there is none left."""
        self.room = self._tokens - 1  # `newest` goes down to half of what is too much
        return self._messages > 1

    async def pause(self) -> bool:
        """Wait before a retry, if there is one left."""
        if self._retries == 0:
            return False
        self._retries -= 1
        await anyio.sleep(self._pause_seconds)
        self._pause_seconds *= 2
        return True


def _is_image(part: Part) -> bool:
    return isinstance(part, File) and kind_of(part.attachment.media_type) == "image"


@asynccontextmanager
async def closing(
    stream: AsyncStream[ChatCompletionChunk],
) -> AsyncIterator[AsyncStream[ChatCompletionChunk]]:
    """Have the connection closed at the end, also when cancelled: that is what stops a server's work."""
    try:
        yield stream
    finally:
        with anyio.move_on_after(CLOSE_SECONDS, shield=True):
            await stream.close()
