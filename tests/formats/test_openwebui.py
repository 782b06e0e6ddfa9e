"""Open WebUI: the odd cases of its chats and votes, each with a small one of our own."""

import pytest

from chatcore.formats.format import Record
from chatcore.formats.openwebui import FORMAT
from chatcore.incoming import Incoming, IncomingFile, IncomingMessage, IncomingPart
from chatcore.messages import Feedback, Reasoning, Text, ToolCall, ToolResult, Usage
from tests.formats.vendors import by_id, fixture, one, read


def chat(*messages: dict[str, object], **fields: object) -> dict[str, object]:
    return {
        "id": "o",
        "title": "T",
        "chat": {"history": {"messages": {str(m["id"]): m for m in messages}}},
        **fields,
    }


def said(content: object, **message: object) -> IncomingMessage:
    (found,) = one(FORMAT, chat({"id": "m", "role": "assistant", "content": content, **message})).messages
    return found


@pytest.fixture(name="bread")
def _bread() -> Incoming:
    return read(FORMAT, fixture("openwebui/chats.json")).conversations[0]


# --- the fixtures, whole


def test_a_chat_of_all_kinds(bread: Incoming) -> None:
    assert (bread.id, bread.title, bread.archived, bread.pinned) == ("o-1", "Bread", True, True)
    assert (bread.head, bread.linear) == ("b4", False)
    assert (bread.created_at_us, bread.updated_at_us) == (1_700_000_000_000_000, 1_700_000_100_000_000)
    assert bread.settings.system_prompt == "You bake."
    assert [(m.id, m.parent, m.role) for m in bread.messages] == [
        ("b1", None, "user"),
        ("b2", "b1", "assistant"),
        ("b3", "b1", "assistant"),
        ("b4", "b2", "user"),
        ("b5", "b4", "assistant"),  # found by its parent's childrenIds
    ]
    # tags and the folder are kept, the copy of the path is not
    assert bread.raw == {
        "user_id": "u-1",
        "folder_id": "gone",
        "meta": {"tags": ["baking"]},
        "chat": {
            "models": ["m-a", "m-b"],
            "params": {"system": "You bake.", "temperature": 0.2},
            "tags": ["baking"],
        },
    }


def test_what_is_said_in_it(bread: Incoming) -> None:
    found = by_id(bread)
    assert found["b1"].parts == (
        Text("Rye?"),
        IncomingFile(name="file", media_type="image/png", size_bytes=5, content=b"hello"),
        IncomingFile(
            name="rye.pdf.txt", media_type="text/plain", size_bytes=8, pointer="f-1", content=b"Rye text"
        ),
    )
    assert found["b2"].parts == (
        Reasoning("Rye & water\nmaybe"),
        ToolCall("call-1", "oven", '{"heat": 220}'),
        ToolResult("call-1", "hot"),
        Text("Yes.\n<details><summary>More</summary>Sour dough.</details>"),
    )
    assert found["b5"].parts == (
        Reasoning("Warm first"),
        ToolCall("call-2", "bake", '{"minutes": 40}'),
        ToolResult("call-2", "done"),
        Text("Baked"),
    )
    raw = found["b5"].raw
    assert raw is not None
    assert raw["output"] == [
        {"item": 0, "duration": 2},
        {"item": 1, "id": "i-1"},
        {"item": 3, "type": "smell", "of": "bread"},
    ]
    assert "content" not in raw
    files = (found["b1"].raw or {})["files"]
    assert {"type": "collection", "id": "k-1", "name": "Recipes"} in files  # type: ignore[operator]


def test_votes_models_tokens_in_it(bread: Incoming) -> None:
    found = by_id(bread)
    assert found["b2"].feedback == Feedback(rating="like", comment="tasty", reasons=("accurate_information",))
    assert found["b3"].feedback == Feedback(rating="dislike")
    assert found["b2"].usage == Usage(prompt_tokens=5, completion_tokens=7)
    assert (found["b1"].model, found["b2"].model, found["b3"].model) == (None, "m-a", "m-b")
    raw = found["b2"].raw
    assert raw is not None
    assert raw["annotation"] == {"tags": ["baking"], "details": {"rating": 9}}
    # side by side, not asked again: its number says so
    assert (raw["modelIdx"], raw["modelName"], raw["feedbackId"]) == (0, "Model A", "fb-1")
    assert raw["usage"] == {"eval_duration": 3}
    assert found["b5"].status == "interrupted"


def test_errors_and_empty_chats() -> None:
    conversations, unread = read(FORMAT, fixture("openwebui/chats.json"))
    fault = conversations[1]
    assert fault.head == "e2"  # currentId is nowhere
    assert (fault.messages[1].status, fault.messages[1].reason) == ("failed", "No connection")
    assert [(one.kind, one.id) for one in unread] == [("skipped", "o-3")]


