"""A process that ingests the same conversations into a data directory, and tells after each batch.

usage: python ingester.py DIRECTORY
"""

import sys
from collections.abc import Iterator

import anyio

from chatcore import (
    Feedback,
    Incoming,
    IncomingFile,
    IncomingMessage,
    IngestProgress,
    IngestReport,
    open_engine,
)
from chatcore.messages import Text, ToolCall

__all__ = ["ingest_all"]

START_US = 1_700_000_000_000_000


def conversations() -> Iterator[Incoming]:
    """Short ones, long ones, trees, votes, files, and newer versions of earlier ones."""
    for number in range(160):
        kind = number % 8
        if kind == 3:
            yield _tree(number)
        elif kind == 5:
            yield _line(number, 1_250 if number % 40 == 5 else 60)
        else:
            yield _line(number, 2 + number % 17)
        if kind == 6:
            yield _line(number - 6, 30)  # a newer version


def _line(number: int, count: int) -> Incoming:
    return Incoming(
        source="kills",
        id=str(number),
        title=f"Conversation {number}",
        linear=True,
        messages=[_message(number, place) for place in range(count)],
        created_at_us=START_US + number,
        archived=number % 9 == 0,
        raw={"number": number},
    )


def _message(number: int, place: int) -> IncomingMessage:
    parts: tuple[Text | ToolCall | IncomingFile, ...] = (Text(f"{number} says {place} " * 20),)
    if place == 1 and number % 5 == 0:
        parts += (IncomingFile(name=f"{number}.txt", content=b"content %d" % (number % 10)),)
    if place == 2:
        parts += (ToolCall("c", "look", "{}"),)
    return IncomingMessage(
        role="assistant" if place % 2 else "user",
        parts=parts,
        created_at_us=START_US + place,
        feedback=Feedback(rating="like", comment="good") if place % 7 == 3 else None,
        raw={"place": place},
    )


def _tree(number: int) -> Incoming:
    messages = [
        IncomingMessage(
            id=f"m{place}",
            parent=None if place == 0 else f"m{(place - 1) // 2}",
            role="assistant" if place % 2 else "user",
            parts=(Text(f"{number} in branch {place}"),),
            created_at_us=START_US + place,
            hidden=place == 4,
        )
        for place in range(40)
    ]
    return Incoming(source="kills", id=str(number), title=f"Tree {number}", messages=messages, head="m33")


async def ingest_all(directory: str, *, telling: bool) -> IngestReport:
    """Ingest them; the end is told too."""

    def tell(at: IngestProgress) -> None:
        if telling:
            print(at.messages, flush=True)

    async with open_engine(f"sqlite:{directory}") as engine:
        tell(IngestProgress(read_bytes=0, total_bytes=None, conversations=0, messages=0, failed=0))
        report = await engine.ingest(conversations(), progress=tell)
    if telling:
        print("ended", flush=True)
    return report


if __name__ == "__main__":
    anyio.run(lambda: ingest_all(sys.argv[1], telling=True))
