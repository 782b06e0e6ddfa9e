"""What the web frontends of one server share: the engine, whose request it is, and when to end."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import anyio
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from chatcore.errors import EngineClosed

if TYPE_CHECKING:
    from chatcore.engine import Engine

__all__ = ["Mount", "Site", "local_user"]


def local_user(connection: HTTPConnection) -> str:
    """The one user there is, whoever asks (who may ask at all is decided by `frontends.guard`)."""
    return "local"


class Site:
    """One running server, as its frontends see it.

    Attributes:
        title: The name shown to people.
        model: What answers, in words for people; None where nothing answers, or that is not known yet.
        user_of: Whose request it is.
        closing: Set when the server begins to stop: every stream ends itself then.
    """

    def __init__(
        self,
        engine: "Engine | None" = None,
        *,
        title: str = "chatcore",
        model: str | None = None,
        user_of: Callable[[HTTPConnection], str] = local_user,
    ) -> None:
        self._engine = engine
        self.title = title
        self.model = model
        self.user_of = user_of
        self.closing = anyio.Event()
        self._on_closing: list[Callable[[], None]] = []

    @property
    def engine(self) -> "Engine":
        """Opened before the server starts and closed after it has stopped, by who made both.

        Raises:
            EngineClosed: It is not there yet (`begin`).
        """
        if self._engine is None:
            raise EngineClosed("The chat's engine is not open yet: it opens when the server starts.")
        return self._engine

    def begin(self, engine: "Engine") -> None:
        """Start to serve what `engine` holds: for the first time, or once more after a stop."""
        self._engine = engine
        self.closing = anyio.Event()

    def on_closing(self, callback: Callable[[], None]) -> None:
        """Call `callback` once, on the event loop, right after `closing` was set; it must not block."""
        self._on_closing.append(callback)

    def close(self) -> None:
        """Begin to stop the server; returns at once, and does nothing the second time."""
        if self.closing.is_set():
            return
        self.closing.set()
        for callback in self._on_closing:
            callback()


class Mount(Protocol):
    """The entry point of group ``chatcore.frontends``: puts a web frontend's routes into the app."""

    def __call__(self, app: Starlette, site: Site) -> None:
        """Add routes to `app`; called once, before the server starts."""
        ...
