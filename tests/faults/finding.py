"""What is wrong after a power cut: looked for in the files themselves, and through the real engine."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import assert_never

import anyio
import msgspec
from msgspec import Struct

from chatcore import (
    ConversationDeleted,
    Cursor,
    Engine,
    FeedbackChanged,
    Fold,
    Message,
    Reset,
    open_engine,
    text_of,
)
from chatcore.messages import ENDINGS, Conversation, Part
from storage.sqlite.check import damage
from storage.sqlite.functions import add_functions
from storage.sqlite.migrations import MIGRATIONS
from storage.sqlite.stamp import leave_stamp
from storage.sqlite.store import DATABASE
from tests.faults.disk import Image
from tests.faults.recording import Promise
from tests.faults.replaying import Cut, fingerprint
from tests.faults.workload import counted
from tests.search_index import index_damage

__all__ = ["Found", "look", "open_and_look", "restore"]

_parts = msgspec.json.Decoder(tuple[Part, ...])


class Found(Struct, frozen=True):
    """What a look at the files gives.

    Attributes:
        wrong: Sentences; empty when all is as it was promised.
        whole: Whether nothing at all was lost, deltas included.
    """

    wrong: list[str]
    whole: bool


class _Row(Struct, frozen=True):
    seq: int
    values: list[object]


class _Rows(Struct, frozen=True):
    """What the rows say, by public id; feedback by that of the message and the user's name."""

    conversations: Mapping[str, _Row]
    messages: Mapping[str, _Row]
    feedback: Mapping[tuple[str, str], _Row]
    purged: frozenset[str]


def restore(image: Image, directory: Path) -> None:
    """The directory is as the disk was found: the very files, not copies of them."""
    directory.mkdir()
    for path in sorted(image):
        content = image[path]
        if content is None:
            (directory / path).mkdir()
        else:
            (directory / path).write_bytes(content)
    leave_stamp(directory / DATABASE)


def look(cut: Cut, directory: Path) -> Found:
    """The restored directory as its files are; the database is recovered by that."""
    try:
        with closing(sqlite3.connect(directory / DATABASE)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            add_functions(connection)
            mark = fingerprint(connection)
            wrong = [] if mark in cut.states else ["It is in no state that it was in since the last promise."]
            # the schema grows by one transaction a number; what was promised came after the last one
            if connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),):
                wrong += damage(connection) or index_damage(connection)
                if not wrong:  # what is read from a damaged file proves nothing
                    wrong += _missing_files(connection, directory)
                    wrong += _broken_promises(cut.promises, _rows(connection))
            elif cut.promises:
                wrong.append("Everything is gone.")
    except sqlite3.DatabaseError as error:
        return Found([f"The database is damaged: {error}."], whole=False)
    return Found(wrong, whole=mark in cut.whole)


async def open_and_look(cut: Cut, directory: Path, epochs: Iterable[str], *, whole: bool) -> list[str]:
    """What is wrong when the real engine is opened in the restored directory; `whole` as `look` found it."""
    places = {place.conversation_id: place for place in map(_place, cut.promises)}
    with anyio.fail_after(20):
        async with open_engine(f"sqlite:{directory}") as engine:
            wrong = await engine.check()
            if engine.epoch in epochs and not whole:
                wrong.append("Something was lost, and its numbers will be used again in the same epoch.")
            for place in list(places.values())[-3:]:
                for epoch in {*epochs} - {engine.epoch}:
                    wrong += await _wrong_for_reader(engine, place, epoch)
            return wrong


def _missing_files(connection: sqlite3.Connection, directory: Path) -> list[str]:
    wrong = []
    for (name,) in connection.execute(
        "SELECT DISTINCT f.sha256 FROM message_file AS r JOIN file AS f ON f.id = r.file"
    ):
        path = directory / "files" / name.hex()[:2] / name.hex()
        if not path.exists():
            wrong.append(f"The file {path.name} of a message is missing.")
        elif sha256(path.read_bytes()).digest() != name:
            wrong.append(f"The file {path.name} of a message has another content.")
    return wrong


def _rows(connection: sqlite3.Connection) -> _Rows:
    execute = connection.execute
    return _Rows(
        conversations={
            public.hex(): _Row(seq, values)
            for public, seq, *values in execute(
                "SELECT c.public, c.seq, c.deleted_at_us IS NOT NULL, c.title, h.public, c.running"
                " FROM conversation AS c LEFT JOIN message AS h ON h.id = c.head"
            )
        },
        messages={
            public.hex(): _Row(seq, [status, _parts.decode(parts)])
            for public, seq, status, parts in execute("SELECT public, seq, status, parts FROM message")
        },
        feedback={
            (public.hex(), user): _Row(seq, [rating])
            for public, user, seq, rating in execute(
                "SELECT m.public, u.name, f.seq, f.rating FROM feedback AS f"
                " JOIN message AS m ON m.id = f.message JOIN user AS u ON u.id = f.user"
            )
        },
        purged=frozenset(
            public.hex() for (public,) in execute("SELECT public FROM conversation WHERE purged > 0")
        ),
    )


def _broken_promises(promises: Sequence[Promise], rows: _Rows) -> list[str]:
    wrong = []
    for what in promises:
        row, values = _row_of(what, rows)
        if _place(what).conversation_id in rows.purged:
            continue
        if row is None or row.seq < what.seq or (row.seq == what.seq and row.values != values):
            wrong.append(f"This is gone: {what}.")
    return wrong


def _row_of(what: Promise, rows: _Rows) -> tuple[_Row | None, list[object]]:
    """The row, and what it has to hold as long as it did not change again."""
    match what:
        case Message():
            return rows.messages.get(what.id), [what.status, what.parts]
        case Conversation():
            head = None if what.head is None else bytes.fromhex(what.head)
            return rows.conversations.get(what.id), [what.deleted, what.title, head, what.running]
        case FeedbackChanged(feedback=feedback):
            rating = None if feedback is None else feedback.rating
            return rows.feedback.get((what.message_id, what.user)), [rating]
        case ConversationDeleted():
            row = rows.conversations.get(what.conversation_id)
            return row, [True, *(row.values[1:] if row else ())]
        case _:
            assert_never(what)


class _Place(Struct, frozen=True):
    """Where a reader of this conversation was."""

    conversation_id: str
    seq: int


def _place(seen: Promise) -> _Place:
    return _Place(seen.id if isinstance(seen, Conversation) else seen.conversation_id, seen.seq)


async def _wrong_for_reader(engine: Engine, place: _Place, epoch: str) -> list[str]:
    """A reader who comes back from before the cut forgets what it holds, and then holds what is stored."""
    truth, fold = Fold(), Fold()
    rows = await engine._store.changes("local", place.conversation_id, after=0, limit=100_000)
    for event in rows.events:
        truth.apply(event)
    after = str(Cursor(epoch, place.seq))
    async with engine.subscribe(place.conversation_id, after=after) as events:
        first = await anext(events)
        if not isinstance(first, Reset):
            return [f"A reader at {after} was not reset, but given {first}."]
        while fold.seq < truth.seq:
            fold.apply(await anext(events))
    wrong = (
        [] if vars(fold) == vars(truth) else [f"A reader of {place.conversation_id} holds something else."]
    )
    for message in fold.messages.values():
        text = text_of(message.parts)
        if message.status not in ENDINGS:
            wrong.append(f"After the start the answer {message.id} is {message.status}.")
        elif message.role == "assistant" and text != counted(0, len(text.split())):
            wrong.append(f"The answer {message.id} has a hole: {text}")
    return wrong
