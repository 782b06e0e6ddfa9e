"""Training sets hold what trainers may learn from: section by section, on trees written by hand."""

from datetime import timedelta

import pytest

from chatcore.filters import ExportFilter
from chatcore.formats.format import WriteFormat, WriteOptions
from chatcore.formats.writers.training import DPO, KTO, OPENAI_DPO, SFT
from chatcore.messages import (
    Attachment,
    File,
    Part,
    Reasoning,
    Settings,
    Status,
    Text,
    ToolCall,
    ToolResult,
)
from chatcore.views import Tree
from tests.formats.trees import START, lines, node, said, tree

PHOTO = File(
    Attachment(name="cat.png", media_type="image/png", size_bytes=1, sha256="a" * 64, path="files/aa")
)
CALL = ToolCall("1", "look", "{}")
RESULT = ToolResult("1", "found")


def two_answers(first: object = "like", second: object = "dislike") -> Tree:
    """A question with two answers, each with its vote."""
    return tree(
        node("q", None, "user", "What?"),
        node("a1", "q", "assistant", "This.", votes=[first] if first else []),  # type: ignore[list-item]
        node("a2", "q", "assistant", "That.", votes=[second] if second else []),  # type: ignore[list-item]
    )


# --- one vote is one row


def test_a_vote_is_a_row_with_the_path_above_it() -> None:
    given = tree(
        node("q", None, "user", "What?"),
        node("a", "q", "assistant", "This."),
        node("q2", "a", "user", "Why?"),
        node("a2", "q2", "assistant", "So.", votes=["like"]),
        node("q3", "a2", "user", "And?"),
        node("a3", "q3", "assistant", "Well.", votes=["dislike"]),
    )
    first, second = lines(KTO, given)
    assert said(first["prompt"]) == [("user", "What?"), ("assistant", "This."), ("user", "Why?")]
    assert (said(first["completion"]), first["label"]) == ([("assistant", "So.")], True)
    assert [text for _, text in said(second["prompt"])] == ["What?", "This.", "Why?", "So.", "And?"]
    assert (said(second["completion"]), second["label"]) == ([("assistant", "Well.")], False)


def test_votes_off_the_shown_path_count_too() -> None:
    given = tree(
        node("q", None, "user", "What?"),
        node("a1", "q", "assistant", "This.", votes=["like"]),
        node("a2", "q", "assistant", "That."),
        head="a2",
    )
    assert [said(row["completion"]) for row in lines(KTO, given)] == [[("assistant", "This.")]]


@pytest.mark.parametrize(
    ("votes", "label"),
    [
        (["like", "like", "dislike"], [True]),
        (["dislike", "dislike", "like"], [False]),
        (["like", "dislike"], []),
    ],
)
def test_the_majority_of_voters_decides(votes: list[object], label: list[bool]) -> None:
    answer = node("a", "q", "assistant", "This.", votes=votes)  # type: ignore[arg-type]
    assert [row["label"] for row in lines(KTO, tree(node("q", None, "user", "What?"), answer))] == label


# --- pairs


@pytest.mark.parametrize(
    ("known", "keys"),
    [(DPO, ("chosen", "rejected")), (OPENAI_DPO, ("preferred_output", "non_preferred_output"))],
)
def test_a_liked_and_a_disliked_answer_are_a_pair(known: WriteFormat, keys: tuple[str, str]) -> None:
    for given, texts in (
        (two_answers(), ("This.", "That.")),
        (two_answers("dislike", "like"), ("That.", "This.")),
    ):
        (row,) = lines(known, given)
        prompt = row["prompt"] if known is DPO else row["input"]["messages"]  # type: ignore[index]
        assert said(prompt) == [("user", "What?")]
        assert tuple(said(row[key]) for key in keys) == tuple([("assistant", text)] for text in texts)


@pytest.mark.parametrize("known", [DPO, OPENAI_DPO])
@pytest.mark.parametrize(
    ("first", "second"), [("like", None), (None, "dislike"), ("like", "like"), (None, None)]
)
def test_one_vote_alone_makes_no_pair(known: WriteFormat, first: object, second: object) -> None:
    assert lines(known, two_answers(first, second)) == []


