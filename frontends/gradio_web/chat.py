"""The chat in somebody's own page: a `Chat` stands in a `gr.Blocks`, beside what else is there."""

import functools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Unpack, cast

import anyio
import gradio as gr
from gradio.context import get_blocks_context
from gradio.events import Dependency
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from chatcore.asked import Asked
from chatcore.engine import Engine
from chatcore.errors import DataDirectoryInUse, InvalidInput, ResponderError
from chatcore.limits import Limits
from chatcore.opening import open_engine
from chatcore.ports import Output, Responder
from chatcore.responders.function import function_responder
from frontends.gradio_web.assets import Assets
from frontends.gradio_web.endpoints import add_endpoints
from frontends.gradio_web.environment import UPLOADS
from frontends.gradio_web.hosting import host_inside, host_on_its_own
from frontends.gradio_web.mounting import PageOptions
from frontends.gradio_web.options import LaunchOptions
from frontends.gradio_web.pieces import Avatars, Face, Pieces, face_of
from frontends.gradio_web.running import Running, run_in_thread
from frontends.listeners import AddressTaken, AddressUnusable
from frontends.server import Started
from frontends.site import Site, local_user

__all__ = ["Answers", "Chat", "mount"]

ResponderFunction = Callable[[Asked], AsyncIterator[Output]]

Answers = Responder | ResponderFunction | AbstractAsyncContextManager[Responder]
"""What answers: an async generator function, a responder, or one that is opened with the engine."""

PLAIN = (AddressTaken, AddressUnusable, DataDirectoryInUse, InvalidInput, ResponderError)
"""What keeps a page from being launched, and is told by a sentence alone."""

DEFAULT_HEIGHT = "min(80dvh, 720px)"


