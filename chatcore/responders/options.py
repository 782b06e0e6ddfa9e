"""How a responder is opened: one set of options for all kinds."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from msgspec import Struct

from chatcore.ports import Responder

__all__ = ["OpenResponder", "ResponderOptions"]


class ResponderOptions(Struct, frozen=True, kw_only=True):
    """What an entry point of group ``chatcore.responders`` is called with; None: the kind's own default.

    Attributes:
        name: Under which conversations choose it.
        model: Name of the model at its server; for ``local`` the path of a ``.gguf`` file.
        base_url: Where the server is, with the version: ``http://127.0.0.1:11434/v1``.
        api_key: What it is asked with; None: the environment variable ``OPENAI_API_KEY``, or none at all.
        context_tokens: How many tokens question, history and answer may have; None: what the server says.
        max_tokens: How long an answer may become, where the conversation's settings say nothing.
        timeout_seconds: How long the server may say nothing in mid-answer.
        connect_seconds: How long it may take to reach it.
        retries: How often a request is tried again, only before the first token.
        vision: Whether the model sees images; None: what the server says, else it is tried.
        can_continue: Whether the server goes on from a beginning (a last message of the assistant: llama.cpp
            and vLLM do, OpenAI does not).
        titles: Whether it is asked for a title after a conversation's first answer: one more short request.
            The small model of ``local`` never is.
    """

    name: str | None = None
    model: str | None = None
    base_url: str | None = None
    api_key: str | None = None
    context_tokens: int | None = None
    max_tokens: int | None = None
    timeout_seconds: float | None = None
    connect_seconds: float = 10.0
    retries: int = 2
    vision: bool | None = None
    can_continue: bool | None = None
    titles: bool = True


class OpenResponder(Protocol):
    """An entry point of group ``chatcore.responders``."""

    def __call__(self, options: ResponderOptions, /) -> AbstractAsyncContextManager[Responder]:
        """Gives the responder, ready to answer; leaving the block frees all that it holds.

        Raises:
            InvalidInput: An option can't be as it is.
            ResponderError: It can't be opened; the sentence says what to do.
        """
        ...
