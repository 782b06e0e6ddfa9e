"""ChatGPT's export: the ZIP with its votes and files, or its JSON by itself."""

from chatcore.formats.chatgpt.reading import FORMAT

__all__ = ["FORMAT"]
