"""The line that is typed, and text that is made harmless: both without input or output."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from frontends.terminal.editor import END, LineEditor
from frontends.terminal.harmless import harmless, harmless_json, harmless_line


def typed(*keys: str) -> tuple[list[str | None], str]:
    """The lines that these keys finish, and what stands in the line then."""
    editor = LineEditor()
    lines = [line for key in keys for line in editor.feed(key.encode())]
    return lines, editor.text


LEFT, RIGHT, UP, DOWN, HOME, FINISH, DELETE = (
    "\x1b[D",
    "\x1b[C",
    "\x1b[A",
    "\x1b[B",
    "\x1b[H",
    "\x1b[F",
    "\x1b[3~",
)


@pytest.mark.parametrize(
    ("keys", "lines", "text"),
    [
        (["hello\r"], ["hello"], ""),
        (["hello\n"], ["hello"], ""),
        (["one\rtwo\rthr"], ["one", "two"], "thr"),
        (["helo", LEFT, "l\r"], ["hello"], ""),
        (["ello", HOME, "h", FINISH, "!\r"], ["hello!"], ""),
        (["hellos", "\x7f\r"], ["hello"], ""),
        (["xhello", HOME, DELETE, "\r"], ["hello"], ""),
        (["\x7f", LEFT, RIGHT, DELETE, "a\r"], ["a"], ""),
        (["one two", "\x17", "2"], [], "one 2"),
        (["one two", LEFT, LEFT, LEFT, "\x15"], [], "two"),
        (["one two", LEFT, LEFT, LEFT, "\x0b"], [], "one "),
        (["one\rtwo\r", UP], ["one", "two"], "two"),
        (["one\rtwo\r", UP, UP, "!"], ["one", "two"], "one!"),
        (["one\rtwo\r", UP, UP, UP, "!"], ["one", "two"], "one!"),
        (["one\r", "half", UP, DOWN], ["one"], "half"),
        (["one\r", DOWN, "x"], ["one"], "x"),
        (["same\rsame\rother\r", UP, UP, UP], ["same", "same", "other"], "same"),
        (["\x04"], [END], ""),
        (["ab", HOME, "\x04", "\r"], ["b"], ""),
        (["one\x1b\rtwo\r"], ["one\ntwo"], ""),
        (["\x1b[200~one\r\ntwo\rthree\x1b[201~", "\r"], ["one\ntwo\nthree"], ""),
        (["\x1b[200~half of ", "a paste\x1b[201~"], [], "half of a paste"),
        (["\x1b[200~\x1b[D\x1b[201~"], [], "\x1b[D"),
        (["\x1b[15~\x1b[1;5P\x1bOP\x1bxok"], [], "ok"),
        (["\x1b", "[", "D", "a"], [], "a"),
        (["\x01\x02\x05\x06\x07\x00a"], [], "a"),
        (["tab\there"], [], "tab\there"),
        (["\x1b[ä\x1b[1\x1b[Dok"], [], "[ä[ok1"),
    ],
)
def test_keys(keys: list[str], lines: list[str], text: str) -> None:
    assert typed(*keys) == (lines, text)


def test_characters_that_come_in_pieces() -> None:
    editor = LineEditor()
    for byte in "ä€🙂".encode():
        assert list(editor.feed(bytes([byte]))) == []
    assert editor.text == "ä€🙂"
    assert list(editor.feed(b"\xff\r")) == ["ä€🙂\ufffd"]


@given(
    st.lists(st.binary(max_size=12) | st.sampled_from([b"\r", b"\x1b[D", b"\x1b[A", b"\x17"])),
    st.integers(4, 60),
)
def test_any_bytes_leave_a_line_that_fits(chunks: list[bytes], width: int) -> None:
    editor = LineEditor()
    for chunk in chunks:
        for line in editor.feed(chunk):
            assert line is END or "\r" not in line
        shown, behind = editor.window(width)
        assert shown.isprintable()
        assert cell_len(shown) <= width
        assert 0 <= behind <= cell_len(shown)


def test_the_window_follows_the_cursor() -> None:
    editor = LineEditor()
    assert list(editor.feed(b"0123456789")) == []
    assert editor.window(20) == ("0123456789", 0)
    assert editor.window(6) == ("…6789", 0)
    assert list(editor.feed(HOME.encode())) == []
    assert editor.window(6) == ("01234", 5)


def test_hostile_text_is_harmless() -> None:
    assert harmless("\x1b]52;c;AAAA\x07\x9b2J\x7f") == "␛]52;c;AAAA␇�2J␡"
    assert harmless("one\r\n\ttwo\x00") == "one\n\ttwo␀"
    assert harmless("a\u202eb\u202dc") == "a�b�c"
    assert harmless("שלום עולם 🙂 ä") == "שלום עולם 🙂 ä"
    assert harmless_line(" two\n lines\t ") == "two lines"
    assert harmless_line("abcdef", 4) == "abc…"


@given(st.text())
def test_nothing_harmful_is_left(text: str) -> None:
    assert all(unicodedata.category(char) != "Cc" or char in "\n\t" for char in harmless(text))
    assert "\n" not in harmless_line(text)


@given(st.text())
def test_json_stays_the_same(text: str) -> None:
    made = harmless_json(json.dumps([text], ensure_ascii=False))
    assert json.loads(made) == [text]
    assert all(unicodedata.category(char) != "Cc" for char in made)
