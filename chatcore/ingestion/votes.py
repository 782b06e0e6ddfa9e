"""Votes of others than the one who takes a conversation in: few conversations have any."""

from collections.abc import Mapping, Sequence
from typing import get_args

import msgspec

from chatcore.incoming import UNKNOWN_RATING, Incoming, IncomingMessage, with_votes_left_out
from chatcore.ingestion.arranging import Arranged
from chatcore.ingestion.bounds import bounded_feedback
from chatcore.limits import Limits
from chatcore.messages import Feedback, Rating

__all__ = ["MOST_VOTERS", "is_voter", "known_votes", "votes_of"]

MOST_VOTERS = 1_000
"""Others whose votes on one message are kept: a message is written at once, and people wait for that."""

_RATINGS = get_args(Rating)
_LOST = "a vote of nobody, or on nothing"
_BEYOND = f"a vote beyond the first {MOST_VOTERS:,} on a message"
_MAX_USER_CHARS = 1_000


def is_voter(user: str) -> bool:
    """Whether it can be the name of a user who has voted."""
    return bool(user.strip()) and len(user) <= _MAX_USER_CHARS


def known_votes(given: Incoming) -> Incoming:
    """The conversation without votes that are neither like nor dislike: they become raw fields, and count."""
    odd = [_unknown_votes(message, given.votes) for message in given.messages]
    others = sum(vote.rating not in _RATINGS for votes in given.votes.values() for vote in votes.values())
    mine = sum(not _is_known(message.feedback) for message in given.messages)
    if not others and not mine:
        return given
    messages = [
        msgspec.structs.replace(
            message,
            feedback=message.feedback if _is_known(message.feedback) else None,
            raw=with_votes_left_out(message.raw, votes),
        )
        if votes
        else message
        for message, votes in zip(given.messages, odd, strict=True)
    ]
    return msgspec.structs.replace(
        given,
        messages=messages,
        votes={
            id_: {user: vote for user, vote in votes.items() if vote.rating in _RATINGS}
            for id_, votes in given.votes.items()
        },
        votes_skipped={**given.votes_skipped, UNKNOWN_RATING: others + mine},
    )


def _unknown_votes(
    message: IncomingMessage, others: Mapping[str, Mapping[str, Feedback]]
) -> Sequence[Mapping[str, object]]:
    found = [] if _is_known(message.feedback) else [msgspec.to_builtins(message.feedback)]
    votes = others.get(message.id, {}) if message.id is not None else {}
    return found + [
        {"user": user, **msgspec.to_builtins(vote)}
        for user, vote in votes.items()
        if vote.rating not in _RATINGS
    ]


def _is_known(feedback: Feedback | None) -> bool:
    return feedback is None or feedback.rating in _RATINGS


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
