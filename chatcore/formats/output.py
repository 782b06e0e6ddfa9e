"""What a format writes, as bytes; and how conversations are divided into sets to train and to test with."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from chatcore.formats.format import WriteFormat, WriteOptions
from chatcore.formats.identity import identity_of
from chatcore.views import Tree

__all__ = ["Side", "gathered", "media_type_of", "side_of", "written"]

_CHUNK_BYTES = 65_536
_encode = msgspec.json.Encoder().encode

Side = Literal["train", "test"]


def written(known: WriteFormat, tree: Tree, options: WriteOptions) -> Iterator[bytes]:
    """The conversation as UTF-8: lines of JSON with their ends, or pieces of text; one at a time."""
    for piece in known.write(tree, options):
        if isinstance(piece, str):
            yield piece.encode()
            continue
        try:
            yield _encode(piece) + b"\n"
        except UnicodeEncodeError:
            # half of a surrogate pair, in what a source has said beyond what we hold: it stays escaped
            yield json.dumps(piece).encode() + b"\n"


def gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in larger pieces."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _CHUNK_BYTES:
            yield b"".join(held)
            held.clear()
            size = 0
    if held:
        yield b"".join(held)


def media_type_of(known: WriteFormat) -> str:
    """Of what the format writes, for HTTP."""
    return {".md": "text/markdown", ".jsonl": "application/jsonl"}.get(
        known.suffix, "application/octet-stream"
    )


def side_of(tree: Tree, test_share: float) -> Side:
    """Where a whole conversation goes, by a hash of its id: always to the same side.

    A greater share takes the same conversations into the test set, and more.
    """
    digest = hashlib.blake2b(identity_of(tree).encode(), digest_size=8).digest()
    return "test" if int.from_bytes(digest) < test_share * 2**64 else "train"
