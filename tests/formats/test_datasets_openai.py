"""OpenAI's messages and what has the same turns: each odd case, one line of it."""

import base64
from pathlib import Path

import pytest

from chatcore.formats.datasets.openai import OPENAI
from chatcore.formats.format import ReadOptions, Record
from chatcore.incoming import Incoming, IncomingFile, Unread
from chatcore.messages import Text
from tests.formats.telling import all_of, one_of, records_of, turns_of

PIXEL = b"\x89PNG\r\n\x1a\n"
INLINE = f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"

ASK = {"role": "user", "content": "Rain?"}


def call(name: str, arguments: object, call_id: str | None = "c1") -> dict[str, object]:
    made: dict[str, object] = {"type": "function", "function": {"name": name, "arguments": arguments}}
    return made if call_id is None else {"id": call_id, **made}


def calling(*calls: object) -> dict[str, object]:
    return {"role": "assistant", "content": None, "tool_calls": [*calls]}


CASES: dict[str, tuple[list[object], list[str]]] = {
    "all roles": (
        [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": "No lists."},
            {"role": "user", "content": "Hi", "name": "ann"},
            {"role": "assistant", "content": "Hello"},
        ],
        ["system: Be brief.", "system: No lists.", "user: Hi", "assistant: Hello"],
    ),
    "no user turn": ([{"role": "assistant", "content": "Hello"}], ["assistant: Hello"]),
    "content null, absent, empty": (
        [{"role": "user", "content": None}, {"role": "user"}, {"role": "user", "content": ""}, ASK],
        ["user: ", "user: ", "user: ", "user: Rain?"],
    ),
    "arguments are kept as they were written": (
        [ASK, calling(call("sky", '{"at":  "here"}'))],
        ["user: Rain?", 'assistant: c1:sky({"at":  "here"})'],
    ),
    "arguments encoded twice": (
        [calling(call("sky", '"{\\"at\\": 1}"'))],
        ['assistant: c1:sky("{\\"at\\": 1}")'],
    ),
    "arguments as object": ([calling(call("sky", {"at": 1}))], ['assistant: c1:sky({"at": 1})']),
    "ends in a call": ([ASK, calling(call("sky", "{}"))], ["user: Rain?", "assistant: c1:sky({})"]),
    "one id for every call": (
        [
            ASK,
            calling(call("sky", "{}", "x"), call("sea", "{}", "x")),
            {"role": "tool", "tool_call_id": "x", "content": "grey"},
            {"role": "tool", "tool_call_id": "x", "content": "wet"},
        ],
        ["user: Rain?", "assistant: x:sky({}) | x:sea({})", "tool: x=grey", "tool: x=wet"],
    ),
    "a result that nobody asked for": (
        [{"role": "tool", "tool_call_id": "lost", "content": "?"}],
        ["tool: lost=?"],
    ),
    "no ids: results belong to the first open call, or to that of their name": (
        [
            calling(call("sky", "{}", None), call("sea", "{}", None)),
            {"role": "tool", "name": "sea", "content": "wet"},
            {"role": "tool", "content": "grey"},
        ],
        ["assistant: call_1:sky({}) | call_2:sea({})", "tool: call_2=wet", "tool: call_1=grey"],
    ),
    "a result without an id goes to a call that has none yet": (
        [
            calling(call("sky", "{}", "a"), call("sea", "{}", "b")),
            {"role": "tool", "tool_call_id": "a", "content": "grey"},
            {"role": "tool", "content": "wet"},
        ],
        ["assistant: a:sky({}) | b:sea({})", "tool: a=grey", "tool: b=wet"],
    ),
    "function_call, function": (
        [
            {"role": "assistant", "content": None, "function_call": {"name": "sky", "arguments": "{}"}},
            {"role": "function", "name": "sky", "content": "grey"},
        ],
        ["assistant: call_1:sky({})", "tool: call_1=grey"],
    ),
    "words and calls": (
        [{**calling(call("sky", "{}")), "content": "I look."}],
        ["assistant: I look. | c1:sky({})"],
    ),
    "refusal": (
        [{"role": "assistant", "content": None, "refusal": "I can't."}],
        ["assistant: I can't."],
    ),
    "reasoning_content": (
        [{"role": "assistant", "content": "Yes", "reasoning_content": "Hm."}],
        ["assistant: ~Hm. | Yes"],
    ),
    "thinking": ([{"role": "assistant", "content": "Yes", "thinking": "Hm."}], ["assistant: ~Hm. | Yes"]),
    "think tags": (
        [{"role": "assistant", "content": "<think>\nHm.\n</think>\n\nYes"}],
        ["assistant: ~Hm. | Yes"],
    ),
    "think tags that stay open": (
        [{"role": "assistant", "content": "<think>Hm."}],
        ["assistant: <think>Hm."],
    ),
    "an answer that is code of a page stays it": (
        [{"role": "assistant", "content": "<p>Hi <b>you</b></p>"}],
        ["assistant: <p>Hi <b>you</b></p>"],
    ),
    "content as object": ([{"role": "assistant", "content": {"answer": "42"}}], ["assistant: 42"]),
    "content as unknown object": ([{"role": "assistant", "content": {"n": 42}}], ['assistant: {"n": 42}']),
    "content as number": ([{"role": "user", "content": 42}], ["user: 42"]),
    "parts": (
        [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What"},
                    "is",
                    {"type": "image_url", "image_url": {"url": "https://example.org/a/cat.jpg?x=1"}},
                    {"type": "image_url", "image_url": INLINE},
                    {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
                    {"type": "file", "file": {"filename": "a.pdf", "file_id": "file-9"}},
                    {"type": "file", "file": {"filename": "b.pdf", "file_data": "data:application/pdf,x"}},
                ],
            },
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        ],
        [
            "user: What | is | [cat.jpg] | [image.png] | [audio.wav] | [a.pdf] | [b.pdf]",
            "assistant: No.",
        ],
    ),
    "LLaMA-Factory's parts": (
        [
            {"role": "user", "content": [{"type": "text", "value": "Sum?"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "reasoning", "value": "I add."},
                    {"type": "tool_call", "value": '{"name": "add", "arguments": {"a": 1}}'},
                    {"type": "tool_call", "value": '{"name": "add", "arguments": {"a": 2}}'},
                ],
            },
            {"role": "tool", "content": [{"type": "text", "value": "1"}]},
            {"role": "tool", "content": [{"type": "text", "value": "2"}]},
            {"role": "user", "content": [{"type": "image_url", "value": "data/1.jpg"}]},
        ],
        [
            "user: Sum?",
            'assistant: ~I add. | call_1:add({"a": 1}) | call_2:add({"a": 2})',
            "tool: call_1=1",
            "tool: call_2=2",
            "user: [1.jpg]",
        ],
    ),
    "parts of Anthropic's": (
        [
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm."},
                    {"type": "tool_use", "id": "t", "name": "sky", "input": {"at": 1}},
                ],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "t", "content": "grey", "is_error": True}],
            },
        ],
        ['assistant: ~Hm. | t:sky({"at": 1})', "user: t=grey (error)"],
    ),
    "an unknown role": ([ASK, {"role": "critic", "content": "Meh."}], ["user: Rain?", "system: Meh."]),
}


