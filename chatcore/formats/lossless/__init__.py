"""Our own format: everything that a conversation is, a line for each; docs/format.md specifies it."""

from chatcore.formats.lossless.format import LOSSLESS

__all__ = ["LOSSLESS"]
