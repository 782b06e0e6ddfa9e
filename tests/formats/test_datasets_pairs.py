"""Preference, KTO and OpenAI's pairs: every shape of them."""

import pytest

from chatcore.formats.datasets.kto import KTO
from chatcore.formats.datasets.openai_dpo import OPENAI_DPO
from chatcore.formats.datasets.preference import PREFERENCE
from chatcore.formats.format import ReadFormat
from chatcore.incoming import Unread
from chatcore.messages import Settings
from tests.formats.telling import all_of, one_of, parents_of, turns_of, votes_of


def user(words: str) -> dict[str, object]:
    return {"role": "user", "content": words}


def answer(words: str) -> dict[str, object]:
    return {"role": "assistant", "content": words}


def part(role: str, words: str, weight: float) -> dict[str, object]:
    return {"role": role, "content": [{"type": "text", "value": words}], "loss_weight": weight}


PAIRS: dict[str, dict[str, object]] = {
    "LLaMA-Factory": {
        "conversations": [{"from": "human", "value": "q"}],
        "chosen": {"from": "gpt", "value": "good"},
        "rejected": {"from": "gpt", "value": "bad"},
    },
    "LLaMA-Factory v1": {
        "chosen_messages": [part("user", "q", 0.0), part("assistant", "good", 1.0)],
        "rejected_messages": [part("user", "q", 0.0), part("assistant", "bad", 1.0)],
    },
    "axolotl": {"messages": [user("q")], "chosen": answer("good"), "rejected": answer("bad")},
    "TRL with prompt": {"prompt": [user("q")], "chosen": [answer("good")], "rejected": [answer("bad")]},
    "TRL without prompt": {"chosen": [user("q"), answer("good")], "rejected": [user("q"), answer("bad")]},
    "TRL texts": {"prompt": "q", "chosen": "good", "rejected": "bad"},
    "UltraFeedback": {
        "prompt": "q",
        "chosen": [user("q"), answer("good")],
        "rejected": [user("q"), answer("bad")],
        "score_chosen": 8.5,
        "score_rejected": 3,
    },
    "hh-rlhf": {
        "chosen": "\n\nHuman: q\n\nAssistant: good",
        "rejected": "\n\nHuman: q\n\nAssistant: bad",
    },
    "a transcript as prompt": {
        "prompt": "\n\nHuman: q\n\nAssistant:",
        "chosen": " good".strip(),
        "rejected": "bad",
    },
    "instruction and question": {"question": "q", "chosen": "good", "rejected": "bad"},
    "OpenAI": {
        "input": {"messages": [user("q")]},
        "preferred_output": [answer("good")],
        "non_preferred_output": [answer("bad")],
    },
}


@pytest.mark.parametrize("value", PAIRS.values(), ids=PAIRS.keys())
def test_two_answers_stand_side_by_side(value: dict[str, object]) -> None:
    conversation = one_of(OPENAI_DPO if "input" in value else PREFERENCE, value)
    assert turns_of(conversation) == ["user: q", "assistant: good", "assistant: bad"]
    question, good, bad = conversation.messages
    assert (question.parent, good.parent, bad.parent) == (None, question.id, question.id)
    assert votes_of(conversation.messages) == {"good": "like", "bad": "dislike"}
    assert conversation.head == good.id
    assert not conversation.linear


def test_scores_and_others_are_kept() -> None:
    assert one_of(PREFERENCE, PAIRS["UltraFeedback"]).raw == {"score_chosen": 8.5, "score_rejected": 3}
    v1 = one_of(PREFERENCE, PAIRS["LLaMA-Factory v1"])
    assert [message.raw for message in v1.messages] == [
        {"loss_weight": 0.0},
        {"loss_weight": 1.0},
        {"loss_weight": 1.0},
    ]


