"""Claude's export: its ZIP or JSON, or one conversation as the app has it."""

from chatcore.formats.claude.reading import FORMAT

__all__ = ["FORMAT"]
