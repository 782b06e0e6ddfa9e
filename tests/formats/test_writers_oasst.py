"""OASST trees keep branches, counts, labels and ranks."""

import msgspec

from chatcore.formats.writers.oasst import OASST
from tests.formats.trees import lines, node, tree

LABELS = {"quality": {"value": 0.5, "count": 2}}


def test_branches_are_nested() -> None:
    given = tree(
        node("q", None, "user", "What?"),
        node("a1", "q", "assistant", "This.", votes=["like", "like", "dislike"]),
        node("a2", "q", "assistant", "That.", model="m"),
        node("q2", "a1", "user", "Why?"),
    )
    (line,) = lines(OASST, given)
    assert (line["message_tree_id"], line["tree_state"]) == ("q", "ready_for_export")
    root = line["prompt"]
    assert isinstance(root, dict)
    assert (root["message_id"], root["parent_id"], root["role"], root["text"]) == (
        "q",
        None,
        "prompter",
        "What?",
    )
    assert root["created_date"] == "2026-01-31T12:01:00Z"
    first, second = root["replies"]
    assert (first["parent_id"], first["emojis"], first["synthetic"]) == ("q", {"+1": 2, "-1": 1}, False)
    assert (second["model_name"], second["synthetic"], second["replies"]) == ("m", True, [])
    assert "emojis" not in second
    assert [reply["text"] for reply in first["replies"]] == ["Why?"]


def test_what_oasst_said_comes_back() -> None:
    raw = {
        "lang": "en",
        "rank": 1,
        "review_count": 3,
        "review_result": True,
        "synthetic": False,
        "emojis": {"+1": 3, "-1": 1, "_skip_reply": 2},
        "labels": LABELS,
        "detoxify": {"toxicity": 0.1},
        "user_id": 7,
    }
    given = tree(
        node("q", None, "user", "What?"),
        node("a", "q", "assistant", "This.", votes=["like"], model="m", raw=raw),
        raw={"tree_state": "growing"},
    )
    (line,) = lines(OASST, given)
    assert line["tree_state"] == "growing"
    (answer,) = line["prompt"]["replies"]  # type: ignore[index]
    assert {key: answer[key] for key in raw if key in answer} == {
        k: v for k, v in raw.items() if k != "user_id"
    }


def test_the_flat_form_of_counts_and_labels_is_read_too() -> None:
    raw = {
        "emojis": {"name": ["+1", "red_flag"], "count": [2, 1]},
        "labels": {"name": ["quality"], "value": [0.5], "count": [2]},
    }
    (line,) = lines(OASST, tree(node("q", None, "user", "What?", votes=["like"], raw=raw)))
    root = line["prompt"]
    assert isinstance(root, dict)
    assert (root["emojis"], root["labels"]) == ({"+1": 2, "red_flag": 1}, LABELS)


def test_a_vote_that_was_changed_here_counts() -> None:
    raw = {"emojis": {"+1": 3, "_skip_reply": 1}}
    changed = tree(node("q", None, "user", "What?", votes=["dislike"], raw=raw))
    taken_back = tree(node("q", None, "user", "What?", raw=raw))
    (first,), (second,) = lines(OASST, changed), lines(OASST, taken_back)
    assert first["prompt"]["emojis"] == {"_skip_reply": 1, "-1": 1}  # type: ignore[index]
    assert second["prompt"]["emojis"] == {"_skip_reply": 1}  # type: ignore[index]


def test_what_has_no_place_is_left_out_and_its_children_move_up() -> None:
    given = tree(
        node("s", None, "system", "Be kind."),
        node("q", "s", "user", "What?"),
        node("f", "q", "assistant", "Oops", status="failed"),
        node("p", "f", "user", "Again?"),
        node("t", "p", "tool", "blue"),
        node("a", "t", "assistant", "Blue."),
    )
    (line,) = lines(OASST, given)
    assert line["message_tree_id"] == "q"
    (again,) = line["prompt"]["replies"]  # type: ignore[index]
    assert (again["text"], again["parent_id"]) == ("Again?", "q")
    assert [reply["text"] for reply in again["replies"]] == ["Blue."]


def test_each_root_is_a_tree() -> None:
    given = tree(
        node("q", None, "user", "What?"), node("p", None, "user", "Which?"), node("a", "p", "assistant", "x")
    )
    assert [line["message_tree_id"] for line in lines(OASST, given)] == ["q", "p"]


def test_a_tree_too_deep_for_readers_is_written_flat() -> None:
    nodes = [node("m0", None, "user", "0")]
    nodes += [node(f"m{n}", f"m{n - 1}", "assistant" if n % 2 else "user", str(n)) for n in range(1, 5_000)]
    found = lines(OASST, tree(*nodes))
    assert len(found) == 5_000
    assert {line["message_tree_id"] for line in found} == {"m0"}
    assert (found[4_999]["parent_id"], "replies" in found[4_999]) == ("m4998", False)
    nested = lines(OASST, tree(*nodes[:300]))
    assert len(nested) == 1
    msgspec.json.decode(msgspec.json.encode(nested[0]))
