"""Answers that people have judged: what a vote, a rank or a pair of them says to a trainer.

The rules are those of preference and unpaired sets in TRL's ``docs/source/dataset_formats.md``: one vote is
one example, a pair needs two answers to the very same prompt.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from chatcore.filters import verdict_of
from chatcore.formats.paths import Paths, raw_of
from chatcore.formats.turns import is_told
from chatcore.messages import Rating, text_of
from chatcore.views import Node

__all__ = ["Pair", "answers", "pairs"]


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

    def beats(self, other: "_Judged") -> bool:
        """Where votes decide between the two, ranks are not asked."""
        verdicts = (self.verdict, other.verdict)
        if set(verdicts) == {"like", "dislike"}:
            return self.verdict == "like"
        return self.rank is not None and other.rank is not None and self.rank < other.rank


def answers(nodes: Iterable[Node]) -> Iterator[Node]:
    """Those of `nodes` that answer something, in words, and may be told."""
    for node in nodes:
        message = node.message
        is_answer = message.role == "assistant" and message.parent is not None
        if is_answer and is_told(message) and text_of(message.parts).strip():
            yield node


def pairs(paths: Paths) -> Iterator[Pair]:
    """All pairs of a tree: a liked and a disliked answer to the same message, or two of different rank.

    One vote alone makes none, and neither do two answers of the same words.
    """
    for above in paths.tree.nodes:
        siblings = [_judged(node) for node in answers(paths.below(above.message.id))]
        for number, one in enumerate(siblings):
            for other in siblings[number + 1 :]:
                if one.text != other.text:
                    if one.beats(other):
                        yield Pair(one.node, other.node)
                    elif other.beats(one):
                        yield Pair(other.node, one.node)


def _judged(node: Node) -> _Judged:
    rank = raw_of(node.raw).get("rank")
    known = rank if isinstance(rank, int) and not isinstance(rank, bool) else None
    return _Judged(node, text_of(node.message.parts), verdict_of(node), known)
