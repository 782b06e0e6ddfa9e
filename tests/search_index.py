"""Whether the search index agrees with the rows, word by word: what only a connection that writes can ask."""

import sqlite3

from storage.sqlite.functions import add_functions

__all__ = ["index_damage"]


def index_damage(connection: sqlite3.Connection) -> list[str]:
    """Sentences about what is wrong: sqlite.org/fts5.html#the_integrity_check_command."""
    add_functions(connection)
    wrong = []
    for table in ("message_text", "title_text"):
        try:
            # 1: also compared with the rows that it is made of
            connection.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            wrong.append(f"The index {table} does not agree with the rows: {error}.")
    return wrong
