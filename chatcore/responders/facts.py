"""What a model's server says about itself: its models, their context, whether they see."""

import logging
from collections.abc import Mapping

import anyio
from msgspec import Struct
from openai import AsyncOpenAI

from chatcore.responders.failures import FAILURES

__all__ = ["Facts", "ask_facts"]

log = logging.getLogger("chatcore.responders")

ASK_SECONDS = 10.0

_CONTEXT_NAMES = ("max_model_len", "context_length", "context_window", "max_context_length")
"""vLLM; OpenRouter and others; Groq; LM Studio."""


class Facts(Struct, frozen=True, kw_only=True):
    """What is known; None where the server does not say.

    Attributes:
        models: Names of its models.
        context_tokens: Of the model asked for.
        vision: Whether that model sees images.
        error: What asking for the models failed with.
    """

    models: tuple[str, ...] = ()
    context_tokens: int | None = None
    vision: bool | None = None
    error: Exception | None = None


async def ask_facts(client: AsyncOpenAI, model: str | None) -> Facts:
    """Ask the server for what it says of `model` (None: of its only one); waits `ASK_SECONDS` at most.

    Nothing depends on a server that is silent, not there yet or has no list: its facts are unknown then.
    """
    facts = Facts(error=TimeoutError(f"no answer within {ASK_SECONDS:g} seconds"))
    with anyio.move_on_after(ASK_SECONDS):
        try:
            facts = await _ask(client.with_options(max_retries=0), model)
        except FAILURES as error:
            log.info("no facts of %s: %s", client.base_url.host, error, extra={"action": "no_facts"})
            facts = Facts(error=error)
    return facts


async def _ask(client: AsyncOpenAI, model: str | None) -> Facts:
    entries = [_mapping(entry.to_dict()) for entry in (await client.models.list()).data]
    names = tuple(str(entry.get("id")) for entry in entries)
    if model is None and len(names) == 1:
        model = names[0]
    entry = next((entry for entry in entries if entry.get("id") == model), {})
    if entry.get("owned_by") == "llamacpp":
        return await _ask_llama_cpp(client, names)
    context = next((found for name in _CONTEXT_NAMES if (found := _count(entry.get(name)))), None)
    return Facts(models=names, context_tokens=context)


async def _ask_llama_cpp(client: AsyncOpenAI, names: tuple[str, ...]) -> Facts:
    """`/props` tells the context of one slot, which the list of models does not."""
    root = str(client.base_url).rstrip("/").removesuffix("/v1")
    props = _mapping(await client.get(f"{root}/props", cast_to=object))
    settings, modalities = (
        _mapping(props.get(name)) for name in ("default_generation_settings", "modalities")
    )
    vision = modalities.get("vision")
    return Facts(
        models=names,
        context_tokens=_count(settings.get("n_ctx")),
        vision=vision if isinstance(vision, bool) else None,
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
