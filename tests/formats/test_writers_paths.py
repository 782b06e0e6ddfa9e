"""OpenAI's messages, ShareGPT and Markdown: a path as others write it."""

import json

from chatcore.formats.format import WriteOptions
from chatcore.formats.writers.markdown import MARKDOWN
from chatcore.formats.writers.messages import OPENAI
from chatcore.formats.writers.sharegpt import SHAREGPT
from chatcore.messages import (
    Attachment,
    Feedback,
    File,
    MissingFile,
    Reasoning,
    Settings,
    ToolCall,
    ToolResult,
)
from chatcore.views import MessageFeedback, Node, Tree
from tests.formats.trees import lines, node, text, tree

PHOTO = File(
    Attachment(name="my cat.png", media_type="image/png", size_bytes=1, sha256="a" * 64, path="files/aa")
)
REPORT = File(
    Attachment(name="a.pdf", media_type="application/pdf", size_bytes=1, sha256="b" * 64, path="files/bb")
)
COPY = f"files/{'a' * 32}-my cat.png"


def branching() -> Tree:
    return tree(
        node("q", None, "user", "What?"),
        node("a1", "q", "assistant", "This.", votes=["dislike"]),
        node("a2", "q", "assistant", "That.", model="m", votes=["like"]),
        node("q2", "a2", "user", "Why?"),
        node("a3", "q2", "assistant", "So."),
        title="A question",
    )


def with_tools() -> Tree:
    return tree(
        node("s", None, "system", "Be kind."),
        node("q", "s", "user", "What?"),
        node(
            "c",
            "q",
            "assistant",
            "I look.",
            ToolCall("1", "look", '{"at": "sky"}'),
            ToolCall("2", "hear", "loud"),
        ),
        node("r", "c", "tool", ToolResult("1", "blue"), ToolResult("2", "birds")),
        node("a", "r", "assistant", Reasoning("Hm."), "Blue."),
    )


# --- OpenAI


def test_the_shown_path_is_one_line() -> None:
    assert lines(OPENAI, branching()) == [
        {
            "messages": [
                {"role": "user", "content": "What?"},
                {"role": "assistant", "content": "That."},
                {"role": "user", "content": "Why?"},
                {"role": "assistant", "content": "So."},
            ]
        }
    ]


def test_a_disliked_answer_is_context_and_not_to_be_learnt() -> None:
    _, other = lines(OPENAI, branching(), WriteOptions(all_paths=True))
    assert other["messages"] == [
        {"role": "user", "content": "What?"},
        {"role": "assistant", "content": "This.", "weight": 0},
    ]


def test_tools_are_called_and_answer() -> None:
    (line,) = lines(OPENAI, with_tools(), WriteOptions(reasoning=True))
    look = {"id": "1", "type": "function", "function": {"name": "look", "arguments": '{"at": "sky"}'}}
    hear = {"id": "2", "type": "function", "function": {"name": "hear", "arguments": "loud"}}
    assert line["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "What?"},
        {"role": "assistant", "content": "I look.", "tool_calls": [look, hear]},
        {"role": "tool", "tool_call_id": "1", "content": "blue"},
        {"role": "tool", "tool_call_id": "2", "content": "birds"},
        {"role": "assistant", "content": "Blue.", "reasoning_content": "Hm."},
    ]


