"""What answers, by the settings: a function of the person's own, or a responder by its name."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from importlib.metadata import entry_points

from chatcore.errors import InvalidInput
from chatcore.ports import Responder
from chatcore.responders import OpenResponder, ResponderOptions, function_responder, load_function
from frontends.cli.settings import CommandSettings, SettingsError
from frontends.cli.signals import interruptible

__all__ = ["open_answering"]


@asynccontextmanager
async def open_answering(settings: CommandSettings) -> AsyncIterator[Responder]:
    """The responder, ready to answer while the block lasts.

    Raises:
        SettingsError: There is none of that name, the function is no responder, or a setting can't be.
        ResponderError: It can't be found or opened.
    """
    name = settings.responder or _default(settings)
    if ":" in name:
        with _wrong_settings():
            with interruptible():
                function = load_function(name)
            responder: Responder = function_responder(function)
        yield responder
        return
    known = {entry.name: entry for entry in entry_points(group="chatcore.responders")}
    if name not in known:
        raise SettingsError(
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
    async with AsyncExitStack() as stack:
        with _wrong_settings():
            responder = await stack.enter_async_context(open_responder(options))
        yield responder


@contextmanager
def _wrong_settings() -> Iterator[None]:
    """What a responder can't take was set so by the person at the command."""
    try:
        yield
    except InvalidInput as error:
        raise SettingsError(error.sentence) from error


def _default(settings: CommandSettings) -> str:
    return "openai_compatible" if settings.api_key or settings.base_url else "local"
