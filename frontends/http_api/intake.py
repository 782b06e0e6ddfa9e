"""Batches of an ingestion that another process reads, and the files that they refer to: the owner's alone."""

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from chatcore.errors import InvalidInput, LimitExceeded
from chatcore.uploads import Upload
from frontends.http_api import bodies
from frontends.http_api.calls import Call, reply
from frontends.http_api.errors import Malformed

__all__ = ["batch", "file"]

_MOST_BYTES = 64 * 2**20
"""Of one batch: 500 messages, or few that are very long."""

_decode = msgspec.msgpack.Decoder(bodies.IngestBatch).decode


async def batch(call: Call) -> Response:
    """What became of each conversation."""
    call.demand_owner()
    content = bytearray()
    async for chunk in call.request.stream():
        content += chunk
        if len(content) > _MOST_BYTES:
            raise LimitExceeded("The batch is too long.", limit=_MOST_BYTES, given=len(content))
    try:
        body = _decode(content)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"The batch can't be taken: {error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"The batch can't be read: {error}.") from error
    return reply(
        await call.engine.ingest_batch(
            body.conversations, index=body.index, dry_run=body.dry_run, user=call.user
        )
    )


async def file(call: Call) -> Response:
    """The attachment that it is stored as."""
    call.demand_owner()
    name = call.text("name")
    if not name:
        raise InvalidInput("A file has a name.")
    try:
        return reply(await call.engine.ingest_file(Upload(name, call.request.stream())), 201)
    except ClientDisconnect as error:
        raise Malformed("The file was cut short.") from error
