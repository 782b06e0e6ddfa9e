"""LibreChat: the odd cases of its conversations, each with a small one of our own."""

import pytest

from chatcore.formats.format import Record
from chatcore.formats.librechat import FORMAT
from chatcore.incoming import IncomingFile, IncomingMessage, IncomingPart
from chatcore.messages import Feedback, Reasoning, Text, ToolCall, ToolResult, Usage
from tests.formats.vendors import by_id, fixture, one, read

ROOT = "00000000-0000-0000-0000-000000000000"


def talk(*messages: object, **fields: object) -> dict[str, object]:
    return {"conversationId": "l", "messages": list(messages), **fields}


def said(**message: object) -> IncomingMessage:
    (found,) = one(FORMAT, talk({"messageId": "m", "isCreatedByUser": False, **message})).messages
    return found


def test_a_flat_conversation() -> None:
    (boats,) = read(FORMAT, fixture("librechat/flat.json")).conversations
    assert (boats.id, boats.title, boats.linear, boats.source) == ("l-1", "Boats", False, "librechat")
    assert boats.settings.system_prompt == "You sail."
    assert boats.created_at_us == 1_716_919_735_000_000  # it has no time of its own: its earliest message
    assert boats.updated_at_us == 1_716_919_751_000_000
    # a child may stand before its parent; who is who says isCreatedByUser, not the name of the sender
    assert [(m.id, m.parent, m.role) for m in boats.messages] == [
        ("k2", "k1", "assistant"),
        ("k1", None, "user"),
        ("k3", "k1", "assistant"),
        ("k4", "k3", "user"),
        ("k5", "k4", "assistant"),
    ]
    assert boats.head == "k5"
    assert boats.raw is not None
    assert boats.raw["endpoint"] == "openAI"


def test_what_is_said_in_it() -> None:
    found = by_id(read(FORMAT, fixture("librechat/flat.json")).conversations[0])
    assert found["k2"].parts == (
        Reasoning("What floats?"),
        Text("Wood."),
        ToolCall("call-1", "tide", '{"at": "noon"}'),
        ToolResult("call-1", "high"),
        Text("Or steel."),
    )
    assert found["k2"].feedback == Feedback(rating="like", comment="aye", reasons=("accurate_reliable",))
    assert (found["k2"].model, found["k2"].usage) == ("gpt-sample", Usage(completion_tokens=3))
    raw = found["k2"].raw
    assert raw is not None
    assert (raw["isEdited"], raw["sender"]) == (True, "User")
    assert raw["content"] == [
        {"block": 2, "progress": 1},
        {"block": 4, "type": "semaphore", "flags": 2},
    ]
    assert "text" not in raw  # it repeats the blocks
    assert found["k1"].parts == (
        Text("What of?"),
        IncomingFile(name="hull.png", media_type="image/png", size_bytes=99, pointer="/images/hull.png"),
    )
    assert found["k1"].raw is not None
    assert found["k1"].raw["attachments"] == [{"web_search": {"turn": 0}}]
    assert found["k1"].raw["tokenCount"] == 4
    assert (found["k3"].status, found["k3"].feedback) == (
        "stopped",
        Feedback(rating="dislike", reasons=("other",)),
    )
    assert (found["k5"].status, found["k5"].reason) == ("failed", "The key is wrong.")


@pytest.mark.parametrize("name", ["messages", "messagesTree"])
def test_a_nested_conversation(name: str) -> None:
    (given,) = fixture("librechat/nested.json")
    assert isinstance(given, dict)
    given[name] = given.pop("messagesTree")  # old exports nest under `messages`
    found = one(FORMAT, given)
    assert [(m.id, m.parent) for m in found.messages] == [
        ("n1", None),
        ("n2", "n1"),
        ("n4", "n2"),
        ("n3", "n1"),
    ]
    assert found.head == "n4"
    assert by_id(found)["n2"].status == "stopped"


def test_nesting_alone_makes_the_tree() -> None:
    given = talk(
        {"messageId": "a", "children": [{"messageId": "b", "children": None}, {"messageId": "c"}, None]}
    )
    assert [(m.id, m.parent) for m in one(FORMAT, given).messages] == [("a", None), ("b", "a"), ("c", "a")]


def test_nesting_may_be_deep() -> None:
    given: dict[str, object] = {"messageId": "0"}
    for number in range(1, 20_000):
        given = {"messageId": str(number), "children": [given]}
    assert len(one(FORMAT, talk(given)).messages) == 20_000
    while given:  # else Python takes it apart by recursion
        children = given.pop("children", [{}])
        assert isinstance(children, list)
        given = children[0] if "messageId" in children[0] else {}


