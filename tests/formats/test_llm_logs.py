"""Logs of llm: rows that are exchanges, grouped by their conversation."""

import pytest

from chatcore.formats.format import Record
from chatcore.formats.logs.llm import FORMAT
from chatcore.incoming import Incoming, IncomingFile
from chatcore.messages import Reasoning, Text, ToolCall, ToolResult, Usage
from tests.formats.vendors import by_id, read


def row(number: int, **more: object) -> dict[str, object]:
    return {
        "id": f"r{number}",
        "model": "m1",
        "prompt": f"q{number}",
        "system": None,
        "response": f"a{number}",
        "conversation_id": "c1",
        "conversation_name": "Tea",
        "duration_ms": 1500,
        "datetime_utc": f"2023-11-14T22:13:{number:02}.000001",
        "input_tokens": 5,
        "output_tokens": 7,
        "attachments": [],
        **more,
    }


AT = 1_699_999_980_000_001  # 2023-11-14T22:13:00.000001Z


def told(*rows: object) -> Incoming:
    found = read(FORMAT, rows)
    assert found.unread == []
    (conversation,) = found.conversations
    return conversation


def test_rows_of_a_conversation_wherever_they_stand() -> None:
    found = read(FORMAT, [row(3), row(1, conversation_id="c2"), row(2)])
    first, second = found.conversations
    assert (first.id, second.id, first.title) == ("c1", "c2", "Tea")
    assert [(m.id, m.role, m.parts) for m in first.messages] == [
        ("r2:prompt", "user", (Text("q2"),)),
        ("r2:response", "assistant", (Text("a2"),)),
        ("r3:prompt", "user", (Text("q3"),)),
        ("r3:response", "assistant", (Text("a3"),)),
    ]
    assert [m.created_at_us for m in first.messages[:2]] == [AT + 2_000_000, AT + 3_500_000]
    answer = first.messages[1]
    assert (answer.model, answer.usage) == ("m1", Usage(prompt_tokens=5, completion_tokens=7))
    assert answer.raw == {"duration_ms": 1500}
    assert first.linear


def test_a_system_prompt_is_that_of_the_conversation_until_it_changes() -> None:
    conversation = told(
        row(1, system="Be kind."), row(2), row(3, system="Be kind."), row(4, system="Be brief.")
    )
    assert conversation.settings.system_prompt == "Be kind."
    assert [m.role for m in conversation.messages].count("system") == 1
    assert by_id(conversation)["r4:system"].parts == (Text("Be brief."),)


def test_attachments_are_named_and_never_fetched() -> None:
    conversation = told(
        row(
            1,
            attachments=[
                {"id": "x", "type": "image/png", "path": "/home/ada/p.png", "url": None, "content_length": 9},
                {"id": "y", "type": "image/jpeg", "path": None, "url": "https://example.org/q.jpg"},
                {"id": "z", "content": "<5 bytes>"},
            ],
        )
    )
    assert conversation.messages[0].parts == (
        IncomingFile(name="p.png", media_type="image/png", size_bytes=9, pointer="/home/ada/p.png"),
        IncomingFile(name="q.jpg", media_type="image/jpeg", pointer="https://example.org/q.jpg"),
        IncomingFile(name="z", pointer="z"),
        Text("q1"),
    )


def test_tools_are_called_and_answer_in_the_next_row() -> None:
    conversation = told(
        row(
            1,
            response="",
            tool_calls=[{"id": 4, "name": "now", "arguments": {"zone": "UTC"}, "tool_call_id": "t1"}],
        ),
        row(2, prompt="", tool_results=[{"id": 5, "name": "now", "output": "noon", "tool_call_id": "t1"}]),
    )
    assert [(m.role, m.parts) for m in conversation.messages] == [
        ("user", (Text("q1"),)),
        ("assistant", (ToolCall(call_id="t1", name="now", arguments='{"zone": "UTC"}'),)),
        ("tool", (ToolResult(call_id="t1", output="noon"),)),
        ("assistant", (Text("a2"),)),
    ]


def test_reasoning_fragments_and_unknown_things() -> None:
    conversation = told(
        row(1, reasoning="hm", prompt_fragments=[{"hash": "h"}], response_json={"ip": "192.0.2.7", "n": 1})
    )
    answer = conversation.messages[1]
    assert answer.parts == (Reasoning("hm"), Text("a1"))
    assert answer.raw == {"duration_ms": 1500, "prompt_fragments": [{"hash": "h"}], "response_json": {"n": 1}}


@pytest.mark.parametrize(
    "odd",
    [
        {"prompt": None, "response": None},
        {"datetime_utc": None, "duration_ms": None},
        {"model": 5, "system": 5, "attachments": "x", "tool_calls": [None, {}], "tool_results": [{}]},
        {"conversation_id": None},
        {"conversation_id": None, "id": None},
    ],
)
def test_odd_rows_are_read(odd: dict[str, object]) -> None:
    conversation = told(row(1, **odd))
    assert [m.role for m in conversation.messages if m.role in {"user", "assistant"}] == ["user", "assistant"]


def test_what_is_no_row_fails_alone() -> None:
    found = read(FORMAT, [5, {"a": 1}, row(1)])
    assert [u.place for u in found.unread] == ["item 1", "item 2"]
    assert len(found.conversations) == 1
    assert FORMAT.recognises(Record(value=row(1), body=b""))
    assert not FORMAT.recognises(Record(value={"prompt": "q", "response": "a"}, body=b""))
