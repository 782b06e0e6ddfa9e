"""Functions of ours that the schema's views call: every connection that reads those views needs them."""

import sqlite3

from storage.search.words import folded, said_in
from storage.sqlite.values import parts_or_none

__all__ = ["add_functions"]


def add_functions(connection: sqlite3.Connection) -> None:
    """`folded(text)` and `words_of(parts)` are known to the connection."""
    connection.create_function("folded", 1, folded, deterministic=True)
    connection.create_function("words_of", 1, _words_of, deterministic=True)


def _words_of(parts: bytes) -> str:
    """The words of the column `parts`; none when it can't be decoded, which `check` tells of."""
    found = parts_or_none(parts)
    return "" if found is None else folded(said_in(found))
