"""Errors on the wire: ``{"code", "sentence", "data"}`` with a status, and back into errors at the client."""

import http
import logging
from collections.abc import Iterator

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from chatcore import errors
from chatcore.errors import ChatcoreError

__all__ = [
    "STATUSES",
    "Forbidden",
    "Malformed",
    "error_of",
    "handle_chatcore_error",
    "handle_http_exception",
    "handle_unexpected",
    "status_of",
]

log = logging.getLogger("chatcore.http")


class Forbidden(ChatcoreError):
    """The route is for another kind of caller than this one."""

    code = "forbidden"


class Malformed(errors.InvalidInput):
    """The request can't be read: it is not the JSON or the form that it should be."""

    code = "malformed"


STATUSES: dict[type[ChatcoreError], int] = {
    errors.NotFound: 404,
    Malformed: 400,
    errors.LimitExceeded: 413,
    errors.InvalidInput: 422,
    errors.Refused: 422,
    errors.Conflict: 409,
    errors.StorageUnavailable: 503,
    errors.StorageError: 500,
    errors.ResponderError: 502,
    errors.EngineClosed: 503,
    Forbidden: 403,
    ChatcoreError: 500,
}
"""Status of each kind of error; a kind that is not listed has that of its base."""


class _Body(Struct):
    code: str
    sentence: str
    data: dict[str, str | int | float | bool | None] = {}


def status_of(error: ChatcoreError) -> int:
    """The status with which an error is answered."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


async def handle_chatcore_error(connection: HTTPConnection, error: Exception) -> Response:
    """The answer to a call that the engine refused."""
    assert isinstance(error, ChatcoreError)
    return _answer(status_of(error), _Body(error.code, error.sentence, error.data))


async def handle_http_exception(request: Request, error: Exception) -> Response:
    """The answer to a request that no route takes."""
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "error")
    phrase = http.HTTPStatus(error.status_code).phrase
    response = _answer(error.status_code, _Body(code, f"{phrase}: there is no such route."))
    response.headers.update(error.headers or {})
    return response


async def handle_unexpected(request: Request, error: Exception) -> Response:
    """The answer where we have a bug: the log holds the trace, the caller gets a sentence."""
    return _answer(500, _Body("error", "The server made a mistake; its log says which."))


def error_of(status: int, body: bytes) -> ChatcoreError:
    """The error that an answer stands for: of the class that was raised at the server."""
    try:
        read = msgspec.json.decode(body, type=_Body)
    except msgspec.MsgspecError:
        return ChatcoreError(f"The server answered with status {status}.", status=status)
    return _CLASSES.get(read.code, ChatcoreError)(read.sentence, **read.data)


def _answer(status: int, body: _Body) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


def _all_below(kind: type[ChatcoreError]) -> Iterator[type[ChatcoreError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _all_below(below)


_CLASSES = {kind.code: kind for kind in _all_below(ChatcoreError)}