@pytest.mark.parametrize(("turns", "told"), CASES.values(), ids=CASES.keys())
def test_turns(turns: list[object], told: list[str]) -> None:
    conversation = one_of(OPENAI, {"messages": turns})
    assert turns_of(conversation) == told
    assert conversation.linear
    assert conversation.id is None


RAW: dict[str, tuple[dict[str, object], dict[str, object] | None]] = {
    "weight 0 is no dislike": ({"role": "assistant", "content": "x", "weight": 0}, {"weight": 0}),
    "loss_weight": ({"role": "assistant", "content": "x", "loss_weight": 0.0}, {"loss_weight": 0.0}),
    "name": ({"role": "user", "content": "x", "name": "ann"}, {"name": "ann"}),
    "nothing of a result": ({"role": "tool", "tool_call_id": "a", "content": "x"}, None),
    "an id where no result is": (
        {"role": "user", "tool_call_id": "a", "content": "x"},
        {"tool_call_id": "a"},
    ),
    "another role": ({"role": "developer", "content": "x"}, {"role": "developer"}),
    "detail": (
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "https://a.example/x.png", "detail": "low"}}
            ],
        },
        {"parts": {"0": {"image_url": {"detail": "low"}}}},
    ),
    "an unknown part": (
        {"role": "user", "content": [{"type": "hologram", "beam": 3}]},
        {"parts": {"0": {"type": "hologram", "beam": 3}}},
    ),
    "a part that is nothing": ({"role": "user", "content": ["x", 7]}, {"parts": {"1": 7}}),
    "beside an answer's object": (
        {"role": "assistant", "content": {"answer": "x", "score": 3}},
        {"parts": {"0": {"score": 3}}},
    ),
    "calls that are none": (
        {"role": "assistant", "content": "x", "tool_calls": ["?"]},
        {"tool_calls": ["?"]},
    ),
    "a second kind of thought": (
        {"role": "assistant", "content": "x", "thinking": "a", "reasoning": "b"},
        {"reasoning": "b"},
    ),
}


