"""Claude: the odd cases of its conversations, each with a small one of our own."""

import pytest

from chatcore.formats.claude import FORMAT
from chatcore.formats.format import Record
from chatcore.incoming import Incoming, IncomingFile, IncomingMessage, IncomingPart
from chatcore.messages import Reasoning, Text, ToolCall, ToolResult
from tests.formats.vendors import by_id, fixture, one, read


def told(
    message_id: str | None, sender: str = "human", text: str = "", **message: object
) -> dict[str, object]:
    given = {"uuid": message_id, "sender": sender, "text": text, **message}
    return {name: value for name, value in given.items() if value is not None}


def talk(*messages: object, **fields: object) -> dict[str, object]:
    return {"uuid": "c", "name": "N", "chat_messages": list(messages), **fields}


def said(content: object, text: object = "", sender: str = "assistant") -> IncomingMessage:
    (found,) = one(FORMAT, talk({"uuid": "m", "sender": sender, "text": text, "content": content})).messages
    return found


# --- the fixtures, whole


def test_a_bulk_export() -> None:
    conversations, unread = read(FORMAT, fixture("claude/conversations.json"))
    (tea,) = conversations
    assert [(one.kind, one.id, one.place) for one in unread] == [
        ("skipped", "c-none", "item 2"),
        ("skipped", "c-lost", "item 3"),
    ]
    assert (tea.id, tea.title, tea.linear, tea.head, tea.source) == ("c-tea", "Tea", False, "t4", "claude")
    assert (tea.created_at_us, tea.updated_at_us) == (1_738_404_000_000_001, 1_738_404_540_000_000)
    assert tea.raw == {"project_uuid": "p-1", "account": {"uuid": "acc-1"}}  # no name, no address
    assert [(m.id, m.parent, m.role) for m in tea.messages] == [
        ("t1", None, "user"),
        ("t2", "t1", "assistant"),
        ("t3", "t1", "assistant"),
        ("t4", "t3", "user"),
    ]
    assert all(message.feedback is None and message.model is None for message in tea.messages)


def test_what_is_said_in_it() -> None:
    found = by_id(read(FORMAT, fixture("claude/conversations.json")).conversations[0])
    assert found["t1"].parts == (
        Text("Which tea?"),
        IncomingFile(name="menu.pdf.txt", media_type="text/plain", size_bytes=11, content=b"Green\nBlack"),
        IncomingFile(name="pasted.txt", media_type="text/plain", size_bytes=4, content=b"note"),
        IncomingFile(name="cup.png", pointer="f-1"),
    )
    assert found["t2"].parts == (
        Reasoning("It is morning."),
        ToolCall(
            "call-1",
            "artifacts",
            '{"id": "a-1", "type": "text/html", "title": "Cup", "command": "create", "content": "cup"}',
        ),
        ToolResult("call-1", 'OK\n{"type": "knowledge", "title": "Tea", "url": "https://tea.example"}'),
        IncomingFile(name="image", pointer="f-2"),
        Text("A note\nSpoken."),
        Text("Green."),
    )
    assert found["t2"].raw is not None
    assert found["t2"].raw["content"] == [
        {"block": 0, "summaries": [{"summary": "Time of day"}], "cut_off": False, "signature": "sig"},
        {"block": 1, "message": "Drawing"},
        {"block": 2, "name": "artifacts"},
        {"block": 4, "type": "token_budget", "remaining": 5},
        {"block": 5, "citations": [{"uuid": "x"}]},
    ]
    assert found["t3"].parts == (Text("Black."),)  # the blocks say nothing, the text does
    assert [type(part) for part in found["t4"].parts] == [IncomingFile]  # said nothing, gave a file
    attachments = (found["t1"].raw or {})["attachments"]
    assert attachments == [
        {"file_name": "menu.pdf", "file_type": "pdf", "file_size": 9000},
        {"file_name": "pasted.txt", "file_type": "txt", "file_size": 4},
    ]


