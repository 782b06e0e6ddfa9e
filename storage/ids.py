"""Ids and times as stores keep them: UUIDv7 that never go back, and integers of microseconds."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import time_ns

__all__ = ["IdSource", "from_us", "to_us"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_COUNTS = 1 << 12
_COUNTERS = [bytes((0x7000 + count) >> shift & 0xFF for count in range(_COUNTS)) for shift in (8, 0)]
"""The two bytes of the version's digit and the counter, of all of its values."""

_VARIANT = bytes(byte & 0x3F | 0x80 for byte in range(256))  # its first two bits are 10


class IdSource:
    """Gives out ids: 32 lowercase hexadecimal digits of a UUIDv7, each above all before it.

    RFC 9562, section 6.2, method 1: the 12 bits after the milliseconds count within one of them. When they
    are used up, or the clock steps back, the milliseconds run ahead of the clock instead.

    Args:
        newest: The newest id ever given out; None: there is none.
        clock_ns: Nanoseconds since 1970.
    """

    def __init__(self, newest: str | None = None, clock_ns: Callable[[], int] = time_ns) -> None:
        self._clock_ns = clock_ns
        # milliseconds and counter as one number of 60 bits (between them the id has its version digit)
        self._stamp = int(newest[:12] + newest[13:16], 16) if newest else 0

    def new(self) -> str:
        """One more id."""
        stamp = self._stamp = max(self._clock_ns() // 1_000_000 << 12, self._stamp + 1)
        random = int.from_bytes(os.urandom(8), "big") >> 2 | 1 << 63
        return f"{stamp >> 12:012x}7{stamp & 0xFFF:03x}{random:016x}"

    def many(self, count: int) -> bytes:
        """So many more ids, 16 bytes each, above all before them and rising."""
        first = max(self._clock_ns() // 1_000_000 << 12, self._stamp + 1)
        self._stamp = max(self._stamp, first + count - 1)
        ids = bytearray(os.urandom(16 * count))
        ids[8::16] = ids[8::16].translate(_VARIANT)
        place = 0
        while place < count:  # all that are of the same millisecond
            millisecond, counted = divmod(first + place, _COUNTS)
            until = min(place + _COUNTS - counted, count)
            for byte, value in enumerate(millisecond.to_bytes(6, "big")):
                ids[16 * place + byte : 16 * until : 16] = bytes([value]) * (until - place)
            for byte, values in enumerate(_COUNTERS, 6):
                ids[16 * place + byte : 16 * until : 16] = values[counted : counted + until - place]
            place = until
        return bytes(ids)


def to_us(at: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    return (at - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=us)
