"""What can go wrong at a model's server, as errors with a sentence for people."""

import os
import re
import socket
from collections.abc import Mapping

from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError, OpenAIError

from chatcore.errors import ChatcoreError, Refused, ResponderError

__all__ = [
    "FAILURES",
    "CutOff",
    "context_exceeded",
    "failure",
    "images_refused",
    "option_refused",
    "server_words",
    "too_long",
]

FAILURES: tuple[type[Exception], ...] = (OpenAIError, ValueError)
"""What the client raises; ValueError (of JSON or UTF-8) where the server sends what no one can read."""


class CutOff(OpenAIError):
    """The stream stopped without the model having said why it does."""


_CONTEXT_CODES = frozenset({"context_length_exceeded", "exceed_context_size_error"})
_CONTEXT_WORDS = re.compile(
    r"context (?:length|size|window)|maximum (?:context|prompt|input) |(?:prompt|input) is too long"
    r"|too many (?:input )?tokens|max_model_len",
    re.IGNORECASE,
)
_IMAGE_WORDS = re.compile(r"\bimages?\b|image_url|\bvision\b|multi-?modal|mmproj", re.IGNORECASE)

_STATUS_SENTENCES: Mapping[int, tuple[str, str]] = {
    401: ("wrong_key", "{where} does not accept the API key."),
    402: ("no_credit", "The account at {where} has no credit left{because}"),
    403: ("forbidden", "{where} does not allow this key to use the model “{model}”{because}"),
    404: ("no_such_model", "{where} has no model “{model}”, or the address is not that of its API{because}"),
    408: ("timeout", "{where} took too long to answer."),
    413: ("too_large", "The question with its history and files is too large for {where}{because}"),
    429: ("rate_limit", "{where} gets too many requests with this key: try again a little later{because}"),
    503: ("overloaded", "{where} is overloaded or still loading the model{because}"),
}
_OTHER_STATUS = ("server_error", "{where} answers with an error ({status}){because}")


def failure(error: Exception, *, where: str, model: str, said: bool = False) -> ChatcoreError:
    """`error` as one of ours; no key is ever in its sentence.

    Args:
        error: One of `FAILURES`.
        where: The server as people know it: ``the server at http://…``.
        model: Name of the model that was asked.
        said: Whether a part of the answer had come.
    """
    match error:
        case APITimeoutError() | TimeoutError():
            reason, sentence = "timeout", f"{where} was silent for too long."
        case APIConnectionError() if not said:
            reason, sentence = "unreachable", f"{where} can't be reached: {_innermost(error)}."
        case CutOff() | APIConnectionError():
            reason, sentence = "cut_off", f"The connection to {where} ended in mid-answer."
        case APIError() if context_exceeded(error):
            return too_long(model)
        case APIStatusError():
            words = server_words(error)
            reason, form = _STATUS_SENTENCES.get(error.status_code, _OTHER_STATUS)
            because = f": {words}" if words else "."
            sentence = form.format(where=where, model=model, status=error.status_code, because=because)
        case APIError():
            reason, sentence = "server_error", f"{where} reports an error: {server_words(error)}"
        case OpenAIError():
            reason, sentence = "client_error", f"{where} can't be asked: {error}"
        case _:
            reason, sentence = "garbage", f"{where} sent an answer that can't be read: {error}"
    return ResponderError(sentence[:1].upper() + sentence[1:], reason=reason)


def too_long(model: str) -> Refused:
    """The question alone does not fit, whatever is left out."""
    return Refused(f"The question is too long for {model}, even without the history.", reason="too_long")


def context_exceeded(error: Exception) -> bool:
    """Whether the server says that there are more tokens than the model can take."""
    if not isinstance(error, APIError) or _status(error) in {401, 403, 404, 429}:
        return False
    named = error.code in _CONTEXT_CODES or error.type in _CONTEXT_CODES
    return named or _CONTEXT_WORDS.search(server_words(error)) is not None


def images_refused(error: Exception) -> bool:
    """Whether the server says that the model can't see."""
    if not isinstance(error, APIError) or _status(error) in {401, 402, 403, 429}:
        return False
    return _IMAGE_WORDS.search(server_words(error)) is not None


def option_refused(error: Exception, option: str) -> bool:
    """Whether the server refuses the request because of the option of this name."""
    if not isinstance(error, APIStatusError) or error.status_code not in {400, 422}:
        return False
    return error.param == option or option in server_words(error)


def server_words(error: APIError) -> str:
    """What the server itself says, at most 300 characters of it; empty when it says nothing."""
    body = error.body
    if isinstance(body, Mapping):
        named = (body[name] for name in ("message", "detail", "error") if name in body)
        body = next(named, body)
    return " ".join(str(error.message if body is None else body).split())[:300]


def _status(error: APIError) -> int | None:
    return error.status_code if isinstance(error, APIStatusError) else None


def _innermost(error: BaseException) -> str:
    """The operating system's words for it, which the client wraps several times."""
    deepest = error
    while (below := deepest.__cause__ or deepest.__context__) is not None:
        deepest = below
    if isinstance(deepest, OSError) and deepest.strerror:
        # asyncio has words of its own in strerror; the numbers of address errors are no errnos.
        words = deepest.strerror
        if deepest.errno is not None and not isinstance(deepest, socket.gaierror):
            words = os.strerror(deepest.errno)
        return words[:1].lower() + words[1:]
    return str(deepest).strip(" .") or type(deepest).__name__
