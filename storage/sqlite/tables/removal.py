"""What goes for good."""

from collections.abc import Collection
from datetime import datetime

from storage.ids import to_us
from storage.rows import ConversationRow
from storage.sqlite.statements import load
from storage.sqlite.tables.index import Index
from storage.sqlite.values import conversation_row

__all__ = ["Removal"]

_SQL = load("units")


class Removal(Index):
    """Deleting from all tables."""

    def purgeable(self, before: datetime) -> ConversationRow | None:
        row = self._execute(_SQL["purgeable"], (to_us(before),)).fetchone()
        return None if row is None else conversation_row(row, lenient=True)

    def purge_messages(self, conversation: int, limit: int) -> int:
        keys = self._execute(_SQL["purge_candidates"], (conversation, limit)).fetchall()
        self._forget_messages(key for (key,) in keys)
        for statement in ("purge_feedback", "purge_message_files", "purge_message"):
            self._connection.executemany(_SQL[statement], keys)
        return len(keys)

    def purge_conversation(self, conversation: int, *, whole: bool) -> None:
        if whole:
            self._forget_title(conversation)
        self._execute(_SQL["end_purge" if whole else "begin_purge"], (conversation,))

    def unreferenced(self, sha256s: Collection[str]) -> frozenset[str]:
        unused = [name for name in sha256s if not self._is_referenced(bytes.fromhex(name))]
        self._connection.executemany(_SQL["forget_file"], [(bytes.fromhex(name),) for name in unused])
        return frozenset(unused)

    def _is_referenced(self, sha256: bytes) -> bool:
        return self._execute(_SQL["referenced"], (sha256,)).fetchone() is not None
