"""Python's garbage collector, set for a process that streams."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collecting_less", "tune_collector"]


def tune_collector() -> None:
    """Have the collector look less often, for the rest of the process.

    By default it stops everything at each 700 new objects. 500 answers at 20 tokens/s make that many several
    times a second, hardly any of them in a cycle, and its longer looks stood in the way of tokens for 30 to
    100 ms (`scripts/bench stream`). What cycles there are wait a little; they are few.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@contextmanager
def collecting_less() -> Iterator[None]:
    """Have the collector look less often in the block: bulk work makes many objects and no cycles."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
