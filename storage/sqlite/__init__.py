"""The store in SQLite: one connection writes, in groups; others read. It runs on asyncio."""

from storage.sqlite.opening import open_store
from storage.sqlite.reading import open_for_reading
from storage.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "open_for_reading", "open_store"]