def test_the_prompt_is_what_both_begin_with() -> None:
    start = [{"role": "system", "content": "s"}, user("a"), answer("b"), user("c")]
    value = {"chosen": [*start, answer("good")], "rejected": [*start, answer("bad"), user("d"), answer("e")]}
    conversation = one_of(PREFERENCE, value)
    assert parents_of(conversation) == {
        "0": None,
        "1": "0",
        "2": "1",
        "3": "2",
        "chosen": "3",
        "rejected": "3",
        "rejected.1": "rejected",
        "rejected.2": "rejected.1",
    }
    assert votes_of(conversation.messages) == {"good": "like", "bad": "dislike"}


def test_answers_of_several_turns_are_judged_where_they_part() -> None:
    asks = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f"}}]}
    good = [asks, {"role": "tool", "content": "3"}, answer("good")]
    conversation = one_of(PREFERENCE, {"prompt": [user("q")], "chosen": good, "rejected": [answer("bad")]})
    assert conversation.head == "chosen.2"
    assert [message.feedback is not None for message in conversation.messages] == [
        False,
        *(True, False, False),
        True,
    ]


def test_lists_that_part_at_a_question() -> None:
    value = {
        "chosen": [user("a"), user("b"), answer("good")],
        "rejected": [user("a"), user("c"), answer("bad")],
    }
    conversation = one_of(PREFERENCE, value)
    assert parents_of(conversation)["chosen"] == parents_of(conversation)["rejected"] == "0"
    assert votes_of(conversation.messages) == {"good": "like", "bad": "dislike"}


def test_equal_answers_stay_two() -> None:
    value = {"chosen": [user("q"), answer("a")], "rejected": [user("q"), answer("a")]}
    assert turns_of(one_of(PREFERENCE, value)) == ["user: q", "assistant: a", "assistant: a"]


def test_a_prompt_that_is_not_that_of_the_lists_is_kept() -> None:
    value = {**PAIRS["UltraFeedback"], "prompt": "another"}
    conversation = one_of(PREFERENCE, value)
    assert turns_of(conversation)[0] == "user: q"
    assert conversation.raw is not None
    assert conversation.raw["prompt"] == "another"


def test_a_prompt_beside_a_column_of_messages() -> None:
    value = {**PAIRS["UltraFeedback"], "messages": [user("q"), answer("good")]}
    conversation = one_of(PREFERENCE, value)
    assert len(conversation.messages) == 3
    assert conversation.raw is not None
    assert conversation.raw["messages"] == [user("q"), answer("good")]


def test_no_prompt_gives_two_roots() -> None:
    conversation = one_of(PREFERENCE, {"chosen": "good", "rejected": "bad"})
    assert parents_of(conversation) == {"chosen": None, "rejected": None}


def test_instruction_and_input_are_the_question() -> None:
    value = {"instruction": "Add", "input": "1 2", "system": "s", "chosen": "3", "rejected": "4"}
    conversation = one_of(PREFERENCE, value)
    assert turns_of(conversation)[0] == "user: Add\n1 2"
    assert conversation.settings == Settings(system_prompt="s")
    assert conversation.raw is None


def test_a_transcript_of_many_lines() -> None:
    start = "\n\nHuman: a\n\nb: c\n\nAssistant: d\n\nHuman: e\n\nAssistant:"
    conversation = one_of(PREFERENCE, {"chosen": f"{start} good\n\nmore", "rejected": f"{start} bad"})
    assert turns_of(conversation) == [
        *("user: a\n\nb: c", "assistant: d", "user: e"),
        *("assistant: good\n\nmore", "assistant: bad"),
    ]


def test_one_side_says_nothing() -> None:
    conversation = one_of(PREFERENCE, {"prompt": "q", "chosen": "good", "rejected": ""})
    assert turns_of(conversation) == ["user: q", "assistant: good"]
    assert votes_of(conversation.messages) == {"good": "like"}


def test_ranked_answers() -> None:
    value = {
        "prompt": "\n\nHuman: q\n\nAssistant: ",
        "answers": [
            {"answer": "worse", "model": "a", "rank": 2.0},
            {"answer": "best", "model": "b", "rank": 1.0, "extra": "x"},
        ],
        "turns": 1,
    }
    conversation = one_of(PREFERENCE, value)
    assert turns_of(conversation) == ["user: q", "assistant: worse", "assistant: best"]
    assert [message.raw for message in conversation.messages] == [
        None,
        {"rank": 1},
        {"extra": "x", "rank": 0},
    ]
    assert [message.model for message in conversation.messages] == [None, "a", "b"]
    assert conversation.head == "answer1"
    assert votes_of(conversation.messages) == {}
    assert conversation.raw == {"turns": 1}


