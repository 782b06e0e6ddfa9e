"""Which ancestor a message's `jump` is: E. W. Myers, "An applicative random-access stack", 1983.

The jumps of a path have the lengths of skew-binary digits (1, 3, 7, 15, …): following them where they do not
go too far, and the parent otherwise, reaches any ancestor in O(log depth) steps.
"""

from functools import lru_cache

__all__ = ["jump_length"]


@lru_cache(maxsize=8192)
def jump_length(depth: int) -> int:
    """How far up the jump of a message of this depth (1 or more) goes."""
    while True:
        # the greatest 2^k - 1 that fits
        length = (1 << (depth + 1).bit_length() - 1) - 1
        if length == depth:
            return length
        depth -= length
