"""Attachments' contents, kept under their hash."""

from storage.files.contents import Files, open_files
from storage.files.disk import Disk

__all__ = ["Disk", "Files", "open_files"]
