"""How a text becomes tokens: docs/search.md says it in words.

The index gets a text as `folded` leaves it, and SQLite's tokenizer ``ascii`` cuts that up: a token is a run
of ASCII letters and digits, in whatever case, and of all that is not ASCII (sqlite.org/fts5.html#tokenizers).
So what depends on Unicode is decided here, by Python's tables, and not by those of SQLite, which are of 2012.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from msgspec import Struct

from chatcore.messages import Part, Text

__all__ = ["Token", "folded", "is_single", "said_in", "shown", "tokens", "tokens_of"]


class Token(Struct, frozen=True):
    """A token, and where in its text it stands: from code point `first` until before `end`."""

    text: str
    first: int
    end: int


# Written without blanks between words, or such that parts of words are looked for: each character is a token.
_SINGLE = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1100, 0x11FF),  # Hangul letters
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # radicals
    (0x3005, 0x3007),
    (0x3021, 0x3029),
    (0x3031, 0x31BF),  # Hiragana, Katakana, Bopomofo, Hangul letters
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xA960, 0xA97F),
    (0xAC00, 0xD7FF),  # Hangul
    (0xF900, 0xFAFF),
    (0xFF66, 0xFFDC),  # half as wide; NFKC makes them the others
    (0x1B000, 0x1B16F),  # Kana of old
    (0x20000, 0x3FFFF),  # Han
)
# Symbols that people look for; all others separate words.
_EMOJI = ((0x2600, 0x27BF), (0x1F000, 0x1F3FA), (0x1F400, 0x1FAFF))
# Marks that readers do without: accents, points of Arabic and Hebrew, what chooses a variant. (Vowel signs of
# the scripts of India and of South East Asia are no such marks.)
_DROPPED = (
    (0x00AD, 0x00AD),  # soft hyphen
    (0x0300, 0x036F),
    (0x0483, 0x0489),
    (0x0591, 0x05C7),
    (0x0610, 0x061A),
    (0x0640, 0x0640),  # stretches Arabic words
    (0x064B, 0x065F),
    (0x0670, 0x0670),
    (0x06D6, 0x06ED),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x200C, 0x200F),  # joiners, directions
    (0x202A, 0x202E),
    (0x2060, 0x2069),
    (0x20D0, 0x20FF),
    (0xFE00, 0xFE0F),
    (0xFE20, 0xFE2F),
    (0xFEFF, 0xFEFF),
    (0x1F3FB, 0x1F3FF),  # colours of skin
    (0xE0000, 0xE0FFF),
)
_KEPT = frozenset({"L", "M", "N"})  # first letters of Unicode's categories; and Co

_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_PIECES = re.compile(r"[0-9A-Za-z]+|[^\x00-\x7f]")
_TOKENS = re.compile(r"[0-9A-Za-z\x80-\U0010ffff]+")


def said_in(parts: Sequence[Part]) -> str:
    """The words that are searched: those that are shown, a line for each part."""
    if len(parts) == 1 and type(parts[0]) is Text:
        return parts[0].text
    return "\n".join(part.text for part in parts if isinstance(part, Text))


def folded(text: str) -> str:
    """`text` for the index: what is no token there is a blank, or is ASCII."""
    return text if text.isascii() else _FOREIGN.sub(_fold, text)


def tokens_of(text: str) -> list[str]:
    """The tokens of `text`, in order."""
    return [token.lower() for token in _TOKENS.findall(folded(text))]


def is_single(token: str) -> bool:
    """Whether it is one of those characters that are tokens by themselves: no token goes on after it."""
    return len(token) == 1 and (_within(ord(token), _SINGLE) or _within(ord(token), _EMOJI))


def shown(text: str) -> str:
    """`text` as places in it are counted: composed (NFC), which looks the same."""
    return unicodedata.normalize("NFC", text)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text that `shown` gave, with their places."""
    if text.isascii():
        for match in _PIECES.finditer(text):
            yield Token(match[0].lower(), match.start(), match.end())
        return
    word, first, end = "", 0, 0
    closed = False  # what comes next is another word, unless it is a mark on this one
    for match in _PIECES.finditer(text):
        begin, after = match.span()
        piece = match[0]
        made = piece.lower() if piece.isascii() else _TABLE[ord(piece)]
        if word and begin != end:
            closed = True
        elif not made:
            end = after
        for place, part in enumerate(made.split(" ")):
            closed = closed or place > 0
            if part and word and closed:
                yield Token(word, first, end)
                word = ""
            if part:
                word, first, end = word + part, first if word else begin, after
                closed = False
    if word:
        yield Token(word, first, end)


class _Table(dict[int, str]):
    """For each code point beyond ASCII what becomes of it; filled as they are met."""

    def __missing__(self, code: int) -> str:
        made = self[code] = _made_of(code)
        return made


_TABLE = _Table()


def _fold(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", match[0]).translate(_TABLE)


def _made_of(code: int) -> str:
    if _within(code, _DROPPED):
        return ""
    character = chr(code)
    if _within(code, _EMOJI):
        return f" {character} "
    category = unicodedata.category(character)
    if category[0] not in _KEPT and category != "Co":
        return " "
    if (digit := unicodedata.decimal(character, None)) is not None:
        return str(digit)
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold().lower())
    kept = "".join(one if _is_word(one) else "" if _within(ord(one), _DROPPED) else " " for one in plain)
    made = unicodedata.normalize("NFC", kept)
    if any(_within(ord(one), _SINGLE) for one in made):
        return f" {' '.join(made)} "
    return made


def _is_word(character: str) -> bool:
    category = unicodedata.category(character)
    return (category[0] in _KEPT or category == "Co") and not _within(ord(character), _DROPPED)


def _within(code: int, ranges: Sequence[tuple[int, int]]) -> bool:
    at = bisect_right(ranges, (code, 0x10FFFF)) - 1
    return at >= 0 and code <= ranges[at][1]
