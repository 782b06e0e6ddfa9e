"""Sources for tests: conversations, and files of them in all containers."""

import gzip
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import zstandard

from chatcore import Incoming, IncomingMessage
from chatcore.formats.reading import read_source
from chatcore.incoming import Unread
from chatcore.messages import Text

__all__ = ["CONTAINERS", "chat", "chats", "read", "record", "said", "unread", "zipped"]


def chat(number: int, messages: int = 2, source: str = "test") -> Incoming:
    """A conversation with an id."""
    return Incoming(
        source=source,
        id=f"c{number}",
        title=f"Conversation {number}",
        linear=True,
        messages=[
            IncomingMessage(
                role="assistant" if place % 2 else "user",
                parts=(Text(f"{number}: message {place}"),),
                created_at_us=1_700_000_000_000_000 + place,
            )
            for place in range(messages)
        ],
    )


def chats(count: int, messages: int = 2) -> Iterator[Incoming]:
    """So many."""
    return (chat(number, messages) for number in range(count))


def record(number: int) -> dict[str, object]:
    """A record in OpenAI's form."""
    turns = [{"role": "user", "content": f"question {number}"}, {"role": "assistant", "content": "answer"}]
    return {"messages": turns}


RECORDS = [record(number) for number in range(5)]
ARRAY = json.dumps(RECORDS).encode()
PRETTY = json.dumps(RECORDS, indent=4).encode()
LINES = b"".join(json.dumps(one).encode() + b"\n" for one in RECORDS)


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A ZIP."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return held.getvalue()


CONTAINERS: Mapping[str, bytes] = {
    "array": ARRAY,
    "pretty array": PRETTY,
    "lines": LINES,
    "lines without the last end": LINES[:-1],
    "lines with blank ones": LINES.replace(b"\n", b"\n\n \n"),
    "lines with commas": LINES.replace(b"\n", b",\n"),
    "lines with CRLF": LINES.replace(b"\n", b"\r\n"),
    "one after the other": b" ".join(json.dumps(one, indent=1).encode() for one in RECORDS),
    "wrapper": json.dumps({"version": 1, "conversations": RECORDS}).encode(),
    "BOM": b"\xef\xbb\xbf" + ARRAY,
    "UTF-16": ARRAY.decode().encode("utf-16"),
    "UTF-16 without a BOM": ARRAY.decode().encode("utf-16-le"),
    "UTF-32": ARRAY.decode().encode("utf-32"),
    "gzip": gzip.compress(LINES),
    "two gzip members": gzip.compress(LINES[:50]) + gzip.compress(LINES[50:]),
    "zstd": zstandard.compress(ARRAY),
    "two zstd frames": zstandard.compress(LINES[:50]) + zstandard.compress(LINES[50:]),
    "gzip in zstd": zstandard.compress(gzip.compress(LINES)),
    "zip": zipped({"any.json": ARRAY}),
    "zip of lines and gzip": zipped(
        {
            "a/x.jsonl": LINES[: LINES.index(b"\n") + 1],
            "b.json.gz": gzip.compress(json.dumps(RECORDS[1:]).encode()),
        }
    ),
}
"""The same five records."""


def read(given: bytes | str | Path, format: str | None = None) -> list[Incoming | Unread]:  # noqa: A002
    """All that a source gives."""
    reading = read_source(io.BytesIO(given) if isinstance(given, bytes) else given, format=format)
    try:
        return list(reading)
    finally:
        reading.close()


def said(items: list[Incoming | Unread]) -> list[str]:
    """The first words of each conversation."""
    return [
        part.text
        for item in items
        if isinstance(item, Incoming)
        for part in item.messages[0].parts
        if isinstance(part, Text)
    ]


def unread(items: list[Incoming | Unread]) -> list[Unread]:
    """What no conversation was made of."""
    return [item for item in items if isinstance(item, Unread)]
