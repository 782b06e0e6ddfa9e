"""Turns: those who wait for one of a few places are served in the order in which they came."""

from collections import deque

import anyio

__all__ = ["Turns"]


class Turns:
    """`places` may be taken at a time."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: deque[anyio.Event] = deque()

    def join(self) -> anyio.Event:
        """Stand in line; the event is set when it's one's turn. Call `leave` with it, whatever happens."""
        turn = anyio.Event()
        if self._free:
            self._free -= 1
            turn.set()
        else:
            self._waiting.append(turn)
        return turn

    def leave(self, turn: anyio.Event) -> None:
        """Give the place to the next, or go out of the line."""
        if not turn.is_set():
            self._waiting.remove(turn)
        elif self._waiting:
            self._waiting.popleft().set()
        else:
            self._free += 1
