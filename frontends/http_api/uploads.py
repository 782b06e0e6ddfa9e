"""Forms with files, read as they come: bounded at every step, each file on the disk and never in memory.

Own code over python-multipart's tokens: Starlette's form parser has no bound for a file's size.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import anyio
from anyio import AsyncFile
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from chatcore.errors import LimitExceeded
from chatcore.limits import Limits
from chatcore.uploads import Upload
from frontends.http_api.errors import Malformed

__all__ = ["received_form"]

_MAX_FIELDS = 20
_Token = tuple[Literal["header", "begin", "data", "end"], bytes]


@asynccontextmanager
async def received_form(
    request: Request, content_type: str, limits: Limits
) -> AsyncIterator[tuple[dict[str, str], list[Upload]]]:
    """The fields and files of a ``multipart/form-data`` body; the files are removed when the context ends.

    Raises:
        Malformed: It is no such form, or it was cut short.
        LimitExceeded: Too many files or fields, or one is too large; found while reading.
    """
    async with anyio.TemporaryDirectory(prefix="chatcore-received-") as folder:
        form = _Form(Path(folder), limits)
        try:
            await _read(request, _Tokens(content_type), form)
        finally:
            await form.close()
        yield form.fields, form.files


async def _read(request: Request, tokens: "_Tokens", form: "_Form") -> None:
    try:
        async for chunk in request.stream():
            for kind, data in tokens.of(chunk):
                await form.take(kind, data)
        tokens.finish()
    except (FormParserError, UnicodeDecodeError) as error:
        raise Malformed(f"The form can't be read: {error}.") from error
    except ClientDisconnect as error:
        raise Malformed("The form was cut short.") from error


class _Tokens:
    """The parser's callbacks, gathered to be worked through by async code."""

    def __init__(self, content_type: str) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise Malformed("The form does not say what stands between its parts.")
        self._found: list[_Token] = []
        self._name = b""
        self._value = b""
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": lambda: self._found.append(("begin", b"")),
                    "on_part_data": lambda data, start, end: self._found.append(("data", data[start:end])),
                    "on_part_end": lambda: self._found.append(("end", b"")),
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise Malformed(f"The form can't be read: {error}.") from error

    def of(self, chunk: bytes) -> Iterator[_Token]:
        """What the next bytes of the body mean."""
        self._parser.write(chunk)
        found, self._found = self._found, []
        yield from found

    def finish(self) -> None:
        """Passes when the form is whole.

        Raises:
            FormParserError: It ended too early.
        """
        if not self._ended:
            raise FormParserError("it ends in the middle")

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._found.append(("header", self._value))
        self._name = self._value = b""

    def _on_end(self) -> None:
        self._ended = True


class _Form:
    """Fields and files as they grow."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.fields: dict[str, str] = {}
        self.files: list[Upload] = []
        self._folder = folder
        self._limits = limits
        self._name = ""
        self._file_name: str | None = None
        self._file: AsyncFile[bytes] | None = None
        self._text = bytearray()
        self._size = 0

    async def take(self, kind: Literal["header", "begin", "data", "end"], data: bytes) -> None:
        """Go on with the next token."""
        match kind:
            case "header":
                self._describe(data)
            case "begin":
                await self._begin()
            case "data":
                await self._grow(data)
            case "end":
                await self._end()

    async def close(self) -> None:
        """Close the file that is being written, if there is one."""
        if self._file is not None:
            await self._file.aclose()
            self._file = None

    def _describe(self, disposition: bytes) -> None:
        options = parse_options_header(disposition)[1]
        self._name = options.get(b"name", b"").decode()
        file_name = options.get(b"filename")
        # browsers write a quotation mark so, and nothing tells it from a name that has these three characters
        self._file_name = None if file_name is None else file_name.decode().replace("%22", '"')

    async def _begin(self) -> None:
        self._size = 0
        self._text.clear()
        if self._file_name:
            self._limits.check("files_per_message", len(self.files) + 1, "Number of files")
            self._file = await anyio.open_file(self._folder / str(len(self.files)), "wb")
        elif len(self.fields) >= _MAX_FIELDS:
            raise LimitExceeded("The form has too many fields.", limit=_MAX_FIELDS, given=_MAX_FIELDS + 1)

    async def _grow(self, data: bytes) -> None:
        self._size += len(data)
        if self._file is not None:
            self._limits.check("file_bytes", self._size, f"Size of “{self._file_name}” in bytes")
            await self._file.write(data)
        else:
            limit = 4 * self._limits.text_chars  # bytes of UTF-8; the engine counts the characters
            if self._size > limit:
                raise LimitExceeded(f"“{self._name}” is too long.", limit=limit, given=self._size)
            self._text += data

    async def _end(self) -> None:
        if self._file is not None and self._file_name:
            await self.close()
            self.files.append(Upload(self._file_name, self._folder / str(len(self.files))))
        elif self._file_name is None:  # else a file chooser where nothing was chosen
            self.fields[self._name] = self._text.decode()
        self._name, self._file_name = "", None
