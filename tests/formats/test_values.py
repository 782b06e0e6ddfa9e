"""Odd values: nothing raises, everything readable is read."""

import pytest

from chatcore.formats.pieces import feedback_of, file_of_text, inline_file, newest_leaf, role_of, span_us
from chatcore.formats.values import (
    ident,
    integer,
    json_text,
    keys_seen,
    rest,
    text_in,
    time_us,
    title_in,
)
from chatcore.incoming import IncomingMessage
from chatcore.messages import Feedback

AT = 1_700_000_000_000_000


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (1_700_000_000, AT),
        (1_700_000_000.25, AT + 250_000),
        (1_700_000_000_123, AT + 123_000),
        (1_700_000_000_123_456, AT + 123_456),
        (1_700_000_000_123_456_789, AT + 123_456),
        ("1700000000", AT),
        ("1700000000.5", AT + 500_000),
        ("2023-11-14T22:13:20Z", AT),
        ("2023-11-14T22:13:20.123456Z", AT + 123_456),
        ("2023-11-15T00:13:20+02:00", AT),
        ("2023-11-14T22:13:20", AT),
        ("2023-11-14 22:13:20 UTC", AT),
        (" 2023-11-14T22:13:20Z\n", AT),
        ({"$date": "2023-11-14T22:13:20Z"}, AT),
        ({"$date": {"$numberLong": "1700000000000"}}, AT),
        (None, None),
        ("", None),
        ("soon", None),
        ("." * 30, None),
        (True, None),
        (0, None),
        (-5, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        (10**20, None),
        (9e10, 90_000_000_000_000_000),
        (1e-9, None),
        ("9999-12-31T23:59:59-14:00", None),
        ("1960-01-01", None),
        ([1_700_000_000], None),
        ({"a": 1, "b": 2}, None),
    ],
)
def test_times_of_all_kinds(given: object, found: int | None) -> None:
    assert time_us(given) == found


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("text", "text"),
        (None, ""),
        (12345, "12345"),
        (False, "false"),
        (["a", None, {"type": "text", "text": "b"}, 3], "a\nb\n3"),
        ({"value": "held"}, "held"),
        ({"answer": "ä"}, '{"answer": "ä"}'),
        ([[], {}], ""),
    ],
)
def test_what_should_be_text(given: object, found: str) -> None:
    assert text_in(given) == found


def test_json_that_is_nested_too_deep_is_no_fault() -> None:
    deep: object = None
    for _ in range(100_000):
        deep = [deep]
    assert json_text(deep) == "…"
    assert text_in({"a": deep}) == "…"
    del deep


def test_ids_counts_and_titles() -> None:
    ids: list[object] = ["x", "", 7, True, None, [], 2**80]
    assert [ident(value) for value in ids] == ["x", None, "7"] + [None] * 4
    given: list[object] = [3, 3.0, "3", 3.5, -1, True, "three", None, 2**70, "9" * 30]
    assert [integer(value) for value in given] == [3, 3, 3] + [None] * 7
    assert [title_in(value) for value in ("A", " ", "", None, 3)] == ["A", None, None, None, None]


def test_the_rest_has_nothing_that_is_mapped_empty_or_private() -> None:
    record: dict[str, object] = {
        "known": 1,
        "usual": 1.0,
        "odd": 0,
        "none": None,
        "empty": {},
        "IP": "192.0.2.1",
        "deep": [{"email": "x@example.invalid", "name": "X"}, {"phone_number": "1"}],
    }
    left = rest(record, {"known"}, {"usual": 1})
    assert left == {"odd": 0, "deep": [{"name": "X"}, {}]}


def test_the_rest_is_not_copied_and_may_be_deep() -> None:
    inner = {"a": [1]}
    assert rest({"inner": inner}, frozenset())["inner"] is inner
    deep: object = {"email": "x"}
    for _ in range(100_000):
        deep = [deep]
    kept = rest({"deep": deep}, frozenset())["deep"]
    for _ in range(64):
        assert isinstance(kept, list)
        (kept,) = kept
    assert kept is None
    while isinstance(deep, list):  # else Python takes it apart by recursion
        (deep,) = deep


def test_keys_are_told_to_people() -> None:
    assert keys_seen({"a": 1, "b": 2}) == "an object with the keys a, b"
    assert keys_seen({str(n): n for n in range(20)}).endswith("10, 11, …")
    others: list[object] = [{}, [], "x", None, 1]
    assert [keys_seen(value) for value in others] == [
        "an empty object",
        "a list",
        "a text",
        "null",
        "a number",
    ]


@pytest.mark.parametrize(
    ("rating", "found"),
    [
        *[(given, "like") for given in ("thumbs_up", "thumbsUp", "Like", 1, 1.0, "1", "+1")],
        *[(given, "dislike") for given in ("thumbs_down", "thumbsDown", "Dislike", -1, "-1")],
        *[(given, None) for given in (0, 5, "", None, True, (), "flag", float("nan"))],
        ([], None),
        ({}, None),
    ],
)
def test_votes_in_all_spellings(rating: object, found: str | None) -> None:
    vote = feedback_of(rating)
    assert (vote.rating if vote else None) == found


def test_a_vote_with_words() -> None:
    assert feedback_of(1, " good ", ["a", "", None, 2]) == Feedback(
        rating="like", comment="good", reasons=("a", "2")
    )
    assert feedback_of(-1, None, "short") == Feedback(rating="dislike", reasons=("short",))


def test_roles() -> None:
    assert [role_of(word) for word in ("human", "ASSISTANT", "model", "developer", "function")] == [
        "user",
        "assistant",
        "assistant",
        "system",
        "tool",
    ]
    assert [role_of(word) for word in ("critic", None, 3)] == [None] * 3


def test_files_inside_of_addresses() -> None:
    found = inline_file("data:image/png;base64,aGVsbG8=", "x")
    assert found is not None
    assert (found.content, found.media_type, found.size_bytes) == (b"hello", "image/png", 5)
    plain = inline_file("data:,a%20b", "x")
    assert plain is not None
    assert plain.content == b"a b"
    assert [inline_file(url, "x") for url in ("https://x.example", "data:", "data:;base64,a", None, 3)] == [
        None
    ] * 5


def test_the_text_of_a_file_is_a_text_file() -> None:
    names = ["paper.pdf", "notes.md", "data"]
    assert [file_of_text(name, "x").name for name in names] == ["paper.pdf.txt", "notes.md", "data"]
    assert file_of_text("a", "\ud800").content == "�".encode()


def told(
    message_id: str, parent: str | None = None, at: int | None = None, hidden: bool = False
) -> IncomingMessage:
    return IncomingMessage(
        role="user", parts=(), id=message_id, parent=parent, created_at_us=at, hidden=hidden
    )


def test_the_newest_leaf_is_shown_and_has_nothing_below() -> None:
    messages = [told("a", at=9), told("b", "a", 5), told("c", "a", 4), told("d", "b", 7, hidden=True)]
    assert newest_leaf(messages) == "c"
    assert newest_leaf([told("a"), told("b", "a"), told("c", "a")]) == "c"
    assert newest_leaf([told("a", "b"), told("b", "a")]) is None


@pytest.mark.parametrize(
    ("created", "updated", "found"),
    [(1, 9, (1, 9)), (None, 9, (9, 9)), (None, None, (3, 5)), (1, None, (1, 5))],
)
def test_times_of_a_conversation(created: int | None, updated: int | None, found: tuple[int, int]) -> None:
    assert span_us([told("a", at=3), told("b", at=5), told("c")], created, updated) == found
    assert span_us([], None, None) == (None, None)
