"""ChatGPT: the odd cases of its conversations, each with a small one of our own."""

from collections.abc import Mapping

import pytest

from chatcore.formats.chatgpt import FORMAT
from chatcore.formats.format import ReadOptions, Record
from chatcore.incoming import Incoming, IncomingFile, IncomingMessage, IncomingPart
from chatcore.messages import Reasoning, Text, ToolCall, ToolResult
from tests.formats.vendors import by_id, fixture, one, read


def node(
    node_id: str,
    parent: str | None,
    role: str = "assistant",
    text: str = "",
    **message: object,
) -> dict[str, object]:
    given = {
        "id": node_id,
        "author": {"role": role},
        "content": {"content_type": "text", "parts": [text or node_id]},
        **message,
    }
    return {"id": node_id, "parent": parent, "children": [], "message": given}


def empty(node_id: str, parent: str | None, *children: str) -> dict[str, object]:
    return {"id": node_id, "parent": parent, "children": list(children), "message": None}


def tree(*nodes: Mapping[str, object], **fields: object) -> dict[str, object]:
    return {"conversation_id": "c", "mapping": {str(one["id"]): one for one in nodes}, **fields}


def said(content: object, role: str = "assistant", **message: object) -> IncomingMessage:
    """The one message with this content."""
    (found,) = one(FORMAT, tree(node("a", None, role, "", content=content, **message))).messages
    return found


@pytest.fixture(name="garden")
def _garden() -> Incoming:
    return read(FORMAT, fixture("chatgpt/conversations.json")).conversations[0]


# --- the fixture, whole


def test_a_conversation_of_all_kinds(garden: Incoming) -> None:
    assert (garden.id, garden.title, garden.archived, garden.pinned) == (
        "c-garden",
        "A garden plan",
        True,
        True,
    )
    assert (garden.created_at_us, garden.updated_at_us) == (1_700_000_000_250_000, 1_700_000_900_500_000)
    assert (garden.head, garden.linear, garden.source) == ("n-final", False, "chatgpt")
    assert (garden.file, garden.place) == ("given.json", "item 1")
    assert garden.raw == {"default_model_slug": "gpt-sample", "gizmo_type": "snorlax"}
    assert [(m.id, m.parent, m.role, m.hidden) for m in garden.messages] == [
        ("n-system", None, "system", True),
        ("n-context", "n-system", "system", True),
        ("n-question", "n-context", "user", False),
        ("n-first", "n-question", "assistant", False),
        ("n-thoughts", "n-question", "assistant", False),
        ("n-recap", "n-thoughts", "assistant", False),
        ("n-call", "n-recap", "assistant", False),
        ("n-display", "n-call", "tool", False),
        ("n-quote", "n-display", "tool", False),
        ("n-failed", "n-quote", "tool", False),
        ("n-final", "n-failed", "assistant", False),
    ]


def test_what_is_said_in_it(garden: Incoming) -> None:
    found = by_id(garden)
    assert found["n-system"].parts == ()
    assert found["n-context"].parts == (Text("Grows tomatoes.\nBe brief."),)
    assert found["n-question"].parts == (
        Text("Look at the bed."),
        IncomingFile(
            name="bed.png", media_type="image/png", size_bytes=70, pointer="sediment://file_0000beef"
        ),
        Text("What grows here?"),
        IncomingFile(
            name="file_0000cafe", media_type="audio/wav", size_bytes=9, pointer="sediment://file_0000cafe"
        ),
        IncomingFile(name="seeds.csv", media_type="text/csv", size_bytes=12, pointer="file-Seed1"),
    )
    assert found["n-first"].parts == (Text("Weeds,\nmostly."),)
    assert found["n-thoughts"].parts == (Reasoning("Looking\n\nIt is green.\n\nCounting\n\nThree rows."),)
    assert found["n-recap"].parts == (Reasoning("Thought for 4 seconds"),)
    assert found["n-call"].parts == (ToolCall("n-call", "browser", 'search("garden bed")'),)
    assert found["n-display"].parts == (ToolResult("n-call", "# beds"),)
    assert found["n-quote"].parts == (ToolResult("n-call", "Beds\nhttps://beds.example/1\nRows of beans."),)
    assert found["n-failed"].parts == (ToolResult("n-call", "Timeout\nIt took too long.", is_error=True),)
    assert found["n-final"].parts == (Text("```python\nplant('beans')\n```"),)


