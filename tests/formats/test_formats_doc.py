"""docs/formats.md is true: it lists the formats there are, and they carry what it says."""

import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import pytest

from chatcore.formats.format import ReadOptions, Record, WriteOptions
from chatcore.formats.reading import read_source
from chatcore.formats.registry import find_read_format, find_write_format, read_formats, write_formats
from chatcore.formats.values import fields
from chatcore.incoming import Incoming, IncomingFile
from chatcore.messages import MissingFile, ToolCall, ToolResult
from tests.formats.test_odd_logs import GOOD
from tests.formats.trees import node, tree
from tests.formats.vendors import FIXTURES
from tests.source_tree import ROOT

DOCUMENT = ROOT / "docs" / "formats.md"
FEATURES = ("branches", "votes", "times", "models", "tools", "files")

READ = {one.name for one in read_formats()}
WRITTEN = {one.name for one in write_formats()}


def table() -> dict[str, dict[str, str]]:
    """By name the cells of a format's row, under the names of the columns."""
    lines = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("|")]
    columns, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {cells[0].strip("`"): dict(zip(columns, cells, strict=True)) for cells in rows}


TABLE = table()


def marked(name: str, way: str) -> set[str]:
    return {feature for feature in FEATURES if way in TABLE[name][feature]}


def test_all_formats_are_there_and_no_other() -> None:
    assert TABLE.keys() == READ | WRITTEN
    assert list(TABLE) == sorted(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_which_way_each_goes(name: str) -> None:
    way = {(True, True): "read, written", (True, False): "read", (False, True): "written"}
    assert TABLE[name]["way"] == way[name in READ, name in WRITTEN]
    assert set("".join(TABLE[name][feature] for feature in FEATURES)) <= {"r", "w"}
    assert (TABLE[name]["recognised by"] != "") == (name in READ)


# --- what reading brings ------------------------------------------------------------------------------------

CALLED = [
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.org/p.png"}}]},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "t", "type": "function", "function": {"name": "n", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "t", "content": "o"},
]
SPOKEN = [
    {"from": "human", "value": "<image>a?"},
    {"from": "function_call", "value": '{"name": "n", "arguments": {}}'},
]
OASST_ANSWER = {
    "message_id": "b",
    "parent_id": "a",
    "text": "a!",
    "role": "assistant",
    "created_date": "2023-01-01T00:00:00Z",
    "model_name": "m",
    "emojis": {"+1": 1},
    "replies": [],
}
OASST_TREE = {
    "message_tree_id": "a",
    "tree_state": "ready_for_export",
    "prompt": {
        "message_id": "a",
        "text": "a?",
        "role": "prompter",
        "replies": [OASST_ANSWER, {**OASST_ANSWER, "message_id": "c"}],
    },
}

EXAMPLES: Mapping[str, Sequence[object]] = {
    "alpaca": [{"instruction": "<image>a?", "output": "a!", "images": ["p.png"]}],
    "arena": [
        {
            "question_id": 1,
            "answer_id": "x",
            "model_id": "m",
            "tstamp": 1.7e9,
            "choices": [{"index": 0, "turns": ["a", "b"]}, {"index": 1, "turns": ["c"]}],
        }
    ],
    "baize": [{"topic": "t", "input": "[|Human|] a?\n[|AI|] a!\n[|Human|] "}],
    "kto": [{"messages": [*CALLED, {"role": "assistant", "content": "a!"}], "label": True}],
    "oasst": [OASST_TREE],
    "openai": [
        {"messages": CALLED, "created": 1.7e9},
        {"messages": [{"role": "assistant", "content": "x"}], "model": "m"},
    ],
    "openai_dpo": [
        {
            "input": {"messages": CALLED},
            "preferred_output": [{"role": "assistant", "content": "a"}],
            "non_preferred_output": [{"role": "assistant", "content": "b"}],
        }
    ],
    "preference": [
        {
            "conversations": SPOKEN,
            "chosen": {"from": "gpt", "value": "a"},
            "rejected": {"from": "gpt", "value": "b"},
            "images": ["p.png"],
        }
    ],
    "reward": [{"conversation_id": "c", "context": "[]", "generation": "{}", "reward": 1.0}],
    "sharegpt": [
        {"conversations": SPOKEN, "images": ["p.png"]},
        {"items": [{"from": "gpt", "value": "x"}], "model": "m"},
    ],
    "whatsapp": ["15.08.23, 21:12 - Ada: <Media omitted>"],
    **{name: [value] for name, (_, value) in GOOD.items() if name in READ - {"arena"}},
    "gradio": [[json.dumps([[["p.png", "alt"], "a!"]]), "[0, 1]", "Like", "2025-03-01 10:00:00"]],
    "fastchat": [{**fields(GOOD["fastchat"][1]), "type": "chat"}, GOOD["arena"][1]],
    "chitchat": [{"messages": [[{"text": "x", "sender": "s", "timestamp": "2018-04-20T01:57:51"}]]}],
    "saved-page": [
        {"metadata": {}, "messages": [{"role": "Prompt", "say": "x", "time": "2018-04-20T01:57:51Z"}]}
    ],
    "slack": [
        [
            {
                "type": "message",
                "user": "U",
                "user_profile": {"name": "Ada"},
                "ts": f"{n}.0",
                "thread_ts": "1.0",
                "files": [{"id": "F"}],
            }
            for n in (1, 2)
        ]
        + [{"type": "message", "user": "V", "ts": "3.0", "text": "x"}]
    ],
}
VENDORS = ("aistudio", "chatbotui", "chatgpt", "claude", "grok", "librechat", "openwebui")


def carried(conversations: Iterable[Incoming]) -> set[str]:
    found: set[str] = set()
    for one in conversations:
        below = Counter(m.parent for m in one.messages if m.parent is not None and not one.linear)
        parts = [part for m in one.messages for part in m.parts]
        seen = {
            "branches": any(number > 1 for number in below.values()),
            "votes": any(m.feedback for m in one.messages),
            "times": one.created_at_us is not None or any(m.created_at_us for m in one.messages),
            "models": any(m.model for m in one.messages),
            "tools": any(isinstance(part, ToolCall | ToolResult) for part in parts),
            "files": any(isinstance(part, IncomingFile) for part in parts),
        }
        found |= {feature for feature, there in seen.items() if there}
    return found


def examples(name: str) -> list[Incoming]:
    """Conversations of this format that have all it can have."""
    found: list[object] = []
    options = ReadOptions(assistant="Ada")
    if name == "chatcore":
        written = b"\n".join(
            msgspec.json.encode(line) for line in find_write_format(name).write(FULL, WriteOptions())
        )
        found += read_source(io.BytesIO(written))
    if name in VENDORS:
        folder = FIXTURES / name  # ChatGPT's votes lie beside its conversations
        for path in [folder] if name == "chatgpt" else sorted(folder.iterdir()):
            found += [one for one in read_source(path, format=name) if isinstance(one, Incoming)]
    records = [
        Record(value=value, body=b"{}", file="tea/2023-11-14.json", place=f"item {number}")
        for number, value in enumerate(EXAMPLES.get(name, ()))
    ]
    assert all(find_read_format(name).recognises(record) for record in records)
    found += find_read_format(name).read(records, options)
    assert found
    return [one for one in found if isinstance(one, Incoming)]


@pytest.mark.parametrize("name", sorted(READ))
def test_what_is_read_of_each(name: str) -> None:
    assert carried(examples(name)) == marked(name, "r")


# --- what writing holds -------------------------------------------------------------------------------------

FULL = tree(
    node("q", None, "user", MissingFile(name="plan.pdf"), "a?"),
    node(
        "liked",
        "q",
        "assistant",
        ToolCall(call_id="t", name="forecast", arguments="{}"),
        "first",
        votes=["like"],
        model="gpt-x",
    ),
    node("other", "q", "assistant", "second", votes=["dislike"], model="gpt-x"),
    head="liked",
)


def written(name: str, votes: bool = True) -> str:
    given = FULL
    if not votes:
        given = msgspec.structs.replace(
            FULL, nodes=tuple(msgspec.structs.replace(one, feedback=()) for one in FULL.nodes)
        )
    lines = list(find_write_format(name).write(given, WriteOptions()))
    return "\n".join(line if isinstance(line, str) else msgspec.json.encode(line).decode() for line in lines)


def seen_in(name: str) -> set[str]:
    text = written(name)
    seen = {
        "branches": "first" in text and "second" in text,
        "votes": text != written(name, votes=False),
        "times": "2026-01-31" in text,
        "models": "gpt-x" in text,
        "tools": "forecast" in text,
        "files": "plan.pdf" in text,
    }
    return {feature for feature, there in seen.items() if there}


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_what_is_written_of_each(name: str) -> None:
    assert seen_in(name) == marked(name, "w")
