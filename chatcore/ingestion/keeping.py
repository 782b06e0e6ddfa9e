"""Files of imported messages on their way into the store of files."""

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

from anyio import CancelScope, from_thread

from chatcore.errors import ChatcoreError, InvalidInput, LimitExceeded
from chatcore.incoming import IncomingFile
from chatcore.ingestion.sink import Sink
from chatcore.limits import Limits
from chatcore.messages import Attachment
from chatcore.uploads import Upload

__all__ = ["Keeper", "told", "why_not"]

_CHUNK_BYTES = 1 << 20


class Keeper:
    """Keeps files; called on the thread that prepares, it waits for the event loop.

    Args:
        sink: Where they go.
        dry_run: They go nowhere: only what they would be is said.
    """

    def __init__(self, sink: Sink, dry_run: bool) -> None:
        self._sink = sink
        self._dry_run = dry_run

    def keep(self, file: IncomingFile) -> Attachment | str:
        """The file as it is stored; else why it is not (it is too large, can't be read), and is named only.

        Raises:
            StorageError
        """
        try:
            if self._dry_run:
                return told(file, self._sink.limits)
            source = file.at if file.at is not None else _chunks(file.content or b"")
            return from_thread.run(self._put, Upload(file.name, source))
        except (InvalidInput, OSError) as error:
            return why_not(error)

    async def _put(self, upload: Upload) -> Attachment:
        # Shielded: the thread waits for what this gives, and who cancels waits for the thread. It is told to
        # stop, and does so between two conversations.
        with CancelScope(shield=True):
            kept = await self._sink.put_file(upload)
        return kept  # noqa: RET504 -- a scope might have taken an error in, types say


def why_not(error: ChatcoreError | OSError) -> str:
    """The sentence about a file that is not kept: the same whoever has noticed it."""
    if isinstance(error, LimitExceeded) and isinstance(most := error.data.get("limit"), int):
        return f"It is longer than the {most:,} bytes that a file may have."
    cause = error.__cause__ if isinstance(error, ChatcoreError) else error
    if isinstance(cause, OSError):
        return f"Its content can't be read: {cause.strerror}."
    return str(error)


def told(file: IncomingFile, limits: Limits) -> Attachment:
    """What the file would be stored as.

    Raises:
        LimitExceeded: It is too large.
        OSError: It can't be read.
    """
    size, digest = _digest(file)
    limits.check("file_bytes", size, "Size of the file")
    media_type = file.media_type or "application/octet-stream"
    return Attachment(name=file.name, media_type=media_type, size_bytes=size, sha256=digest, path="")


def _digest(file: IncomingFile) -> tuple[int, str]:
    if file.at is None:
        content = file.content or b""
        return len(content), sha256(content).hexdigest()
    return _digest_of(file.at)


def _digest_of(path: Path) -> tuple[int, str]:
    digest = sha256()
    size = 0
    with path.open("rb") as opened:
        while chunk := opened.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    for begin in range(0, len(content), _CHUNK_BYTES):
        yield content[begin : begin + _CHUNK_BYTES]
