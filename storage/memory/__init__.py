"""The store in memory."""

from storage.memory.store import MemoryStore, open_store

__all__ = ["MemoryStore", "open_store"]
