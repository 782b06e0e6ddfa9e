"""A server as the place where an ingestion goes."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import anyio
import msgspec

from chatcore.arrivals import IngestConversation, Ingested
from chatcore.errors import InvalidInput
from chatcore.limits import Limits
from chatcore.messages import Attachment
from chatcore.uploads import Upload
from frontends.http_api import bodies
from frontends.http_api.connection import PATIENT, Connection

__all__ = ["ServerSink"]

_CHUNK_BYTES = 1 << 18
_encode = msgspec.msgpack.Encoder().encode


class ServerSink:
    """Sends batches and files to a server (`frontends.http_api.intake` answers)."""

    is_elsewhere = True
    packer: str | None = None

    def __init__(self, connection: Connection, limits: Limits, user: str) -> None:
        self.limits = limits
        self._connection = connection
        self._user = user

    async def put_file(self, upload: Upload) -> Attachment:
        """See `chatcore.ingestion.sink.Sink`."""
        content = _chunks(upload.source) if isinstance(upload.source, Path) else upload.source
        return await self._connection.call_with_content(
            Attachment, "owner/ingest/files", content, {"name": upload.name}, user=self._user
        )

    async def write(
        self,
        conversations: Sequence[IngestConversation],
        *,
        index: bool,
        dry_run: bool,
        packed: bytes | None = None,
    ) -> tuple[Ingested, ...]:
        """See `chatcore.ingestion.sink.Sink`."""
        body = bodies.IngestBatch(conversations=tuple(conversations), index=index, dry_run=dry_run)
        return await self._connection.call_with_content(
            tuple[Ingested, ...], "owner/ingest", _encode(body), {}, user=self._user, timeout=PATIENT
        )

    async def settle(self) -> None:
        """Each batch is on the server's disk when it has answered."""


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    try:
        async with await anyio.open_file(path, "rb") as file:
            while chunk := await file.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise InvalidInput(f"“{path.name}” can't be read: {error.strerror}.") from error
