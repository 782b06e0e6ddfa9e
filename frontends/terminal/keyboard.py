"""What is typed or piped in, read without blocking the event loop."""

import os
import select
import sys
import termios
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress

import anyio
from anyio import to_thread

__all__ = ["Keyboard", "at_terminal", "key_by_key", "open_keyboard", "set_key_by_key"]

_CHUNK_BYTES = 65_536


class Keyboard:
    """Chunks of bytes as they come from a file descriptor; one reader at a time."""

    def __init__(self, descriptor: int, woken: int, wake: int) -> None:
        self._descriptor = descriptor
        self._woken = woken
        self._wake = wake

    async def read(self) -> bytes:
        """The next bytes; empty at the end of the input. Cancelling gives the waiting thread back."""
        data: bytes | None = None

        async def wake_when_cancelled() -> None:
            try:
                await anyio.sleep_forever()
            finally:
                if data is None:
                    os.write(self._wake, b"\0")

        async with anyio.create_task_group() as group:
            group.start_soon(wake_when_cancelled)
            data = await to_thread.run_sync(self._read)
            group.cancel_scope.cancel()
        return data or b""

    def _read(self) -> bytes:
        # A thread that sits in read() could not be called back; and poll, because epoll (the event loop's)
        # refuses regular files.
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLIN)
        waiting.register(self._woken, select.POLLIN)
        ready = {descriptor for descriptor, _ in waiting.poll()}
        if self._woken in ready:
            os.read(self._woken, 1)
            return b""
        try:
            return os.read(self._descriptor, _CHUNK_BYTES)
        except OSError:
            return b""  # EIO: the terminal is gone

    async def lines(self) -> AsyncGenerator[str, None]:
        """Line by line, without their ends: for input that is no terminal. To be closed (`aclosing`)."""
        rest = b""
        while chunk := await self.read():
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield line.decode("utf-8", "replace").removesuffix("\r")
        if rest:
            yield rest.decode("utf-8", "replace")


@contextmanager
def open_keyboard(descriptor: int) -> Iterator[Keyboard]:
    """A keyboard over a file descriptor that stays the caller's."""
    woken, wake = os.pipe()
    try:
        yield Keyboard(descriptor, woken, wake)
    finally:
        os.close(wake)
        os.close(woken)


@contextmanager
def key_by_key(descriptor: int) -> Iterator[None]:
    r"""The terminal gives each key at once and echoes none; as it was before at the exit.

    Ctrl-C, Ctrl-Z and Ctrl-\ still send their signals.
    """
    before = termios.tcgetattr(descriptor)
    try:
        set_key_by_key(descriptor)
        yield
    finally:
        _set(descriptor, before)


def set_key_by_key(descriptor: int) -> None:
    """Switch to that mode; needed again when a shell has put the process into the foreground."""
    try:
        modes = termios.tcgetattr(descriptor)
    except termios.error:
        return  # gone, as below
    modes[3] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
    modes[6][termios.VMIN], modes[6][termios.VTIME] = 1, 0
    _set(descriptor, modes)


def _set(descriptor: int, modes: list[int | list[bytes | int]]) -> None:
    with suppress(termios.error):  # a terminal that is gone has no modes; the keyboard tells of its end
        termios.tcsetattr(descriptor, termios.TCSADRAIN, modes)


def at_terminal() -> bool:
    """Whether a person sits at both ends, at a terminal that understands escape sequences."""
    capable = os.environ.get("TERM", "dumb") not in {"", "dumb"}
    return capable and sys.stdin.isatty() and sys.stdout.isatty()
