"""LibreChat's export: one conversation a file, flat or nested."""

from chatcore.formats.librechat.reading import FORMAT

__all__ = ["FORMAT"]
