"""Open WebUI's exports: chats, and votes with the chat that they are about."""

from chatcore.formats.openwebui.reading import FORMAT

__all__ = ["FORMAT"]