class Chat:
    """A chat in the `gr.Blocks` that is being built. `launch` or `mount` serve the page.

    ```python
    with gr.Blocks() as demo:
        chat = gradio_web.Chat("sqlite:DIR", responder=answer)
    chat.launch(demo)
    ```

    Its events are bound as those of Gradio's components: ``chat.answered(fn, inputs, outputs)``, and the same
    with `sent`, `rated`, `opened`. A listener that takes a `gr.EventData` finds in it ``conversation_id``,
    and, but for `opened`, ``message_id`` and ``text``. All of it is what the browser says, and so are all
    inputs of Gradio's listeners.

    Args:
        source: Where the conversations are kept (``sqlite:DIR``, ``memory:``): opened when the server starts
            and closed when it stops. Or an open engine, of the event loop that serves the page.
        responder: What answers by default; None: the first of `responders`, or nothing.
        responders: Further ones, which conversations may choose by name.
        limits: What is too much; only with a URL.
        title: The name shown to people.
        examples: Questions that are offered where nothing is said yet.
        avatars: Pictures of the person and of what answers, each a file or None.
        user_of: Whose request it is, by the request. Without it all who ask are one person.
        height: In pixels or as CSS has it; what the place has, where the page fills the window.
        place: Whether it is put here, whole. If not, `sidebar`, `history` and `composer` place the pieces
            that are wanted, each where it is called.

    Raises:
        InvalidInput: Of what it was given; or no `gr.Blocks` is being built; or that has a chat already.
    """

    def __init__(  # noqa: PLR0913 -- each setting by its name
        self,
        source: str | Engine,
        *,
        responder: Answers | None = None,
        responders: Sequence[Answers] = (),
        limits: Limits | None = None,
        title: str = "Chat",
        examples: Sequence[str] = (),
        avatars: Avatars = (None, None),
        user_of: Callable[[HTTPConnection], str] = local_user,
        height: int | str | None = None,
        place: bool = True,
    ) -> None:
        if (context := get_blocks_context()) is None:
            raise InvalidInput("A Chat stands in a page: write it inside of “with gr.Blocks() as demo:”.")
        if any(block.elem_id == "cc-script" for block in context.root_block.blocks.values()):
            raise InvalidInput("This page has a chat already, and a page has one.")
        given = [responder, *responders] if responder is not None else list(responders)
        if isinstance(source, Engine) and (given or limits):
            raise InvalidInput("An open engine has its responders and limits already.")
        self._source = source
        self._given = [_readied(one) for one in given]
        self._limits = limits or Limits()
        self._examples = list(examples)
        self.knows_users = user_of is not local_user
        self.site = Site(title=title, user_of=user_of)
        self.assets = Assets()
        self._pieces = Pieces(self.site, self._first_face(), self.assets, avatars=avatars)
        add_endpoints(self.site, UPLOADS)
        if place:
            self._pieces.place_all(height or DEFAULT_HEIGHT)

    # --- its pieces -----------------------------------------------------------------------------------------

    def sidebar(self, height: int | str | None = None) -> None:
        """Place the list of conversations here, with its search."""
        self._pieces.place_sidebar(height or DEFAULT_HEIGHT)

    def history(self, height: int | str | None = None) -> None:
        """Place the messages here."""
        self._pieces.place_history(height or DEFAULT_HEIGHT)

    def composer(self) -> None:
        """Place here what messages are written with. A page without it is for reading only."""
        self._pieces.place_composer()

    # --- its events -----------------------------------------------------------------------------------------

    @property
    def answered(self) -> Callable[..., Dependency]:
        """An answer has ended in a conversation that is shown; the data has its ``status`` as well."""
        return self._event("answered")

    @property
    def sent(self) -> Callable[..., Dependency]:
        """The person has sent a message."""
        return self._event("sent")

    @property
    def rated(self) -> Callable[..., Dependency]:
        """The person has voted; the data has ``rating`` (None: taken back), ``comment`` and ``reasons``."""
        return self._event("rated")

    @property
    def opened(self) -> Callable[..., Dependency]:
        """Another conversation is shown; ``conversation_id`` is None for a new one."""
        return self._event("opened")

    def _event(self, name: str) -> Callable[..., Dependency]:
        return cast(Callable[..., Dependency], getattr(self._pieces.script, name))

    # --- being served ---------------------------------------------------------------------------------------

    @property
    def engine(self) -> Engine:
        """The open engine, for listeners of the page's own components.

        Raises:
            EngineClosed: The server has not started yet.
        """
        return self.site.engine

    def launch(self, demo: gr.Blocks, **options: Unpack[LaunchOptions]) -> Running | None:
        """Serve `demo` until Ctrl-C or SIGTERM, in place of ``demo.launch()``.

        Gives the running server with ``prevent_thread_lock=True``, and None after the end else.

        Raises:
            InvalidInput: Of an option; or an event loop runs here already.
            AddressTaken, AddressUnusable, DataDirectoryInUse, ResponderError, StorageError
        """
        try:
            return self._launch(demo, options)
        except PLAIN as error:
            raise error.with_traceback(None) from None  # whoever can mend it needs no more than its sentence

    def _launch(self, demo: gr.Blocks, options: LaunchOptions) -> Running | None:
        if isinstance(self._source, Engine):
            raise InvalidInput("The engine is of an event loop that runs: write “await chat.serve(demo)”.")
        if options.get("prevent_thread_lock"):
            return run_in_thread(lambda started: host_on_its_own(self, demo, options, started), self.site)
        if _is_in_event_loop():
            raise InvalidInput(
                "An event loop runs here already: write “await chat.serve(demo)”, or launch it with "
                "prevent_thread_lock=True."
            )
        anyio.run(functools.partial(self.serve, demo, **options))
        return None

    async def serve(
        self, demo: gr.Blocks, *, started: Started | None = None, **options: Unpack[LaunchOptions]
    ) -> None:
        """`launch` in an event loop that runs; returns when the server has stopped. Cancelling stops it."""
        await host_on_its_own(self, demo, options, started)

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[None]:
        """The engine is open and the page knows what answers, while the block lasts."""
        async with AsyncExitStack() as stack:
            if isinstance(self._source, Engine):
                engine = self._source
            else:
                given = [await _opened(one, stack) for one in self._given]
                opening = open_engine(self._source, responders=given, limits=self._limits)
                engine = await stack.enter_async_context(opening)
            self.site.model = _model_of(engine.responders.get(engine.default_responder or ""))
            self._pieces.show(face_of(engine, self.site.title, self.site.model, self._examples))
            self.site.begin(engine)
            yield

    def check_is_in(self, demo: gr.Blocks) -> None:
        """Passes when the chat was placed in `demo`.

        Raises:
            InvalidInput: It stands in other blocks.
        """
        if self._pieces.script._id not in demo.blocks:
            raise InvalidInput("The chat does not stand in these blocks: give those in which it was made.")

    def _first_face(self) -> Face:
        """What is known before the engine is open."""
        if isinstance(self._source, Engine):
            return face_of(self._source, self.site.title, None, self._examples)
        return Face(
            title=self.site.title, model=None, can_continue=[], limits=self._limits, examples=self._examples
        )


def mount(
    app: Starlette, demo: gr.Blocks, chat: Chat, path: str = "/", **options: Unpack[PageOptions]
) -> None:
    """Put `demo`, in which `chat` stands, below `path` of an app of your own (FastAPI, Starlette).

    The engine is open while the app's lifespan lasts. Routes that the app has already go first; with the path
    ``/`` those that are added later are not reached. Below the path are the JSON routes as well (``api/``).

    Raises:
        InvalidInput: Of an option or the path; or the chat does not stand in `demo`.
    """
    host_inside(app, chat, demo, path, options)


def _readied(given: Answers) -> Responder | AbstractAsyncContextManager[Responder]:
    """Wrong ones are told where they are written, and not when the server starts."""
    if isinstance(given, AbstractAsyncContextManager):
        return given
    if hasattr(given, "respond") and not isinstance(given, type):
        return cast(Responder, given)
    return function_responder(cast(ResponderFunction, given))


async def _opened(
    given: Responder | AbstractAsyncContextManager[Responder], stack: AsyncExitStack
) -> Responder:
    if isinstance(given, AbstractAsyncContextManager):
        return await stack.enter_async_context(given)
    return given


def _model_of(responder: Responder | None) -> str | None:
    return None if responder is None else responder.model or responder.name


def _is_in_event_loop() -> bool:
    try:
        anyio.get_current_task()
    except RuntimeError:
        return False
    return True
