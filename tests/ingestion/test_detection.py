"""Which format a file is in: what its first records are, not how it is called."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from chatcore.errors import InvalidInput, Unrecognised
from chatcore.formats import detection, reading, registry, walk
from chatcore.formats.format import Kind, ReadFormat, ReadOptions, Record
from chatcore.incoming import Incoming, IncomingMessage, Unread
from chatcore.messages import Text
from tests.ingestion.making import ARRAY, read, said, unread, zipped


class Planted:
    """A format that knows objects with its own key (or lines that begin with it)."""

    title = "Planted"

    def __init__(self, name: str, kind: Kind = "json", members: str | None = None, order: int = 50) -> None:
        self.name = name
        self.kind: Kind = kind
        self.members = members
        self.order = order

    def recognises(self, record: Record) -> bool:
        match record.value:
            case dict() as value:
                return self.name in value
            case [dict() as value, *_]:
                return self.kind == "members" and self.name in value
            case [str() as first, *_]:
                return first == self.name
            case str() as line:
                return line.startswith(self.name)
        return False

    def read(self, records: Iterable[Record], options: ReadOptions) -> Iterator[Incoming | Unread]:
        for record in records:
            if self.kind == "json" and not self.recognises(record):
                yield Unread(kind="failed", reason="odd", file=record.file, place=record.place)
                continue
            if record.value == {self.name: "raise"}:
                raise LookupError("a bug")
            text = Text(f"{self.name} {record.file.rpartition(':')[2]} {json.dumps(record.value)}")
            yield Incoming(
                source=self.name,
                messages=[IncomingMessage(role="user", parts=(text,))],
                file=record.file,
                place=record.place,
            )


@pytest.fixture
def formats(monkeypatch: pytest.MonkeyPatch) -> list[ReadFormat]:
    """Formats in place of all others."""
    planted: list[ReadFormat] = []

    def there() -> Sequence[ReadFormat]:
        return sorted(planted, key=lambda one: one.order)

    for module in (reading, walk):
        monkeypatch.setattr(module, "read_formats", there)
    return planted


def lines(*values: object) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def test_the_first_item_that_has_a_signature_decides(formats: list[ReadFormat]) -> None:
    formats += [Planted("a"), Planted("b")]
    items = read(lines(*({"x": n} for n in range(40)), {"b": 1}, {"a": 1}, {"b": 2}))
    assert said(items) == ['b input {"b": 1}', 'b input {"b": 2}']
    assert len(unread(items)) == 41
    with pytest.raises(Unrecognised, match="keys seen are: x, y"):
        read(lines(*({"x": n, "y": n} for n in range(60)), {"b": 1}))


def test_of_several_that_know_it_the_smallest_order_is_taken(formats: list[ReadFormat]) -> None:
    formats += [Planted("a", order=60), Planted("b", order=40)]
    assert said(read(lines({"a": 1, "b": 1}, {"b": 2}))) == ['b input {"a": 1, "b": 1}', 'b input {"b": 2}']


def test_text_and_tables_are_told_by_their_first_lines(formats: list[ReadFormat]) -> None:
    formats += [Planted("[t]", kind="text"), Planted("c", kind="csv"), Planted("a")]
    assert said(read(b"\xef\xbb\xbf[t] 1\r\nmore\n")) == ['[t] input "[t] 1"', '[t] input "more"']
    assert said(read(b'c,d\r\n"1\n2",3\r\n')) == ['c input ["c", "d"]', 'c input ["1\\n2", "3"]']
    assert said(read(b'[{"a": 1}]')) == ['a input {"a": 1}']


def test_a_wrapper_is_opened_unless_it_is_a_record_itself(formats: list[ReadFormat]) -> None:
    formats += [Planted("a"), Planted("whole")]
    assert said(read(lines({"n": 1, "conversations": [{"a": 1}, {"a": 2}]}))) == [
        'a input {"a": 1}',
        'a input {"a": 2}',
    ]
    assert len(said(read(lines({"whole": 1, "conversations": [{"a": 1}, {"a": 2}]})))) == 1


def test_members_of_an_archive_are_those_that_the_format_names(formats: list[ReadFormat]) -> None:
    formats += [Planted("a", members=r"part(-\d+)?\.json"), Planted("b", members=r"part(-\d+)?\.json")]
    packed = zipped(
        {
            "x/part-10.json": b'[{"b": 10}]',
            "x/part-9.json": b'[{"b": 9}]',
            "other.json": b'[{"a": 1}]',
            "x/part-0.json": b"[]",
        }
    )
    assert said(read(packed)) == [
        'b x/part-9.json {"b": 9}',
        'b x/part-10.json {"b": 10}',
        'a other.json {"a": 1}',  # what stands beside and is one by itself is not passed over
    ]


def test_what_one_format_calls_its_own_and_another_reads_is_read_once(formats: list[ReadFormat]) -> None:
    formats += [Planted("a", members=r"part-.\.json"), Planted("b", members=r"part-1\.json")]
    first, other = b'[{"b": 1}]', b'[{"z": 1}]'
    items = read(zipped({"part-1.json": first, "part-2.json": other}))
    assert said(items) == ['b part-1.json {"b": 1}']
    items = read(zipped({"part-1.json": first, "part-2.json": b'[{"a": 2}]', "part-3.json": other}))
    assert said(items) == ['a part-2.json {"a": 2}', 'b part-1.json {"b": 1}']
    assert [(one.kind, one.file) for one in unread(items)] == [("failed", "input:part-3.json")]


def test_an_archive_inside_of_one_is_read_beside_an_export_too(formats: list[ReadFormat]) -> None:
    formats += [Planted("a", members=r"part\.json")]
    for members in ({"part.json": b'[{"a": 1}]'}, {"some.json": b'[{"a": 1}]'}):
        items = read(zipped({**members, "inner.zip": zipped({"part.json": b'[{"a": 2}]'})}))
        assert unread(items) == []
        assert len(said(items)) == 2


def test_whole_members_come_as_one_value_each(formats: list[ReadFormat], tmp_path: Path) -> None:
    formats += [Planted("d", kind="members", members=r"\d{4}\.json"), Planted("a")]
    (tmp_path / "general").mkdir()
    for name, content in (("2001", '[{"d": 1}]'), ("2000", '[{"d": 0}]'), ("2002", "[oops")):
        (tmp_path / "general" / f"{name}.json").write_text(content)
    items = read(tmp_path)
    assert said(items) == ['d general/2000.json [{"d": 0}]', 'd general/2001.json [{"d": 1}]']
    assert len(unread(items)) == 1


def test_a_format_that_raises_costs_one_record(formats: list[ReadFormat]) -> None:
    formats.append(Planted("a"))
    items = read(lines({"a": 1}, {"a": "raise"}, {"a": 2}))
    assert said(items) == ['a input {"a": 1}', 'a input {"a": 2}']
    (broken,) = unread(items)
    assert (broken.kind, broken.place, broken.record) == ("failed", "line 2", b'{"a": "raise"}')
    assert "LookupError: a bug" in broken.reason


def test_a_named_format_overrules() -> None:
    with pytest.raises(InvalidInput, match="no format “nope”"):
        read(ARRAY, "nope")
    items = read(ARRAY, "chatgpt")
    assert said(items) == []
    assert len(unread(items)) == 5


def test_names_of_formats_are_unique() -> None:
    names = [one.name for one in registry.read_formats()]
    assert len(names) == len(set(names)) > 10
    for one in registry.read_formats():
        assert registry.find_read_format(one.name) is one


def test_parts_are_in_the_order_of_their_numbers() -> None:
    names = ["c-10.json", "c-9.json", "c-100.json", "d/c-1.json"]
    planted = Planted("x", members=r"c-\d+\.json")
    assert detection.member_names(names, planted) == ("c-9.json", "c-10.json", "c-100.json", "d/c-1.json")
