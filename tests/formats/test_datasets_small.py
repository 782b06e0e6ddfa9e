"""Alpaca, Baize, benchmarks and rewards: each odd case, one line of it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from chatcore.formats.datasets.alpaca import ALPACA
from chatcore.formats.datasets.arena import ARENA
from chatcore.formats.datasets.baize import BAIZE
from chatcore.formats.datasets.reward import REWARD
from chatcore.formats.format import ReadFormat, ReadOptions
from chatcore.incoming import Incoming, Unread
from chatcore.messages import Settings
from tests.formats.telling import all_of, one_of, parents_of, records_of, turns_of
from tests.formats.vendors import Packed

HUMAN, AI = "\n[|Human|]", "\n[|AI|]"

CASES: dict[str, tuple[ReadFormat, dict[str, object], list[str], dict[str, object] | None]] = {
    "alpaca": (
        ALPACA,
        {"instruction": "Add", "input": "1 2", "output": "3"},
        ["user: Add\n1 2", "assistant: 3"],
        None,
    ),
    "alpaca: empty input": (
        ALPACA,
        {"instruction": "Hi", "input": "", "output": "Ho"},
        ["user: Hi", "assistant: Ho"],
        None,
    ),
    "alpaca: no instruction": (
        ALPACA,
        {"instruction": "", "input": "Hi", "output": "Ho"},
        ["user: Hi", "assistant: Ho"],
        None,
    ),
    "alpaca: response": (
        ALPACA,
        {"instruction": "Hi", "response": "Ho"},
        ["user: Hi", "assistant: Ho"],
        None,
    ),
    "alpaca: output and response": (
        ALPACA,
        {"instruction": "Hi", "output": "Ho", "response": "Hu"},
        ["user: Hi", "assistant: Ho"],
        {"response": "Hu"},
    ),
    "alpaca: history": (
        ALPACA,
        {"instruction": "c", "output": "d", "history": [["a", "b"]]},
        ["user: a", "assistant: b", "user: c", "assistant: d"],
        None,
    ),
    "alpaca: a history that is none": (
        ALPACA,
        {"instruction": "c", "output": "d", "history": [["a", "b"], ["a"]]},
        ["user: c", "assistant: d"],
        {"history": [["a", "b"], ["a"]]},
    ),
    "alpaca: think": (
        ALPACA,
        {"instruction": "a", "output": "<think>\nwell\n</think>\n\nb"},
        ["user: a", "assistant: ~well | b"],
        None,
    ),
    "alpaca: no thought": (
        ALPACA,
        {"instruction": "a", "output": "<think>\n\n</think>\n\nb"},
        ["user: a", "assistant: b"],
        None,
    ),
    "alpaca: more keys": (
        ALPACA,
        {"instruction": "a", "output": "b", "category": "qa", "input": None},
        ["user: a", "assistant: b"],
        {"category": "qa"},
    ),
    "alpaca: values that are no text": (
        ALPACA,
        {"instruction": 1, "output": [2]},
        ["user: 1", "assistant: [2]"],
        None,
    ),
    "alpaca: pictures": (
        ALPACA,
        {"instruction": "<image>a", "output": "b", "images": ["1.jpg"]},
        ["user: [1.jpg] | a", "assistant: b"],
        None,
    ),
    "baize": (
        BAIZE,
        {
            "topic": "t",
            "input": f"The conversation between human and AI assistant.{HUMAN} a{AI} b\nb2\n\nb3{HUMAN} ",
        },
        ["user: a", "assistant: b\nb2\n\nb3"],
        None,
    ),
    "baize: quoted tags": (
        BAIZE,
        {"topic": "t", "input": f"{HUMAN} what is [|AI|] and [|Human|]?{AI} tags: [|AI|]{HUMAN}"},
        ["user: what is [|AI|] and [|Human|]?", "assistant: tags: [|AI|]"],
        None,
    ),
    "baize: a translated sentence": (
        BAIZE,
        {"topic": "t", "input": f"인간과 AI의 대화.{HUMAN} a{AI} b{HUMAN} "},
        ["user: a", "assistant: b"],
        {"preamble": "인간과 AI의 대화."},
    ),
    "baize: ends with a question": (
        BAIZE,
        {"topic": "t", "input": f"{HUMAN} a{AI} b{HUMAN} c"},
        ["user: a", "assistant: b", "user: c"],
        None,
    ),
    "baize: an empty turn in between": (
        BAIZE,
        {"topic": "t", "input": f"{HUMAN} {AI} b{HUMAN}"},
        ["user: ", "assistant: b"],
        None,
    ),
    "baize: lines end as on Windows": (
        BAIZE,
        {"topic": "t", "input": "x\r\n[|Human|] a\r\n[|AI|] b\r\nc\r\n[|Human|] "},
        ["user: a", "assistant: b\nc"],
        {"preamble": "x"},
    ),
    "questions of mt-bench": (
        ARENA,
        {"question_id": 81, "category": "writing", "turns": ["a", "b"], "reference": ["r"]},
        ["user: a", "user: b"],
        {"question_id": 81, "category": "writing", "reference": ["r"]},
    ),
    "questions of arena-hard": (
        ARENA,
        {"uid": "u", "category": "arena-hard-v0.1", "cluster": "c", "prompt": "a"},
        ["user: a"],
        {"uid": "u", "category": "arena-hard-v0.1", "cluster": "c"},
    ),
    "answers of mt-bench": (
        ARENA,
        {
            "question_id": 81,
            "answer_id": "x",
            "model_id": "m",
            "choices": [{"index": 0, "turns": ["a", "b"]}],
            "tstamp": 1_700_000_000.5,
        },
        ["assistant: a", "assistant: b"],
        {"question_id": 81, "answer_id": "x", "tstamp": 1_700_000_000.5},
    ),
    "rewards": (
        REWARD,
        {
            "conversation_id": "d",
            "context": '[{"role": "user"}]',
            "generation": '{"text": "b"}',
            "reward": 0.0,
        },
        ['user: [{"role": "user"}]', 'assistant: {"text": "b"}'],
        {"conversation_id": "d", "reward": 0.0},
    ),
}


@pytest.mark.parametrize(("known", "value", "told", "raw"), CASES.values(), ids=CASES.keys())
def test_records(
    known: ReadFormat, value: dict[str, object], told: list[str], raw: Mapping[str, object] | None
) -> None:
    conversation = one_of(known, value)
    assert turns_of(conversation) == told
    assert conversation.raw == raw
    assert not any(message.feedback for message in conversation.messages)


def test_titles_prompts_and_times() -> None:
    baize = one_of(BAIZE, {"topic": "Coffee", "input": f"{HUMAN} a"})
    assert baize.title == "Coffee"
    alpaca = one_of(ALPACA, {"instruction": "a", "output": "b", "system": "s"})
    assert alpaca.settings == Settings(system_prompt="s")
    answer = one_of(
        ARENA, {"answer_id": "x", "choices": [{"turns": ["a"]}], "tstamp": 1.5e9, "model_id": "m"}
    )
    assert answer.created_at_us == 1_500_000_000_000_000
    assert answer.messages[0].model == "m"


def test_choices_of_an_answer_are_branches() -> None:
    value = {"answer_id": "x", "choices": [{"turns": ["a", "b"]}, {"turns": ["c"]}, "?"]}
    conversation = one_of(ARENA, value)
    assert parents_of(conversation) == {"choice0": None, "choice0.1": "choice0", "choice1": None}
    assert conversation.head == "choice0.1"
    assert conversation.raw == {"answer_id": "x", "choices": ["?"]}


def test_answers_stand_below_the_questions_of_their_archive(tmp_path: Path) -> None:
    questions = (
        b'{"question_id": 1, "turns": ["q1", "q2"]}\nno JSON\n{"question_id": 2, "turns": ["other"]}\n'
    )
    archive = Packed(
        {"bench/question.jsonl": questions, "bench/model_answer/m.jsonl": b"read elsewhere"}, tmp_path
    )
    value = {"question_id": 1, "choices": [{"turns": ["a1", "a2", "a3"]}, {"turns": ["b1"]}]}
    records = records_of(value, archive=archive, file="bench.zip:bench/model_answer/m.jsonl")
    (found,) = ARENA.read(records, ReadOptions())
    assert isinstance(found, Incoming)
    assert turns_of(found) == [
        "user: q1",
        *("assistant: a1", "user: q2", "assistant: a2", "assistant: a3"),
        *("assistant: b1", "user: q2"),
    ]
    assert parents_of(found)["choice0"] == parents_of(found)["choice1"] == "0"
    assert found.head == "choice0.3"


UNREAD: dict[str, tuple[ReadFormat, object, str, str]] = {
    "alpaca says nothing": (
        ALPACA,
        {"instruction": "", "input": "", "output": ""},
        "skipped",
        "Neither its instruction nor its answer says anything.",
    ),
    "alpaca without an answer": (
        ALPACA,
        {"instruction": "a"},
        "failed",
        "This is no record of “Alpaca”: it is an object with the keys instruction.",
    ),
    "baize without a tag": (
        BAIZE,
        {"topic": "t", "input": "Hi"},
        "failed",
        "No line of it begins with [|Human|] or [|AI|].",
    ),
    "baize with an open tag only": (BAIZE, {"topic": "t", "input": HUMAN}, "skipped", "It has no messages."),
    "baize that is none": (
        BAIZE,
        {"topic": "t"},
        "failed",
        "This is no record of “Baize”: it is an object with the keys topic.",
    ),
    "a question without turns": (ARENA, {"question_id": 1, "turns": []}, "skipped", "It has no messages."),
    "an answer without turns": (
        ARENA,
        {"answer_id": "x", "choices": [{"turns": []}]},
        "skipped",
        "It has no messages.",
    ),
    "a reward for nothing": (
        REWARD,
        {"context": "", "generation": None, "reward": 1},
        "skipped",
        "Neither its context nor its generation says anything.",
    ),
}


@pytest.mark.parametrize(("known", "value", "kind", "reason"), UNREAD.values(), ids=UNREAD.keys())
def test_what_is_no_conversation_is_said(known: ReadFormat, value: object, kind: str, reason: str) -> None:
    (found,) = all_of(known, value)
    assert isinstance(found, Unread)
    assert (found.kind, found.reason) == (kind, reason)
