"""The store in SQLite: one connection writes, in groups; others read. It runs on asyncio."""

from storage.sqlite.opening import open_store
from storage.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "open_store"]
