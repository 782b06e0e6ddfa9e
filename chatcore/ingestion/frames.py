"""What a process that reads and the one that stores say to each other: a length and a message, in turn.

Both are of one program, so there are no versions: the bytes are msgpack, as msgspec writes it.
"""

import struct
from collections.abc import Sequence
from typing import BinaryIO, overload

import msgspec
from msgspec import Struct

from chatcore.arrivals import IngestMessage
from chatcore.errors import ChatcoreError, InvalidInput, LimitExceeded, StorageError, Unrecognised
from chatcore.formats.format import ReadOptions
from chatcore.ingestion.batch import Batch
from chatcore.limits import Limits
from chatcore.messages import Attachment, clean_text

__all__ = [
    "Ended",
    "Frame",
    "Keep",
    "Kept",
    "Order",
    "Read",
    "batch_of",
    "decode_frame",
    "ended_by",
    "error_of",
    "read_frame",
    "read_of",
    "write_frame",
]

_SMALL_BYTES = 2**20
_LENGTH = struct.Struct("!Q")


class Order(Struct, frozen=True, kw_only=True):
    """What is to be read: the first frame that a reader is given.

    Attributes:
        opener: What opens a source (`OpenReading`), as ``module:name``.
        source: A path as the system has it.
        packer: What makes of conversations what the store takes as packed (`chatcore.ports.Store.packer`).
        index: Whether they are to be indexed.
        limit: Stop after so many conversations; None: all.
        dry_run: Files are not stored, and a long conversation is not cut into slices.
        rejects: Whether records that can't be taken are wanted.
        now_us: Microseconds since 1970: nothing is newer.
    """

    opener: str
    source: bytes
    format: str | None
    read: ReadOptions
    limits: Limits
    packer: str | None
    index: bool
    limit: int | None
    dry_run: bool
    rejects: bool
    now_us: int


class Kept(Struct, frozen=True, tag="kept"):
    """The answer to `Keep`: what it is stored as, or why it is named only."""

    attachment: Attachment | str


class Keep(Struct, frozen=True, kw_only=True, tag="keep"):
    """A file is to be stored; what comes next waits for the answer.

    Attributes:
        at: Where its bytes are, a path as the system has it; None: in `content`.
    """

    name: str
    media_type: str | None
    at: bytes | None
    content: bytes | None


class Read(Struct, frozen=True, kw_only=True, tag="read"):
    """A batch.

    Attributes:
        batch: Where `messages` has them, its conversations have none.
        messages: For each conversation how many it has, and these: they are looked at only when they are not
            stored as they were packed.
        rejected: Lines for the file of rejects.
        read_bytes: So much of the source has been read.
        total_bytes: Of so much; None: nobody knows.
    """

    batch: Batch
    messages: tuple[tuple[int, msgspec.Raw], ...] = ()
    rejected: bytes
    read_bytes: int
    total_bytes: int | None


class Ended(Struct, frozen=True, kw_only=True, tag="ended"):
    """Nothing comes after it.

    Attributes:
        code: Of the error that ended it; None: all has been read.
    """

    code: str | None = None
    sentence: str = ""
    data: dict[str, str | int | float | bool | None] = {}


Frame = Keep | Read | Ended


_ERRORS: dict[str, type[ChatcoreError]] = {
    one.code: one for one in (InvalidInput, LimitExceeded, Unrecognised, StorageError)
}


def ended_by(error: ChatcoreError) -> Ended:
    """What is said of an error; of one that the other side does not know, what kind of error it is."""
    codes = [kind.code for kind in type(error).__mro__ if issubclass(kind, ChatcoreError)]
    return Ended(
        code=next((code for code in codes if code in _ERRORS), InvalidInput.code),
        sentence=clean_text(error.sentence),  # names of files may be no text
        data={
            name: clean_text(value) if isinstance(value, str) else value for name, value in error.data.items()
        },
    )


def error_of(ended: Ended) -> ChatcoreError | None:
    """The error that was meant."""
    return None if ended.code is None else _ERRORS[ended.code](ended.sentence, **ended.data)


_encode = msgspec.msgpack.Encoder().encode
_frames: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)

_messages = msgspec.msgpack.Decoder(tuple[IngestMessage, ...])


def write_frame(file: BinaryIO, frame: Frame | Kept | Order) -> None:
    """Write one, at once.

    Raises:
        UnicodeEncodeError: Something in it is no text; nothing was written.
    """
    body = _encode(frame)
    if len(body) < _SMALL_BYTES:
        _write(file, _LENGTH.pack(len(body)) + body)
    else:  # what may be a record of 128 MiB is not copied once more
        _write(file, _LENGTH.pack(len(body)))
        _write(file, body)
    file.flush()


def _write(file: BinaryIO, content: bytes) -> None:
    rest = memoryview(content)
    while rest:  # a process that is stopped in the middle writes a part only
        rest = rest[file.write(rest) :]


def read_frame(file: BinaryIO) -> bytearray | None:
    """The next one's bytes, for a decoder; None: the other side has ended."""
    head = _filled(file, _LENGTH.size)
    return None if head is None else _filled(file, _LENGTH.unpack(head)[0])


def _filled(file: BinaryIO, size: int) -> bytearray | None:
    body = bytearray(size)
    view = memoryview(body)
    done = 0
    while done < size:
        if not (count := file.readinto(view[done:])):  # type: ignore[attr-defined]
            return None
        done += count
    return body


def decode_frame(body: bytearray) -> Frame:
    """What a reader says."""
    return _frames.decode(body)


def read_of(batch: Batch, rejected: bytes, progress: tuple[int, int | None]) -> Read:
    """A batch as it is sent."""
    messages: tuple[tuple[int, msgspec.Raw], ...] = ()
    if batch.packed is not None:
        whole = batch.conversations
        messages = tuple([(len(one.messages), msgspec.Raw(_encode(one.messages))) for one in whole])
        bare = tuple([msgspec.structs.replace(one, messages=()) for one in whole])
        batch = msgspec.structs.replace(batch, conversations=bare)
    return Read(
        batch=batch, messages=messages, rejected=rejected, read_bytes=progress[0], total_bytes=progress[1]
    )


def batch_of(read: Read) -> Batch:
    """The batch that was sent."""
    if not read.messages:
        return read.batch
    return msgspec.structs.replace(
        read.batch,
        conversations=tuple(
            [
                msgspec.structs.replace(one, messages=_Undecoded(*messages))
                for one, messages in zip(read.batch.conversations, read.messages, strict=True)
            ]
        ),
    )


class _Undecoded(Sequence[IngestMessage]):
    """Messages that are decoded when somebody looks at one of them."""

    def __init__(self, count: int, encoded: msgspec.Raw) -> None:
        self._count = count
        self._encoded = encoded
        self._decoded: tuple[IngestMessage, ...] | None = None

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> IngestMessage: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[IngestMessage]: ...
    def __getitem__(self, place: int | slice) -> IngestMessage | Sequence[IngestMessage]:
        if self._decoded is None:
            self._decoded = _messages.decode(self._encoded)
        return self._decoded[place]