def test_models_endings_and_times_in_it(garden: Incoming) -> None:
    found = by_id(garden)
    assert (found["n-first"].model, found["n-recap"].model) == ("gpt-other", "gpt-sample")
    assert (found["n-question"].model, found["n-display"].model) == (None, None)
    assert found["n-final"].status == "interrupted"
    assert found["n-final"].reason is not None
    # older than what it answers: the tree decides, the time stays as it is
    assert found["n-final"].created_at_us == 1_700_000_002_000_000


def test_what_is_kept_beside(garden: Incoming) -> None:
    raw = {message.id: message.raw for message in garden.messages}
    assert raw["n-final"] == {"id": "m-final", "status": "in_progress"}  # and no address of a person
    assert raw["n-first"] == {
        "id": "m-first",
        "end_turn": True,
        "metadata": {"citations": [{"start_ix": 0, "end_ix": 5}]},
    }
    context = raw["n-context"]
    assert context is not None
    assert context["author"] == {"role": "user"}
    assert context["metadata"] == {"is_user_system_message": True}
    question = raw["n-question"]
    assert question is not None
    assert question["content"] == {
        "parts": [
            {"asset_pointer": "sediment://file_0000beef", "width": 3, "height": 2},
            {"direction": "in"},
            {"asset_pointer": "sediment://file_0000cafe", "content_type": "audio_asset_pointer"},
            {"content_type": "hologram", "waves": [1, 2]},
        ]
    }
    assert question["metadata"] == {"attachments": [{"id": "file_0000beef", "width": 3}]}
    assert raw["n-display"] == {
        "id": "m-display",
        "weight": 0.0,
        "author": {"name": "browser"},
        "metadata": {"command": "search"},
        "content": {"tether_id": 7},
    }


def test_no_title_no_times_no_known_role_no_content() -> None:
    bare = read(FORMAT, fixture("chatgpt/conversations.json")).conversations[1]
    assert (bare.title, bare.head) == (None, "c")
    assert bare.created_at_us == 1_709_294_400_000_000  # its earliest message, which says so in ISO 8601
    assert bare.updated_at_us == 1_709_294_402_000_000  # its latest, in milliseconds
    assert [(m.id, m.parent, m.role, m.parts) for m in bare.messages] == [
        ("a", "not-there", "system", (Text("Why?"),)),
        ("b", "a", "assistant", ()),
        ("c", "a", "assistant", (Text("\ud83d because"),)),
    ]
    assert bare.messages[0].raw == {
        "author": {"role": "critic"},
        "content": {"content_type": "riddle", "text": "Why?", "depth": 3},
    }
    assert not bare.messages[0].hidden
    assert (bare.messages[1].status, bare.messages[1].reason) == (
        "stopped",
        "The limit of tokens was reached.",
    )


# --- contents


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, []),
        ("just text", [Text("just text")]),
        ([], []),
        (7, [Text("7")]),
        ({}, []),
        ({"content_type": "text", "parts": None}, []),
        ({"content_type": "text", "parts": "not a list"}, [Text("not a list")]),
        ({"content_type": "text", "parts": ["a", None, 5, "", "b"]}, [Text("a\n5\n\nb")]),
        ({"content_type": "text", "parts": [["a"], {}]}, [Text("a")]),
        (
            {"content_type": "text", "parts": ["\ue200cite\ue202turn0\ue201"]},
            [Text("\ue200cite\ue202turn0\ue201")],
        ),
        ({"content_type": "code", "language": "unknown", "text": "x"}, [Text("```\nx\n```")]),
        ({"content_type": "code", "text": "a ``` b"}, [Text("````\na ``` b\n````")]),
        ({"content_type": "code", "text": ""}, []),
        ({"content_type": "thoughts", "parts": ["hm"]}, [Reasoning("hm")]),
        ({"content_type": "thoughts", "thoughts": []}, []),
        ({"content_type": "thoughts", "thoughts": ["plain", None]}, [Reasoning("plain")]),
        ({"content_type": "reasoning_recap", "parts": ["short"]}, [Reasoning("short")]),
        ({"content_type": "execution_output", "text": "1"}, [ToolResult("a", "1")]),
        ({"content_type": "citable_code_output", "output_str": "2"}, [ToolResult("a", "2")]),
        (
            {"content_type": "sonic_webpage", "title": "T", "url": "U", "text": "W"},
            [ToolResult("a", "T\nU\nW")],
        ),
        (
            {"content_type": "tether_browsing_display", "result": "same", "summary": "same"},
            [ToolResult("a", "same")],
        ),
        (
            {
                "content_type": "computer_output",
                "state": {"tab": 1},
                "screenshot": {
                    "content_type": "image_asset_pointer",
                    "asset_pointer": "file-service://file-9",
                },
            },
            [ToolResult("a", '{"tab": 1}'), IncomingFile(name="file-9", pointer="file-service://file-9")],
        ),
        (
            {
                "content_type": "multimodal_text",
                "parts": [
                    {
                        "asset_pointer": "sediment://9f#file_00aa#p_1.jpg",
                        "content_type": "image_asset_pointer",
                    }
                ],
            },
            [IncomingFile(name="file_00aa", pointer="sediment://9f#file_00aa#p_1.jpg")],
        ),
    ],
)
def test_contents(content: object, expected: list[IncomingPart]) -> None:
    assert list(said(content).parts) == expected