def test_answers_to_different_messages_are_no_pair() -> None:
    given = tree(
        node("q", None, "user", "What?"),
        node("p", None, "user", "What?"),
        node("a1", "q", "assistant", "This.", votes=["like"]),
        node("a2", "p", "assistant", "That.", votes=["dislike"]),
    )
    assert lines(DPO, given) == []


def test_each_liked_answer_stands_against_each_disliked_one() -> None:
    answers = [
        node("a1", "q", "assistant", "1", votes=["like"]),
        node("a2", "q", "assistant", "2", votes=["dislike"]),
        node("a3", "q", "assistant", "3", votes=["like"]),
        node("a4", "q", "assistant", "4", votes=["dislike"]),
        node("a5", "q", "assistant", "5"),
    ]
    rows = lines(DPO, tree(node("q", None, "user", "What?"), *answers))
    found = {(said(row["chosen"])[0][1], said(row["rejected"])[0][1]) for row in rows}
    assert found == {("1", "2"), ("1", "4"), ("3", "2"), ("3", "4")}
    assert len(rows) == 4


def test_ranks_make_pairs_and_votes_overrule_them() -> None:
    answers = [
        node("a1", "q", "assistant", "worst", raw={"rank": 2}),
        node("a2", "q", "assistant", "best", raw={"rank": 0}),
        node("a3", "q", "assistant", "middle", raw={"rank": 1}),
        node("a4", "q", "assistant", "unranked", raw={"rank": None}),
        node("a5", "q", "assistant", "odd", raw={"rank": True}),
    ]
    question = node("q", None, "user", "What?")
    rows = lines(DPO, tree(question, *answers))
    found = {(said(row["chosen"])[0][1], said(row["rejected"])[0][1]) for row in rows}
    assert found == {("best", "middle"), ("best", "worst"), ("middle", "worst")}
    voted = [
        node("a1", "q", "assistant", "worst", raw={"rank": 2}, votes=["like"]),
        node("a2", "q", "assistant", "best", raw={"rank": 0}, votes=["dislike"]),
    ]
    (row,) = lines(DPO, tree(question, *voted))
    assert said(row["chosen"]) == [("assistant", "worst")]


def test_many_answers_make_no_more_work_than_pairs() -> None:
    """Each looked at beside each other, these would take minutes."""
    count = 20_000
    rank = [{"rank": number} if number < 200 else None for number in range(count)]
    answers = [node(f"a{number}", "q", "assistant", f"{number}", raw=rank[number]) for number in range(count)]
    answers += [
        node(f"v{number}", "q", "assistant", "same" if number < 4_000 else f"{number}", votes=[vote])
        for number in range(4_002)
        for vote in ("like" if number % 2 else "dislike",)
    ]
    rows = lines(DPO, tree(node("q", None, "user", "What?"), *answers))
    by_rank = [(place, other) for place in range(200) for other in range(place + 1, min(place + 17, 200))]
    found = [(said(row["chosen"])[0][1], said(row["rejected"])[0][1]) for row in rows]
    assert found[-len(by_rank) :] == [(str(better), str(worse)) for better, worse in by_rank]
    votes = found[: -len(by_rank)]
    assert len(votes) == 4_001
    assert {*votes} == {("same", "4000"), ("4001", "same"), ("4001", "4000")}


def test_answers_of_the_same_rank_are_no_pair() -> None:
    ranks = [1, 0, 1, 0, 3]
    answers = [
        node(f"a{place}", "q", "assistant", f"{place}", raw={"rank": rank})
        for place, rank in enumerate(ranks)
    ]
    rows = lines(DPO, tree(node("q", None, "user", "What?"), *answers))
    found = sorted((said(row["chosen"])[0][1], said(row["rejected"])[0][1]) for row in rows)
    pairs = ["04", "10", "12", "14", "24", "30", "32", "34"]
    assert [better + worse for better, worse in found] == pairs


