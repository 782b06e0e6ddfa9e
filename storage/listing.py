"""A user's list: its places as pages name them (``activity.key``, since two entries may be equally new), and
what entries without a title are called by.
"""

import re
from collections.abc import Sequence
from typing import Final

from chatcore.errors import InvalidInput
from chatcore.messages import Part, first_words, text_of
from storage.rows import ConversationRow

__all__ = ["ABOVE_ALL", "BEGINNING", "Place", "count_named", "name_of", "place_named", "place_of", "words_of"]

BEGINNING: Final = 4
"""Messages of a conversation without a title among which its first question is looked for."""

Place = tuple[int, int]
"""Activity and key of an entry: the higher, the newer."""

ABOVE_ALL: Final[Place] = (2**63 - 1, 2**63 - 1)

# The length keeps it within SQLite's integers; [0-9], since int() takes any Unicode digit.
_COUNT = re.compile(r"[0-9]{1,18}")
_NAME = re.compile(r"(-?[0-9]{1,18})\.([0-9]{1,18})")


def place_of(row: ConversationRow) -> Place:
    """Where the entry stands."""
    return row.conversation.activity, row.key


def name_of(row: ConversationRow) -> str:
    """How the page that ends with this entry names where the next one begins."""
    return "{}.{}".format(*place_of(row))


def words_of(question: Sequence[Part]) -> str | None:
    """What one without a title is called by, of which this is the first question; None: it has no words."""
    return first_words(text_of(question)) or None


def place_named(name: str | None) -> Place:
    """The place with this name; None: above all entries.

    Raises:
        InvalidInput: It is no page's `next`.
    """
    if name is None:
        return ABOVE_ALL
    found = _NAME.fullmatch(name)
    if found is None:
        raise InvalidInput("This is no place in a list.", after=name[:40])
    return int(found[1]), int(found[2])


def count_named(name: str | None) -> int:
    """Likewise the place among conversations in the order of their making; None: before all.

    Raises:
        InvalidInput: It is no batch's `next`.
    """
    if name is None:
        return 0
    if _COUNT.fullmatch(name) is None:
        raise InvalidInput("This is no place among the conversations.", after=name[:40])
    return int(name)
