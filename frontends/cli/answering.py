"""What answers, by the settings: a function of the person's own, or a responder by its name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import entry_points

from chatcore.errors import ResponderError
from chatcore.ports import Responder
from chatcore.responders import OpenResponder, ResponderOptions, function_responder, load_function
from frontends.cli.settings import CommandSettings
from frontends.cli.signals import interruptible

__all__ = ["open_answering"]


@asynccontextmanager
async def open_answering(settings: CommandSettings) -> AsyncIterator[Responder]:
    """The responder, ready to answer while the block lasts.

    Raises:
        ResponderError: There is none of that name, or it can't be opened.
        InvalidInput: The function is no responder function.
    """
    name = settings.responder or _default(settings)
    if ":" in name:
        with interruptible():
            function = load_function(name)
        yield function_responder(function)
        return
    known = {entry.name: entry for entry in entry_points(group="chatcore.responders")}
    if name not in known:
        raise ResponderError(
            f"There is no responder “{name}” (there are: {', '.join(sorted(known))}); "
            "a function of your own is named module:function or file.py:function."
        )
    with interruptible():
        open_responder: OpenResponder = known[name].load()
    options = ResponderOptions(
        model=settings.model,
        base_url=settings.base_url,
        api_key=settings.api_key,
        context_tokens=settings.context_tokens,
        titles=not settings.no_titles,
    )
    async with open_responder(options) as responder:
        yield responder


def _default(settings: CommandSettings) -> str:
    return "openai_compatible" if settings.api_key or settings.base_url else "local"
