"""What a process that reads and the one that stores say to each other: a length and a message, in turn.

Both are of one program, so there are no versions: the bytes are msgpack, as msgspec writes it.
"""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, overload

import msgspec
from msgspec import Struct

from chatcore.arrivals import IngestMessage
from chatcore.formats.format import ReadOptions
from chatcore.ingestion.batch import Batch
from chatcore.limits import Limits
from chatcore.messages import Attachment

__all__ = [
    "Ended",
    "Frame",
    "Keep",
    "Kept",
    "Order",
    "Read",
    "batch_of",
    "decode_frame",
    "read_frame",
    "read_of",
    "write_frame",
]

_LENGTH = struct.Struct("!I")


class Order(Struct, frozen=True, kw_only=True):
    """What is to be read: the first frame that a reader is given.

    Attributes:
        opener: What opens a source (`OpenReading`), as ``module:name``.
        source: A path as the system has it, or ``-``.
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
    """The answer to `Keep`; None: it is named only."""

    attachment: Attachment | None


class Keep(Struct, frozen=True, kw_only=True, tag="keep"):
    """A file is to be stored; what comes next waits for the answer.

    Attributes:
        at: Where its bytes are; None: in `content`.
    """

    name: str
    media_type: str | None
    at: Path | None
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


def _from_json(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(kind.__name__)


def _as_json(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value).__name__)


_encode = msgspec.msgpack.Encoder(enc_hook=_as_json).encode
_frames: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame, dec_hook=_from_json)

_messages = msgspec.msgpack.Decoder(tuple[IngestMessage, ...])


def write_frame(file: BinaryIO, frame: Frame | Kept | Order) -> None:
    """Write one, at once."""
    body = _encode(frame)
    file.write(_LENGTH.pack(len(body)))
    file.write(body)
    file.flush()


def read_frame(file: BinaryIO) -> bytearray | None:
    """The next one's bytes, for a decoder; None: the other side has ended."""
    head = file.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    body = bytearray(_LENGTH.unpack(head)[0])
    view = memoryview(body)
    done = 0
    while done < len(body):
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
