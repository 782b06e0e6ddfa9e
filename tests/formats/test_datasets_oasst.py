"""OpenAssistant: trees, roots, threads and single messages, and what of them is left out."""

import random

import pytest

from chatcore.formats.datasets.oasst import OASST
from chatcore.formats.format import ReadOptions
from chatcore.incoming import Incoming, Unread
from tests.formats.telling import all_of, one_of, parents_of, records_of, turns_of, votes_of

ALL = ReadOptions(unfinished=True)
DAY = "2023-02-07T17:29:24.727400+00:00"


def node(name: str, role: str, *replies: dict[str, object], **more: object) -> dict[str, object]:
    made: dict[str, object] = {"message_id": name, "text": f"{name}!", "role": role, **more}
    return {**made, "replies": [{**reply, "parent_id": name} for reply in replies]}


def tree(prompt: dict[str, object], state: str = "ready_for_export") -> dict[str, object]:
    return {"message_tree_id": prompt["message_id"], "tree_state": state, "prompt": prompt, "origin": "web"}


SMALL = node(
    "q",
    "prompter",
    node("a", "assistant", rank=1, emojis={"+1": 1, "-1": 3, "red_flag": 1}),
    node(
        "b", "assistant", node("r", "prompter", emojis={"+1": 4}), rank=0, emojis={"+1": 2, "_skip_reply": 9}
    ),
    created_date=DAY,
    lang="en",
    labels={"spam": {"value": 0.0, "count": 3}},
)

PARENTS = {"q": None, "a": "q", "b": "q", "r": "b"}


def flat(
    prompt: dict[str, object], known: object = "q", state: str = "ready_for_export"
) -> list[dict[str, object]]:
    """The same, as on Hugging Face."""
    lines: list[dict[str, object]] = []
    stack = [prompt]
    while stack:
        line = dict(stack.pop())
        replies = line.pop("replies")
        assert isinstance(replies, list)
        stack += reversed(replies)
        if isinstance(emojis := line.get("emojis"), dict):
            line["emojis"] = {"name": list(emojis), "count": list(emojis.values())}
        if isinstance(labels := line.get("labels"), dict):
            columns = {key: [label[key] for label in labels.values()] for key in ("value", "count")}
            line["labels"] = {"name": list(labels), **columns}
        lines.append({"parent_id": None, **line, "message_tree_id": known, "tree_state": state})
    return lines


def test_a_tree() -> None:
    conversation = one_of(OASST, tree(SMALL))
    assert conversation.id == "q"
    assert turns_of(conversation) == ["user: q!", "assistant: a!", "assistant: b!", "user: r!"]
    assert parents_of(conversation) == PARENTS
    assert conversation.head == "r", "below the answer of the best rank"
    assert conversation.raw == {"tree_state": "ready_for_export", "origin": "web"}
    first = conversation.messages[0]
    assert first.created_at_us == 1_675_790_964_727_400
    assert first.raw == {"lang": "en", "labels": {"spam": {"value": 0.0, "count": 3}}}


def test_votes_are_those_of_answers_and_all_counts_are_kept() -> None:
    conversation = one_of(OASST, tree(SMALL))
    assert votes_of(conversation.messages) == {"a!": "dislike", "b!": "like"}
    by_id = {message.id: message for message in conversation.messages}
    assert by_id["a"].raw == {"rank": 1, "emojis": {"+1": 1, "-1": 3, "red_flag": 1}}
    assert by_id["r"].raw == {"emojis": {"+1": 4}}


@pytest.mark.parametrize(
    ("emojis", "vote"),
    [
        ({"+1": 1}, "like"),
        ({"-1": 1}, "dislike"),
        ({"+1": 2, "-1": 2}, None),
        ({"_skip_reply": 3, "red_flag": 1}, None),
        ({"+1": "many"}, None),
        (None, None),
        ([], None),
        ({"name": ["+1"], "count": []}, None),
        ({"name": ["-1", "+1"], "count": [2, 1]}, "dislike"),
    ],
)
def test_one_vote_for_many(emojis: object, vote: str | None) -> None:
    conversation = one_of(OASST, tree(node("q", "assistant", emojis=emojis)))
    assert votes_of(conversation.messages) == ({} if vote is None else {"q!": vote})


def test_a_root_with_its_replies() -> None:
    assert parents_of(one_of(OASST, SMALL)) == PARENTS
    lone = one_of(OASST, {**node("x", "prompter"), "parent_id": None, "replies": None, "labels": None})
    assert (lone.id, turns_of(lone)) == ("x", ["user: x!"])


def test_a_thread() -> None:
    lines = flat(SMALL)
    conversation = one_of(OASST, {"thread_id": "r", "thread": [lines[0], lines[2], lines[3]]})
    assert conversation.id == "r"
    assert parents_of(conversation) == {"q": None, "b": "q", "r": "b"}


@pytest.mark.parametrize("seed", range(5))
def test_single_messages_in_any_order(seed: int) -> None:
    other = node("x", "prompter", node("y", "assistant"))
    lines = [*flat(SMALL), *flat(other, "x")]
    random.Random(seed).shuffle(lines)
    found = all_of(OASST, *lines)
    conversations = {one.id: one for one in found if isinstance(one, Incoming)}
    assert len(found) == len(conversations) == 2
    assert parents_of(conversations["q"]) == PARENTS
    assert parents_of(conversations["x"]) == {"x": None, "y": "x"}
    assert conversations["q"].head == "r"


def test_both_forms_say_the_same() -> None:
    nested = one_of(OASST, {**tree(SMALL), "origin": None})
    (lines,) = all_of(OASST, *flat(SMALL))
    assert isinstance(lines, Incoming)
    assert (nested.id, nested.messages, nested.raw) == (lines.id, lines.messages, lines.raw)