def test_without_ids_the_order_is_the_path() -> None:
    found = one(FORMAT, talk({"text": "a", "isCreatedByUser": True}, {"text": "b", "isCreatedByUser": False}))
    assert (found.linear, [m.role for m in found.messages]) == (True, ["user", "assistant"])


def test_two_first_messages_are_siblings() -> None:
    found = one(FORMAT, talk(*({"messageId": name, "parentMessageId": ROOT} for name in "ab")))
    assert (found.linear, [m.parent for m in found.messages]) == (False, [None, None])


@pytest.mark.parametrize(
    ("fields", "role"),
    [
        ({"isCreatedByUser": True, "sender": "GPT-4"}, "user"),
        ({"isCreatedByUser": False, "sender": "User"}, "assistant"),
        ({"sender": "User"}, "user"),
        ({"sender": "GPT-4"}, "assistant"),
        ({"role": "system"}, "system"),
        ({"isCreatedByUser": "yes"}, "assistant"),
        ({}, "assistant"),
    ],
)
def test_roles(fields: dict[str, object], role: str) -> None:
    (found,) = one(FORMAT, talk({"messageId": "m", "text": "x", **fields})).messages
    assert found.role == role


@pytest.mark.parametrize(
    ("content", "text", "expected"),
    [
        (None, "t", [Text("t")]),
        ([], "t", [Text("t")]),
        ("c", "", [Text("c")]),
        ("c", "c", [Text("c")]),
        (["bare", None], "", [Text("bare")]),
        ([{"type": "think", "think": "h"}], "t", [Reasoning("h"), Text("t")]),
        ([{"type": "text", "text": ""}], "t", [Text("t")]),
        ([{"type": "tool_call", "tool_call": None}], "", [ToolCall("m.0", "tool", "{}")]),
        (
            [
                {
                    "type": "tool_call",
                    "tool_call": {
                        "type": "function",
                        "function": {"name": "f", "arguments": "{}", "output": "o"},
                    },
                }
            ],
            "",
            [ToolCall("m.0", "f", "{}"), ToolResult("m.0", "o")],
        ),
        (
            [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}],
            "",
            [IncomingFile(name="image", media_type="image/png", size_bytes=5, content=b"hello")],
        ),
        (
            [
                {
                    "type": "image_file",
                    "image_file": {"file_id": "f", "filename": "a.png", "type": "image/png", "bytes": 1},
                }
            ],
            "",
            [IncomingFile(name="a.png", media_type="image/png", size_bytes=1, pointer="f")],
        ),
        ([{"type": "image_url", "image_url": 4}, {"type": "image_file"}], "", []),
    ],
)
def test_contents(content: object, text: str, expected: list[IncomingPart]) -> None:
    assert list(said(content=content, text=text).parts) == expected


def test_a_text_that_says_something_else_is_kept() -> None:
    message = said(content=[{"type": "text", "text": "a"}], text="b")
    assert (message.parts, message.raw) == ((Text("a"),), {"text": "b"})


def test_an_error_in_a_block_is_the_reason() -> None:
    message = said(error=True, content=[{"type": "error", "error": "quota"}])
    assert (message.status, message.reason, message.parts) == ("failed", "quota", ())
    assert said(error=True).reason is not None


@pytest.mark.parametrize("vote", [None, {}, "thumbsUp", {"rating": "maybe"}, {"rating": None}])
def test_what_is_no_vote(vote: object) -> None:
    assert said(text="x", feedback=vote).feedback is None


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (talk(), "skipped"),
        (talk(None, {}, 3), "skipped"),
        ({"conversationId": "l", "messages": None}, "skipped"),
        ({"conversationId": "l", "messages": {"a": 1}}, "failed"),
        ({"colour": "blue"}, "failed"),
        ([], "failed"),
    ],
)
def test_what_is_no_conversation_is_told(value: object, kind: str) -> None:
    good = talk({"messageId": "a", "text": "x"})
    conversations, unread = read(FORMAT, [good, value, good])
    assert len(conversations) == 2
    assert [one.kind for one in unread] == [kind]


def test_what_is_recognised() -> None:
    values: list[object] = [
        talk(),
        {"conversationId": 1, "messagesTree": []},
        {"conversationId": 1},
        {"messages": []},
        3,
    ]
    assert [FORMAT.recognises(Record(value=value, body=b"")) for value in values] == [True, True] + [
        False
    ] * 3
