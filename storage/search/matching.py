"""Where in a text the words of a query stand."""

import re
from collections import deque
from collections.abc import Iterator, Sequence

from msgspec import Struct

from storage.search.query import Query, Term
from storage.search.words import Token, shown, tokens, tokens_of

__all__ = ["Excerpt", "excerpt", "matches"]

Mark = tuple[int, int]

_CHARS = 240
_BEFORE = 60  # of them, ahead of what was found
_LOOKED_THROUGH = 20_000  # tokens, from the first that was found, for a place where more is
_BLANKS = re.compile(r"\s+")


class Excerpt(Struct, frozen=True):
    """The words around what was found.

    Attributes:
        marks: (first, end) in code points of `text`, in order, none within another.
    """

    text: str
    marks: tuple[Mark, ...]


class _Hit(Struct, frozen=True):
    term: int
    first: int
    end: int


def matches(query: Query, text: str) -> bool:
    """Whether the text has all that is wanted and nothing that is unwanted."""
    words = tokens_of(text)
    return (
        bool(query.wanted)
        and all(_holds(term, words) for term in query.wanted)
        and not any(_holds(term, words) for term in query.unwanted)
    )


def excerpt(query: Query, text: str, *, whole: bool = False) -> Excerpt:
    """The stretch of `text` where most of the query is, the first of several; with `whole` all of it."""
    text = shown(text)
    if not whole:
        text = _cut(text, _place(query, text))
    return Excerpt(text, tuple(_marks(_hits(query.wanted, text))))


def _holds(term: Term, words: Sequence[str]) -> bool:
    wanted, count = term.tokens, len(term.tokens)
    return any(
        words[at] == wanted[0] or count == 1
        for at in range(len(words) - count + 1)
        if _fits(term, words[at : at + count])
    )


def _fits(term: Term, words: Sequence[str]) -> bool:
    *firsts, last = term.tokens
    found = words[-1].startswith(last) if term.prefix else words[-1] == last
    return found and list(words[:-1]) == firsts


def _hits(terms: Sequence[Term], text: str) -> Iterator[_Hit]:
    """All places of the terms, in the order of their ends."""
    lasts = [(number, term, term.tokens[-1]) for number, term in enumerate(terms)]
    newest: deque[Token] = deque(maxlen=max((len(term.tokens) for term in terms), default=1))
    for token in tokens(text):
        newest.append(token)
        for number, term, last in lasts:
            if not token.text.startswith(last):  # which leaves few
                continue
            words = list(newest)[-len(term.tokens) :]
            if len(words) == len(term.tokens) and _fits(term, [word.text for word in words]):
                yield _Hit(number, words[0].first, token.end)


def _place(query: Query, text: str) -> Mark | None:
    """Where the excerpt is to be: the first stretch with the most different terms."""
    best: tuple[int, Mark] | None = None
    near: list[_Hit] = []
    for looked, hit in enumerate(_hits(query.wanted, text)):
        near = [one for one in near if hit.end - one.first <= _CHARS - _BEFORE] + [hit]
        terms = len({one.term for one in near})
        if best is None or terms > best[0]:
            best = terms, (near[0].first, hit.end)
        if terms == len(query.wanted) or looked >= _LOOKED_THROUGH:
            break
    return None if best is None else best[1]


def _cut(text: str, place: Mark | None) -> str:
    """The words around the place (the beginning, where there is none) in one line."""
    first = 0 if place is None else max(0, place[0] - _BEFORE)
    end = min(len(text), max(first + _CHARS, 0 if place is None else min(place[1], first + 2 * _CHARS)))
    first = max(0, min(first, end - _CHARS))
    if first > 0 and (blank := _BLANKS.search(text, first, place[0] if place else end)):
        first = blank.end()
    if end < len(text) and (at := text.rfind(" ", max(first, place[1] if place else 0), end)) > 0:
        end = at
    words = _BLANKS.sub(" ", text[first:end]).strip()
    return f"{'…' if first else ''}{words}{'…' if end < len(text) else ''}"


def _marks(hits: Iterator[_Hit]) -> list[Mark]:
    marks: list[Mark] = []
    for first, end in sorted((hit.first, hit.end) for hit in hits):
        if marks and first < marks[-1][1]:
            marks[-1] = marks[-1][0], max(end, marks[-1][1])
        else:
            marks.append((first, end))
    return marks
