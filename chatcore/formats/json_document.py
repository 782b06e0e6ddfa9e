"""A JSON array, or values one after the other, of any size, read through a window over the bytes that come.

Own code: a scanner of brackets that knows strings. What an element means is not looked at; a broken one costs
itself only, where a place can be found at which the next one begins.
"""

import re
from collections.abc import Collection, Iterator

from chatcore.formats.json_piece import NO_OBJECT, TOO_LONG, Piece
from chatcore.formats.streams import Stream

__all__ = ["WRAPPERS", "Document"]

_HEAD_BYTES = 1 << 20
_SCALAR_BYTES = 1 << 20
"""Of what is no object, so much is one; the rest is the next."""

_WRAPPER_BYTES = 8 * 2**20
"""An object that is longer may hold an array of the records instead of being one."""

WRAPPERS = ("conversations", "chats", "history", "threads", "items", "records", "rows", "data", "results")
"""Keys under which a file's one object may have its records, instead of being one."""

_PARTS = frozenset(WRAPPERS) - {"history"}
"""Those of which each element says enough by itself, also where the object is cut off."""

_SPACE = re.compile(rb"[\s,\x1e]*+")
_STEP = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+([\[\]{}"]|\Z)', re.DOTALL)
_IN_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_SCALAR = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[^\s,\[\]{}"]++', re.DOTALL)
_FIRST_KEY = re.compile(rb'\{\s*"((?:[^"\\]++|\\.)*+)"\s*:', re.DOTALL)
_KEY = re.compile(
    rb'"((?:[^"\\]++|\\.)*+)'
    # also a string without an end: else each quote within it would be tried as the begin of another
    rb'(?:"(\s*:\s*\[\s*\{(?!\s*"(?:from|value|role|content)"))?|\\?\Z)|[\[\]{}]',
    re.DOTALL,
)
_MOST_BETWEEN = 256
_CLOSERS = {b"{": b"}", b"[": b"]"}
_NO_END = "The file is cut short: the list of its records has no end. What comes before this place was read."


class _Broken(Exception):
    """The brackets do not fit together."""


class Document:
    """Reads through a window that begins at the current element."""

    def __init__(self, stream: Stream, max_bytes: int) -> None:
        self._chunks = iter(stream)
        self._max_bytes = max_bytes
        self._window = bytearray()
        self._at = 0  # how far the window has been scanned
        self._closers: list[bytes] = []  # what the open brackets of the element want
        self._in_string = False
        self._inside: list[bytes] = []  # what the brackets around the element want
        self._number = 0
        self._key = b""  # the first key of elements
        self._between = b""  # what stands between two of them

    def pieces(self) -> Iterator[Piece]:
        """The elements, in their order."""
        while self._to_next():
            first = bytes(self._window[:1])
            if first in (b"]", b"}"):
                self._leave(first)
            elif first == b"[" and not self._inside:
                self._inside.append(b"]")
                self._drop(1)
            elif first in (b"{", b"["):
                yield from self._element()
            else:
                yield self._scalar()
        if self._inside:
            yield Piece(b"", "", _NO_END)

    def _to_next(self) -> bool:
        """Go to the next thing that is no space; False at the end."""
        while True:
            match = _SPACE.match(self._window)
            end = match.end() if match is not None else 0
            if end < len(self._window):
                if self._number == 1 and len(self._inside) == 1 and end < _MOST_BETWEEN:
                    self._between = bytes(self._window[:end])
                self._drop(end)
                return True
            self._window.clear()
            if not self._more():
                return False

    def _leave(self, closer: bytes) -> None:
        if self._inside and self._inside[-1] == closer:
            self._inside.pop()
            if self._inside == [b"}"]:  # behind the array of a wrapper: what else it has is no record
                self._closers = [self._inside.pop()]
                self._drop(1)
                self._skip_rest()
                return
        self._drop(1)

    def _skip_rest(self) -> None:
        while self._closers:
            try:
                end = self._scan()
            except _Broken:
                return
            if end is not None:
                self._drop(end)
                return
            self._drop(self._at)
            if not self._more():
                return

    def _element(self) -> Iterator[Piece]:
        self._number += 1
        alone = not self._inside
        place = "" if alone and self._number == 1 else f"item {self._number}"
        problem = "It is cut short: the file ends within it."
        try_bytes = _WRAPPER_BYTES
        while True:
            try:
                end = self._scan()
            except _Broken as error:
                problem = str(error)
                break
            if end is not None:
                piece = Piece(bytes(self._window[:end]), place, None, alone)
                self._drop(end)
                yield piece
                self._learn(piece.body)
                return
            if alone and len(self._window) > try_bytes:
                try_bytes = 2 * len(self._window)  # each try looks at all of it
                if self._enter_wrapper(WRAPPERS):
                    self._number -= 1
                    return
            if len(self._window) > self._max_bytes:
                problem = TOO_LONG
                break
            if not self._more():
                if alone and self._enter_wrapper(_PARTS):  # what it holds is whole up to there
                    self._number -= 1
                    return
                break
        yield self._given_up(place, problem)

    def _learn(self, body: bytes) -> None:
        """What the next element will probably begin with; by that it is found when this one is broken."""
        if not self._key and (key := _FIRST_KEY.match(body)) is not None:
            self._key = key[1]

    def _given_up(self, place: str, problem: str) -> Piece:
        """Skip a broken element: to the next that begins as elements begin here."""
        self._closers, self._in_string = [], False
        own = _FIRST_KEY.match(self._window)
        key = self._key or (own[1] if own is not None else b"")
        before = re.escape(self._between) or rb"[\s,\[}\]]"
        # the bracket first: looking for one byte is fast
        pattern = re.compile(rb"\{(?<=" + before + rb'\{)\s*"' + re.escape(key) + rb'"\s*:') if key else None
        body = b""
        begin = 1
        while True:
            found = pattern.search(self._window, begin) if pattern is not None else None
            end = found.start() if found is not None else len(self._window)
            if found is not None:
                break
            if not self._more():
                self._inside.clear()  # that its list has no end either is no news
                break
            begin = max(1, end - len(key) - _MOST_BETWEEN)
            if end > self._max_bytes:
                body = body or bytes(self._window[:_HEAD_BYTES])
                self._drop(begin - 1)
                begin = 1
        body = body or bytes(self._window[:end]).rstrip(b" \t\r\n,")
        self._drop(end)
        return Piece(body, place, problem)

    def _scalar(self) -> Piece:
        self._number += 1
        while True:
            match = _SCALAR.match(self._window)
            if match is not None and match.end() < len(self._window):
                break
            if len(self._window) > _SCALAR_BYTES or not self._more():
                break
        end = match.end() if match is not None and match.end() > 0 else 1
        piece = Piece(bytes(self._window[:end]), f"item {self._number}", NO_OBJECT)
        self._drop(end)
        return piece

    def _enter_wrapper(self, wrappers: Collection[str]) -> bool:
        """Whether the object at hand holds its records in an array; then the window begins within that."""
        depth = 0
        begin = 0
        for match in _KEY.finditer(self._window):
            token = match[0][:1]
            if token != b'"':
                depth += 1 if token in b"[{" else -1
            elif match[2] is not None:
                if depth == 1 and match[1].decode("utf-8", "replace") in wrappers:
                    begin = match.end() - 1
                    break
                depth += 2
        if begin:
            self._inside = [b"}", b"]"]
            self._closers, self._in_string = [], False
            self._drop(begin)
        return begin > 0

    def _scan(self) -> int | None:
        """Scan on; gives the end of the element, None where it has none yet.

        Raises:
            _Broken
        """
        window = self._window
        while True:
            if self._in_string:
                inside = _IN_STRING.match(window, self._at)
                self._at = inside.end() if inside is not None else self._at
                if self._at >= len(window) or window[self._at] != 0x22:
                    return None
                self._at += 1
                self._in_string = False
            for match in _STEP.finditer(window, self._at):
                self._at = match.end()
                bracket = match[1]
                if closer := _CLOSERS.get(bracket):
                    self._closers.append(closer)
                elif bracket == b'"':
                    self._in_string = True
                    break
                elif not bracket:
                    return None
                elif self._closers.pop() != bracket:
                    raise _Broken("Its brackets do not fit together.")
                elif not self._closers:
                    return self._at
            if not self._in_string:
                return None

    def _more(self) -> bool:
        chunk = next(self._chunks, b"")
        self._window += chunk
        return bool(chunk)

    def _drop(self, size: int) -> None:
        """Begin the window so much later, and a new element there."""
        del self._window[:size]
        self._at = 0
