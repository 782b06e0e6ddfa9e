"""A responder made of an async generator function: the simplest thing that answers."""

import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from chatcore.asked import Asked
from chatcore.errors import InvalidInput
from chatcore.messages import Part, Settings
from chatcore.ports import Output, Responder

__all__ = ["FunctionResponder", "ResponderFunction", "TitleFunction", "function_responder"]

ResponderFunction = Callable[[Asked], AsyncIterator[Output]]
TitleFunction = Callable[[Asked, str], Awaitable[str | None]]


class FunctionResponder:
    """Answers with what the function yields; see `chatcore.ports.Responder` for the attributes."""

    def __init__(
        self,
        function: ResponderFunction,
        *,
        name: str,
        model: str | None,
        context_tokens: int | None,
        can_continue: bool,
        make_title: TitleFunction | None,
    ) -> None:
        self.function = function
        self.name = name
        self.model = model
        self.context_tokens = context_tokens
        self.can_continue = can_continue
        if make_title is not None:  # without one it is no `Titling`
            self.make_title = make_title

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"

    def respond(self, asked: Asked) -> AsyncIterator[Output]:
        """What the function yields for `asked`."""
        return self.function(asked)

    def refusal(self, parts: Sequence[Part], settings: Settings) -> str | None:
        """None: a function is asked everything."""
        return None


def function_responder(
    function: ResponderFunction,
    *,
    name: str | None = None,
    model: str | None = None,
    context_tokens: int | None = None,
    can_continue: bool = False,
    make_title: TitleFunction | None = None,
) -> Responder:
    """Make a responder of an async generator function.

    Args:
        function: Called with the `Asked` of each run; a method, a `functools.partial` or an object whose
            ``__call__`` is an async generator function will do as well.
        name: Under which conversations choose it; None: the function's own name.
        model: Shown to people as what answers.
        context_tokens: Given to the engine; the function keeps to it with ``asked.newest(max_tokens=…)``.
        can_continue: Whether it looks at ``asked.beginning`` and yields only what comes after it.
        make_title: An async function of the `Asked` and the answer's words that returns a title, or None;
            see `chatcore.ports.Titling`.

    Raises:
        InvalidInput: It is something else; the sentence says what to write instead.
    """
    named = name or _name_of(function)
    problem = _problem(function)
    if problem is not None:
        raise InvalidInput(
            f"{named} {problem}. A responder is written like this: "
            "async def answer(asked): yield “some text” – with “async def”, one parameter and “yield”."
        )
    return FunctionResponder(
        function,
        name=named,
        model=model,
        context_tokens=context_tokens,
        can_continue=can_continue,
        make_title=make_title,
    )


def _name_of(function: object) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def _problem(function: object) -> str | None:
    """What is wrong with it, as the end of a sentence that begins with its name."""
    if inspect.isclass(function):
        return "is a class, not an async generator function"
    if not callable(function):
        return f"is a value of type {type(function).__name__}, not an async generator function"
    call = getattr(function, "__call__", None)  # noqa: B004 (the method is wanted, not whether there is one)
    if inspect.isasyncgenfunction(function) or inspect.isasyncgenfunction(call):
        return _parameter_problem(function)
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call):
        return "returns once: it has “async def” but no “yield”"
    if inspect.isgeneratorfunction(function):
        return "yields, but is not asynchronous: it has “def” where “async def” is needed"
    return "is a plain function, not an async generator function"


def _parameter_problem(function: Callable[..., object]) -> str | None:
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return "can't be called with one argument, the question that is asked"
    return None
