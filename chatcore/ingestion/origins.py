"""What stands for a conversation and its messages, so that they are known when they come again."""

from functools import cache
from hashlib import blake2b

from msgspec.structs import replace

from chatcore.arrivals import id_origin
from chatcore.incoming import IncomingMessage
from chatcore.messages import File

__all__ = ["conversation_origin", "digest_of", "known_by", "message_origin"]


def known_by(message: IncomingMessage) -> IncomingMessage:
    """What of a message with files counts; their kinds and places a store alone knows, so not a dry run."""
    parts = [
        File(replace(part.attachment, media_type="", path="")) if isinstance(part, File) else part
        for part in message.parts
    ]
    return replace(message, parts=tuple(parts))


def digest_of(content: bytes) -> bytes:
    """16 bytes that stand for a whole conversation (BLAKE2b, RFC 7693)."""
    return blake2b(content, digest_size=16).digest()


def conversation_origin(source: str, external_id: str | None, digest: bytes) -> bytes:
    """16 bytes that stand for the source's id of a conversation; without one for its content."""
    known = (
        f"{source}\0id\0{external_id}".encode()
        if external_id is not None
        else f"{source}\0".encode() + digest
    )
    return blake2b(known, digest_size=16).digest()


def message_origin(key: str | None, number: int) -> bytes:
    """8 bytes that stand for the source's id of a message within its conversation; None: for its number."""
    if key is None:
        return _of_number(number) if number < 4096 else number.to_bytes(8, "big")
    return id_origin(key)


@cache
def _of_number(number: int) -> bytes:
    return number.to_bytes(8, "big")
