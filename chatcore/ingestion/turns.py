"""How often Python's threads take turns, while one of them parses and another writes what people say."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["TURN_SECONDS", "quick_turns"]

TURN_SECONDS = 0.0005
"""A thread that comes back from SQLite waits so long, at most, until one that parses gives Python's lock
back: at every statement. Python's own 5 ms would make it 60 for a message that a person sends.
"""


class _Turns:
    """Blocks that overlap change the interpreter's setting once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._before = 0.0

    def begin(self) -> None:
        with self._lock:
            self._count += 1
            if self._count == 1:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(min(self._before, TURN_SECONDS))

    def end(self) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0:
                sys.setswitchinterval(self._before)


_turns = _Turns()


@contextmanager
def quick_turns() -> Iterator[None]:
    """Have the threads of this process take turns more often until the block ends; blocks may overlap."""
    _turns.begin()
    try:
        yield
    finally:
        _turns.end()
