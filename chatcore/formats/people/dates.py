"""Dates as a telephone writes them: three numbers of which only the whole file tells what is the day."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal

from msgspec import Struct

__all__ = ["Moment", "dated"]

Order = Literal["day first", "month first", "year first"]

_AFTERNOON = frozenset({"pm", "下午", "晚上", "中午", "午後", "오후", "μμ", "م", "em", "ch", "dop", "πμμ"})
_MORNING = frozenset({"am", "上午", "早上", "凌晨", "午前", "오전", "πμ", "ص", "fm", "sa"})


class Moment(Struct, frozen=True):
    """A date and a time as written.

    Attributes:
        a: The first of the three numbers of the date; `b` and `c` the others.
        half: The word beside the time, if there is one.
    """

    a: int
    b: int
    c: int
    hour: int
    minute: int
    second: int
    half: str = ""

    @property
    def half_of_day(self) -> Literal["am", "pm"] | None:
        """What the word says; None: nothing of the kind (``Uhr``)."""
        word = "".join(letter for letter in self.half.casefold() if letter.isalpha())
        return "pm" if word in _AFTERNOON else "am" if word in _MORNING else None

    def is_possible(self) -> bool:
        """Whether there is an order in which it is a time at all."""
        return any(self.read(order) is not None for order in ("day first", "month first", "year first"))

    def read(self, order: Order) -> datetime | None:
        """The moment when read in that order; None: then it is none."""
        year, month, day = {
            "day first": (self.c, self.b, self.a),
            "month first": (self.c, self.a, self.b),
            "year first": (self.a, self.b, self.c),
        }[order]
        hour = self.hour
        if self.half_of_day == "pm" and hour < 12:
            hour += 12
        elif self.half_of_day == "am" and hour == 12:
            hour = 0
        try:
            return datetime(
                year + 2000 if year < 100 else year, month, day, hour, self.minute, self.second, tzinfo=UTC
            )
        except ValueError:
            return None


def dated(moments: Sequence[Moment]) -> tuple[list[int | None], str]:
    """The times, in microseconds since 1970 as if the clock showed UTC, and the order that was found.

    Of the orders in which the fewest of them are no time, the one in which they go back the least often;
    where that does not decide either, the day comes first, but not where the clock says AM and PM.
    """
    twelve = any(moment.half_of_day is not None for moment in moments)
    wanted: tuple[Order, ...] = (
        ("month first", "day first", "year first") if twelve else ("day first", "month first", "year first")
    )
    if moments and moments[0].a > 99:
        wanted = ("year first",)
    readings = [(order, [moment.read(order) for moment in moments]) for order in wanted]
    order, best = min(readings, key=lambda reading: _oddness(reading[1]))
    return [None if moment is None else round(moment.timestamp()) * 1_000_000 for moment in best], order


def _oddness(read: Sequence[datetime | None]) -> tuple[int, int]:
    told = [moment for moment in read if moment is not None]
    return len(read) - len(told), sum(later < earlier for earlier, later in pairwise(told))