def test_what_openai_says_beside_the_input() -> None:
    value = {
        "input": {"messages": [user("q")], "tools": [{"type": "function"}], "parallel_tool_calls": True},
        "preferred_output": [answer("a")],
        "non_preferred_output": [answer("b")],
        "note": "n",
    }
    assert one_of(OPENAI_DPO, value).raw == {
        "input": {"tools": [{"type": "function"}], "parallel_tool_calls": True},
        "note": "n",
    }


JUDGED: dict[str, tuple[dict[str, object], str]] = {
    "label": ({"messages": [user("q"), answer("a")], "label": True}, "like"),
    "kto_tag": (
        {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], "kto_tag": False},
        "dislike",
    ),
    "numbers": ({"messages": [user("q"), answer("a")], "label": 0}, "dislike"),
    "words": ({"messages": [user("q"), answer("a")], "label": "True"}, "like"),
    "TRL, lists": ({"prompt": [user("q")], "completion": [answer("a")], "label": False}, "dislike"),
    "TRL, texts": ({"prompt": "q", "completion": "a", "label": True}, "like"),
}


@pytest.mark.parametrize(("value", "vote"), JUDGED.values(), ids=JUDGED.keys())
def test_the_last_answer_is_judged(value: dict[str, object], vote: str) -> None:
    conversation = one_of(KTO, value)
    assert turns_of(conversation) == ["user: q", "assistant: a"]
    assert votes_of(conversation.messages) == {"a": vote}
    assert conversation.raw is None
    assert conversation.linear


def test_only_the_last_answer_is_judged() -> None:
    turns = [user("q"), answer("a"), user("r"), answer("b"), user("s")]
    assert votes_of(one_of(KTO, {"messages": turns, "label": True}).messages) == {"b": "like"}


def test_a_label_without_an_answer_is_kept() -> None:
    conversation = one_of(KTO, {"messages": [user("q")], "label": True})
    assert conversation.raw == {"label": True}


def test_turns_beside_a_prompt_and_other_labels_are_kept() -> None:
    value = {"messages": [user("q"), answer("a")], "prompt": "p", "kto_tag": False, "label": "quality"}
    conversation = one_of(KTO, value)
    assert votes_of(conversation.messages) == {"a": "dislike"}
    assert conversation.raw == {"prompt": "p", "label": "quality"}


UNREAD: dict[str, tuple[ReadFormat, object, str, str]] = {
    "both sides say nothing": (
        PREFERENCE,
        {"prompt": "q", "chosen": "", "rejected": []},
        "skipped",
        "None of its answers says anything.",
    ),
    "one side is missing": (
        PREFERENCE,
        {"prompt": "q", "chosen": "a", "rejected": None},
        "failed",
        "This is no record of “Preference pairs”: it is an object with the keys prompt, chosen, rejected.",
    ),
    "no label": (
        KTO,
        {"messages": [user("q")], "label": "good"},
        "failed",
        "This is no record of “KTO”: it is an object with the keys messages, label.",
    ),
    "nothing was said": (KTO, {"messages": [], "label": True}, "skipped", "It has no messages."),
    "no messages in OpenAI's": (
        OPENAI_DPO,
        {"input": {}, "preferred_output": []},
        "failed",
        (
            "This is no record of “OpenAI preference pairs”: "
            "it is an object with the keys input, preferred_output."
        ),
    ),
}


@pytest.mark.parametrize(("known", "value", "kind", "reason"), UNREAD.values(), ids=UNREAD.keys())
def test_what_is_no_conversation_is_said(known: ReadFormat, value: object, kind: str, reason: str) -> None:
    (found,) = all_of(known, value)
    assert isinstance(found, Unread)
    assert (found.kind, found.reason) == (kind, reason)
