"""Conversations as files to download, and (for the owner) as they are."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from urllib.parse import quote

import msgspec
from anyio import from_thread, to_thread
from starlette.responses import Response, StreamingResponse

from chatcore.errors import InvalidInput
from chatcore.filters import ExportFilter
from chatcore.formats.format import WriteFormat, WriteOptions
from chatcore.formats.naming import conversation_file
from chatcore.formats.output import gathered, media_type_of, written
from chatcore.formats.registry import find_write_format
from chatcore.views import Tree
from frontends.http_api import bodies
from frontends.http_api.calls import Call, reply

__all__ = ["all_of_them", "conversation", "trees"]

_HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


async def trees(call: Call) -> Response:
    """A batch of whole conversations."""
    call.demand_owner()
    body = await call.body(bodies.WantedTrees)
    batch = await call.engine.tree_batch(
        conversation_ids=body.conversation_ids, only=body.only, after=body.after, user=call.user
    )
    return reply(batch)


async def conversation(call: Call) -> Response:
    """One conversation as a file."""
    known = find_write_format(call.text("format") or "markdown")
    found = await call.engine.conversation(call.id, user=call.user)
    wanted = call.engine.trees(conversation_ids=[call.id], user=call.user)
    return _download(known, wanted, _options(call), conversation_file(found, known.suffix))


async def all_of_them(call: Call) -> Response:
    """All conversations, or those with a message that is as asked for, as one file."""
    known = find_write_format(call.text("format") or "chatcore")
    options = _options(call)
    wanted = call.engine.trees(only=options.only, user=call.user)
    rated = f"-{options.only.rating}" if options.only.rating else ""
    return _download(known, wanted, options, f"{known.name}{rated}{known.suffix}")


def _options(call: Call) -> WriteOptions:
    query = {name: given for name in ExportFilter.__struct_fields__ if (given := call.text(name))}
    return WriteOptions(
        reasoning=call.flag("reasoning") or False,
        all_paths=call.flag("all_paths") or False,
        step=from_thread.check_cancelled,  # of the thread that writes: nobody may be waiting any more
        only=_filter(query),
    )


def _filter(query: dict[str, str]) -> ExportFilter:
    try:
        only = msgspec.convert(query, ExportFilter)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"The query can't be taken: {error}.") from error
    for at in (only.since, only.until):
        if isinstance(at, datetime) and at.tzinfo is None:
            raise InvalidInput("A time says its zone: 2026-01-31T12:00:00Z.")
    return only


def _download(
    known: WriteFormat, wanted: AsyncIterator[Tree], options: WriteOptions, name: str
) -> StreamingResponse:
    """The answer begins before all is read: an error after that cuts it off, which the browser tells."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return StreamingResponse(
        _chunks(known, wanted, options),
        headers={**_HEADERS, "Content-Disposition": disposition},
        media_type=media_type_of(known),
    )


async def _chunks(
    known: WriteFormat, wanted: AsyncIterator[Tree], options: WriteOptions
) -> AsyncIterator[bytes]:
    async for tree in wanted:
        pieces = gathered(written(known, tree, options))
        while (piece := await to_thread.run_sync(_next, pieces)) is not None:
            yield piece


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)
