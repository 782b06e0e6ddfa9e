"""Odd cases of the notes on formats for which no other fixture stands."""

import json

import pytest

from chatcore.incoming import Incoming, IncomingFile
from chatcore.messages import Text, ToolResult
from tests.ingestion.making import read, said, unread

STATES = [
    "initial_prompt_review",
    "growing",
    "ranking",
    "ready_for_scoring",
    "scoring_failed",
    "aborted_low_grade",
    "halted_by_moderator",
    "backlog_ranking",
    "prompt_lottery_waiting",
]


def lines(*values: object) -> bytes:
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def test_of_all_states_of_a_tree_only_one_is_meant_for_use() -> None:
    def tree(state: str) -> dict[str, object]:
        prompt = {"message_id": f"m-{state}", "text": state, "role": "prompter", "replies": []}
        return {"message_tree_id": state, "tree_state": state, "prompt": prompt, "origin": None}

    items = read(lines(*map(tree, STATES), tree("ready_for_export")))
    assert said(items) == ["ready_for_export"]
    assert [(one.kind, one.id) for one in unread(items)] == [("skipped", state) for state in STATES]


@pytest.mark.parametrize("kind", ["knowledge", "rag_reference", "image", "local_resource", "of_tomorrow"])
def test_what_a_tool_of_claude_gives_back_is_never_lost(kind: str) -> None:
    block = {"type": kind, "title": "a title", "text": "some words", "url": "x:y"}
    content = [
        {"type": "tool_use", "id": "t", "name": "search", "input": {}},
        {"type": "tool_result", "tool_use_id": "t", "name": "search", "content": [block]},
    ]
    messages = [{"uuid": "m", "sender": "assistant", "text": "", "content": content}]
    (found,) = read(lines({"uuid": "u", "chat_messages": messages}))
    assert isinstance(found, Incoming)
    (message,) = found.messages
    assert any(isinstance(part, ToolResult) for part in message.parts)
    assert "a title" in repr((message.parts, message.raw, found.raw))


def test_the_bytes_of_a_picture_that_a_tool_of_claude_gave_back_are_kept() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "aGk="}
    content = [{"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": source}]}]
    messages = [{"uuid": "m", "sender": "assistant", "text": "", "content": content}]
    (found,) = read(lines({"uuid": "u", "chat_messages": messages}))
    assert isinstance(found, Incoming)
    _, file = found.messages[0].parts
    assert isinstance(file, IncomingFile)
    assert (file.name, file.media_type, file.content) == ("image", "image/png", b"hi")


def test_open_webui_may_be_lines_of_json() -> None:
    def chat(number: int) -> dict[str, object]:
        messages = {"a": {"id": "a", "parentId": None, "role": "user", "content": f"question {number}"}}
        return {"id": f"c{number}", "chat": {"history": {"currentId": "a", "messages": messages}}}

    items = read(lines(chat(0), {"id": "folder", "name": "no chat"}, chat(1)))
    assert said(items) == ["question 0", "question 1"]
    assert len(unread(items)) == 1


def test_tags_of_baize_count_at_the_beginning_of_a_line_only() -> None:
    text = (
        "Das Gespräch zwischen Mensch und Maschine.\n[|Human|] What does [|AI|] mean?\nAnd [|Human|]?\n"
        "[|AI|] Tags:\n  they say who speaks.\n[|Human|] "
    )
    (found,) = read(json.dumps([{"topic": "tags", "input": text}]).encode())
    assert isinstance(found, Incoming)
    assert [(one.role, one.parts) for one in found.messages] == [
        ("user", (Text("What does [|AI|] mean?\nAnd [|Human|]?"),)),
        ("assistant", (Text("Tags:\n  they say who speaks."),)),
    ]
    assert found.title == "tags"
