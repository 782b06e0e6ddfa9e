"""What all groups of tables share: the writing connection."""

import sqlite3
from datetime import datetime
from typing import Any

__all__ = ["Table"]


class Table:
    """Methods of `storage.rows.Rows` over some of the tables.

    Attributes:
        now: The time of the unit that is being done.
    """

    now: datetime

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute

    def _insert(self, sql: str, parameters: tuple[Any, ...]) -> int:
        key = self._execute(sql, parameters).lastrowid
        return -1 if key is None else key  # always set after an INSERT
