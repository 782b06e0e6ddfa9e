"""Votes of others than the one who takes a conversation in: few conversations have any."""

from collections.abc import Mapping

from chatcore.incoming import Incoming
from chatcore.ingestion.arranging import Arranged
from chatcore.ingestion.bounds import bounded_feedback
from chatcore.limits import Limits
from chatcore.messages import Feedback

__all__ = ["MOST_VOTERS", "is_voter", "votes_of"]

MOST_VOTERS = 1_000
"""Others whose votes on one message are kept: a message is written at once, and people wait for that."""

_LOST = "a vote of nobody, or on nothing"
_BEYOND = f"a vote beyond the first {MOST_VOTERS:,} on a message"
_MAX_USER_CHARS = 1_000


def is_voter(user: str) -> bool:
    """Whether it can be the name of a user who has voted."""
    return bool(user.strip()) and len(user) <= _MAX_USER_CHARS


def votes_of(
    given: Incoming, arranged: Arranged, limits: Limits, repaired: dict[str, int]
) -> Mapping[int, Mapping[str, Feedback]]:
    """Place of the message, user, vote; what can't be kept is counted among what was put right."""
    found: dict[int, Mapping[str, Feedback]] = {}
    kept = beyond = 0
    for place, key in enumerate(arranged.keys):
        if key is not None and (votes := given.votes.get(key)):
            voters = [user for user in votes if is_voter(user)]
            there = {user: bounded_feedback(votes[user], limits) for user in voters[:MOST_VOTERS]}
            kept += len(there)
            beyond += len(voters) - len(there)
            if there:
                found[place] = there
    lost = sum(map(len, given.votes.values())) - kept - beyond
    for what, count in ((_LOST, lost), (_BEYOND, beyond)):
        if count:
            repaired[what] = repaired.get(what, 0) + count
    return found
