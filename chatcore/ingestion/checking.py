"""Whether conversations that somebody else has prepared can be stored as they are."""

from collections.abc import Sequence

from chatcore.arrivals import IngestConversation
from chatcore.errors import InvalidInput, LimitExceeded
from chatcore.ingestion.votes import MOST_VOTERS, is_voter
from chatcore.messages import clean_text

__all__ = ["MOST_BATCH_VOTES", "check_batch", "check_conversation"]

MOST_BATCH_VOTES = 2 * MOST_VOTERS
"""Votes of others in one batch: it is written at once, and people wait for that."""

_ORIGIN_BYTES = 16
_MESSAGE_ORIGIN_BYTES = 8
_MOST_US = 253_402_300_800_000_000
"""The end of the year 9999: what is later is no date."""


def check_batch(conversations: Sequence[IngestConversation], *, dry_run: bool) -> None:
    """Passes when the conversations, or slices of some, are whole, and not too much at once.

    Raises:
        InvalidInput: The sentence says what is wrong.
        LimitExceeded: They have too many votes to be written as one unit.
    """
    votes = sum(len(users) for one in conversations for users in one.votes.values())
    if votes > MOST_BATCH_VOTES and not dry_run:  # which writes none, and gets conversations whole
        raise LimitExceeded(
            f"The batch has {votes:,} votes of others, more than the {MOST_BATCH_VOTES:,} that one may have.",
            limit=MOST_BATCH_VOTES,
            given=votes,
        )
    for one in conversations:
        check_conversation(one)


def check_conversation(given: IngestConversation) -> None:
    """Passes when the conversation, or the slice of one, is whole in itself.

    Raises:
        InvalidInput: The sentence says what is wrong.
    """
    if len(given.origin) != _ORIGIN_BYTES or len(given.digest) != _ORIGIN_BYTES:
        raise InvalidInput(f"Origin and digest of a conversation have {_ORIGIN_BYTES} bytes.")
    if not given.messages or given.first < 0:
        raise InvalidInput("A conversation has messages.")
    if given.last and not 0 <= given.head < given.first + len(given.messages):
        raise InvalidInput("The head of a conversation is one of its messages.")
    times = [given.created_at_us, given.updated_at_us]
    for place, message in enumerate(given.messages, given.first):
        times.append(message.created_at_us)
        if len(message.origin) != _MESSAGE_ORIGIN_BYTES:
            raise InvalidInput(f"The origin of a message has {_MESSAGE_ORIGIN_BYTES} bytes.")
        if not -1 <= message.parent < place:
            raise InvalidInput("A message stands behind its parent.")
        if message.status in {"queued", "running"}:
            raise InvalidInput("A message that comes from elsewhere has ended.")
        if message.raw is not None and clean_text(message.raw) != message.raw:
            raise InvalidInput("The raw fields of a message hold what no store can.")
    if given.votes:
        _check_votes(given)
    if not all(0 <= at < _MOST_US for at in times):
        raise InvalidInput("A time lies outside of all dates.")


def _check_votes(given: IngestConversation) -> None:
    for votes in given.votes.values():
        if len(votes) > MOST_VOTERS:
            raise InvalidInput(f"At most {MOST_VOTERS:,} others vote on a message.")
        if not all(is_voter(user) and clean_text(user) == user for user in votes):
            raise InvalidInput("Who votes has a name.")
    for _ in given.all_votes(""):  # raises where a place is none
        pass
