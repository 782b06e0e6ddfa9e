"""Stores: where conversations and files are kept. Nothing else here knows a database or a disk."""