def test_a_bare_chat() -> None:
    (bare,) = read(FORMAT, fixture("openwebui/bare.json")).conversations
    assert (bare.id, bare.title, bare.head, len(bare.messages)) == (None, "Bare", "x2", 2)
    assert bare.created_at_us == 1_744_577_557_127_000  # milliseconds here, seconds in messages
    assert bare.messages[0].created_at_us == 1_744_577_557_000_000
    assert bare.raw == {"models": ["m-a"]}


def test_votes_bring_the_chat_that_they_are_about() -> None:
    (voted,), unread = read(FORMAT, fixture("openwebui/feedbacks.json"))
    assert (voted.id, voted.title) == ("o-9", "Voted")
    answer = by_id(voted)["v2"]
    assert answer.feedback == Feedback(rating="dislike", comment="more please", reasons=("too_short",))
    assert answer.raw is not None
    kept = answer.raw["annotation"]
    assert isinstance(kept, dict)
    assert (kept["sibling_model_ids"], kept["details"]) == (["m-b"], {"rating": 2})
    assert [(one.kind, one.id) for one in unread] == [("skipped", "fb-2")]


def test_a_vote_on_a_message_that_is_not_there_is_told() -> None:
    snapshot = {"chat": {"history": {"messages": {"a": {"role": "user", "content": "x"}}}}}
    given = {
        "type": "rating",
        "data": {"rating": 1},
        "meta": {"chat_id": "c", "message_id": "z"},
        "snapshot": snapshot,
    }
    conversations, unread = read(FORMAT, [given])
    assert [found.id for found in conversations] == ["c"]
    assert [(one.kind, one.id) for one in unread] == [("failed", "z")]


# --- contents


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("plain", [Text("plain")]),
        ("", []),
        (None, []),
        (5, []),
        ({"text": "held"}, [Text("held")]),
        (
            [
                {"type": "text", "text": "a"},
                {"type": "image_url", "image_url": {"url": "https://x.example/i"}},
            ],
            [Text("a"), IncomingFile(name="image", pointer="https://x.example/i")],
        ),
        (
            "<details>\n<summary>s</summary>mine</details>",
            [Text("<details>\n<summary>s</summary>mine</details>")],
        ),
        ('<details type="poem">x</details>', [Text('<details type="poem">x</details>')]),
        (
            '<details type="reasoning" done="false">\n> hm',
            [Text('<details type="reasoning" done="false">\n> hm')],
        ),
        ('<details type="reasoning">\n<summary>s</summary>\n</details>\nA', [Text("A")]),
        ('A\n<details type="reasoning">> b</details>\nC', [Text("A\n"), Reasoning("b"), Text("C")]),
        (
            '<details type="tool_calls" name="t" id="i" arguments="[1]">&quot;r&quot;</details>',
            [ToolCall("i", "t", "[1]"), ToolResult("i", "r")],
        ),
        ('<details type="tool_calls" name="t" done="false"></details>', [ToolCall("m.0", "t", "{}")]),
        (
            '<details type="code_interpreter" output="&quot;2\\n&quot;">\n```python\n1+1\n```\n</details>',
            [ToolCall("m.0", "code_interpreter", "1+1"), ToolResult("m.0", "2\n")],
        ),
        ('<details type="reasoning" <details type="x', [Text('<details type="reasoning" <details type="x')]),
    ],
)
def test_contents_of_answers(content: object, expected: list[IncomingPart]) -> None:
    assert list(said(content).parts) == expected


def test_people_may_write_such_blocks_themselves() -> None:
    text = '<details type="reasoning">> b</details>'
    (found,) = one(FORMAT, chat({"id": "m", "role": "user", "content": text})).messages
    assert found.parts == (Text(text),)


def test_many_blocks_that_are_not_closed_cost_little() -> None:
    text = '<details type="reasoning">' * 100_000
    assert said(text).parts == (Text(text),)
    text = '<details a="' * 100_000
    assert said(text).parts == (Text(text),)


