"""Any server that speaks OpenAI's chat completions: OpenAI, Ollama, vLLM, llama.cpp and many more."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
from openai import AsyncOpenAI, OpenAIError, Timeout

from chatcore.errors import InvalidInput, ResponderError
from chatcore.ports import Responder
from chatcore.responders.completions import CLOSE_SECONDS, ChatCompletions, ChatModel
from chatcore.responders.dialect import Dialect
from chatcore.responders.facts import Facts, ask_facts
from chatcore.responders.failures import failure
from chatcore.responders.options import ResponderOptions
from chatcore.responders.titling import TitlingCompletions

__all__ = ["open_responder"]

TIMEOUT_SECONDS = 100.0


@asynccontextmanager
async def open_responder(options: ResponderOptions) -> AsyncIterator[Responder]:
    """Gives the responder for `options.base_url`, or for OpenAI itself where that is None.

    A server that can't be reached yet is no error as long as the model is named.

    Raises:
        InvalidInput: `options.base_url` is no address.
        ResponderError: There is no key for OpenAI, or no model is named and the server has not just one.
    """
    client = await anyio.to_thread.run_sync(_client, options)  # it reads certificates and imports modules
    where = f"the server at {_address(client)}"
    try:
        facts = await ask_facts(client, options.model)
        model = options.model or _only_model(facts, where)
        chat = ChatModel(
            name=options.name or "openai_compatible",
            model=model,
            where=where,
            context_tokens=options.context_tokens or facts.context_tokens,
            can_continue=bool(options.can_continue),
            parameters={"max_tokens": options.max_tokens},
            retries=options.retries,
        )
        vision = facts.vision if options.vision is None else options.vision
        kind = TitlingCompletions if options.titles else ChatCompletions
        yield kind(client, chat, Dialect(sees=vision))
    finally:
        with anyio.move_on_after(CLOSE_SECONDS, shield=True):
            await client.close()


def _client(options: ResponderOptions) -> AsyncOpenAI:
    if options.base_url is not None:
        _check_address(options.base_url)
    # The key of OpenAI is for OpenAI (or what OPENAI_BASE_URL names): no other server ever gets to see it.
    key = options.api_key or (None if options.base_url is None else "none")
    try:
        client = AsyncOpenAI(
            api_key=key,
            base_url=options.base_url,
            max_retries=options.retries,
            timeout=Timeout(options.timeout_seconds or TIMEOUT_SECONDS, connect=options.connect_seconds),
        )
    except OpenAIError as error:
        raise ResponderError(
            "There is no key: set OPENAI_API_KEY, or name the address of another server with base_url."
        ) from error
    _ = client.chat.completions, client.models  # imported here and not when the first question waits
    return client


def _check_address(base_url: str) -> None:
    try:
        parts = urlsplit(base_url)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or True)
    except ValueError:
        is_good = False
    if not is_good:
        raise InvalidInput(f"“{base_url}” is no address: it should look like http://127.0.0.1:11434/v1")


def _address(client: AsyncOpenAI) -> str:
    return str(client.base_url.copy_with(username=None, password=None, query=None)).rstrip("/")


def _only_model(facts: Facts, where: str) -> str:
    if len(facts.models) == 1:
        return facts.models[0]
    if facts.models:
        some = ", ".join(facts.models[:10])
        raise ResponderError(f"{where[:1].upper()}{where[1:]} has several models; name one: {some}.")
    why = str(failure(facts.error, where=where, model="")) if facts.error else "it has no list of models."
    raise ResponderError(f"Which model is to answer? {where[:1].upper()}{where[1:]} does not say: {why}")
