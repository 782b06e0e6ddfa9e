"""What is damaged: the file itself, what its tables promise, and what the units rely on."""

import sqlite3
from collections.abc import Mapping

from storage.sqlite.statements import load

__all__ = ["damage"]

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
}
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