@pytest.mark.parametrize(
    ("output", "content", "expected"),
    [
        ([], "said", [Text("said")]),
        (None, "said", [Text("said")]),
        ("odd", "said", [Text("said")]),
        ([None, 3, {"type": ["odd"]}], "said", [Text("said")]),
        ([{"type": "message", "content": [{"type": "output_text", "text": "a"}]}], "", [Text("a")]),
        ([{"type": "message", "content": "a"}], "a", [Text("a")]),
        # reasoning and tools are in both, the words only in one
        (
            [{"type": "reasoning", "content": [{"type": "output_text", "text": "r"}]}],
            '<details type="reasoning">> other</details>words',
            [Reasoning("r"), Text("words")],
        ),
        (
            [{"type": "function_call", "name": "f", "arguments": {"a": 1}}],
            "",
            [ToolCall("m.0", "f", '{"a": 1}')],
        ),
        ([{"type": "function_call_output", "output": "x"}], "", [ToolResult("m.0", "x")]),
        (
            [{"type": "open_webui:code_interpreter", "code": "1", "output": "1"}],
            "",
            [ToolCall("m.0", "code_interpreter", "1"), ToolResult("m.0", "1")],
        ),
    ],
)
def test_output_comes_before_content(output: object, content: str, expected: list[IncomingPart]) -> None:
    assert list(said(content, output=output).parts) == expected


def test_a_content_that_says_something_else_is_kept() -> None:
    message = said("edited", output=[{"type": "message", "content": "first"}])
    assert (message.parts, message.raw) == ((Text("first"),), {"content": "edited"})


@pytest.mark.parametrize(
    ("fields", "status", "reason"),
    [
        ({}, "complete", None),
        ({"done": True, "error": None}, "complete", None),
        ({"done": False}, "interrupted", "It was still being written when it was exported."),
        ({"error": True}, "failed", "Its source says that it failed."),
        ({"error": "boom"}, "failed", "boom"),
        ({"error": {"message": "boom"}}, "failed", "boom"),
        ({"error": {"content": "boom"}}, "failed", "boom"),
    ],
)
def test_endings(fields: dict[str, object], status: str, reason: str | None) -> None:
    message = said("x", **fields)
    assert (message.status, message.reason) == (status, reason)


@pytest.mark.parametrize("rating", [None, 0, "", [], True])
def test_an_annotation_without_a_vote_is_kept(rating: object) -> None:
    message = said("x", annotation={"rating": rating, "comment": "c"})
    assert message.feedback is None
    assert message.raw is not None
    assert "comment" in str(message.raw["annotation"])


# --- trees


def test_history_wins_over_messages() -> None:
    given = chat({"id": "a", "role": "user", "content": "tree"})
    given["chat"] = {**given["chat"], "messages": [{"id": "z", "role": "user", "content": "copy"}]}  # type: ignore[dict-item]
    assert [m.id for m in one(FORMAT, given).messages] == ["a"]


@pytest.mark.parametrize("history", [None, {}, {"messages": {}}, {"messages": None}, "odd"])
def test_without_history_the_list_is_read(history: object) -> None:
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, None]
    found = one(FORMAT, {"id": "o", "chat": {"history": history, "messages": messages}})
    assert (found.linear, len(found.messages), found.messages[1].id) == (True, 2, None)


def test_a_list_with_parents_is_a_tree() -> None:
    messages = [
        {"id": "a", "parentId": None, "role": "user", "content": "a"},
        {"id": "b", "parentId": "a", "role": "assistant", "content": "b"},
    ]
    found = one(FORMAT, {"id": "o", "chat": {"messages": messages}})
    assert (found.linear, found.messages[1].parent, found.head) == (False, "a", "b")


def test_an_unknown_role_is_kept() -> None:
    (message,) = one(FORMAT, chat({"id": "a", "role": "oracle", "content": "x", "model": "m"})).messages
    assert (message.role, message.raw) == ("assistant", {"role": "oracle"})


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"id": "x", "title": "T", "chat": {"history": {}}}, "skipped"),
        ({"id": "x", "title": "T", "chat": None}, "skipped"),
        ({"colour": "blue"}, "failed"),
        ({}, "failed"),
        ("text", "failed"),
        ({"type": "rating", "data": {}, "meta": None}, "skipped"),
    ],
)
def test_what_is_no_chat_is_told(value: object, kind: str) -> None:
    good = chat({"id": "a", "role": "user", "content": "x"})
    conversations, unread = read(FORMAT, [good, value, good])
    assert len(conversations) == 2
    assert [one.kind for one in unread] == [kind]


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ({"chat": {"history": {}}}, True),
        ({"chat": {"messages": []}}, True),
        ({"history": {"messages": {}}}, True),
        ({"type": "rating", "data": {"rating": 1}, "meta": {}}, True),
        ({"type": "rating", "data": {"rating": 1}}, False),
        ({"chat": {}}, False),
        ({"chat": "x"}, False),
        ({"history": [1]}, False),
        ([], False),
    ],
)
def test_what_is_recognised(value: object, known: bool) -> None:
    assert FORMAT.recognises(Record(value=value, body=b"")) is known
