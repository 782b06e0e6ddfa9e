"""Logs of servers and tools that people chat with models through."""
