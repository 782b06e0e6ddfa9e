"""The call of a client that searches (`frontends.http_api.searching` answers)."""
# ruff: noqa: D102 -- what it does is said at the engine's

from datetime import datetime

from chatcore.core import LOCAL_USER
from chatcore.messages import Rating, Role
from chatcore.views import SearchOrder, SearchPage
from frontends.http_api.connection import Connection

__all__ = ["Finder"]


class Finder:
    """Searches at a server."""

    _connection: Connection

    async def search(  # noqa: PLR0913 -- each filter by its name
        self,
        query: str,
        *,
        role: Role | None = None,
        rating: Rating | None = None,
        model: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        conversation_id: str | None = None,
        archived: bool = True,
        order: SearchOrder = "newest",
        after: str | None = None,
        limit: int = 20,
        user: str = LOCAL_USER,
    ) -> SearchPage:
        params = {
            "q": query,
            "role": role,
            "rating": rating,
            "model": model,
            "since": None if since is None else since.isoformat(),
            "until": None if until is None else until.isoformat(),
            "conversation": conversation_id,
            "archived": archived,
            "order": order,
            "after": after,
            "limit": limit,
        }
        return await self._connection.call(SearchPage, "GET", "search", params=params, user=user)
