"""Ids and times as stores keep them."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.arriving import ID_BYTES, id_at
from storage.ids import IdSource, from_us, to_us


def test_an_id_is_a_uuid_of_version_7_and_says_when() -> None:
    before = datetime.now(UTC)
    found = UUID(IdSource().new())
    assert (found.version, found.variant) == (7, RFC_4122)
    made = datetime.fromtimestamp((found.int >> 80) / 1000, UTC)
    assert timedelta(milliseconds=-1) < made - before < timedelta(seconds=5)


@given(st.lists(st.integers(0, 2**47), min_size=1, max_size=200))
def test_ids_rise_whatever_the_clock_does(milliseconds: list[int]) -> None:
    ticks = iter(milliseconds)
    source = IdSource(clock_ns=lambda: next(ticks) * 1_000_000)
    ids = [source.new() for _ in milliseconds]
    assert ids == sorted(set(ids))


def test_ids_of_one_millisecond_rise_beyond_their_counter() -> None:
    source = IdSource(clock_ns=lambda: 0)
    ids = [source.new() for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert {UUID(found).version for found in ids} == {7}


@given(st.lists(st.tuples(st.integers(0, 2**47), st.integers(0, 5_000)), max_size=6))
def test_many_at_once_are_like_one_by_one(steps: list[tuple[int, int]]) -> None:
    ticks = iter(milliseconds for milliseconds, _ in steps for _ in range(2))
    source = IdSource(clock_ns=lambda: next(ticks) * 1_000_000)
    ids: list[str] = []
    for _, count in steps:
        many = source.many(count)
        ids += [id_at(many, place).hex() for place in range(count)]
        assert len(many) == count * ID_BYTES
        ids.append(source.new())
    assert ids == sorted(set(ids))
    assert {(UUID(found).version, UUID(found).variant) for found in ids} <= {(7, RFC_4122)}


def test_ids_go_on_above_the_newest() -> None:
    newest = IdSource(clock_ns=lambda: 10**21).new()
    assert IdSource(newest).new() > newest


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_come_back_as_they_were(at: datetime) -> None:
    assert from_us(to_us(at)) == at


@pytest.mark.parametrize("us", [0, 1, 999_999, 1_700_000_000_123_456])
def test_times_are_microseconds(us: int) -> None:
    assert to_us(from_us(us)) == us
