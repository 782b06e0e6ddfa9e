"""Votes in a line of our own format that are none here: the conversation comes in without them."""

from collections.abc import Mapping

import msgspec

from chatcore.formats.identity import Vote
from chatcore.formats.values import fields, listed
from chatcore.incoming import UNKNOWN_RATING, with_votes_left_out

__all__ = ["parted"]

_ODD = "a vote that can't be read"


def parted(line: Mapping[str, object]) -> tuple[Mapping[str, object], Mapping[str, int]]:
    """The line without such votes, which are raw fields of their messages then; and how many, by reason."""
    counts: dict[str, int] = {}
    messages = [_without(message, counts) for message in listed(line.get("messages"))]
    return ({**line, "messages": messages} if counts else line), counts


def _without(message: object, counts: dict[str, int]) -> object:
    said = fields(message)
    raw = said.get("raw")
    if not isinstance(raw, dict | None):
        return message
    votes = listed(said.get("votes"))
    reasons = [_why_not(vote) for vote in votes]
    odd = [vote for vote, reason in zip(votes, reasons, strict=True) if reason is not None]
    if not odd:
        return message
    for reason in filter(None, reasons):
        counts[reason] = counts.get(reason, 0) + 1
    kept = [vote for vote, reason in zip(votes, reasons, strict=True) if reason is None]
    return {**said, "votes": kept, "raw": with_votes_left_out(raw, odd)}


def _why_not(vote: object) -> str | None:
    try:
        msgspec.convert(vote, Vote)
    except msgspec.ValidationError:
        rating = fields(vote).get("rating", "like")
        return UNKNOWN_RATING if isinstance(rating, str) and rating not in {"like", "dislike"} else _ODD
    return None
