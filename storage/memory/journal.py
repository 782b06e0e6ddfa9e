"""Remembers how to undo each change, so that a refused unit leaves no trace."""

from collections.abc import Callable, MutableMapping
from typing import TypeVar

__all__ = ["Journal"]

K = TypeVar("K")
V = TypeVar("V")


class Journal:
    """All changes of one unit to the tables go through it."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], object]] = []

    def put(self, table: MutableMapping[K, V], key: K, value: V) -> None:
        """`table[key]` is `value`."""
        if key in table:
            before = table[key]
            self._undo.append(lambda: table.__setitem__(key, before))
        else:
            self._undo.append(lambda: table.__delitem__(key))
        table[key] = value

    def take(self, table: MutableMapping[K, V], key: K) -> V | None:
        """`key` is not in `table`; gives what it had."""
        if key not in table:
            return None
        before = table.pop(key)
        self._undo.append(lambda: table.__setitem__(key, before))
        return before

    def append(self, rows: list[V], row: V) -> None:
        """`row` is the last of `rows`."""
        rows.append(row)
        self._undo.append(rows.pop)

    def pop(self, rows: list[V]) -> V:
        """The last of `rows` is taken off and given."""
        row = rows.pop()
        self._undo.append(lambda: rows.append(row))
        return row

    def restoring(self, undo: Callable[[], object]) -> None:
        """Have `undo` called when the unit is undone: for what changes in place."""
        self._undo.append(undo)

    def undo(self) -> None:
        """Everything is as it was before the unit."""
        while self._undo:
            self._undo.pop()()
