"""The connection of a client: its calls as HTTP requests, and answers as results or errors."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec
from msgspec import UNSET, Struct

from chatcore.core import LOCAL_USER
from chatcore.errors import ChatcoreError, InvalidInput
from chatcore.uploads import FileInput
from frontends.http_api.calls import USER_HEADER
from frontends.http_api.errors import error_of
from frontends.http_api.following import Following, ServerGone
from frontends.http_api.forms import open_form

__all__ = ["PATIENT", "Connection", "segment"]

T = TypeVar("T")

PATIENT = httpx.Timeout(None, connect=5.0)
"""For work that takes as long as there is data."""

_FILES = httpx.Timeout(60.0, connect=5.0)
"""For what a server does with files before it answers: they are synced to its disk."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def segment(id_: str) -> str:
    """An id as a segment of a path; what is no id of ours (empty, long, with slashes) makes no other."""
    return id_ if _ID.fullmatch(id_) else "-"  # which is nothing's id


class Connection:
    """Speaks with one server.

    Args:
        http: Open as long as the connection is used; its base URL is that of the routes, its timeout that of
            calls which should be answered at once.
        socket_path: For sentences.
        patience_seconds: How long `follow` waits for a server that is gone.
    """

    def __init__(self, http: httpx.AsyncClient, socket_path: Path, patience_seconds: float) -> None:
        self._http = http
        self._socket_path = socket_path
        self._patience_seconds = patience_seconds

    def follow(self, conversation_id: str, after: str | None, window_seconds: float, user: str) -> Following:
        """The events of a conversation, to be entered."""
        params = {"conversation": segment(conversation_id), "window_ms": str(round(1000 * window_seconds))}
        return Following(self._http, params, _headers(None, user), self._gone, self._patience_seconds, after)

    async def call_with_files(
        self, type_: type[T], path: str, body: Struct, files: Sequence[FileInput], key: str | None, user: str
    ) -> T:
        """The result of a call that takes files; they are read from the disk while they are sent.

        Raises:
            InvalidInput: A file can't be read.
            ServerGone, ChatcoreError: As `call`.
        """
        if not files:
            return await self.call(type_, "POST", path, body, key=key, user=user)
        fields = {
            name: _field(value) for name, value in msgspec.structs.asdict(body).items() if value is not UNSET
        }
        async with open_form(fields, files) as form:
            headers = {**_headers(key, user), b"Content-Type": form.content_type.encode()}
            request = self._http.build_request(
                "POST", path, headers=headers, content=form.content(), timeout=_FILES
            )
            return await self._exchange(type_, request)

    async def call(
        self,
        type_: type[T],
        method: str,
        path: str,
        body: Struct | None = None,
        *,
        params: Mapping[str, str | int | bool | None] | None = None,
        key: str | None = None,
        user: str = LOCAL_USER,
        timeout: httpx.Timeout | None = None,
    ) -> T:
        """The result of a call.

        Raises:
            ServerGone: Nobody answers.
            ChatcoreError: What the engine raised there.
        """
        request = self._http.build_request(
            method,
            path,
            params={name: _field(value) for name, value in (params or {}).items() if value is not None},
            headers=_headers(key, user),
            content=None if body is None else msgspec.json.encode(body),
            timeout=timeout or self._http.timeout,
        )
        return await self._exchange(type_, request)

    async def call_with_content(
        self,
        type_: type[T],
        path: str,
        content: bytes | AsyncIterator[bytes],
        params: Mapping[str, str],
        *,
        user: str = LOCAL_USER,
        timeout: httpx.Timeout | None = None,
    ) -> T:
        """The result of a call whose body is no JSON.

        Raises:
            ServerGone, ChatcoreError: As `call`.
        """
        request = self._http.build_request(
            "POST",
            path,
            params=params,
            headers=_headers(None, user),
            content=content,
            timeout=timeout or _FILES,
        )
        return await self._exchange(type_, request)

    async def _exchange(self, type_: type[T], request: httpx.Request) -> T:
        try:
            response = await self._http.send(request)
        except httpx.TransportError as error:
            raise self._gone(error) from error
        if response.is_error:
            raise error_of(response.status_code, response.content)
        try:
            return msgspec.json.decode(response.content, type=type_)
        except msgspec.MsgspecError as error:
            raise ChatcoreError(
                f"The server's answer can't be read, is it of another version? {error}."
            ) from error

    def _gone(self, error: Exception | None) -> ServerGone:
        if isinstance(error, httpx.TimeoutException):
            return ServerGone(f"The server at {self._socket_path} does not answer.")
        return ServerGone(f"No server answers at {self._socket_path}.")


def _headers(key: str | None, user: str) -> dict[bytes, bytes]:
    headers = {} if user == LOCAL_USER else {USER_HEADER.encode(): _header(user, "A user")}
    if key is not None:
        headers[b"Idempotency-Key"] = _header(key, "A key")
    return headers


def _header(text: str, what: str) -> bytes:
    if (
        not text
        or text != text.strip()
        or any(ord(character) < 32 or ord(character) == 127 for character in text)
    ):
        raise InvalidInput(f"{what} is not empty and has neither control characters nor blanks around it.")
    return text.encode()


def _field(value: str | int | bool | None) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
