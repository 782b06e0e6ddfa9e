"""A process that reads a source and gives batches of what it reads: run by `chatcore.ingestion.apart`.

It ends when all has been read, and when whoever started it is gone or tells it to (SIGTERM), having removed
what it unpacked.
"""

import gc
import io
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from types import FrameType
from typing import BinaryIO, NoReturn, cast

import msgspec

from chatcore.arrivals import IngestConversation
from chatcore.errors import ChatcoreError
from chatcore.incoming import IncomingFile
from chatcore.ingestion.batches import Batches, Rejects
from chatcore.ingestion.feeds import FileItems
from chatcore.ingestion.frames import Ended, Keep, Kept, Order, ended_by, read_frame, read_of, write_frame
from chatcore.ingestion.keeping import told, why_not
from chatcore.ingestion.preparation import Preparation
from chatcore.ingestion.sink import OpenReading
from chatcore.messages import Attachment

__all__ = ["main"]

Pack = Callable[[Sequence[IngestConversation], bool], bytes]


def main(incoming: int, outgoing: int) -> None:
    """Read what the first frame on the file descriptor `incoming` says; write frames to `outgoing`."""
    signal.signal(signal.SIGTERM, _end)
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # bulk work makes many objects and no cycles
    asked, said = os.fdopen(incoming, "rb"), os.fdopen(outgoing, "wb", buffering=0)
    order = msgspec.msgpack.decode(read_frame(asked) or b"", type=Order)
    answers: queue.SimpleQueue[Kept] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked, answers), daemon=True).start()
    try:
        _read(order, said, answers)
    except BrokenPipeError:
        pass  # nobody listens any more


def _end(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: it cleans up now
    sys.exit(1)


def _listen(asked: BinaryIO, answers: "queue.SimpleQueue[Kept]") -> None:
    while (body := read_frame(asked)) is not None:
        answers.put(msgspec.msgpack.decode(body, type=Kept))
    os.kill(os.getpid(), signal.SIGTERM)  # whoever started this is gone
    answers.put(Kept("It was not kept."))  # nobody waits for what never comes


def _read(order: Order, said: BinaryIO, answers: "queue.SimpleQueue[Kept]") -> None:
    opener = cast(OpenReading, _named(order.opener))
    pack = None if order.packer is None else cast(Pack, _named(order.packer))

    def keep(file: IncomingFile) -> Attachment | str:
        if order.dry_run:
            try:
                return told(file, order.limits)
            except (ChatcoreError, OSError) as error:
                return why_not(error)
        at = None if file.at is None else os.fsencode(file.at)
        write_frame(said, Keep(name=file.name, media_type=file.media_type, at=at, content=file.content))
        return answers.get().attachment

    try:
        reading = opener(os.fsdecode(order.source), order.format, order.read)
    except ChatcoreError as error:
        write_frame(said, ended_by(error))
        return
    rejected = io.BytesIO()
    items = FileItems(reading)
    batches = Batches(
        items,
        Preparation(order.limits, keep, order.now_us),
        Rejects(rejected if order.rejects else None),
        limit=order.limit,
        index=order.index,
        whole=order.dry_run,
    )
    ended = Ended()
    try:
        while (batch := batches.next()) is not None:
            if pack is not None and batch.conversations and not batch.slices:
                batch = msgspec.structs.replace(batch, packed=pack(batch.conversations, order.index))
            write_frame(said, read_of(batch, _taken(rejected), items.progress()))
    except ChatcoreError as error:
        ended = ended_by(error)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what was unpacked goes, whoever is in a hurry
        reading.close()
        with suppress(OSError):  # it is empty now, and whoever made it may be gone
            os.rmdir(os.environ["TMPDIR"])
    write_frame(said, ended)  # whoever reads this ends us


def _taken(rejected: io.BytesIO) -> bytes:
    lines = rejected.getvalue()
    rejected.seek(0)
    rejected.truncate()
    return lines


def _named(name: str) -> object:
    module, _, function = name.partition(":")
    return getattr(import_module(module), function)
