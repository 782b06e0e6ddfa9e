"""One statement for hundreds of rows.

The driver lets go of Python's lock at every statement, and each time it may wait until a thread that runs
Python gives it back (5 ms, `sys.getswitchinterval`). With a statement a row, ingestion would be that slow.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from storage.sqlite.values import Row

__all__ = ["ROWS_AT_ONCE", "batches", "flat_batches", "widened"]

# Few enough for the driver to keep those that are used prepared; the next larger one is filled up.
_SIZES: Final[tuple[int, ...]] = (
    *range(1, 8),
    *(step << power for power in range(10) for step in range(8, 16)),
)

ROWS_AT_ONCE = 512
"""In one statement; of twenty columns that is far from the 32,766 parameters that SQLite takes."""


def batches(sql: str, rows: Sequence[Row]) -> Iterator[tuple[str, Row]]:
    """Statements with their parameters that insert all of `rows`, in order.

    Args:
        sql: Inserts one row: ``INSERT INTO … VALUES (…)``, or ``… FROM (VALUES (…)) WHERE column1``.
        rows: The first column of each is an integer and not 0.
    """
    return flat_batches(sql, list(chain.from_iterable(rows)))


def flat_batches(
    sql: str, values: Sequence[object], before: Row = (), *, rows: int = ROWS_AT_ONCE
) -> Iterator[tuple[str, Row]]:
    """The same of the values of all rows, one after the other; those `before` come first in each statement
    (``?1``, ``?2``, …), which takes so many `rows` at most.
    """
    columns = sql.rpartition("VALUES")[2].count("?")
    step = rows * columns
    for first in range(0, len(values), step):
        batch = values[first : first + step]
        size = _size(len(batch) // columns)
        yield _for_rows(sql, size), (*before, *batch, *(0,) * (size * columns - len(batch)))


def widened(sql: str, values: Sequence[object]) -> Iterator[tuple[str, Row]]:
    """Statements with the parameters of their lists, for all of `values`: ``IN (?)`` takes that many."""
    for first in range(0, len(values), ROWS_AT_ONCE):
        batch = values[first : first + ROWS_AT_ONCE]
        size = _size(len(batch))
        yield _for_values(sql, size), (*batch, *[batch[0]] * (size - len(batch)))


def _size(count: int) -> int:
    return _SIZES[bisect_left(_SIZES, count)]


@lru_cache(256)
def _for_rows(sql: str, size: int) -> str:
    insert, _, row = sql.partition("(VALUES ")
    if row:
        row, _, rest = row.partition("))")
        return f"{insert}(VALUES {', '.join([row + ')'] * size)}){rest}"
    insert, row = sql.split("VALUES")
    return f"{insert}SELECT * FROM (VALUES {', '.join([row] * size)}) WHERE column1"


@lru_cache(256)
def _for_values(sql: str, size: int) -> str:
    return sql.replace("(?)", f"({', '.join('?' * size)})")