@pytest.mark.parametrize("known", [SFT, KTO, DPO, OPENAI_DPO])
def test_who_writes_nothing_can_be_stopped(known: WriteFormat) -> None:
    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    nobody_asked = [
        node("q", None, "assistant", "Hello."),
        node("a1", "q", "assistant", "1", votes=["like"]),
        node("a2", "q", "assistant", "2", votes=["dislike"]),
    ]
    only = ExportFilter() if known in (SFT, KTO) else ExportFilter(model="another")
    assert lines(known, tree(*nobody_asked), WriteOptions(only=only, all_paths=True)) == []
    with pytest.raises(Stopped):
        lines(known, tree(*nobody_asked), WriteOptions(only=only, all_paths=True, step=stop))


def test_the_same_words_are_no_pair() -> None:
    given = tree(
        node("q", None, "user", "What?"),
        node("a1", "q", "assistant", "This.", votes=["like"]),
        node("a2", "q", "assistant", "This.", votes=["dislike"]),
    )
    assert lines(DPO, given) == []


# --- what is skipped


@pytest.mark.parametrize("known", [SFT, KTO, DPO, OPENAI_DPO])
@pytest.mark.parametrize(
    ("parts", "status", "hidden"),
    [
        ((Text("This."),), "complete", True),
        ((), "queued", False),
        ((Text("Th"),), "running", False),
        ((Text("This."),), "failed", False),
        ((Text("This."),), "interrupted", False),
        ((), "complete", False),
        ((Text(" \n"),), "complete", False),
        ((CALL, RESULT), "complete", False),
        ((Reasoning("Hm."),), "complete", False),
        ((PHOTO,), "complete", False),
    ],
)
def test_what_no_trainer_should_see_is_skipped(
    known: WriteFormat, parts: tuple[Part, ...], status: Status, hidden: bool
) -> None:
    given = tree(
        node("q", None, "user", "What?"),
        node("a1", "q", "assistant", *parts, status=status, hidden=hidden, votes=["like"]),
        node("a2", "q", "assistant", "Bad.", votes=["dislike"]),
        head="a1",
    )
    assert [row for row in lines(known, given) if row.get("label") is not False] == []


def test_an_answer_to_nothing_is_skipped() -> None:
    given = tree(
        node("a", None, "assistant", "Welcome!", votes=["like"]),
        node("b", "a", "assistant", "Hello?", votes=["like"]),
        node("s", "b", "system", "Be kind."),
        node("c", "s", "assistant", "Yes.", votes=["like"]),
    )
    assert lines(KTO, given) == lines(SFT, given) == []


def test_a_prompt_has_what_was_said_and_no_more() -> None:
    given = tree(
        node("s", None, "system", "Secret.", hidden=True),
        node("q", "s", "user", "What?"),
        node("f", "q", "assistant", "Oops", status="failed"),
        node("p", "f", "user", "Again: what?"),
        node("a", "p", "assistant", Reasoning("Hm."), "This.", votes=["like"]),
        settings=Settings(system_prompt="Be brief."),
    )
    (row,) = lines(KTO, given)
    assert said(row["prompt"]) == [("system", "Be brief."), ("user", "What?\n\nAgain: what?")]
    assert said(row["completion"]) == [("assistant", "This.")]
    (row,) = lines(KTO, given, WriteOptions(system=False))
    assert said(row["prompt"]) == [("user", "What?\n\nAgain: what?")]


def test_reasoning_comes_when_it_is_asked_for() -> None:
    given = tree(
        node("q", None, "user", "What?"),
        node("a", "q", "assistant", Reasoning("Hm."), "This.", votes=["like"]),
    )
    (row,) = lines(KTO, given, WriteOptions(reasoning=True))
    assert said(row["completion"]) == [("assistant", "<think>\nHm.\n</think>\n\nThis.")]


