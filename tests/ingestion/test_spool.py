"""Records that belong together and lie apart, in bounded memory."""

import random
import tracemalloc
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatcore.formats.format import Record
from chatcore.formats.spool import grouped


def record(group: int, number: int, size: int = 10) -> Record:
    return Record(value=[group, number, "\ud800"], body=b"x" * size, file="f", place=f"line {number}")


def key(record: Record) -> str:
    assert isinstance(record.value, list)
    return str(record.value[0])


@pytest.mark.parametrize("max_bytes", [10, 500, 1_000_000])
def test_groups_are_whole_and_in_order(
    max_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    chance = random.Random(3)
    records = [record(chance.randrange(50), number) for number in range(1_000)]
    expected = defaultdict(list)
    for one in records:
        expected[key(one)].append(one)
    found = list(grouped(iter(records), key, max_bytes=max_bytes))
    assert dict(found) == expected
    assert len(found) == len(expected)
    if max_bytes == 1_000_000:
        assert [name for name, _ in found] == list(expected)
    assert list(tmp_path.iterdir()) == []


def test_one_group_larger_than_memory_is_given_whole() -> None:
    found = list(grouped((record(1, number, 1_000) for number in range(100)), key, max_bytes=100))
    assert [len(held) for _, held in found] == [100]


def test_memory_is_bounded() -> None:
    def many() -> Iterator[Record]:
        return (record(number % 2_000, number, 1_000) for number in range(20_000))

    tracemalloc.start()
    try:
        assert sum(len(held) for _, held in grouped(many(), key, max_bytes=500_000)) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 6_000_000  # of 20 MB
    finally:
        tracemalloc.stop()