def test_the_apps_own_form() -> None:
    (single,) = read(FORMAT, fixture("claude/single.json")).conversations
    assert (single.title, single.pinned, single.head) == (None, True, "s2")  # not the newest leaf
    assert single.created_at_us == 1_740_812_400_000_000
    assert single.raw is not None
    assert single.raw["settings"] == {"preview_feature_uses_artifacts": True}
    found = by_id(single)
    assert [part.name for part in found["s1"].parts if isinstance(part, IncomingFile)] == [
        "view.jpg",
        "more.docx",
    ]
    assert (found["s1"].model, found["s2"].model) == (None, "claude-sample")
    assert (found["s2"].status, found["s3"].status) == ("stopped", "complete")


# --- text and content


@pytest.mark.parametrize(
    ("content", "text", "expected"),
    [
        ([{"type": "text", "text": "same"}], "same", [Text("same")]),
        ([{"type": "text", "text": "said"}], "", [Text("said")]),
        ([], "only here", [Text("only here")]),
        (None, "only here", [Text("only here")]),
        ("a string", "", [Text("a string")]),
        ("a string", "a string", [Text("a string")]),
        ([{"type": "text", "text": None}], "instead", [Text("instead")]),
        ([{"type": "text"}], "instead", [Text("instead")]),
        ([{"type": "text", "text": 12345}], "", [Text("12345")]),
        ([None, 7, "bare", {}], "", [Text("7"), Text("bare")]),
        ([{"type": "mystery", "data": 1}], "told", [Text("told")]),
        ([{"type": "mystery", "text": "shown"}], "", [Text("shown")]),
        ([{"type": ["odd"], "text": "shown"}], "", [Text("shown")]),
        ([{"type": "tool_use", "name": "n", "input": "raw"}], "", [ToolCall("m.0", "n", "raw")]),
        ([{"type": "tool_use", "id": "i"}], "words", [ToolCall("i", "tool", "{}"), Text("words")]),
        (
            [{"type": "tool_use", "id": "i", "input": {}}],
            "```\nThis block is not supported on your current device yet.\n```",
            [ToolCall("i", "tool", "{}")],
        ),
        (
            [{"type": "tool_result", "content": "plain", "is_error": True}],
            "",
            [ToolResult("m.0", "plain", True)],
        ),
        ([{"type": "tool_result", "tool_use_id": "i", "content": None}], "", [ToolResult("i", "")]),
        ([{"type": "thinking", "thinking": "", "summaries": [{"summary": "S"}]}], "", [Reasoning("S")]),
        ([{"type": "thinking", "thinking": None}], "", []),
        ([{"type": "voice_note"}], "", []),
        ({"odd": 1}, "text", [Text("text")]),
        ([], None, []),
        ([], 5, [Text("5")]),
        ([], "  ", []),
    ],
)
def test_text_is_neither_doubled_nor_lost(
    content: object, text: object, expected: list[IncomingPart]
) -> None:
    assert list(said(content, text).parts) == expected


def test_a_text_that_says_something_else_is_kept() -> None:
    message = said([{"type": "text", "text": "the block"}], "another wording")
    assert message.parts == (Text("the block"),)
    assert message.raw == {"text": "another wording"}
    joined = said([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}], "one\n\ntwo")
    assert joined.raw is None


def test_unknown_blocks_are_kept_as_they_are() -> None:
    message = said([{"type": "mystery", "data": [1, {"ip": "192.0.2.1"}]}])
    assert (message.parts, message.raw) == (
        (),
        {"content": [{"block": 0, "type": "mystery", "data": [1, {}]}]},
    )
    assert said({"a": 1}).raw == {"content": {"a": 1}}


# --- trees