def test_a_system_prompt_is_not_said_twice() -> None:
    given = tree(
        node("s", None, "system", "Be brief."),
        node("q", "s", "user", "What?"),
        node("a", "q", "assistant", "This."),
        settings=Settings(system_prompt="Be brief."),
    )
    (row,) = lines(SFT, given)
    assert said(row["prompt"]) == [("system", "Be brief."), ("user", "What?")]


def test_tools_are_left_out_and_their_answer_stays() -> None:
    given = tree(
        node("q", None, "user", "What?"),
        node("c", "q", "assistant", "Let me look.", CALL),
        node("r", "c", "tool", RESULT),
        node("a", "r", "assistant", "This.", votes=["like"]),
    )
    (row,) = lines(KTO, given)
    assert said(row["prompt"]) == [("user", "What?")]
    given = tree(
        node("q", None, "user", "What?"),
        node("a", "q", "assistant", "I look.", CALL, RESULT, "This.", votes=["like"]),
    )
    (row,) = lines(KTO, given)
    assert said(row["completion"]) == [("assistant", "I look.\n\nThis.")]


def test_a_file_stands_in_a_prompt_by_its_name() -> None:
    given = tree(node("q", None, "user", PHOTO), node("a", "q", "assistant", "A cat.", votes=["like"]))
    (row,) = lines(KTO, given)
    assert said(row["prompt"]) == [("user", "[cat.png]")]


# --- fine-tuning


def test_each_answer_of_the_shown_path_is_learnt_once() -> None:
    given = tree(
        node("q", None, "user", "What?"),
        node("a1", "q", "assistant", "This."),
        node("a2", "q", "assistant", "That."),
        node("q2", "a2", "user", "Why?"),
        node("a3", "q2", "assistant", "So."),
    )
    assert [said(row["completion"])[0][1] for row in lines(SFT, given)] == ["That.", "So."]
    rows = lines(SFT, given, WriteOptions(all_paths=True))
    assert [said(row["completion"])[0][1] for row in rows] == ["This.", "That.", "So."]


def test_nothing_disliked_is_learnt_unless_asked_for() -> None:
    given = two_answers()
    every = WriteOptions(all_paths=True)
    assert [said(row["completion"])[0][1] for row in lines(SFT, given, every)] == ["This."]
    disliked = WriteOptions(all_paths=True, only=ExportFilter(rating="dislike"))
    assert [said(row["completion"])[0][1] for row in lines(SFT, given, disliked)] == ["That."]


# --- filters


@pytest.mark.parametrize(
    ("only", "texts"),
    [
        (ExportFilter(rating="like"), ["1", "3"]),
        (ExportFilter(rating="dislike"), ["2"]),
        (ExportFilter(model="m"), ["2", "3"]),
        (ExportFilter(rating="like", model="m"), ["3"]),
        (ExportFilter(since=START + timedelta(minutes=4)), ["2", "3"]),
        (ExportFilter(until=START + timedelta(minutes=4)), ["1"]),
        (ExportFilter(since=START + timedelta(minutes=4), until=START + timedelta(minutes=5)), ["2"]),
    ],
)
def test_answers_are_filtered_one_by_one(only: ExportFilter, texts: list[str]) -> None:
    given = tree(
        node("q", None, "user", "What?"),
        node("a_1", "q", "assistant", "1", votes=["like"]),
        node("a__2", "q", "assistant", "2", votes=["dislike"], model="m"),
        node("a___3", "q", "assistant", "3", votes=["like"], model="m"),
    )
    assert [said(row["completion"])[0][1] for row in lines(KTO, given, WriteOptions(only=only))] == texts


def test_of_a_pair_one_must_be_wanted() -> None:
    given = tree(
        node("q", None, "user", "What?"),
        node("a1", "q", "assistant", "1", votes=["like"], model="m"),
        node("a2", "q", "assistant", "2", votes=["dislike"], model="n"),
    )
    assert len(lines(DPO, given, WriteOptions(only=ExportFilter(model="n")))) == 1
    assert lines(DPO, given, WriteOptions(only=ExportFilter(model="x"))) == []
