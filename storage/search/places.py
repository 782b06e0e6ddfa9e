"""How far a search has come: what a page's `next` says."""

import re

from msgspec import Struct

from chatcore.errors import InvalidInput

__all__ = ["NEWEST", "BestPlace", "NewestPlace", "Stretch", "read_best", "read_newest"]

NEWEST = 2**63 - 1
"""Above all keys."""

_NUMBER = r"(-?[0-9]{1,19})"
_NEWEST = re.compile(r"n" + r"\.".join([_NUMBER] * 6), re.ASCII)
_BEST = re.compile(r"r" + r"\.".join([_NUMBER] * 3), re.ASCII)


class Stretch(Struct, frozen=True):
    """A place among hits that are sorted by time within windows.

    Attributes:
        top: The window begins below this key.
        time: Of the last one that was given, in microseconds; and
        key: its key. What comes after it in the window goes on.
    """

    top: int = NEWEST
    time: int = NEWEST
    key: int = NEWEST


class NewestPlace(Struct, frozen=True):
    """Among messages and among titles."""

    messages: Stretch = Stretch()
    titles: Stretch = Stretch()

    def __str__(self) -> str:
        both = (self.messages, self.titles)
        return "n" + ".".join(f"{each.top}.{each.time}.{each.key}" for each in both)


class BestPlace(Struct, frozen=True):
    """So many were given of what was found below these keys."""

    message: int = NEWEST
    title: int = NEWEST
    given: int = 0

    def __str__(self) -> str:
        return f"r{self.message}.{self.title}.{self.given}"


def read_newest(after: str | None) -> NewestPlace:
    """The place.

    Raises:
        InvalidInput: It is none.
    """
    if after is None:
        return NewestPlace()
    numbers = _numbers(_NEWEST, after)
    return NewestPlace(Stretch(*numbers[:3]), Stretch(*numbers[3:]))


def read_best(after: str | None) -> BestPlace:
    """Likewise."""
    return BestPlace() if after is None else BestPlace(*_numbers(_BEST, after))


def _numbers(pattern: re.Pattern[str], after: str) -> list[int]:
    match = pattern.fullmatch(after)
    numbers = [int(number) for number in match.groups()] if match else []
    if not numbers or any(abs(number) > NEWEST for number in numbers):
        raise InvalidInput("This is no position in a search.", after=after[:40])
    return numbers
