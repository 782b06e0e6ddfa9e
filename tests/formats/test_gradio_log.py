"""Gradio's log of votes: columns named wrongly, two forms, groups, and many rows of one conversation."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from chatcore.formats.format import Record
from chatcore.formats.logs.gradio import FORMAT
from chatcore.formats.reading import read_source
from chatcore.formats.spool import grouped
from chatcore.incoming import Incoming, IncomingFile
from chatcore.messages import Reasoning, Text
from tests.formats.vendors import Outcome, read

HEADER = ["conversation", "index", "value", "flag", "timestamp"]
BEGIN = datetime(2025, 3, 1, 10, 0, 0, 5, tzinfo=UTC)
BEGIN_US = 1_740_823_200_000_005

Messages = Sequence[dict[str, object]]


def turn(role: str, content: object, title: str | None = None, **more: object) -> dict[str, object]:
    return {"role": role, "metadata": {"title": title}, "content": content, "options": None, **more}


ASKED = [turn("user", "a?"), turn("assistant", "a!")]
ON = [*ASKED, turn("user", "b?"), turn("assistant", "b!")]


def row(conversation: object, index: object, option: str = "Like", minutes: float = 0) -> list[str]:
    time = (BEGIN + timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S.%f")
    return [json.dumps(conversation), json.dumps(index), option, time]


def rows(*given: list[str]) -> Outcome:
    return read(FORMAT, [HEADER, *given], file="log.csv")


def told(*given: list[str]) -> Incoming:
    found = rows(*given)
    assert found.unread == []
    (conversation,) = found.conversations
    return conversation


def votes(conversation: Incoming) -> list[str | None]:
    return [m.feedback.rating if m.feedback else None for m in conversation.messages]


def words(conversation: Incoming) -> list[str]:
    return ["".join(p.text for p in m.parts if isinstance(p, Text)) for m in conversation.messages]


# --- rows ---------------------------------------------------------------------------------------------------


def test_rows_are_read_by_position_and_not_by_the_header() -> None:
    conversation = told(row(ASKED, 1, "Dislike"))
    assert [(m.role, m.parts) for m in conversation.messages] == [
        ("user", (Text("a?"),)),
        ("assistant", (Text("a!"),)),
    ]
    assert votes(conversation) == [None, "dislike"]
    assert conversation.linear
    assert (conversation.created_at_us, conversation.updated_at_us) == (BEGIN_US, BEGIN_US)  # no zone: UTC
    assert conversation.messages[1].raw == {
        "flags": [{"value": "Dislike", "time": "2025-03-01 10:00:00.000005"}]
    }


@pytest.mark.parametrize("cells", [["a!", "Like"], ["Like", ""], ["", "Like"]])
def test_a_row_of_five_is_read_too(cells: list[str]) -> None:
    text, index, _, time = row(ASKED, 1)
    assert votes(told([text, index, *cells, time])) == [None, "like"]


@pytest.mark.parametrize(
    "cells",
    [
        [],
        ["x"],
        ["[]"] * 3,
        ["[]"] * 6,
        ["not json", "1", "Like", "t"],
        ['{"a": 1}', "1", "Like", "t"],
        ['["a", [1]]', "1", "Like", "t"],
        ["[" * 100_000, "1", "Like", "t"],
    ],
)
def test_a_row_that_is_none_fails_alone(cells: list[str]) -> None:
    assert not FORMAT.recognises(Record(value=cells, body=b""))
    found = rows(cells, row(ASKED, 1))
    assert [(u.kind, u.place) for u in found.unread] == [("failed", "item 2")]
    assert len(found.conversations) == 1


def test_a_conversation_without_messages_is_skipped() -> None:
    assert [u.kind for u in rows(row([], 0)).unread] == ["skipped"]


def test_it_is_recognised_by_its_header_or_its_rows() -> None:
    assert FORMAT.recognises(Record(value=HEADER, body=b""))
    assert FORMAT.recognises(Record(value=row(ASKED, 1), body=b""))
    assert FORMAT.recognises(Record(value=["'" + row(ASKED, 1)[0], *row(ASKED, 1)[1:]], body=b""))
    for other in (
        ["input", "output", "flag", "timestamp"],
        ["[8/15/23", " 9:12 AM] A: x", "y", "z"],
        None,
        [],
    ):
        assert not FORMAT.recognises(Record(value=other, body=b""))


@pytest.mark.parametrize(
    ("given", "option"),
    [("Like", "like"), ("'=Spam", None), ("'+1", None), ("=Spam", None), ("Odd", None), ("'tis", None)],
)
def test_the_guard_against_formulas_is_taken_off(given: str, option: str | None) -> None:
    text, index, _, time = row(ASKED, 1)
    conversation = told([f"'{text}", index, given, time])
    assert votes(conversation) == [None, option]
    kept = given.removeprefix("'") if given[:2] in {"'=", "'+"} else given
    assert (conversation.messages[1].raw or {})["flags"] == [{"value": kept, "time": time}]


# --- the place of a vote ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "place"),
    [(1, 1), ([1, 1], 1), (3, 3), ([3, 3], 3), ([3], 3), (0, 0), (9, None), (-1, None), ("x", None)],
)
def test_the_index_of_messages(index: object, place: int | None) -> None:
    conversation = told(row(ON, index))
    # a question may be voted on as well; it is no answer, so the vote is only kept
    assert [number for number, vote in enumerate(votes(conversation)) if vote] == ([place] if place else [])
    assert [n for n, m in enumerate(conversation.messages) if m.raw] == ([] if place is None else [place])
    assert conversation.repaired == ({"a vote on a message that is not there": 1} if place is None else {})
    assert (conversation.raw is None) == (place is not None)


@pytest.mark.parametrize(
    ("pairs", "index", "roles", "liked"),
    [
        ([["a?", "a!"], ["b?", "b!"]], [1, 1], "uaua", 3),
        ([["a?", "a!"], ["b?", "b!"]], [0, 1], "uaua", 1),
        ([[None, "Hello!"], ["b?", "b!"]], [0, 1], "aua", 0),
        ([[None, "Hello!"], ["b?", "b!"]], [1, 1], "aua", 2),
        ([["a?", None], ["b?", "b!"]], [1, 1], "uua", 2),
        ([["a?", None]], [0, 1], "u", None),
        ([["a?", "a!"]], 1, "ua", None),  # an index of the other form says nothing here
        ([["a?", ["/tmp/p.png", "a plot"]]], [0, 1], "ua", 1),
    ],
)
def test_the_form_of_pairs(pairs: object, index: object, roles: str, liked: int | None) -> None:
    conversation = told(row(pairs, index))
    assert "".join(m.role[0] for m in conversation.messages) == roles
    assert [number for number, vote in enumerate(votes(conversation)) if vote] == (
        [] if liked is None else [liked]
    )


THOUGHT = turn("assistant", "I look it up.", "🛠️ Search")
GROUP = [turn("user", "a?"), THOUGHT, turn("assistant", "Well."), turn("assistant", "a!"), turn("user", "b?")]


@pytest.mark.parametrize("index", [1, [1, 1], 3])
def test_a_vote_on_a_group_is_one_on_its_last_answer(index: object) -> None:
    conversation = told(row(GROUP, index))
    assert words(conversation) == ["a?", "Well.", "a!", "b?"]
    assert votes(conversation) == [None, None, "like", None]


def test_a_vote_on_a_message_within_a_group_stays_there() -> None:
    assert votes(told(row(GROUP, 2))) == [None, "like", None, None]


def test_thoughts_stand_before_their_answer() -> None:
    thought = turn("assistant", "Looking.", "Search")
    thought["metadata"] = {"title": "Search", "id": 1, "duration": 2.5, "status": "done"}
    conversation = told(
        row([turn("user", "a?"), thought, turn("assistant", "a!"), turn("user", "b?"), THOUGHT], 1)
    )
    assert [m.parts for m in conversation.messages] == [
        (Text("a?"),),
        (Reasoning("Search\nLooking."), Text("a!")),
        (Text("b?"),),
        (Reasoning("🛠️ Search\nI look it up."),),
    ]
    assert (conversation.messages[1].raw or {})["thoughts"] == [{"id": 1, "duration": 2.5, "status": "done"}]


def test_a_thought_behind_the_answer_belongs_to_it() -> None:
    conversation = told(row([turn("user", "a?"), turn("assistant", "a!"), THOUGHT], 2))
    assert [len(m.parts) for m in conversation.messages] == [1, 2]
    assert votes(conversation) == [None, "like"]


# --- several rows -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "vote"),
    [
        (["Like"], "like"),
        (["Like", "Dislike"], "dislike"),
        (["Like", ""], None),
        (["Like", "", "Dislike"], "dislike"),
        (["Like", "Spam"], None),
    ],
)
def test_the_last_vote_on_a_message_counts_and_all_are_kept(options: list[str], vote: str | None) -> None:
    conversation = told(*(row(ASKED, 1, option, minutes=n) for n, option in enumerate(options)))
    assert votes(conversation) == [None, vote]
    flags = (conversation.messages[1].raw or {})["flags"]
    assert isinstance(flags, list)
    assert [flag["value"] for flag in flags] == options
    assert (conversation.updated_at_us or 0) - BEGIN_US == (len(options) - 1) * 60_000_000


def test_rows_of_which_one_begins_with_the_other_are_one_conversation() -> None:
    conversation = told(row(ASKED, 1), row(ON, 3, "Dislike", minutes=5), row(ASKED, 1, "", minutes=6))
    assert words(conversation) == ["a?", "a!", "b?", "b!"]
    assert votes(conversation) == [None, None, None, "dislike"]
    assert conversation.place == "item 2"


def test_also_where_other_rows_stand_between_them() -> None:
    other = [turn("user", "x?"), turn("assistant", "x!")]
    found = rows(row(ASKED, 1), row(other, 1), row(ON, 3), row(other, 1, "Dislike"))
    assert [votes(c) for c in found.conversations] == [[None, "like", None, "like"], [None, "dislike"]]


def test_what_was_said_otherwise_is_another_conversation() -> None:
    regenerated = [ASKED[0], turn("assistant", "a.")]
    found = rows(row(ON, 1), row(regenerated, 1), row([*regenerated, turn("user", "c?")], 1, "Dislike"))
    assert [words(c) for c in found.conversations] == [["a?", "a!", "b?", "b!"], ["a?", "a.", "c?"]]
    assert [votes(c)[1] for c in found.conversations] == ["like", "dislike"]


def test_the_same_words_weeks_later_are_another_conversation() -> None:
    found = rows(row(ASKED, 1), row(ASKED, 1, "Dislike", minutes=8 * 24 * 60))
    assert [votes(c) for c in found.conversations] == [[None, "like"], [None, "dislike"]]
    assert len({c.id for c in found.conversations}) == 2


def test_what_a_page_adds_to_a_message_later_does_not_part_a_conversation() -> None:
    bare = [ASKED[0], {"role": "assistant", "content": "a!", "metadata": {"status": "pending"}}]
    assert len(told(row(bare, 1), row(ON, 3)).messages) == 4


def test_a_log_that_has_grown_tells_of_the_same_conversation() -> None:
    first = row(ASKED, 1)
    assert told(first).id == told(first, row(ON, 3, minutes=5)).id
    assert told(row(ASKED, 1)).id != told(row(ASKED, 1, minutes=1)).id


# --- contents -----------------------------------------------------------------------------------------------

PNG: dict[str, object] = {
    "path": "/tmp/gradio/1/p.png",
    "url": None,
    "size": 7,
    "orig_name": "p.png",
    "mime_type": "image/png",
    "meta": {},
}
SHOWN = IncomingFile(name="p.png", media_type="image/png", size_bytes=7, pointer="/tmp/gradio/1/p.png")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("x", (Text("x"),)),
        ("", ()),
        (None, ()),
        ([], ()),
        ([{"type": "text", "text": "x"}], (Text("x"),)),
        (
            [{"type": "text", "text": "x"}, {"type": "file", "file": PNG, "alt_text": None}],
            (Text("x"), SHOWN),
        ),
        (PNG, (SHOWN,)),
        ({"path": "/tmp/a/b.txt"}, (IncomingFile(name="b.txt", pointer="/tmp/a/b.txt"),)),
        ({"path": "/tmp/1", "alt_text": "a plot"}, (IncomingFile(name="a plot", pointer="/tmp/1"),)),
        ([{"type": "component", "component": "image", "value": PNG}], (SHOWN,)),
        ({"component": "html", "value": "<b>"}, (Text('{"component": "html", "value": "<b>"}'),)),
        ({"text": "x", "files": [PNG]}, (Text("x"), SHOWN)),
        (["x", "y", "z"], (Text("x"), Text("y"), Text("z"))),
        (5, (Text("5"),)),
    ],
)
def test_contents_of_all_versions(content: object, parts: tuple[object, ...]) -> None:
    conversation = told(row([turn("user", "a?"), turn("assistant", content)], 1))
    assert conversation.messages[1].parts == parts


def test_options_and_unknown_roles_are_kept() -> None:
    conversation = told(
        row(
            [turn("judge", "hm"), turn("system", "be"), turn("assistant", "a!", options=[{"value": "b?"}])], 2
        )
    )
    judge, system, answer = conversation.messages
    assert (judge.role, judge.hidden, judge.raw) == ("system", True, {"role": "judge"})
    assert (system.role, system.hidden, system.raw) == ("system", False, None)
    assert (answer.raw or {})["options"] == [{"value": "b?"}]


def test_a_file_with_a_conversation_longer_than_csv_allows() -> None:
    long = [turn("user", 'a\n"b", c\n' * 20_000), turn("assistant", "x")]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADER)
    writer.writerow(row(long, 1))
    (conversation,) = read_source(io.BytesIO(text.getvalue().encode()))
    assert isinstance(conversation, Incoming)
    assert conversation.source == "gradio"
    assert words(conversation)[0] == 'a\n"b", c\n' * 20_000


def test_a_log_larger_than_what_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatcore.formats.logs.gradio.grouped", partial(grouped, max_bytes=1))
    talks = [[turn("user", f"{n}?"), turn("assistant", "!"), turn("user", "?")] for n in range(20)]
    found = rows(*(row(talk[:2], 1) for talk in talks), *(row(talk, 1, "Dislike") for talk in talks))
    assert found.unread == []
    assert sorted(words(c)[0] for c in found.conversations) == sorted(f"{n}?" for n in range(20))
    assert all(votes(c) == [None, "dislike", None] for c in found.conversations)
