"""Records of logs, dialogs and chats in which any one thing is not what it should be: nothing raises.

Not by chance: each value at each place of a good record is replaced by each of the odd ones.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatcore.formats.dialogs import chitchat, kdconv, saved_page, taskmaster, topical_chat
from chatcore.formats.format import ReadFormat, ReadOptions, Record
from chatcore.formats.logs import fastchat, gradio, llm
from chatcore.formats.people import messenger, slack, telegram
from chatcore.incoming import Incoming, Unread
from tests.formats.vendors import Packed

DEEP: object = []
for _ in range(400):
    DEEP = [DEEP, {"x": DEEP}] if _ % 100 == 0 else [DEEP]

ODD: list[object] = [
    None,
    True,
    -1,
    2**70,
    1e308,
    float("nan"),
    "",
    "\ud800\0",
    "x" * 5000,
    [],
    [[]],
    {},
    {"": None},
    DEEP,
]

SAID = {"role": "assistant", "content": [{"type": "text", "text": "a!"}], "metadata": {"title": "t", "id": 1}}
STATE = {
    "system_message": "s",
    "roles": ["U", "A"],
    "messages": [["U", "a?"], ["A", ["a!", ["i.png"]]]],
    "offset": 0,
    "conv_id": "c",
    "model_name": "m",
}
GOOD: dict[str, tuple[ReadFormat, object]] = {
    "gradio": (
        gradio.FORMAT,
        [[{"role": "user", "content": "a?"}, SAID, {**SAID, "metadata": None}], [1, 1], "Like", "t"],
    ),
    "gradio pairs": (gradio.FORMAT, [[["a?", ["p.png", "alt"]]], [0, 1], "Like", "2025-03-01 10:00:00"]),
    "fastchat": (
        fastchat.FORMAT,
        {"type": "upvote", "tstamp": 1.5, "model": "m", "start": 1, "finish": 2, "state": STATE},
    ),
    "arena": (
        fastchat.FORMAT,
        {
            "type": "leftvote",
            "tstamp": 1.5,
            "models": ["m", "n"],
            "states": [STATE, {**STATE, "conv_id": "d"}],
        },
    ),
    "battle": (
        fastchat.FORMAT,
        {
            "question_id": "q",
            "model_a": "m",
            "winner": "model_a",
            "conversation_a": [{"role": "user", "content": "x"}],
            "conversation_b": [],
            "tstamp": 1,
        },
    ),
    "llm": (
        llm.FORMAT,
        {
            "id": "r",
            "model": "m",
            "prompt": "q",
            "system": "s",
            "response": "a",
            "conversation_id": "c",
            "duration_ms": 5,
            "conversation_name": "n",
            "datetime_utc": "2023-11-14T22:13:20",
            "input_tokens": 5,
            "reasoning": "r",
            "attachments": [{"type": "t", "path": "p", "content_length": 1}],
            "tool_calls": [{"tool_call_id": "t", "name": "n", "arguments": {}}],
            "tool_results": [{"tool_call_id": "t", "output": "o"}],
        },
    ),
    "slack": (
        slack.FORMAT,
        [
            {
                "type": "message",
                "user": "U1",
                "ts": "1.0",
                "thread_ts": "1.0",
                "text": "<@U1> &lt;",
                "files": [{"id": "F", "name": "n", "size": 1}],
            },
            {
                "type": "message",
                "subtype": "x",
                "bot_id": "B",
                "ts": "2.0",
                "thread_ts": "1.0",
                "attachments": [{"text": "t"}],
                "blocks": [{"type": "rich_text"}],
                "user_profile": {"name": "n"},
            },
        ],
    ),
    "telegram": (
        telegram.FORMAT,
        {
            "id": 7,
            "name": "n",
            "type": "private_group",
            "messages": [
                {
                    "id": 1,
                    "type": "message",
                    "date_unixtime": "5",
                    "date": "x",
                    "from": "Ada",
                    "from_id": "u1",
                    "text": ["a", {"type": "bold", "text": "b"}],
                    "photo": "p.jpg",
                    "file": "f",
                    "poll": {"question": "q", "answers": [{"text": "a"}]},
                },
                {"id": 2, "type": "service", "actor": "Bob", "action": "call"},
            ],
        },
    ),
    "messenger": (
        messenger.FORMAT,
        {
            "participants": [{"name": "Ada"}],
            "title": "t",
            "thread_path": "p",
            "messages": [
                {
                    "sender_name": "Ada",
                    "type": "Generic",
                    "timestamp_ms": 5,
                    "content": "Ã¶",
                    "photos": [{"uri": "u"}],
                    "sticker": {"uri": "s"},
                }
            ],
        },
    ),
    "taskmaster": (
        taskmaster.FORMAT,
        {
            "conversation_id": "d",
            "scenario": "s",
            "utterances": [{"index": 0, "speaker": "user", "text": "t"}],
        },
    ),
    "kdconv": (kdconv.FORMAT, {"name": "n", "messages": [{"message": "m", "attrs": [{"name": "n"}]}]}),
    "topical-chat": (
        topical_chat.FORMAT,
        {"t": {"content": [{"agent": "agent_1", "message": "m"}], "config": "A"}},
    ),
    "chitchat": (
        chitchat.FORMAT,
        {"u": {"prompt": "p", "start": "s", "messages": [[{"text": "t", "sender": "s", "timestamp": "x"}]]}},
    ),
    "saved-page": (
        saved_page.FORMAT,
        {
            "metadata": {"title": "t", "user": {"email": "e"}},
            "messages": [{"role": "Prompt", "say": "s", "time": "t"}],
        },
    ),
}


def variants(value: object) -> Iterator[object]:
    """`value` with each place in it replaced by each odd value, or gone."""
    yield from ODD
    if isinstance(value, dict):
        for name, inner in value.items():
            yield {other: kept for other, kept in value.items() if other != name}
            for variant in variants(inner):
                yield {**value, name: variant}
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield value[:place] + value[place + 1 :]
            for variant in variants(inner):
                yield [*value[:place], variant, *value[place + 1 :]]


def as_record(name: str, value: object, archive: Packed) -> Record:
    if name.startswith("gradio") and isinstance(value, list):
        value = [cell if isinstance(cell, str) else json.dumps(cell) for cell in value]
    return Record(value=value, body=b"{}", file="e.zip:tea/2023-11-14.json", place="item 1", archive=archive)


@pytest.mark.parametrize("name", GOOD)
def test_nothing_raises(name: str, tmp_path: Path) -> None:
    known, good = GOOD[name]
    users = json.dumps(
        [{"id": "U1", "name": "ada", "profile": {"display_name": "Ada"}}, None, {"id": []}]
    ).encode()
    archive = Packed({"users.json": users, "channels.json": b"[", "tea/2023-11-14.json": b""}, tmp_path)
    options = ReadOptions(assistant="Ada")
    whole = as_record(name, good, archive)
    assert known.recognises(whole)
    assert [type(item) for item in known.read([whole], options)] == [Incoming]
    for value in variants(good):
        record = as_record(name, value, archive)
        known.recognises(record)
        found = list(known.read([record, whole], options))
        assert found
        assert all(isinstance(item, Incoming | Unread) for item in found)
        assert any(
            isinstance(item, Incoming) for item in found
        )  # the good one is there, whatever the other is


@pytest.mark.parametrize("name", GOOD)
def test_all_of_them_at_once(name: str, tmp_path: Path) -> None:
    known, good = GOOD[name]
    archive = Packed({"tea/2023-11-14.json": b""}, tmp_path)
    records = [as_record(name, value, archive) for value in variants(good)]
    assert list(known.read(records, ReadOptions(assistant="Ada")))