def test_one_message_with_its_tools_becomes_the_turns_that_it_was() -> None:
    given = tree(
        node("q", None, "user", "What?"),
        node("a", "q", "assistant", ToolCall("1", "look", "{}"), ToolResult("1", "blue"), "Blue."),
    )
    (line,) = lines(OPENAI, given)
    call = {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    assert line["messages"] == [
        {"role": "user", "content": "What?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "blue"},
        {"role": "assistant", "content": "Blue."},
    ]


def test_what_an_import_said_of_tools_comes_back() -> None:
    tools = [{"type": "function", "function": {"name": "look"}}]
    given = tree(node("q", None, "user", "What?"), raw={"tools": tools, "other": 1})
    assert lines(OPENAI, given) == [{"messages": [{"role": "user", "content": "What?"}], "tools": tools}]


def test_images_are_parts_and_other_files_are_named() -> None:
    elsewhere = MissingFile(name="x.png", media_type="image/png", pointer="https://example.org/x.png")
    lost = MissingFile(name="y.png", media_type="image/png", pointer="file-123")
    given = tree(node("q", None, "user", "Look: ", PHOTO, REPORT, elsewhere, lost))
    (line,) = lines(OPENAI, given, WriteOptions(files="files"))
    assert line["messages"][0]["content"] == [  # type: ignore[index]
        {"type": "text", "text": "Look: "},
        {"type": "image_url", "image_url": {"url": COPY}},
        {"type": "text", "text": "[a.pdf]"},
        {"type": "image_url", "image_url": {"url": "https://example.org/x.png"}},
        {"type": "text", "text": "[y.png]"},
    ]
    (line,) = lines(OPENAI, given)
    assert line["messages"][0]["content"][1] == {"type": "text", "text": "[my cat.png]"}  # type: ignore[index]


def test_where_nothing_was_said_there_is_no_line() -> None:
    hidden = tree(node("s", None, "system", "x", hidden=True), settings=Settings(system_prompt="Be brief."))
    for given in (tree(), hidden):
        assert lines(OPENAI, given) == lines(SHAREGPT, given) == []


# --- ShareGPT


def test_sides_alternate() -> None:
    given = tree(
        node("w", None, "assistant", "Welcome!"),
        node("q", "w", "user", "What?"),
        node("p", "q", "user", "Please."),
        node("a", "p", "assistant", "This."),
        node("b", "a", "assistant", "And that."),
        node("z", "b", "user", "Bye."),
        settings=Settings(system_prompt="Be kind."),
        id_="c-1",
    )
    assert lines(SHAREGPT, given) == [
        {
            "id": "c-1",
            "conversations": [
                {"from": "human", "value": "What?\n\nPlease."},
                {"from": "gpt", "value": "This.\n\nAnd that."},
                {"from": "human", "value": "Bye."},
            ],
            "system": "Be kind.",
        }
    ]


def test_tools_take_the_places_of_the_sides() -> None:
    (line,) = lines(SHAREGPT, with_tools())
    turns = line["conversations"]
    assert [turn["from"] for turn in turns] == ["human", "function_call", "observation", "gpt"]  # type: ignore[attr-defined]
    calls = [{"name": "look", "arguments": {"at": "sky"}}, {"name": "hear", "arguments": "loud"}]
    assert json.loads(turns[1]["value"]) == calls  # type: ignore[index]
    assert turns[2]["value"] == "blue\n\nbirds"  # type: ignore[index]


def test_a_question_counts_for_more_than_a_tools_result() -> None:
    given = tree(
        node("q", None, "user", "What?"),
        node("c", "q", "assistant", ToolCall("1", "look", "{}"), ToolResult("1", "blue")),
        node("p", "c", "user", "Never mind."),
    )
    (line,) = lines(SHAREGPT, given)
    assert [turn["from"] for turn in line["conversations"]] == ["human", "function_call", "human"]  # type: ignore[attr-defined]


def test_each_path_has_an_id_of_its_own() -> None:
    found = lines(SHAREGPT, branching(), WriteOptions(all_paths=True))
    assert [line["id"] for line in found] == ["c", "c-path-1"]


# --- Markdown


def commented(given: Node) -> Node:
    feedback = Feedback(rating="dislike", comment="No,\nreally.", reasons=("wrong",))
    return Node(
        message=given.message,
        feedback=(MessageFeedback(message_id=given.message.id, user="u", feedback=feedback),),
    )


def test_a_conversation_reads_well() -> None:
    given = tree(
        node("q", None, "user", "What is *this*?", PHOTO, REPORT),
        commented(node("a", "q", "assistant", Reasoning("Hm."), "A cat.\n", model="m 1", status="stopped")),
        title="Cats\n# and dogs",
        settings=Settings(system_prompt="Be brief."),
    )
    assert text(MARKDOWN, given, WriteOptions(files="files", reasoning=True)) == (
        "# Cats # and dogs\n\n2026-01-31 12:00 UTC\n"
        "\n## Instructions\n\nBe brief.\n"
        "\n## You\n\nWhat is *this*?\n\n"
        f"![my cat.png](files/{'a' * 32}-my%20cat.png)\n\n[a.pdf](files/{'b' * 32}-a.pdf)\n"
        "\n## Assistant (m 1) 👎\n\n<details><summary>Reasoning</summary>\n\nHm.\n\n</details>\n\nA cat.\n\n"
        "*stopped*\n\n*dislike: wrong; No, really.*\n\n"
    )
    assert "Hm." not in text(MARKDOWN, given)


def test_a_fence_is_longer_than_any_inside() -> None:
    given = tree(node("r", None, "tool", ToolResult("1", "````\nx\n````", is_error=True)))
    assert "Error:\n\n`````\n````\nx\n````\n`````" in text(MARKDOWN, given)


def test_other_branches_begin_where_they_leave() -> None:
    found = text(MARKDOWN, branching(), WriteOptions(all_paths=True))
    shown, other = found.split("\n---\n")
    assert shown.count("## ") == 4
    assert "*Another branch, after You" in other
    assert ("This." in other, "What?" in other) == (True, False)


def test_hidden_messages_are_not_printed() -> None:
    given = tree(node("s", None, "system", "Secret.", hidden=True), node("q", "s", "user", "What?"))
    assert "Secret" not in text(MARKDOWN, given)
