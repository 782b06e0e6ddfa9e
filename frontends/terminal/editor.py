"""The line that is being typed: bytes of the keyboard in, finished lines out. Does no input or output."""

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from rich.cells import cell_len

__all__ = ["END", "LineEditor"]

END: Literal[None] = None
"""Stands for Ctrl-D on an empty line: the person leaves."""

# One key: a control sequence (ECMA-48), a function key, Alt with a key, or one character.
_KEY = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1bO.|\x1b[^\[O]|[^\x1b]", re.DOTALL)
_KEY_IN_PART = re.compile(r"\x1b(\[[0-?]*[ -/]*|O)?")
_PASTE_BEGINS, _PASTE_ENDS = "\x1b[200~", "\x1b[201~"
_MOST_HISTORY = 200


class LineEditor:
    """A line with a cursor, a history and pastes of several lines.

    `text` is what stands there; a line break in it (pasted, or typed with Alt-Enter) is shown as ``↵``.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = ""  # a key that has come in part, or the paste so far
        self._before = ""
        self._after = ""
        self._history: list[str] = []
        self._place = 0  # in the history; its length: the new line
        self._draft = ""

    @property
    def text(self) -> str:
        """What stands in the line."""
        return self._before + self._after

    def feed(self, data: bytes) -> Iterator[str | None]:
        """Take what was typed and give the lines that it finishes, `END` for the wish to leave."""
        self._pending += self._decoder.decode(data)
        while self._pending:
            if self._pending.startswith(_PASTE_BEGINS):
                pasted, end, rest = self._pending.partition(_PASTE_ENDS)
                if not end:
                    return
                self._pending = rest
                self._insert(pasted.removeprefix(_PASTE_BEGINS).replace("\r\n", "\n").replace("\r", "\n"))
                continue
            key = _KEY.match(self._pending)
            if key is None and _KEY_IN_PART.fullmatch(self._pending):
                return
            self._pending = self._pending[key.end() if key else 1 :]
            if key is not None:
                yield from self._press(key[0])

    def clear(self) -> None:
        """Empty the line."""
        self._set("")
        self._place = len(self._history)

    def window(self, width: int) -> tuple[str, int]:
        """As much of the line as fits into `width` cells, and how many of those are behind the cursor."""
        before, after = _shown(self._before), _shown(self._after)
        if cell_len(before) >= width:
            before = "…" + _fit(before[::-1], width - 2)[::-1]
        after = _fit(after, width - cell_len(before) - 1)
        return before + after, cell_len(after)

    def _press(self, key: str) -> Iterator[str | None]:
        if key in "\r\n":
            line = self.text
            if line.strip() and self._history[-1:] != [line]:
                self._history = [*self._history, line][-_MOST_HISTORY:]
            self.clear()
            yield line
        elif key == "\x04" and not self.text:
            yield END
        elif (action := _ACTIONS.get(key)) is not None:
            action(self)
        elif len(key) == 1 and (key >= " " or key == "\t") and not "\x7f" <= key <= "\x9f":
            self._insert(key)

    def _insert(self, text: str) -> None:
        self._before += text

    def _set(self, text: str) -> None:
        self._before, self._after = text, ""

    def _back(self) -> None:
        self._before = self._before[:-1]

    def _delete(self) -> None:
        self._after = self._after[1:]

    def _left(self) -> None:
        self._before, self._after = self._before[:-1], self._before[-1:] + self._after

    def _right(self) -> None:
        self._before, self._after = self._before + self._after[:1], self._after[1:]

    def _home(self) -> None:
        self._before, self._after = "", self.text

    def _end(self) -> None:
        self._set(self.text)

    def _cut_before(self) -> None:
        self._before = ""

    def _cut_after(self) -> None:
        self._after = ""

    def _cut_word(self) -> None:
        self._before = re.sub(r"\S*\s*\Z", "", self._before)

    def _break(self) -> None:
        self._insert("\n")

    def _older(self) -> None:
        self._walk(-1)

    def _newer(self) -> None:
        self._walk(1)

    def _walk(self, step: int) -> None:
        place = self._place + step
        if not 0 <= place <= len(self._history):
            return
        if self._place == len(self._history):
            self._draft = self.text
        self._place = place
        self._set(self._draft if place == len(self._history) else self._history[place])


_ACTIONS: Mapping[str, Callable[[LineEditor], None]] = {
    "\x7f": LineEditor._back,
    "\x08": LineEditor._back,
    "\x1b[3~": LineEditor._delete,
    "\x04": LineEditor._delete,
    "\x1b[D": LineEditor._left,
    "\x1bOD": LineEditor._left,
    "\x02": LineEditor._left,
    "\x1b[C": LineEditor._right,
    "\x1bOC": LineEditor._right,
    "\x06": LineEditor._right,
    "\x1b[H": LineEditor._home,
    "\x1bOH": LineEditor._home,
    "\x1b[1~": LineEditor._home,
    "\x01": LineEditor._home,
    "\x1b[F": LineEditor._end,
    "\x1bOF": LineEditor._end,
    "\x1b[4~": LineEditor._end,
    "\x05": LineEditor._end,
    "\x15": LineEditor._cut_before,
    "\x0b": LineEditor._cut_after,
    "\x17": LineEditor._cut_word,
    "\x1b\x7f": LineEditor._cut_word,
    "\x1b\r": LineEditor._break,
    "\x1b\n": LineEditor._break,
    "\x1b[A": LineEditor._older,
    "\x1bOA": LineEditor._older,
    "\x10": LineEditor._older,
    "\x1b[B": LineEditor._newer,
    "\x1bOB": LineEditor._newer,
    "\x0e": LineEditor._newer,
}


def _shown(text: str) -> str:
    # isprintable: pasted control characters, and marks that have no width of their own
    return "".join(
        char if char.isprintable() else {"\n": "↵", "\t": " "}.get(char, "\ufffd") for char in text
    )


def _fit(text: str, cells: int) -> str:
    """The beginning of `text` that is at most `cells` wide."""
    used = 0
    for index, char in enumerate(text):
        used += cell_len(char)
        if used > cells:
            return text[:index]
    return text
