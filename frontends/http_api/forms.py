"""Forms with files on their way to a server: read from the disk as they are sent."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio

from chatcore.errors import InvalidInput
from chatcore.uploads import FileInput, Upload

__all__ = ["Form", "open_form"]

_CHUNK_BYTES = 65_536


class Form:
    """A ``multipart/form-data`` body; `content` can be read once."""

    def __init__(self, fields: Mapping[str, str], files: Sequence[tuple[str, AsyncIterator[bytes]]]) -> None:
        self._boundary = secrets.token_hex(16)
        self._fields = fields
        self._files = files

    @property
    def content_type(self) -> str:
        """For the header that goes with it."""
        return f"multipart/form-data; boundary={self._boundary}"

    async def content(self) -> AsyncIterator[bytes]:
        """The bytes, as they are wanted."""
        for name, text in self._fields.items():
            yield self._head(f'name="{name}"') + text.encode() + b"\r\n"
        for name, source in self._files:
            yield self._head(f'name="file"; filename="{_escaped(name)}"')
            async for chunk in source:
                yield chunk
            yield b"\r\n"
        yield f"--{self._boundary}--\r\n".encode()

    def _head(self, disposition: str) -> bytes:
        return f"--{self._boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode()


@asynccontextmanager
async def open_form(fields: Mapping[str, str], files: Sequence[FileInput]) -> AsyncIterator[Form]:
    """A form of these fields and files; the files are open while the context lasts.

    Raises:
        InvalidInput: A file can't be read.
    """
    async with AsyncExitStack() as stack:
        opened = []
        for file in files:
            name = file.name if isinstance(file, Upload) else Path(file).name
            source = file.source if isinstance(file, Upload) else Path(file)
            if isinstance(source, Path):
                source = await _opened(source, stack)
            opened.append((name, source))
        yield Form(fields, opened)


async def _opened(path: Path, stack: AsyncExitStack) -> AsyncIterator[bytes]:
    try:
        file = await stack.enter_async_context(await anyio.open_file(path, "rb"))
    except OSError as error:
        raise InvalidInput(f"“{path.name}” can't be read: {error.strerror}.") from error

    async def chunks() -> AsyncIterator[bytes]:
        while chunk := await file.read(_CHUNK_BYTES):
            yield chunk

    return chunks()


def _escaped(name: str) -> str:
    """As browsers do it (WHATWG HTML, "multipart/form-data encoding algorithm")."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
