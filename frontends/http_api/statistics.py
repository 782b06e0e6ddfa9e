"""Numbers about answers and votes."""

from starlette.responses import Response

from chatcore.errors import InvalidInput
from frontends.http_api.calls import Call, reply

__all__ = ["read"]


async def read(call: Call) -> Response:
    """A row for each day and model."""
    given = call.text("utc_offset_minutes") or "0"
    if not given.removeprefix("-").isascii() or not given.removeprefix("-").isdecimal() or len(given) > 5:
        raise InvalidInput("“utc_offset_minutes” is a whole number.")
    found = await call.engine.statistics(
        days=call.number("days", 90), utc_offset_minutes=int(given), user=call.user
    )
    return reply(found)
