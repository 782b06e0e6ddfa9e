"""What is bound to Gradio's events: listeners, with the types that Gradio makes at run time only."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, Protocol

import gradio as gr
import msgspec
from gradio.components import Component

from chatcore.errors import ChatcoreError
from frontends.site import Site

__all__ = ["Bound", "Listen", "bind", "shown_errors", "user_of"]


class Bound(Protocol):
    """A bound listener, to which those can be bound that run after it."""

    success: "Listen"
    failure: "Listen"


class Listen(Protocol):
    """An event of a component, such as ``box.submit``: calling it binds a listener."""

    def __call__(
        self,
        fn: Callable[..., object] | None,
        inputs: Sequence[Component] | None,
        outputs: Sequence[Component] | None,
        *,
        js: str | None,
        trigger_mode: Literal["once", "multiple"],
        show_progress: Literal["full", "minimal", "hidden"],
        concurrency_limit: int | None,
        api_visibility: Literal["public", "private", "undocumented"],
    ) -> Bound:
        """Bind it."""
        ...


def bind(
    listen: Listen,
    js: str,
    *,
    fn: Callable[..., object] | None = None,
    inputs: Sequence[Component] | None = None,
    outputs: Sequence[Component] | None = None,
) -> Bound:
    """Run `js` in the browser when the event happens, then `fn` (if any) at the server with what it gave.

    Without `fn`, what `js` gives is the new value of `outputs`, and the server is not asked.
    """
    return listen(
        fn,
        inputs,
        outputs,
        js=js,
        trigger_mode="once" if fn else "multiple",
        show_progress="hidden",  # else a veil lies over the outputs
        concurrency_limit=None,
        api_visibility="private",
    )


@contextmanager
def shown_errors() -> Iterator[None]:
    """Errors of the engine become Gradio's, which the page and its clients show as a sentence."""
    try:
        yield
    except ChatcoreError as error:
        raise gr.Error(error.sentence, print_exception=False) from error
    except (msgspec.ValidationError, UnicodeEncodeError) as error:  # of half a character
        raise gr.Error(f"The request can't be taken: {error}.", print_exception=False) from error


def user_of(site: Site, request: gr.Request) -> str:
    """Whose event it is."""
    assert request.request is not None, "Gradio makes events of requests"
    return site.user_of(request.request)
