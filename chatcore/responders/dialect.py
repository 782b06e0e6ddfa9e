"""What servers of the same protocol differ in, learned from what they refuse."""

from collections.abc import Mapping

from chatcore.messages import Settings
from chatcore.responders.failures import images_refused, option_refused

__all__ = ["RESERVED", "Dialect", "Parameters", "request_body"]

Parameters = Mapping[str, str | int | float | bool | None]

RESERVED = frozenset({"messages", "model", "n", "stream", "stream_options"})
"""Parameters that the responder sets itself."""


class Dialect:
    """What one server understands; it changes when the server refuses something, and holds from then on.

    Attributes:
        usage: Whether it may be asked to count tokens.
        max_tokens: What it calls the bound of an answer.
        sees: Whether the model sees images; None: not tried yet.
    """

    def __init__(self, *, sees: bool | None = None) -> None:
        self.usage = True
        self.max_tokens = "max_tokens"
        self.sees = sees

    def learn(self, error: Exception, *, has_images: bool) -> bool:
        """Whether `error` says something new about the server: then the request is worth a second try."""
        if self.usage and option_refused(error, "stream_options"):
            self.usage = False
            return True
        # OpenAI's newer models refuse the old name, most other servers don't know the new one.
        if self.max_tokens == "max_tokens" and option_refused(error, "max_completion_tokens"):
            self.max_tokens = "max_completion_tokens"
            return True
        if has_images and self.sees is None and images_refused(error):
            self.sees = False
            return True
        return False


def request_body(
    defaults: Parameters, settings: Settings, dialect: Dialect, *, continues: bool
) -> dict[str, object]:
    """All of a request but its model and messages; a parameter that is None is left to the server."""
    given = {**defaults, **settings.parameters}
    body: dict[str, object] = {
        name: value for name, value in given.items() if value is not None and name not in RESERVED
    }
    if "max_tokens" in body:
        body[dialect.max_tokens] = body.pop("max_tokens")
    if dialect.usage:
        body["stream_options"] = {"include_usage": True}
    if continues:  # vLLM's words; llama.cpp knows them too, and does it by itself in older versions
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    return body
