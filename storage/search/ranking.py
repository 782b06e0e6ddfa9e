"""How well a text fits a query: Okapi BM25, without the rarity of words, since every text has all of them.

S. Robertson, H. Zaragoza, “The Probabilistic Relevance Framework: BM25 and Beyond”, 2009.
"""

import re
from collections.abc import Sequence

from storage.search.query import Query, Term
from storage.search.words import folded

__all__ = ["TITLE_WEIGHT", "ranked"]

_K1 = 1.2
_B = 0.75
TITLE_WEIGHT = 2.0
"""How much more what is said in a title counts."""

_WORD = r"0-9a-z\x80-\U0010ffff"


def ranked(query: Query, texts: Sequence[str], weights: Sequence[float]) -> list[int]:
    """The places of the texts among themselves, that of the best first; of those as good in the order given.

    Args:
        weights: For each text, how much its words count.
    """
    words = [folded(text).lower() for text in texts]
    mean = max(1.0, sum(map(len, words)) / max(len(words), 1))
    patterns = [_pattern(term) for term in query.wanted]
    scores = [
        weight * _score(patterns, said, len(said) / mean) for said, weight in zip(words, weights, strict=True)
    ]
    return sorted(range(len(scores)), key=lambda place: -scores[place])


def _score(patterns: Sequence[re.Pattern[str]], words: str, length: float) -> float:
    dampened = _K1 * (1 - _B + _B * length)
    score = 0.0
    for pattern in patterns:
        count = len(pattern.findall(words))
        score += count * (_K1 + 1) / (count + dampened)
    return score


def _pattern(term: Term) -> re.Pattern[str]:
    first, *others = map(re.escape, term.tokens)
    # that it begins a word is asked for behind it: a pattern that begins with letters is found much faster
    words = f"[^{_WORD}]+".join([f"{first}(?<![{_WORD}]{first})", *others])
    return re.compile(words if term.prefix else f"{words}(?![{_WORD}])")
