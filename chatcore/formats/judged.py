"""Answers that people have judged: what a vote, a rank or a pair of them says to a trainer.

The rules are those of preference and unpaired sets in TRL's ``docs/source/dataset_formats.md``: one vote is
one example, a pair needs two answers to the very same prompt.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from msgspec import Struct

from chatcore.filters import verdict_of
from chatcore.formats.paths import Paths, raw_of
from chatcore.formats.turns import is_told
from chatcore.messages import Rating, text_of
from chatcore.views import Node

__all__ = ["NEXT_IN_RANK", "Pair", "answers", "pairs"]

NEXT_IN_RANK = 16
"""With so many worse ones an answer makes pairs by rank: of a handful that is with all of them."""


class Pair(Struct, frozen=True):
    """Two answers to the same prompt, of which one was found better."""

    chosen: Node
    rejected: Node


class _Judged(Struct, frozen=True):
    """An answer with what decides between it and its siblings; of ranks 0 is the best."""

    node: Node
    text: str
    verdict: Rating | None
    rank: int | None


def answers(nodes: Iterable[Node]) -> Iterator[Node]:
    """Those of `nodes` that answer something, in words, and may be told."""
    for node in nodes:
        message = node.message
        is_answer = message.role == "assistant" and message.parent is not None
        if is_answer and is_told(message) and text_of(message.parts).strip():
            yield node


def pairs(paths: Paths) -> Iterator[Pair]:
    """The pairs of a tree: a liked and a disliked answer to the same message, or two of different rank.

    One vote alone makes none, and neither do two answers of the same words. The work grows with the number of
    answers and of pairs: whoever takes them can stop at any.
    """
    for above in paths.tree.nodes:
        siblings = [_judged(node) for node in answers(paths.below(above.message.id))]
        if len(siblings) > 1:
            yield from _by_votes(siblings)
            yield from _by_ranks(siblings)


def _by_votes(siblings: Sequence[_Judged]) -> Iterator[Pair]:
    """Each liked with each disliked one."""
    disliked: dict[str, list[Node]] = {}
    for one in siblings:
        if one.verdict == "dislike":
            disliked.setdefault(one.text, []).append(one.node)
    for liked in siblings:
        if liked.verdict == "like":
            for text, nodes in disliked.items():
                if text != liked.text:
                    yield from (Pair(liked.node, node) for node in nodes)


def _by_ranks(siblings: Sequence[_Judged]) -> Iterator[Pair]:
    """Each with those that come next to it in rank, so that many answers do not make pairs without end."""
    ranked = sorted((one for one in siblings if one.rank is not None), key=_rank_of)
    worse = 0
    for place, better in enumerate(ranked):
        while worse < len(ranked) and (worse <= place or _rank_of(ranked[worse]) == _rank_of(better)):
            worse += 1
        for other in islice(ranked, worse, worse + NEXT_IN_RANK):
            decided = {better.verdict, other.verdict} == {"like", "dislike"}  # by votes, above
            if not decided and better.text != other.text:
                yield Pair(better.node, other.node)


def _rank_of(one: _Judged) -> int:
    assert one.rank is not None
    return one.rank


def _judged(node: Node) -> _Judged:
    rank = raw_of(node.raw).get("rank")
    known = rank if isinstance(rank, int) and not isinstance(rank, bool) else None
    return _Judged(node, text_of(node.message.parts), verdict_of(node), known)
