"""The calls of a client that are the owner's alone."""
# ruff: noqa: D102 -- what each call does is said at the engine's

from pathlib import Path

import anyio

from chatcore.commands import Purged
from chatcore.core import LOCAL_USER
from chatcore.messages import Attachment
from frontends.http_api import bodies
from frontends.http_api.connection import PATIENT, Connection, segment

__all__ = ["Upkeep"]


class Upkeep:
    """What the owner of a data directory does with it (`frontends.http_api.owner` answers)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def health(self) -> bodies.Health:
        """Who answers there, with what and within which limits."""
        return await self._connection.call(bodies.Health, "GET", "health")

    async def attachment(
        self, message_id: str, index: int, *, user: str = LOCAL_USER
    ) -> tuple[Attachment, Path]:
        path = f"owner/files/{segment(message_id)}/{index:d}"
        stored = await self._connection.call(bodies.Stored, "GET", path, user=user)
        return stored.attachment, Path(stored.path)

    async def check(self) -> list[str]:
        found = await self._connection.call(bodies.Problems, "POST", "owner/check", timeout=PATIENT)
        return found.problems

    async def backup(self, target: Path) -> None:
        body = bodies.Backup(path=str(await anyio.Path(target).absolute()))
        await self._connection.call(bodies.Done, "POST", "owner/backup", body, timeout=PATIENT)

    async def purge(self, *, older_than_seconds: float = 0.0, max_rows: int = 500) -> Purged:
        body = bodies.PurgeOlder(older_than_seconds=older_than_seconds, max_rows=max_rows)
        return await self._connection.call(Purged, "POST", "owner/purge", body, timeout=PATIENT)

    async def collect_files(self, *, untouched_seconds: float = 86_400.0) -> int:
        body = bodies.Collect(untouched_seconds=untouched_seconds)
        return (
            await self._connection.call(bodies.Collected, "POST", "owner/collect", body, timeout=PATIENT)
        ).files
