"""A real model on this machine: no network, no key, no server to be installed."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

import anyio
import anyio.to_thread
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

from chatcore.asked import Asked
from chatcore.messages import Part, Settings
from chatcore.ports import Output, Responder
from chatcore.responders.completions import CLOSE_SECONDS, ChatCompletions, ChatModel
from chatcore.responders.dialect import Dialect, Parameters
from chatcore.responders.facts import ask_facts
from chatcore.responders.model_process import ModelProcess, open_model_process
from chatcore.responders.options import ResponderOptions
from chatcore.responders.turns import Turns
from chatcore.responders.weights import Weights, find_weights

__all__ = ["LocalModel", "cautious_tokens", "open_responder"]

log = logging.getLogger("chatcore.responders")

CONTEXT_TOKENS = 8_192
MAX_TOKENS = 1_024
SLOTS = 2
"""Answers at a time, each with the whole context; on two cores more would only all be slower."""

LOAD_SECONDS = 120.0
TIMEOUT_SECONDS = 300.0
SIGN_OF_LIFE_SECONDS = 10.0

PARAMETERS: Parameters = {
    # For a model this small: little chance, or it wanders off; a penalty, or it runs in circles.
    "temperature": 0.4,
    "top_p": 0.9,
    "min_p": 0.05,
    "repeat_penalty": 1.1,
    "return_progress": True,  # a sign of life while it reads a long prompt
}


def cautious_tokens(text: str) -> int:
    """How many tokens a small model's vocabulary makes of `text` at most, about.

    Measured on SmolLM2's: digits and signs are a token each, letters 2.7 (German) to 5 (English) to a token,
    other scripts 1.4 to 2.3 bytes. Six are for what the template puts around it.
    """
    content = text.encode("utf-8", "replace")
    letters = len(content.translate(None, _NOT_LETTERS))
    signs = len(content.translate(None, _NOT_SIGNS))
    return round(letters / 3.2 + signs + (len(content) - letters - signs) / 1.6) + 6


_LETTERS = bytes(byte for byte in range(128) if chr(byte).isalpha() or chr(byte).isspace())
_NOT_LETTERS = bytes(byte for byte in range(256) if byte not in _LETTERS)
_NOT_SIGNS = _LETTERS + bytes(range(128, 256))


class LocalModel:
    """Answers with a model in a process of its own; see `chatcore.ports.Responder` for the attributes."""

    can_continue = True

    def __init__(self, options: ResponderOptions, weights: Weights) -> None:
        self.name = options.name or "local"
        self.model: str | None = weights.name
        self.context_tokens: int | None = None  # of one answer; known when the model is loaded
        self._options = options
        self._weights = weights
        self._turns = Turns(SLOTS)
        self._starting = anyio.Lock()
        self._opened = AsyncExitStack()
        self._process: ModelProcess | None = None
        self._completions: ChatCompletions | None = None

    def refusal(self, parts: Sequence[Part], settings: Settings) -> str | None:
        """Why it can't answer this question at all (a sentence), else None."""
        return self._completions.refusal(parts, settings) if self._completions else None

    async def respond(self, asked: Asked) -> AsyncGenerator[Output]:
        """Stream the answer when it's its turn; an empty text now and then says that it lives."""
        turn = self._turns.join()
        try:
            while not turn.is_set():
                with anyio.move_on_after(SIGN_OF_LIFE_SECONDS):
                    await turn.wait()
                if not turn.is_set():
                    yield ""
            completions = await self.start()
            async with aclosing(completions.respond(asked)) as outputs:
                async for output in outputs:
                    yield output
        finally:
            self._turns.leave(turn)

    async def start(self) -> ChatCompletions:
        """The model is loaded afterwards, again if its process has died.

        Raises:
            ResponderError: It can't be loaded.
        """
        async with self._starting:
            if self._completions is None or self._process is None or not self._process.lives:
                if self._process is not None:
                    log.warning("the local model's process died", extra={"action": "model_restarted"})
                    await self.close()
                async with AsyncExitStack() as opened:
                    self._process, self._completions = await self._open(opened)
                    self._opened = opened.pop_all()
                self.context_tokens = self._completions.context_tokens
            return self._completions

    async def close(self) -> None:
        """Its process has ended afterwards."""
        self._completions = self._process = None
        await self._opened.aclose()

    async def _open(self, opened: AsyncExitStack) -> tuple[ModelProcess, ChatCompletions]:
        context_tokens = self._options.context_tokens or CONTEXT_TOKENS
        process = await opened.enter_async_context(
            open_model_process(
                self._weights, context_tokens=context_tokens, slots=SLOTS, load_seconds=LOAD_SECONDS
            )
        )
        client = await opened.enter_async_context(_open_client(process, self._options))
        facts = await ask_facts(client, self._weights.name)
        own = self._options.max_tokens or min(MAX_TOKENS, context_tokens // 4)
        chat = ChatModel(
            name=self.name,
            model=self._weights.name,
            where="the local model",
            context_tokens=facts.context_tokens or context_tokens,
            can_continue=True,
            parameters={**PARAMETERS, "max_tokens": own},
            retries=0,
            count=cautious_tokens,
        )
        return process, ChatCompletions(client, chat, Dialect(sees=bool(facts.vision)))


@asynccontextmanager
async def open_responder(options: ResponderOptions) -> AsyncIterator[Responder]:
    """Gives the model of `options.model` (a path; None: SmolLM2-135M-Instruct), loaded and ready.

    Raises:
        ResponderError: There are no weights (the sentence has the command that brings them), or they can't be
            loaded.
    """
    model = LocalModel(options, await anyio.to_thread.run_sync(find_weights, options.model))
    try:
        await model.start()
        yield model
    finally:
        await model.close()


@asynccontextmanager
async def _open_client(process: ModelProcess, options: ResponderOptions) -> AsyncIterator[AsyncOpenAI]:
    def make() -> AsyncOpenAI:
        seconds = Timeout(options.timeout_seconds or TIMEOUT_SECONDS, connect=options.connect_seconds)
        client = AsyncOpenAI(
            base_url=f"{process.address}/v1",
            api_key=process.api_key,
            max_retries=options.retries,  # it drops idle connections, perhaps just when one is used again
            timeout=seconds,
            # No proxy that the environment names, and no certificates to be read.
            http_client=DefaultAsyncHttpxClient(trust_env=False, verify=False, timeout=seconds),
        )
        _ = client.chat.completions, client.models  # imported here and not when the first question waits
        return client

    client = await anyio.to_thread.run_sync(make)
    try:
        yield client
    finally:
        with anyio.move_on_after(CLOSE_SECONDS, shield=True):
            await client.close()
