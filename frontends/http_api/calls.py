"""One call: a request as the engine's calls need it, and what is answered."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import msgspec
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from chatcore.engine import Engine
from chatcore.errors import InvalidInput, LimitExceeded, NotFound
from chatcore.uploads import Upload
from frontends.guard import is_owner
from frontends.http_api.bodies import WITH_TEXT, from_fields
from frontends.http_api.errors import Forbidden, Malformed
from frontends.http_api.uploads import received_form
from frontends.site import Site

__all__ = ["USER_HEADER", "Asked", "Call", "reply", "user_of"]

T = TypeVar("T")

USER_HEADER = "Chatcore-User"
"""In whose name the owner of the data directory calls; from anybody else it means nothing."""

_JSON_ROOM = 65_536
_MAX_KEY_CHARS = 200
_encode = msgspec.json.Encoder().encode


def reply(value: object, status: int = 200) -> Response:
    """The value as JSON."""
    return Response(_encode(value), status, {"Cache-Control": "no-store"}, media_type="application/json")


def user_of(connection: HTTPConnection, site: Site) -> str:
    """In whose name it is asked."""
    named = connection.headers.get(USER_HEADER)
    if named is not None and is_owner(connection.scope):
        return _utf8(named, USER_HEADER)
    return site.user_of(connection)


class Asked:
    """What is asked for by an address and headers alone: of a request, or of a web socket's handshake.

    Attributes:
        user: In whose name it is asked.
        engine: What it is asked of.
    """

    def __init__(self, connection: HTTPConnection, site: Site) -> None:
        self.connection = connection
        self.site = site
        self.engine: Engine = site.engine
        self.user = user_of(connection, site)

    def text(self, name: str) -> str | None:
        """A parameter of the query; None where it is not given."""
        return self.connection.query_params.get(name)

    def number(self, name: str, default: int) -> int:
        """A whole number of the query.

        Raises:
            InvalidInput: It is none.
        """
        given = self.text(name)
        if given is None:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", given, re.ASCII):
            raise InvalidInput(f"“{name}” is a whole number.")
        return int(given)

    def flag(self, name: str) -> bool | None:
        """A yes or no of the query; None where it is not given.

        Raises:
            InvalidInput: It is neither.
        """
        given = self.text(name)
        if given is None:
            return None
        known = {"1": True, "true": True, "0": False, "false": False}
        if given.lower() not in known:
            raise InvalidInput(f"“{name}” is 1 or 0.")
        return known[given.lower()]


class Call(Asked):
    """A request, read as its route needs it."""

    def __init__(self, request: Request, site: Site) -> None:
        super().__init__(request, site)
        self.request = request

    @property
    def id(self) -> str:
        """The id in the path: of a conversation or a message, as the route says."""
        return str(self.request.path_params["id"])

    @property
    def index(self) -> int:
        """The number of a part, in the path.

        Raises:
            NotFound: It is none.
        """
        given = str(self.request.path_params["index"])
        if not re.fullmatch(r"[0-9]{1,9}", given, re.ASCII):
            raise NotFound("There is no such file.")
        return int(given)

    @property
    def key(self) -> str | None:
        """The idempotency key.

        Raises:
            InvalidInput: It is empty, too long or not UTF-8.
        """
        given = self.request.headers.get("Idempotency-Key")
        if given is None:
            return None
        key = _utf8(given, "Idempotency-Key")
        if not 0 < len(key) <= _MAX_KEY_CHARS:
            raise InvalidInput(f"An Idempotency-Key has 1 to {_MAX_KEY_CHARS} characters.")
        return key

    def demand_owner(self) -> None:
        """Passes when the call came over the owner's socket.

        Raises:
            Forbidden: It came over the network.
        """
        if not is_owner(self.request.scope):
            raise Forbidden("This is for the owner of the data directory alone, over its socket.")

    async def body(self, type_: type[T]) -> T:
        """The JSON body; an empty one stands for ``{}``.

        Raises:
            Malformed: It is no JSON.
            InvalidInput: It is not what the route takes.
            LimitExceeded: It is longer than anything that the route takes.
        """
        limits = self.engine.limits
        chars = limits.text_chars if type_ in WITH_TEXT else 2 * limits.comment_chars
        limit = _JSON_ROOM + limits.parameters_bytes + 12 * chars  # \\uD83D\\uDE00 is one code point
        content = bytearray()
        async for chunk in self.request.stream():
            content += chunk
            if len(content) > limit:
                raise LimitExceeded("The body is too long.", limit=limit, given=len(content))
        with _readable():
            return msgspec.json.decode(content or b"{}", type=type_)

    @asynccontextmanager
    async def form(self, type_: type[T]) -> AsyncIterator[tuple[T, list[Upload] | None]]:
        """The body and the files that came with it: of a form, else of JSON (files None).

        The files are kept while the context lasts.

        Raises:
            Malformed, InvalidInput, LimitExceeded: As `body`; also for too many or too large files.
        """
        content_type = self.request.headers.get("Content-Type", "")
        if not content_type.lower().startswith("multipart/form-data"):
            yield await self.body(type_), None
            return
        async with received_form(self.request, content_type, self.engine.limits) as (fields, files):
            with _readable():
                body = from_fields(fields, type_)
            yield body, files


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except msgspec.ValidationError as error:
        raise InvalidInput(f"The request can't be taken: {error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"The body is no JSON: {error}.") from error


def _utf8(value: str, name: str) -> str:
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name} is not UTF-8.") from error