@pytest.mark.parametrize(("turn", "raw"), RAW.values(), ids=RAW.keys())
def test_what_has_no_place_is_kept(turn: dict[str, object], raw: dict[str, object] | None) -> None:
    (message,) = one_of(OPENAI, {"messages": [turn]}).messages
    assert message.raw == raw
    assert message.feedback is None


def test_what_stands_beside_the_messages_is_kept() -> None:
    value = {
        "messages": [ASK],
        "tools": [{"type": "function"}],
        "parallel_tool_calls": False,
        "title": "Weather",
        "created_at": 1_700_000_000,
        "ip": "203.0.113.9",
    }
    conversation = one_of(OPENAI, value)
    assert conversation.raw == {
        "tools": [{"type": "function"}],
        "parallel_tool_calls": False,
        "title": "Weather",
        "created_at": 1_700_000_000,
    }
    assert conversation.title == "Weather"
    assert conversation.created_at_us == 1_700_000_000_000_000


def test_the_model_is_that_of_its_answers() -> None:
    turns = [
        ASK,
        {"role": "assistant", "content": "No."},
        {"role": "assistant", "content": "Y", "model": "b"},
    ]
    conversation = one_of(OPENAI, {"messages": turns, "model": "a"})
    assert [message.model for message in conversation.messages] == [None, "a", "b"]


