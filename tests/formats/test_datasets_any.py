"""What holds for all formats of datasets: they are told apart, and nothing stops them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatcore.formats.format import ReadFormat, ReadOptions, Record
from chatcore.formats.registry import read_formats
from chatcore.incoming import Incoming, IncomingFile, Unread
from chatcore.messages import Reasoning, Text, ToolCall, ToolResult
from tests.formats.telling import all_of, records_of

NAMES = (
    "alpaca",
    "arena",
    "baize",
    "kto",
    "oasst",
    "openai",
    "openai_dpo",
    "preference",
    "reward",
    "sharegpt",
)
FORMATS = {one.name: one for one in read_formats() if one.name in NAMES}

TURNS = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
SIDES = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]
ANSWER = {"role": "assistant", "content": "a"}

RECOGNISED: list[tuple[object, str | None]] = [
    ({"messages": TURNS}, "openai"),
    ({"messages": [{"role": "assistant", "tool_calls": []}]}, "openai"),
    ({"traj": TURNS, "task_id": 1}, "openai"),
    ({"uid": "u", "ans_id": "a", "messages": TURNS}, "openai"),
    ({"messages": TURNS, "label": "quality"}, "openai"),
    ({"messages": TURNS, "label": True}, "kto"),
    ({"conversations": SIDES, "kto_tag": False}, "kto"),
    ({"prompt": "q", "completion": "a", "label": True}, "kto"),
    ({"conversations": SIDES}, "sharegpt"),
    ({"conversations": TURNS}, "sharegpt"),
    ({"items": SIDES, "avatarUrl": ""}, "sharegpt"),
    ({"conversations": SIDES, "chosen": SIDES[1], "rejected": SIDES[1]}, "preference"),
    ({"messages": TURNS, "chosen": ANSWER, "rejected": ANSWER}, "preference"),
    ({"instruction": "q", "input": "", "output": "a", "chosen": "a", "rejected": "b"}, "preference"),
    ({"chosen_messages": TURNS, "rejected_messages": TURNS}, "preference"),
    ({"prompt": "q", "answers": [{"answer": "a", "rank": 1}]}, "preference"),
    ({"input": {"messages": TURNS}, "preferred_output": [], "non_preferred_output": []}, "openai_dpo"),
    ({"topic": "t", "input": "x\n[|Human|] q"}, "baize"),
    ({"instruction": "q", "input": "", "output": "a"}, "alpaca"),
    ({"instruction": "q", "response": "a"}, "alpaca"),
    ({"question_id": 1, "turns": ["q"]}, "arena"),
    ({"question_id": 1, "answer_id": "a", "choices": [{"turns": ["a"]}]}, "arena"),
    ({"uid": "u", "category": "c", "prompt": "q"}, "arena"),
    ({"context": "c", "generation": "g", "reward": 1.0}, "reward"),
    ({"message_tree_id": "t", "prompt": {}}, "oasst"),
    # near misses
    ({"messages": [{"role": "human", "time": 1, "say": "q"}], "metadata": {"powered_by": "x"}}, None),
    ({"messages": [{"message": "q"}]}, None),
    ({"messages": []}, None),
    ({"conversations": [{"title": "t"}]}, None),
    ({"topic": "t", "input": "no tags"}, None),
    ({"prompt": "q", "completion": "a"}, None),
    ({"instruction": "q"}, None),
    ({"context": "c", "generation": "g"}, None),
    ({}, None),
    ([], None),
    ("messages", None),
    (None, None),
]


@pytest.mark.parametrize(("value", "name"), RECOGNISED, ids=lambda value: str(value)[:60])
def test_a_record_is_told_by_its_keys(value: object, name: str | None) -> None:
    (record,) = records_of(value)
    found = next((one.name for one in read_formats() if one.recognises(record)), None)
    assert (found if found in NAMES else None) == name


# --- nothing stops them

KEYS = st.sampled_from(
    (
        *("messages", "conversations", "items", "traj", "role", "from", "content", "value", "text", "type"),
        *("tool_calls", "function_call", "function", "name", "arguments", "id", "tool_call_id", "images"),
        *("chosen", "rejected", "chosen_messages", "rejected_messages", "prompt", "completion", "label"),
        *("kto_tag", "answers", "answer", "rank", "model", "input", "output", "instruction", "history"),
        *("system", "topic", "message_tree_id", "tree_state", "message_id", "parent_id", "replies", "emojis"),
        *("labels", "count", "thread_id", "thread", "question_id", "turns", "choices", "context", "reward"),
        *("generation", "preferred_output", "non_preferred_output", "image_url", "url", "created_at", "uid"),
        *("deleted", "review_result", "created_date", "model_name", "tools", "title", "+1", "-1", "category"),
    )
)
WORDS = st.sampled_from(
    (
        *("", "user", "assistant", "system", "tool", "human", "gpt", "function_call", "observation"),
        *("text", "image_url", "tool_call", "tool_result", "reasoning", "input_audio", "<image>", "true"),
        *("data:image/png;base64,AA", "data:,", "data:x", "\n\nHuman: a\n\nAssistant: b", "<think>a</think>"),
        *('{"name": "f", "arguments": {}}', "[|Human|] a\n[|AI|] b", "prompter", "2023-02-07T17:29:24Z"),
        *("<p>a</p>", "Too many requests in 1 hour.", "growing", "../../x", "\0", "\ud800"),
    )
)
SCALARS = st.one_of(
    WORDS, st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=8)
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=12,
)


@pytest.mark.parametrize("known", FORMATS.values(), ids=FORMATS.keys())
@settings(max_examples=40)
@given(values=st.lists(st.dictionaries(KEYS, ANYTHING, max_size=8) | ANYTHING, max_size=4))
def test_anything_is_read_or_said_to_be_unread(known: ReadFormat, values: list[object]) -> None:
    records = [
        Record(value=value, body=b"x", file="f", place=str(number)) for number, value in enumerate(values)
    ]
    for record in records:
        known.recognises(record)
    for options in (ReadOptions(), ReadOptions(unfinished=True)):
        found = list(known.read(records, options))
        if known.name != "oasst":
            assert [one.place for one in found] == [record.place for record in records]
        for one in found:
            _check(one)


WELL: list[tuple[str, object]] = [
    (name, value) for value, name in RECOGNISED if name is not None and isinstance(value, dict)
]


@settings(max_examples=300)
@given(st.sampled_from(WELL), st.data())
def test_one_odd_value_does_not_stop_them(well: tuple[str, object], data: st.DataObject) -> None:
    name, value = well
    odd = _with_odd(value, data)
    before, *_, after = all_of(FORMATS[name], value, odd, value)
    _check(before)
    _check(after)


def _with_odd(value: object, data: st.DataObject) -> object:
    """`value` with anything in one place of it."""
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(value)))
        return {**value, key: _with_odd(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(value) - 1))
        return [*value[:place], _with_odd(value[place], data), *value[place + 1 :]]
    return data.draw(SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(KEYS, SCALARS, max_size=2))


def _check(found: Incoming | Unread) -> None:
    if isinstance(found, Unread):
        assert found.reason.endswith(".")
        assert found.kind in {"failed", "skipped"}
        return
    assert len(found.messages) > 0
    assert found.title is None or found.title.strip()
    ids = {message.id for message in found.messages}
    assert found.head is None or found.head in ids
    for message in found.messages:
        assert message.role in {"system", "user", "assistant", "tool"}
        assert isinstance(message.parts, tuple)
        for part in message.parts:
            assert isinstance(part, Text | Reasoning | ToolCall | ToolResult | IncomingFile)
            assert all(isinstance(one, str) for one in _texts(part))


def _texts(part: Text | Reasoning | ToolCall | ToolResult | IncomingFile) -> list[object]:
    match part:
        case Text(text) | Reasoning(text):
            return [text]
        case ToolCall(call_id, name, arguments):
            return [call_id, name, arguments]
        case ToolResult(call_id, output, _):
            return [call_id, output]
        case IncomingFile():
            return [part.name, part.media_type or "", part.pointer or ""]