def test_branches_stand_in_parents_only() -> None:
    found = one(
        FORMAT,
        talk(
            told("a", parent_message_uuid="00000000-0000-4000-8000-000000000000"),
            told("b", "assistant", parent_message_uuid="a"),
            told("c", "assistant", parent_message_uuid="a"),
            told("d", "assistant", parent_message_uuid="lost"),
        ),
    )
    assert [(m.id, m.parent) for m in found.messages] == [("a", None), ("b", "a"), ("c", "a"), ("d", "lost")]
    assert not found.linear


def test_without_parents_each_stands_below_the_one_before() -> None:
    found = one(FORMAT, talk(told("a"), told("b", "assistant"), told("c")))
    assert (found.linear, [m.parent for m in found.messages]) == (True, [None, "a", "b"])


def test_where_some_name_no_parent_these_follow_the_one_before() -> None:
    found = one(
        FORMAT,
        talk(told("a"), told(None, "assistant"), told("c"), told("d", "assistant", parent_message_uuid="a")),
    )
    ids = [message.id for message in found.messages]
    assert len(set(ids)) == 4
    assert None not in ids  # else nothing could stand below it
    assert [m.parent for m in found.messages] == [None, "a", ids[1], "a"]


def test_a_leaf_that_is_not_there_is_not_the_head() -> None:
    given = talk(
        told("a", parent_message_uuid="x", created_at="2025-01-01T00:00:02Z"),
        told("b", parent_message_uuid="x", created_at="2025-01-01T00:00:01Z"),
        current_leaf_message_uuid="gone",
    )
    assert one(FORMAT, given).head == "a"


def test_nobodys_messages_alternate() -> None:
    given = {
        "title": "T",
        "create_time": 1000,
        "conversation_id": "x",
        "chat_messages": [{"text": "\ue203Hi"}, {"text": "Ho"}],
    }
    found = one(FORMAT, given)
    assert (found.id, found.title, found.created_at_us) == ("x", "T", 1_000_000_000)
    assert [(m.role, m.parts) for m in found.messages] == [
        ("user", (Text("\ue203Hi"),)),
        ("assistant", (Text("Ho"),)),
    ]


def test_an_unknown_sender_is_kept() -> None:
    (message,) = one(FORMAT, talk(told("a", "narrator", "once"))).messages
    assert (message.role, message.raw) == ("user", {"sender": "narrator"})


def test_what_is_no_message_is_counted() -> None:
    found = one(FORMAT, talk(None, "text", {}, told("a", text="x")))
    assert (len(found.messages), sum(found.skipped.values())) == (1, 3)


# --- records that are no conversation


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (talk(), "skipped"),
        (talk(None), "skipped"),
        ({"uuid": "u", "chat_messages": None}, "skipped"),
        ({"uuid": "u", "name": "N"}, "skipped"),
        ({"uuid": "u", "chat_messages": "text"}, "failed"),
        ({"uuid": "u", "chat_messages": {"a": 1}}, "failed"),
        ({"invalid": "x"}, "failed"),
        ({}, "failed"),
        ([], "failed"),
        (5, "failed"),
    ],
)
def test_what_is_no_conversation_is_told(value: object, kind: str) -> None:
    good = talk(told("a", text="x"))
    conversations, unread = read(FORMAT, [good, value, good])
    assert len(conversations) == 2
    assert [(one.kind, one.place) for one in unread] == [(kind, "item 2")]


def test_what_is_recognised() -> None:
    values: list[object] = [talk(), {"chat_messages": None}, {"mapping": {}}, {"invalid": "x"}, [], None]
    assert [FORMAT.recognises(Record(value=value, body=b"")) for value in values] == [True, True] + [
        False
    ] * 4


def test_no_address_of_a_person_is_kept() -> None:
    found: list[Incoming] = read(FORMAT, fixture("claude/conversations.json")).conversations
    assert "example.invalid" not in repr(found)
    assert "Some One" not in repr(found)
    assert one(FORMAT, talk(told("a", text="x"), account={"full_name": "Some One"})).raw is None