def test_bytes_that_a_record_brings() -> None:
    parts = [
        {"type": "image_url", "image_url": {"url": INLINE}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,%%%A"}},
        {"type": "image_url", "image_url": {"url": "https://example.org/cat.jpg"}},
        {"type": "input_audio", "input_audio": {"data": "AAEC", "format": "wav"}},
    ]
    (message,) = one_of(OPENAI, {"messages": [{"role": "user", "content": parts}]}).messages
    files = [part for part in message.parts if isinstance(part, IncomingFile)]
    assert [(one.media_type, one.content, one.pointer) for one in files] == [
        ("image/png", PIXEL, None),
        ("image/png", None, "data:image/png;base64,…"),
        (None, None, "https://example.org/cat.jpg"),
        ("audio/wav", b"\x00\x01\x02", None),
    ]


def test_marks_stand_for_the_files_of_a_column() -> None:
    value = {
        "messages": [
            {"role": "user", "content": "<image>Who is <image>this? <video>"},
            {"role": "assistant", "content": "A cat."},
            {"role": "user", "content": "And <image>?"},
        ],
        "images": ["a/1.jpg", {"path": "2.jpg"}],
    }
    conversation = one_of(OPENAI, value)
    assert turns_of(conversation) == [
        "user: [1.jpg] | Who is  | [2.jpg] | this? <video>",
        "assistant: A cat.",
        "user: And <image>?",
    ]
    assert conversation.raw is None


def test_files_of_a_column_without_a_mark_stand_before_the_first_question() -> None:
    value = {"messages": [{"role": "system", "content": "s"}, ASK], "images": ["a.jpg", "b.jpg"]}
    assert turns_of(one_of(OPENAI, value)) == ["system: s", "user: [a.jpg] | [b.jpg] | Rain?"]


def test_a_column_of_something_else_is_kept() -> None:
    conversation = one_of(OPENAI, {"messages": [ASK], "images": [3]})
    assert conversation.raw == {"images": [3]}


def test_files_that_lie_beside_the_record_are_found_and_none_outside(tmp_path: Path) -> None:
    (tmp_path / "set" / "pictures").mkdir(parents=True)
    (tmp_path / "set" / "pictures" / "1.jpg").write_bytes(PIXEL)
    (tmp_path / "secret.jpg").write_bytes(PIXEL)
    value = {
        "messages": [{"role": "user", "content": "<image><image><image>"}],
        "images": ["pictures/1.jpg", "../secret.jpg", str(tmp_path / "secret.jpg")],
    }
    (found,) = OPENAI.read(records_of(value, folder=tmp_path / "set"), ReadOptions())
    assert isinstance(found, Incoming)
    files = [part for part in found.messages[0].parts if isinstance(part, IncomingFile)]
    assert [file.at for file in files] == [tmp_path / "set" / "pictures" / "1.jpg", None, None]


def test_tau_bench() -> None:
    turns = [
        ASK,
        calling(call("sky", "{}")),
        {"role": "tool", "tool_call_id": "c1", "name": "sky", "content": "-"},
    ]
    conversation = one_of(OPENAI, {"task_id": 3, "trial": 0, "reward": 0.0, "info": {"a": 1}, "traj": turns})
    assert turns_of(conversation) == ["user: Rain?", "assistant: c1:sky({})", "tool: c1=-"]
    assert conversation.raw == {"task_id": 3, "trial": 0, "reward": 0.0, "info": {"a": 1}}
    assert conversation.id is None  # other models' files have the same tasks


UNREAD: dict[str, tuple[object, str, str]] = {
    "no messages": ({"messages": []}, "skipped", "It has no messages."),
    "only turns that are none": ({"messages": ["a", 3]}, "failed", "None of its turns is an object."),
    "no list": (
        {"messages": "x", "id": "7"},
        "failed",
        "This is no record of “OpenAI messages”: it is an object with the keys messages, id.",
    ),
    "an array": ([1], "failed", "This is no record of “OpenAI messages”: it is a list."),
    "null": (None, "failed", "This is no record of “OpenAI messages”: it is null."),
}


@pytest.mark.parametrize(("value", "kind", "reason"), UNREAD.values(), ids=UNREAD.keys())
def test_what_is_no_conversation_is_said(value: object, kind: str, reason: str) -> None:
    before, found, after = all_of(OPENAI, {"messages": [ASK]}, value, {"messages": [ASK]})
    assert isinstance(before, Incoming)
    assert isinstance(after, Incoming)
    assert isinstance(found, Unread)
    assert (found.kind, found.reason, found.place) == (kind, reason, "line 2")
    assert found.record is not None


def test_a_turn_that_is_none_is_counted_and_kept() -> None:
    conversation = one_of(OPENAI, {"messages": [ASK, "what?", None]})
    assert turns_of(conversation) == ["user: Rain?"]
    assert conversation.skipped == {"a turn that is no object": 2}
    assert conversation.raw == {"unread": ["what?", None]}


def test_the_source_is_what_the_person_calls_it() -> None:
    assert one_of(OPENAI, {"messages": [ASK]}).source == "openai"
    assert one_of(OPENAI, {"messages": [ASK]}, options=ReadOptions(source="mine")).source == "mine"


def test_texts_are_as_they_were_given() -> None:
    text = "\0 \ud83d \ue200cite\ue202\r\n" + "ha" * 10_000
    record = Record(value={"messages": [{"role": "user", "content": text}]}, body=b"")
    (found,) = OPENAI.read([record], ReadOptions())
    assert isinstance(found, Incoming)
    assert found.messages[0].parts == (Text(text),)
