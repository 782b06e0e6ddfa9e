"""Large stores at once: rows as the store itself would have written them, by plain SQL in one transaction."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import repeat
from pathlib import Path

import anyio

from chatcore import open_engine
from storage.ids import IdSource
from storage.sqlite.jumps import jump_length

__all__ = ["TEXT", "seed"]

TEXT = "A message of five hundred characters, more or less. " * 10


def seed(directory: Path, lengths: Sequence[int], texts: Iterator[str] = repeat(TEXT)) -> list[str]:
    """Make a store at `directory` with a conversation of each length (one path); gives their ids.

    `texts` is what they say, in letters that JSON need not escape. They are not in the search index yet.
    """
    anyio.run(_make, directory)
    ids = IdSource()
    publics: list[str] = []
    jumps = [None, *(jump_length(depth) for depth in range(1, max(lengths)))]
    base = 1
    said = (f'[{{"type":"text","text":"{text}"}}]' for text in texts)
    with closing(sqlite3.connect(directory / "chat.db", isolation_level=None)) as database:
        database.execute("BEGIN")
        database.execute("INSERT INTO user (id, name) VALUES (1, 'local')")
        for number, messages in enumerate(lengths):
            publics.append(ids.new())
            database.execute(
                "INSERT INTO conversation (id, public, owner, title, head, settings, pinned, archived, "
                "running, created_at_us, updated_at_us, changed_at_us, seq, counter, list_seq, activity) "
                "VALUES (?, ?, 1, ?, ?, '{}', 0, 0, 0, 1, 1, 1, 1, ?, ?, ?)",
                (
                    number + 1,
                    bytes.fromhex(publics[-1]),
                    f"Conversation {number}",
                    base + messages - 1,
                    messages + 1,
                    number + 1,
                    number + 1,
                ),
            )
            database.executemany(
                "INSERT INTO message (id, public, conversation, parent, jump, depth, role, status, parts, "
                "created_at_us, seq) VALUES (?, ?, ?, ?, ?, ?, ?, 'complete', ?, 1, ?)",
                _messages(ids, number + 1, base, jumps[:messages], said),
            )
            base += messages
        database.executemany(
            "INSERT INTO unindexed VALUES (?, 1, ?)", [("message", base - 1), ("title", len(lengths))]
        )
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return publics


def _messages(
    ids: IdSource, conversation: int, base: int, jumps: list[int | None], said: Iterator[str]
) -> Iterator[tuple[object, ...]]:
    for depth, jump in enumerate(jumps):
        key = base + depth
        yield (
            key,
            bytes.fromhex(ids.new()),
            conversation,
            None if jump is None else key - 1,
            None if jump is None else key - jump,
            depth,
            "assistant" if depth % 2 else "user",
            next(said),
            depth + 2,
        )


async def _make(directory: Path) -> None:
    async with open_engine(f"sqlite:{directory}"):
        pass