@pytest.mark.parametrize("kind", ["user_editable_context", "model_editable_context"])
@pytest.mark.parametrize("role", ["user", "assistant", "system"])
def test_context_is_nobodys_message(kind: str, role: str) -> None:
    content = {"content_type": kind, "user_profile": "P", "user_instructions": "", "model_set_context": "M"}
    message = said(content, role)
    assert (message.role, message.hidden) == ("system", True)
    assert message.parts == (Text("P" if kind.startswith("user") else "M"),)


@pytest.mark.parametrize(
    ("role", "weight", "metadata", "hidden"),
    [
        ("system", 0, {}, True),
        ("system", 0.0, None, True),
        ("system", 1.0, {}, False),
        ("system", None, {}, False),
        ("tool", 0.0, {}, False),
        ("assistant", 0.0, {}, False),
        ("user", 1.0, {"is_visually_hidden_from_conversation": True}, True),
        ("user", 1.0, {"is_visually_hidden_from_conversation": False}, False),
    ],
)
def test_what_is_hidden(role: str, weight: float | None, metadata: object, hidden: bool) -> None:
    assert (
        said({"content_type": "text", "parts": ["x"]}, role, weight=weight, metadata=metadata).hidden
        is hidden
    )


def test_text_for_a_tool_is_a_call_in_its_own_words() -> None:
    message = said({"content_type": "text", "parts": ['{"query": 1}']}, recipient="web.search")
    assert message.parts == (ToolCall("a", "web.search", '{"query": 1}'),)
    assert message.raw == {"recipient": "web.search"}


def test_a_tools_pictures_stay_pictures() -> None:
    content = {
        "content_type": "multimodal_text",
        "parts": [
            {
                "content_type": "image_asset_pointer",
                "asset_pointer": "file-service://file-1",
                "metadata": {"dalle": {"prompt": "p"}},
            },
            "made",
        ],
    }
    message = said(content, "tool")
    assert message.parts == (
        ToolResult("a", "made"),
        IncomingFile(name="file-1", pointer="file-service://file-1"),
    )
    assert message.raw is not None
    assert "dalle" in str(message.raw["content"])


def test_status_is_that_of_answers_only() -> None:
    assert said("x", "user", status="in_progress").status == "complete"
    assert said("x", status="in_progress").status == "interrupted"
    assert said("x", status="finished_partial_completion").status == "stopped"
    assert said("x", metadata={"finish_details": {"type": "interrupted"}}).status == "stopped"
    assert said("x", status=["odd"], metadata={"finish_details": "odd"}).status == "complete"


# --- trees


def parents(conversation: Incoming) -> dict[str | None, str | None]:
    return {message.id: message.parent for message in conversation.messages}


def test_what_stands_below_an_empty_node_goes_up() -> None:
    given = tree(
        node("a", None),
        empty("e1", "a"),
        empty("e2", "e1"),
        node("b", "e2"),
        node("c", "e2"),
        current_node="e2",
    )
    found = one(FORMAT, given)
    assert parents(found) == {"a": None, "b": "a", "c": "a"}
    assert found.head == "a"


