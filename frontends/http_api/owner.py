"""Calls of the owner of the data directory: over its socket alone."""

from pathlib import Path

from starlette.responses import Response

from chatcore.errors import InvalidInput
from frontends.http_api import bodies
from frontends.http_api.calls import Call, reply

__all__ = ["backup", "check", "collect", "file", "purge"]


async def check(call: Call) -> Response:
    """What is damaged."""
    call.demand_owner()
    return reply(bodies.Problems(await call.engine.check()))


async def backup(call: Call) -> Response:
    """Nothing, once the copy is whole."""
    call.demand_owner()
    body = await call.body(bodies.Backup)
    target = Path(body.path)
    if not target.is_absolute() or not target.name or "\0" in body.path:
        raise InvalidInput("The path of a backup is absolute, and that of a folder which is not there yet.")
    await call.engine.backup(target)
    return reply(bodies.Done())


async def purge(call: Call) -> Response:
    """What one unit removed."""
    call.demand_owner()
    body = await call.body(bodies.PurgeOlder)
    purged = await call.engine.purge(older_than_seconds=body.older_than_seconds, max_rows=body.max_rows)
    return reply(purged)


async def collect(call: Call) -> Response:
    """How many files were removed."""
    call.demand_owner()
    body = await call.body(bodies.Collect)
    files = await call.engine.collect_files(untouched_seconds=body.untouched_seconds)
    return reply(bodies.Collected(files))


async def file(call: Call) -> Response:
    """Where the content of a message's file can be read."""
    call.demand_owner()
    attachment, path = await call.engine.attachment(call.id, call.index, user=call.user)
    return reply(bodies.Stored(attachment, str(path)))
