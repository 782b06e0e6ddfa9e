"""The engine: conversations that are written, answered and followed.

Every call is made in the name of a user and finds another user's things *not found*. A call that raises
has changed nothing; one that returns has its effect on the disk. Cancelling a call leaves everything
whole: what was asked for is then either done or not.
"""

from pathlib import Path

from chatcore.commands import InterruptRuns, Purge, Purged, Reindex, Reindexed
from chatcore.conversations import Conversations
from chatcore.core import LOCAL_USER
from chatcore.exchanges import Exchanges
from chatcore.exporting import Exporting
from chatcore.intake import Intake
from chatcore.reactions import Reactions
from chatcore.reading import Reading

__all__ = ["LOCAL_USER", "Engine"]

CLOSE_SECONDS = 0.8
INTERRUPTED = "The server went down while this answer was being written."


class Engine(Conversations, Exchanges, Reactions, Reading, Exporting, Intake):
    """A store, its responders, and all that goes on between them. Made by `chatcore.open_engine`.

    Its calls stand in chapters: `chatcore.conversations`, `chatcore.exchanges`, `chatcore.reactions`,
    `chatcore.reading`, `chatcore.exporting`, `chatcore.intake`, and upkeep here.
    """

    async def start(self) -> None:
        """Mark answers of dead processes as interrupted, and begin."""
        orphans = await self._store.orphans(self.owner)
        if orphans:
            await self._store.write(InterruptRuns(message_ids=tuple(orphans), reason=INTERRUPTED))
        self._hub.watch(self._runs.on_event)
        self._runs.start()

    async def close(self) -> None:
        """End all runs as `interrupted` with what was said, then all subscriptions."""
        self._closed = True
        await self._runs.close(CLOSE_SECONDS)
        self._hub.close()

    async def check(self) -> list[str]:
        """What is damaged in database and files, a sentence each; empty when all is well."""
        return await self._store.check()

    async def backup(self, target: Path) -> None:
        """Write a whole copy of database and files to the new directory `target`.

        Raises:
            StorageError
        """
        await self._store.backup(target)

    async def purge(self, *, older_than_seconds: float = 0.0, max_rows: int = 500) -> Purged:
        """Remove one unit's worth of what was deleted so long ago; call again while `more` is true.

        Raises:
            StorageError
        """
        return await self._write(Purge(older_than_seconds=older_than_seconds, max_rows=max_rows))

    async def reindex(self, *, max_messages: int = 500, anew: bool = False) -> Reindexed:
        """Have up to so many messages found that searching does not find yet; again until none is `left`.

        Args:
            anew: Empty the index before, where it is thought to be damaged.

        Raises:
            StorageError
        """
        return await self._write(Reindex(max_messages=max_messages, anew=anew))

    async def collect_files(self, *, untouched_seconds: float = 86_400.0) -> int:
        """Remove files that no message refers to and that were not sent for so long; gives how many.

        Raises:
            StorageError
        """
        return await self._store.files.collect(self._store, untouched_seconds=untouched_seconds)
