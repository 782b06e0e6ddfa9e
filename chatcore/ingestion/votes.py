"""Votes of others than the one who takes a conversation in: few conversations have any."""

from collections.abc import Mapping

from chatcore.incoming import Incoming
from chatcore.ingestion.arranging import Arranged
from chatcore.ingestion.bounds import bounded_feedback
from chatcore.limits import Limits
from chatcore.messages import Feedback

__all__ = ["is_voter", "votes_of"]

_LOST = "a vote of nobody, or on nothing"
_MAX_USER_CHARS = 1_000


def is_voter(user: str) -> bool:
    """Whether it can be the name of a user who has voted."""
    return bool(user.strip()) and len(user) <= _MAX_USER_CHARS


def votes_of(
    given: Incoming, arranged: Arranged, limits: Limits, repaired: dict[str, int]
) -> Mapping[int, Mapping[str, Feedback]]:
    """Place of the message, user, vote; what can't be kept is counted among what was put right."""
    found: dict[int, Mapping[str, Feedback]] = {}
    kept = 0
    for place, key in enumerate(arranged.keys):
        if key is not None and (votes := given.votes.get(key)):
            there = {user: bounded_feedback(vote, limits) for user, vote in votes.items() if is_voter(user)}
            kept += len(there)
            if there:
                found[place] = there
    if lost := sum(map(len, given.votes.values())) - kept:
        repaired[_LOST] = repaired.get(_LOST, 0) + lost
    return found
