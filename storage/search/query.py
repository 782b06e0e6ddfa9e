"""What a person asks for: any string is a query.

Words are all to be there, a “phrase in quotes” word by word, ``-word`` must not be there, and ``wor*`` stands
for all words that begin so; so does the last word while no blank follows it: it may still be being typed.
"""

import re

from msgspec import Struct

from chatcore.messages import clean_text
from storage.search.words import is_single, tokens_of

__all__ = ["Query", "Term", "read_query"]

_MAX_CHARS = 1_000
_MAX_TOKENS = 64
_SHORTEST_PREFIX = 3  # of all words that begin with fewer letters SQLite would have to merge too long lists

_QUOTES = str.maketrans(dict.fromkeys("“”„‟＂", '"'))
_WORDS = re.compile(r'(?P<minus>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))(?P<star>\*)?')


class Term(Struct, frozen=True):
    """Tokens one after the other; with `prefix` the last one only begins so."""

    tokens: tuple[str, ...]
    prefix: bool = False


class Query(Struct, frozen=True):
    """What is looked for: all of `wanted` (at least one, else nothing is found), none of `unwanted`."""

    wanted: tuple[Term, ...]
    unwanted: tuple[Term, ...] = ()


def read_query(text: str) -> Query:
    """The query that this string is; what goes beyond 1,000 characters or 64 tokens is not looked at."""
    text = clean_text(text[:_MAX_CHARS]).translate(_QUOTES)
    wanted: dict[Term, None] = {}
    unwanted: dict[Term, None] = {}
    room = _MAX_TOKENS
    for match in _WORDS.finditer(text):
        minus, phrase, word = match["minus"], match["phrase"], match["word"]
        given = word or phrase or ""
        tokens = tokens_of(given)[:room]
        if not tokens:
            continue
        room -= len(tokens)
        starred = match["star"] is not None or given.endswith("*")
        typed = word is not None and minus is None and match.end() == len(text) and not _is_closed(given)
        prefix = (starred or typed) and len(tokens[-1]) >= _SHORTEST_PREFIX and not is_single(tokens[-1])
        (unwanted if minus else wanted)[Term(tuple(tokens), prefix)] = None
    return Query(tuple(wanted), tuple(unwanted))


def _is_closed(word: str) -> bool:
    """Whether the word ends with what is no part of it, such as a full stop."""
    return not tokens_of(word[-1])
