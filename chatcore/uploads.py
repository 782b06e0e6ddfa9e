"""Files on their way into a message."""

import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from msgspec import Struct

from chatcore.errors import InvalidInput
from chatcore.limits import Limits
from chatcore.messages import Attachment, File
from chatcore.ports import FileStore

__all__ = ["FileInput", "Upload", "store_files"]


class Upload(Struct, frozen=True):
    """A file under the name that its sender gave it.

    Attributes:
        name: Shown to people; never used as a path.
        source: Where its content is: a path that may be read, or its bytes as they come.
    """

    name: str
    source: Path | AsyncIterator[bytes]


FileInput = str | os.PathLike[str] | Upload
"""A path (shown under its last component), or an `Upload`."""


async def store_files(files: Sequence[FileInput], store: FileStore, limits: Limits) -> tuple[File, ...]:
    """The files as parts, each durable now.

    Raises:
        LimitExceeded: Too many, or one is too large or of a kind that is not wanted.
        InvalidInput: One can't be read.
        StorageError: One could not be written.
    """
    limits.check("files_per_message", len(files), "Number of files")
    return tuple([File(await _stored(_upload(file), store, limits)) for file in files])


async def _stored(upload: Upload, store: FileStore, limits: Limits) -> Attachment:
    attachment = await store.put(upload.source, upload.name, max_bytes=limits.file_bytes)
    # only now its type is known; what no message refers to is removed after a while
    limits.check_media_type(attachment.name, attachment.media_type)
    return attachment


def _upload(file: FileInput) -> Upload:
    if isinstance(file, Upload):
        return file
    path = Path(file)
    if not path.name:
        raise InvalidInput(f"“{file}” is not the path of a file.")
    return Upload(path.name, path)