def test_a_child_that_names_no_parent_is_found_by_the_list_of_children() -> None:
    root = node("a", None)
    root["children"] = ["b", "a", "nobody", None]
    child = node("b", None)
    del child["parent"]
    found = one(FORMAT, tree(root, child))
    assert parents(found) == {"a": None, "b": "a"}
    assert sum(found.repaired.values()) == 1


def test_children_may_be_missing() -> None:
    nodes = [node("a", None), node("b", "a")]
    for one_node in nodes:
        del one_node["children"]
    found = one(FORMAT, tree(*nodes))
    assert (parents(found), found.repaired) == ({"a": None, "b": "a"}, {})


def test_ids_that_are_not_there_stay_for_whoever_mends_the_tree() -> None:
    given = tree(node("a", "lost"), empty("e", "lost too"), node("b", "e"))
    assert parents(one(FORMAT, given)) == {"a": "lost", "b": "lost too"}


@pytest.mark.parametrize("start", ["e1", "e2", "a"])
def test_circles_have_an_end(start: str) -> None:
    given = tree(empty("e1", "e2"), empty("e2", "e1"), node("a", "e1"), node("b", "c"), node("c", "b"))
    found = one(FORMAT, {**given, "current_node": start})
    assert parents(found) == {"a": None, "b": "c", "c": "b"}
    assert found.head == "a"


@pytest.mark.parametrize("current", [None, "nobody", 5, []])
def test_without_a_current_node_the_newest_leaf_is_shown(current: object) -> None:
    given = tree(
        node("a", None, "user", create_time=1.0),
        node("b", "a", create_time=5.0),
        node("c", "a", create_time=4.0),
        current_node=current,
    )
    assert one(FORMAT, given).head == "b"


def test_the_call_of_a_result_is_not_looked_for_beyond_a_question() -> None:
    given = tree(
        node("call", None, recipient="python"), node("q", "call", "user"), node("result", "q", "tool", "out")
    )
    assert by_id(one(FORMAT, given))["result"].parts == (ToolResult("result", "out"),)


def test_nodes_that_are_no_nodes() -> None:
    mapping: dict[str, object] = {
        "a": node("a", None),
        "x": None,
        "y": "text",
        "z": {"message": []},
        "": node("", "a"),
    }
    assert parents(one(FORMAT, {"conversation_id": "c", "mapping": mapping})) == {"a": None, "": "a"}


# --- records that are no conversation


@pytest.mark.parametrize(
    ("value", "kind", "external_id"),
    [
        ({"id": "f", "title": "A folder"}, "skipped", "f"),
        ({"id": "f", "mapping": None}, "skipped", "f"),
        ({"id": "f", "mapping": {}}, "skipped", "f"),
        ({"id": "f", "mapping": {"root": empty("root", None)}}, "skipped", "f"),
        ({"conversation_id": "f", "mapping": [1]}, "failed", "f"),
        ({"colour": "blue"}, "failed", None),
        ({}, "failed", None),
        ([1], "failed", None),
        ("text", "failed", None),
        (None, "failed", None),
    ],
)
def test_what_is_no_conversation_is_told(value: object, kind: str, external_id: str | None) -> None:
    good = tree(node("a", None))
    conversations, unread = read(FORMAT, [good, value, good])
    assert len(conversations) == 2  # one bad record never stops the file
    (found,) = unread
    assert (found.kind, found.id, found.place, found.record) == (kind, external_id, "item 2", b"{}")
    assert found.reason.endswith(".")


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (tree(node("a", None)), True),
        (tree(), True),
        ({"mapping": None, "create_time": 1}, True),
        ({"mapping": {}}, False),
        ({"mapping": {"from": "to"}}, False),
        ({"mapping": [1]}, False),
        ({"chat_messages": []}, False),
        (["mapping"], False),
        ("mapping", False),
    ],
)
def test_what_is_recognised(value: object, known: bool) -> None:
    assert FORMAT.recognises(Record(value=value, body=b"")) is known


def test_the_source_may_be_called_otherwise() -> None:
    (found,), _ = read(FORMAT, [tree(node("a", None))], options=ReadOptions(source="work"))
    assert found.source == "work"
