"""The terminal's rows: text that flows on, and the line that is being typed below it."""

import os
import sys
from collections.abc import Iterable, Mapping
from typing import Literal

import anyio
from anyio import to_thread
from msgspec import Struct
from rich.cells import cell_len

from frontends.terminal.editor import LineEditor

__all__ = ["Piece", "Screen", "Style"]

Style = Literal["plain", "strong", "faint", "alarm"]

# ECMA-48: SGR (m), EL (K); DECSC and DECRC keep the place where the text goes on; IND makes room for a row.
_STYLES: Mapping[Style, str] = {"plain": "", "strong": "\x1b[1m", "faint": "\x1b[2m", "alarm": "\x1b[31m"}
_PLAIN = "\x1b[0m"
_CLEAR_ROW = "\r\x1b[K"
_ROOM_BELOW = "\x1bD\x1b[A"
_KEEP_PLACE, _TO_PLACE = "\x1b7", "\x1b8"
_PASTES_MARKED, _PASTES_PLAIN = "\x1b[?2004h", "\x1b[?2004l"


class Piece(Struct, frozen=True):
    """Some text and how it looks. It is harmless already: nothing else may reach the terminal."""

    text: str
    style: Style = "plain"


class Screen:
    """Prints pieces above the line of an editor, which keeps the lowest row.

    All of it is written in threads, one after the other: a terminal that was stopped (Ctrl-S) holds up
    nothing but itself.
    """

    def __init__(self, descriptor: int, editor: LineEditor) -> None:
        self._descriptor = descriptor
        self._editor = editor
        self._styles = {} if os.environ.get("NO_COLOR") else _STYLES
        self._lock = anyio.Lock()
        self._line_is_shown = False
        self._at_line_start = True
        self.prompt = "> "

    async def begin(self) -> None:
        """Show the line."""
        async with self._lock:
            await self._put(_PASTES_MARKED + self._line())

    async def end(self) -> None:
        """Take the line away and leave the terminal at the beginning of a row."""
        async with self._lock:
            await self._put(self._without_line() + ("" if self._at_line_start else "\n") + _PASTES_PLAIN)

    async def show(self, pieces: Iterable[Piece], *, on_own_row: bool = False) -> None:
        """Print where the text ended, or `on_own_row` below it; the line stays at the bottom."""
        async with self._lock:
            written = [self._without_line()]
            if on_own_row and not self._at_line_start:
                written.append("\n")
            for piece in pieces:
                if piece.text:
                    mark = self._styles.get(piece.style, "")
                    written.append(f"{mark}{piece.text}{_PLAIN}" if mark else piece.text)
                    self._at_line_start = piece.text.endswith("\n")
            await self._put("".join(written) + self._line())

    async def refresh(self) -> None:
        """Show the line as the editor has it now."""
        async with self._lock:
            await self._put(self._without_line() + self._line())

    def _without_line(self) -> str:
        if not self._line_is_shown:
            return ""
        self._line_is_shown = False
        return _CLEAR_ROW if self._at_line_start else _CLEAR_ROW + _TO_PLACE

    def _line(self) -> str:
        self._line_is_shown = True
        width = max(20, _columns(self._descriptor))
        shown, behind = self._editor.window(width - cell_len(self.prompt) - 1)
        line = self.prompt + shown + (f"\x1b[{behind}D" if behind else "")
        return line if self._at_line_start else f"{_ROOM_BELOW}{_KEEP_PLACE}\n{line}"

    async def _put(self, text: str) -> None:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(_write, self._descriptor, text.encode("utf-8", "replace"))


def _columns(descriptor: int) -> int:
    try:
        return os.get_terminal_size(descriptor).columns
    except OSError:
        return 80


def _write(descriptor: int, data: bytes) -> None:
    sys.stdout.flush()
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError:
        pass  # EIO: the terminal is gone, which the keyboard tells as well