def test_orphans_stay_in_their_conversation() -> None:
    lines = [line for line in flat(SMALL) if line["message_id"] != "b"]
    (found,) = all_of(OASST, *lines)
    assert isinstance(found, Incoming)
    assert parents_of(found) == {"q": None, "a": "q", "r": "b"}


def test_single_messages_that_name_no_tree_are_told_apart_by_their_parents() -> None:
    other = node("x", "prompter", node("y", "assistant"))
    lines = [*flat(SMALL, None), *flat(other, None)]
    random.Random(1).shuffle(lines)
    found = [one for one in all_of(OASST, *lines) if isinstance(one, Incoming)]
    assert sorted(map(parents_of, found), key=len) == [{"x": None, "y": "x"}, PARENTS]
    assert sorted(one.id or "" for one in found) == ["q", "x"]


# --- what is left out

BAD = node(
    "q",
    "prompter",
    node("gone", "assistant", node("below", "prompter"), deleted=True),
    node("spam", "assistant", node("spam2", "prompter", review_result=False), review_result=False),
    node("fine", "assistant", review_result=None),
)


@pytest.mark.parametrize(
    "lines", [[tree(BAD)], flat(BAD), flat(BAD)[::-1]], ids=["tree", "flat", "backwards"]
)
def test_deleted_messages_and_spam_are_left_out_and_counted(lines: list[object]) -> None:
    (found,) = all_of(OASST, *lines)
    assert isinstance(found, Incoming)
    assert parents_of(found) == {"q": None, "fine": "q"}
    assert found.skipped == {"deleted": 1, "below a deleted or spam message": 1, "spam": 2}


def test_all_is_taken_when_it_is_asked_for() -> None:
    conversation = one_of(OASST, tree(BAD, "growing"), options=ALL)
    assert len(conversation.messages) == 6
    assert conversation.skipped == {}
    assert conversation.raw is not None
    assert conversation.raw["tree_state"] == "growing"


@pytest.mark.parametrize(
    "lines", [[tree(SMALL, "growing")], flat(SMALL, state="growing")], ids=["tree", "flat"]
)
def test_trees_that_are_not_ready_are_skipped(lines: list[object]) -> None:
    (found,) = all_of(OASST, *lines)
    assert isinstance(found, Unread)
    assert (found.kind, found.id, found.reason) == (
        "skipped",
        "q",
        "Its tree is “growing”, not “ready_for_export”.",
    )
    assert (found.record or b"").count(b"\n") == len(lines) - 1


def test_a_tree_of_which_nothing_is_left() -> None:
    (found,) = all_of(OASST, tree(node("q", "prompter", node("a", "assistant"), deleted=True)))
    assert isinstance(found, Unread)
    assert found.reason == "It has no messages but 1 deleted; 1 below a deleted or spam message."
    (empty,) = all_of(OASST, {"message_tree_id": "t", "prompt": None})
    assert isinstance(empty, Unread)
    assert (empty.kind, empty.reason) == ("skipped", "It has no messages.")


def test_a_message_that_is_given_twice_counts_once() -> None:
    lines = flat(SMALL)
    (found,) = all_of(OASST, *lines, lines[1])
    assert isinstance(found, Incoming)
    assert parents_of(found) == PARENTS
    assert found.skipped == {"given twice": 1}


def test_two_messages_of_one_id_are_both_given_on() -> None:
    lines = flat(SMALL)
    (found,) = all_of(OASST, *lines, {**lines[1], "text": "other"})
    assert isinstance(found, Incoming)
    assert len(found.messages) == 5


def test_a_very_deep_tree() -> None:
    deep = node("0", "prompter")
    lines = flat(deep, "0")
    for number in range(1, 20_000):
        role = "assistant" if number % 2 else "prompter"
        lines.append({**lines[0], "message_id": str(number), "parent_id": str(number - 1), "role": role})
    (found,) = all_of(OASST, *lines)
    assert isinstance(found, Incoming)
    assert (len(found.messages), found.head) == (20_000, "19999")


def test_what_is_no_line_of_it_is_said_among_the_others() -> None:
    line, *others = flat(SMALL)
    found = all_of(OASST, line, {"x": 1}, 7, *others, tree(node("z", "prompter")))
    assert [type(one) for one in found] == [Incoming, Unread, Unread, Incoming]
    assert [one.place for one in found if isinstance(one, Unread)] == ["line 2", "line 3"]


def test_odd_nodes_do_not_stop_the_tree() -> None:
    prompt = {**node("q", "prompter"), "replies": [None, 7, {"text": None, "role": 3}, {"message_id": 5}]}
    conversation = one_of(OASST, tree(prompt))
    assert turns_of(conversation) == ["user: q!", "system: ", "system: "]
    assert [message.parent for message in conversation.messages] == [None, "q", "q"]
    assert conversation.messages[1].raw == {"role": 3}


def test_kinds_are_recognised() -> None:
    values = [tree(SMALL), {**SMALL, "parent_id": None}, flat(SMALL)[0], {"thread_id": "r", "thread": []}]
    assert [OASST.recognises(record) for record in records_of(*values, {"message_id": 1}, 3)] == [
        *([True] * 4),
        *(False, False),
    ]


def test_messages_that_go_round_in_a_circle_are_given_on() -> None:
    lines = [
        {"message_id": name, "parent_id": above, "role": "assistant", "text": name}
        for name, above in ("ab", "bc", "ca", "dd")
    ]
    found = [one for one in all_of(OASST, *lines) if isinstance(one, Incoming)]
    assert sorted(len(one.messages) for one in found) == [1, 3]
    assert all(one.head is None for one in found), "where it begins is decided by whoever stores it"
