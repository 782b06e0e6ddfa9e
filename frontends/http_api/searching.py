"""Searching in all of a user's conversations, and having more of them found."""

from datetime import datetime

import msgspec
from msgspec import Struct
from starlette.responses import Response

from chatcore.errors import InvalidInput
from chatcore.messages import Rating, Role
from chatcore.views import SearchOrder
from frontends.http_api import bodies
from frontends.http_api.calls import Call, reply

__all__ = ["Asked", "reindex", "search"]


class Asked(Struct, frozen=True, kw_only=True):
    """The query of GET /search."""

    q: str = ""
    role: Role | None = None
    rating: Rating | None = None
    model: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    conversation: str | None = None
    archived: bool = True
    order: SearchOrder = "newest"
    after: str | None = None
    limit: int = 20


async def search(call: Call) -> Response:
    """What is found, as the engine gives it."""
    given = {name: text for name in Asked.__struct_fields__ if (text := call.text(name)) is not None}
    try:
        asked = msgspec.convert(given, Asked, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"The query can't be taken: {error}.") from error
    page = await call.engine.search(
        asked.q,
        role=asked.role,
        rating=asked.rating,
        model=asked.model,
        since=asked.since,
        until=asked.until,
        conversation_id=asked.conversation,
        archived=asked.archived,
        order=asked.order,
        after=asked.after,
        limit=asked.limit,
        user=call.user,
    )
    return reply(page)


async def reindex(call: Call) -> Response:
    """What one unit did."""
    call.demand_owner()
    body = await call.body(bodies.Reindex)
    return reply(await call.engine.reindex(max_messages=body.max_messages, anew=body.anew))
