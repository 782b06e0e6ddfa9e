"""What is damaged: the file itself, what its tables promise, and what the units rely on."""

import sqlite3
from collections.abc import Mapping

from storage.sqlite.statements import load
from storage.sqlite.values import can_be_decoded

__all__ = ["DECODED", "damage", "undecodable"]

_SHOWN = 10

# The statements give ids of what is wrong.
_RULES: Mapping[str, str] = {
    "head": "The head of conversation {} is no message of it.",
    "parent": "Message {} is not one deeper than its parent, or not in the same conversation.",
    "jump": "Message {} can't find its ancestors: its jump is not above its parent.",
    "open_without_run": "Message {} is queued or running, but no run writes it.",
    "run_without_open": "The run of message {} does not fit the status of its message.",
    "running": "Conversation {} is wrong about whether an answer is queued or running.",
    "counter": "A row of conversation {} has a higher number than the conversation has counted.",
    "file": "Message {} has a file that is not counted as referred to.",
    "vote": "A vote on message {} can't be decoded.",
    "twice": "Two rows of the conversation of message {} have the same number.",
    "unfound": "Message {} is missing in the search index: chatcore reindex --anew.",
    "found": "Message {} should not be in the search index: chatcore reindex --anew.",
    "unfound_title": "The title of conversation {} is missing in the search index: chatcore reindex --anew.",
    "found_title": "The title of conversation {} should not be in the search index: chatcore reindex --anew.",
}

DECODED: Mapping[str, str] = {
    "conversation": "The settings of conversation {} can't be decoded.",
    "message": "What message {} says can't be decoded.",
    "file_row": "What is known of the file {} can't be decoded.",
}
"""By kind of row that `undecodable` looks through, what is said of one."""
_SQL = load("check")


def damage(connection: sqlite3.Connection) -> list[str]:
    """Sentences about what is damaged in the database; empty when all is well."""
    sentences = [
        f"The database is damaged: {text}."
        for (text,) in connection.execute(f"PRAGMA integrity_check({_SHOWN})")
        if text != "ok"
    ]
    if sentences:
        return sentences  # what is read from a damaged file proves nothing
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(_SHOWN):
        sentences.append(f"Row {row} of {table} refers to a row of {parent} that is not there.")
    for name, sentence in _RULES.items():
        found = connection.execute(_SQL[name], (_SHOWN,)).fetchall()
        sentences += [sentence.format(public.hex()) for (public,) in found]
    return sentences


def undecodable(
    connection: sqlite3.Connection, kind: str, after: int, limit: int
) -> tuple[list[str], int | None]:
    """Sentences about those of a batch of rows that can't be decoded; the second is the next `after`."""
    batch = connection.execute(_SQL[kind], (after, limit))
    columns = [name for name, *_ in batch.description[2:]]
    rows = batch.fetchall()
    sentences = [
        DECODED[kind].format(public.hex())
        for _, public, *bodies in rows
        if not all(map(can_be_decoded, columns, bodies))
    ]
    return sentences, rows[-1][0] if len(rows) == limit else None
