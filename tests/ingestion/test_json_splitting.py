"""Splitting of JSON: whatever the chunks, the elements are those of a whole parse."""

import json
import time
from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatcore.formats.json_document import Document
from chatcore.formats.json_piece import Piece
from chatcore.formats.json_stream import split
from chatcore.formats.streams import Stream

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab"\\[]{},:\n\t é', max_size=8),
    lambda below: (
        st.lists(below, max_size=4) | st.dictionaries(st.text('k"\\]}', max_size=3), below, max_size=4)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(["id", "messages", "x"]), VALUES, min_size=1, max_size=3)
INDENTS = st.sampled_from([None, 0, 1, 4])


def chunks(content: bytes, size: int) -> Iterator[bytes]:
    return (content[begin : begin + size] for begin in range(0, len(content), size))


def pieces(content: bytes, size: int = 7) -> list[Piece]:
    return list(split(Stream(chunks(content, size))))


def values(found: list[Piece]) -> list[object]:
    return [json.loads(piece.body) for piece in found if piece.problem is None]


@given(st.lists(OBJECTS | st.lists(VALUES, max_size=3), min_size=1, max_size=6), INDENTS, st.integers(1, 40))
@settings(max_examples=100)
def test_the_elements_of_an_array(elements: list[object], indent: int | None, size: int) -> None:
    found = list(
        Document(Stream(chunks(json.dumps(elements, indent=indent).encode(), size)), 10_000).pieces()
    )
    assert values(found) == elements
    assert [piece.problem for piece in found] == [None] * len(elements)


@given(st.lists(OBJECTS, min_size=2, max_size=6), st.integers(1, 40))
@settings(max_examples=100)
def test_lines(elements: list[object], size: int) -> None:
    content = "".join(json.dumps(element) + "\n" for element in elements).encode()
    found = pieces(content, size)
    assert values(found) == elements
    assert [piece.place for piece in found] == [f"line {number}" for number in range(1, len(elements) + 1)]


@given(st.lists(OBJECTS, min_size=1, max_size=5), INDENTS, st.integers(1, 40))
@settings(max_examples=100)
def test_values_one_after_the_other(elements: list[object], indent: int | None, size: int) -> None:
    content = " ".join(json.dumps(element, indent=indent) for element in elements).encode()
    assert values(list(Document(Stream(chunks(content, size)), 10_000).pieces())) == elements


GOOD = [{"id": f"{number}", "messages": [{"id": "m", "text": "some ]} words"}]} for number in range(6)]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    ("what", "instead"),
    [
        ('"some ]} words"', '"some ]} words'),  # a string without its end
        ('"text":', '"text": oops'),
        ("}]", "}"),
        ('{"id": "m"', '"id": "m"'),
        ('"m"', '"\\ud800"'),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_broken_element_costs_itself_only(indent: int | None, what: str, instead: str, size: int) -> None:
    each = [json.dumps(element) for element in GOOD]
    each[2] = each[2].replace(what, instead, 1)
    content = ("[" + (",\n  " if indent else ", ").join(each) + "]").encode()
    found = pieces(content, size)
    good = []
    for piece in found:
        try:
            good.append(json.loads(piece.body)["id"])
        except (ValueError, KeyError, TypeError):
            continue
    assert [one for one in good if one.isdecimal()] in (["0", "1", "3", "4", "5"], list("012345"))


@pytest.mark.parametrize("size", [3, 100])
def test_what_is_longer_than_allowed_costs_itself_only(size: int) -> None:
    elements = [{"id": "0"}, {"id": "1", "text": "x" * 30_000}, {"id": "2"}, {"id": "3"}]
    found = list(Document(Stream(chunks(json.dumps(elements).encode(), size)), 10_000).pieces())
    assert values(found) == [elements[0], elements[2], elements[3]]
    (broken,) = [piece for piece in found if piece.problem]
    assert "longer than" in str(broken.problem)
    assert len(broken.body) < 25_000


def test_a_large_wrapper_is_entered_while_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatcore.formats.json_document._WRAPPER_BYTES", 200)
    records = [{"id": str(number), "messages": ["]", {"conversations": [{"a": 1}]}]} for number in range(50)]
    content = json.dumps(
        {"a": {"conversations": [{"no": 1}]}, "conversations": records, "z": [{"b": 1}]}
    ).encode()
    found = list(Document(Stream(chunks(content, 64)), 10_000).pieces())
    assert values(found) == records


def test_an_unfinished_array_gives_what_it_has() -> None:
    found = pieces(json.dumps(GOOD).encode()[:-30])
    assert values(found) == GOOD[:5]
    assert ["short" in str(piece.problem) for piece in found if piece.problem] == [True]


@given(st.text('[]{}",:\\ \nab1', max_size=60), st.integers(1, 10))
@settings(max_examples=500)
def test_nothing_makes_it_raise_or_go_on_for_ever(content: str, size: int) -> None:
    found = pieces(content.encode(), size)
    assert len(found) <= len(content)


@pytest.mark.parametrize(
    "content",
    [
        b"\0" * 12_000_000,
        b'"' + b"x" * 12_000_000,
        b'{"messages": "' + b'a[{\\"' * 2_500_000 + b'"}',
        b'{"a": [' + b'{"b": 1},' * 300_000,
        b"[}" * 2_000,
        b'{"a":' * 200_000,
        b'[{"a": 1' + b'{"a": "' * 200_000,
    ],
    ids=lambda content: content[:12].decode(),
)
def test_what_is_long_takes_time_by_its_length_alone(content: bytes) -> None:
    begun = time.process_time()
    found = split(Stream(chunks(content, 65_536)), max_bytes=10_000_000)
    assert len(list(islice(found, 1_000))) > 0
    assert time.process_time() - begun < 5


def test_a_long_object_is_looked_through_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatcore.formats.json_document._WRAPPER_BYTES", 1_000)
    tried: list[int] = []

    def enter(document: Document, wrappers: object) -> bool:
        tried.append(len(document._window))
        return False

    monkeypatch.setattr(Document, "_enter_wrapper", enter)
    content = b'{"text": "' + b"x" * 1_000_000 + b'"}'
    assert len(list(Document(Stream(chunks(content, 1_000)), 2_000_000).pieces())) == 1
    assert 0 < len(tried) < 12
