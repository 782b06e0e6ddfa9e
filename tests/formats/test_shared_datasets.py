"""The truth values of the real datasets that lie beside the project, where they do: file by file."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from msgspec import Struct

from chatcore.formats.format import ReadOptions
from chatcore.formats.reading import read_source
from chatcore.formats.registry import find_read_format
from chatcore.incoming import Incoming, IncomingMessage, Unread
from chatcore.messages import Reasoning, Text, ToolCall, ToolResult

DATA = Path(__file__).parents[3] / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")


class Truth(Struct, frozen=True):
    """What is in a file.

    Attributes:
        chars: Average characters a message, rounded; None: our texts are others than those that were counted
            (marks of files, calls and Baize's tags among them).
        likes: Messages that are liked.
        dislikes: Likewise.
        ids: Whether its conversations have ids.
    """

    known: str
    conversations: int
    messages: int
    chars: int | None
    likes: int = 0
    dislikes: int = 0
    ids: bool = False


TRUTH: Mapping[str, Truth] = {
    "alpaca/alpaca.json": Truth("alpaca", 2, 4, 136),
    "alpaca/identity.json": Truth("alpaca", 91, 182, 35),
    "alpaca/roleplay-simple-deduped-roleplay-instruct.json.gz": Truth("alpaca", 1923, 3846, 386),
    "arena/arena-hard-v0.1.model_answer.gpt-3.5-turbo-0125.jsonl.gz": Truth(
        "openai", 499, 998, 933, ids=True
    ),
    "arena/arena-hard-v0.1.question.jsonl.gz": Truth("arena", 499, 499, 405),
    "arena/mt_bench.question.jsonl": Truth("arena", 80, 160, 202),
    "arena/mt_bench.reference_answer.gpt-4.jsonl": Truth("arena", 30, 60, 753, ids=True),
    "dialogs/taskmaster-4.reward_06.json.gz": Truth("reward", 228, 456, 504, ids=True),
    "hf-preference/dpo_en_demo.json.gz": Truth("preference", 300, 1506, 964, 300, 300),
    "hf-preference/kto_en_demo.json.gz": Truth("kto", 300, 974, 840, 150, 150),
    "hf-preference/v1_dpo_demo.jsonl": Truth("preference", 10, 40, 440, 10, 10),
    "oasst/en_100_message.jsonl.gz": Truth("oasst", 100, 1167, 544, 334, 96, ids=True),
    "oasst/en_100_tree.jsonl.gz": Truth("oasst", 100, 1167, 544, 334, 96, ids=True),
    "oasst/oasst1.en-validation.part-a.jsonl.gz": Truth("oasst", 60, 608, 560, 168, 75, ids=True),
    "openai-messages/mllm_demo.json": Truth("openai", 6, 24, None),
    "openai-messages/reason_tool_use_demo_50.jsonl.gz": Truth("openai", 50, 274, None),
    "openai-messages/tau-bench.gpt-4o-airline.tasks-00-09.json.gz": Truth("openai", 40, 1238, 492),
    "openai-messages/v1_multimodal_demo.jsonl": Truth("openai", 24, 96, None),
    "reshaped/oasst-a.trees.jsonl.gz": Truth("oasst", 58, 606, 562, 168, 75, ids=True),
    "reshaped/taskmaster-4.data_07.baize_chat_data.json": Truth("baize", 210, 784, None),
    "reshaped/tau-bench.airline.tasks-00-09.messages.jsonl.gz": Truth("openai", 40, 1238, 492),
    "sharegpt/conversation.json": Truth("sharegpt", 1, 12, 693),
    "sharegpt/conversation.missingturns.json": Truth("sharegpt", 1, 12, 641),
    "sharegpt/dummy_conversation.json.gz": Truth("sharegpt", 500, 2000, 40, ids=True),
    "sharegpt/glaive_toolcall_en_demo.json.gz": Truth("sharegpt", 300, 1914, None),
}

FOLDERS = ("alpaca", "arena", "hf-preference", "oasst", "openai-messages", "sharegpt")


def conversations_of(
    name: str, *, known: str | None = None, unfinished: bool = True
) -> tuple[list[Incoming], list[Unread]]:
    reading = read_source(DATA / name, format=known, options=ReadOptions(unfinished=unfinished))
    try:
        found = list(reading)
    finally:
        reading.close()
    return (
        [one for one in found if isinstance(one, Incoming)],
        [one for one in found if isinstance(one, Unread)],
    )


def messages_of(found: list[Incoming]) -> Iterator[IncomingMessage]:
    for one in found:
        yield from one.messages


def chars_of(message: IncomingMessage) -> int:
    """As the truth was counted: without the arguments of calls."""
    words = [part.text for part in message.parts if isinstance(part, Text | Reasoning)]
    return len("".join(words)) + sum(
        len(part.output) for part in message.parts if isinstance(part, ToolResult)
    )


@pytest.mark.parametrize(("name", "truth"), TRUTH.items(), ids=TRUTH.keys())
def test_truth(name: str, truth: Truth) -> None:
    found, unread = conversations_of(name)
    messages = list(messages_of(found))
    assert unread == []
    assert (len(found), len(messages)) == (truth.conversations, truth.messages)
    assert {one.source for one in found} == {truth.known}
    assert all(not one.skipped and not one.repaired for one in found)
    votes = Counter(one.feedback.rating for one in messages if one.feedback is not None)
    assert (votes["like"], votes["dislike"]) == (truth.likes, truth.dislikes)
    if truth.chars is not None:
        assert sum(map(chars_of, messages)) / len(messages) == pytest.approx(truth.chars, abs=0.51)
    ids = {one.id for one in found}
    assert ids == {None} if not truth.ids else len(ids) == len(found)
    assert all(find_read_format(truth.known).name == one.source for one in found)


def test_no_file_is_forgotten() -> None:
    names = {f"{folder}/{path.name}" for folder in FOLDERS for path in (DATA / folder).iterdir()}
    assert names <= TRUTH.keys()


def test_the_truth_is_that_of_the_table() -> None:
    """What stands beside the files says the same, but for characters that are counted otherwise."""
    folder, told = "", {}
    for line in (DATA / "README.md").read_text("utf-8").splitlines():
        if found := re.match(r"### (\S+)/", line):
            folder = found[1]
        elif found := re.match(r"\| `(\S+)` \|[^|]*\|[^|]*\| (\d+) \| (\d+) \|", line):
            told[f"{folder}/{found[1]}"] = (int(found[2]), int(found[3]))
    assert {name: told[name] for name in TRUTH} == {
        name: (truth.conversations, truth.messages) for name, truth in TRUTH.items()
    }


@pytest.mark.parametrize(
    ("name", "lost"),
    [("oasst/oasst1.en-validation.part-a.jsonl.gz", 2), ("reshaped/oasst-a.trees.jsonl.gz", 0)],
)
def test_what_is_deleted_or_spam_is_counted(name: str, lost: int) -> None:
    """Both messages without a root are spam."""
    found, unread = conversations_of(name, unfinished=False)
    skipped = sum((Counter(one.skipped) for one in found), Counter[str]())
    assert skipped == {"deleted": 19, "spam": 11}, "nothing else hung below these"
    assert (len(found), len(list(messages_of(found)))) == (58, 606 - 30)
    assert [one.reason for one in unread] == ["It has no messages but 1 spam."] * lost


def test_the_trees_branch_and_their_shown_paths_are_the_best() -> None:
    found, _ = conversations_of("reshaped/oasst-a.trees.jsonl.gz")
    children = Counter((one.id, message.parent) for one in found for message in one.messages)
    assert sum(count > 1 for (_, parent), count in children.items() if parent is not None) == 139
    shown = 0
    for one in found:
        parents = {message.id: message.parent for message in one.messages}
        end = one.head
        while end is not None:
            shown += 1
            end = parents[end]
    assert shown == 185


def test_the_flat_form_and_the_trees_say_the_same() -> None:
    """But for what the trees leave out: two that have no root."""
    flat = {one.id: one for one in conversations_of("oasst/oasst1.en-validation.part-a.jsonl.gz")[0]}
    trees = {one.id: one for one in conversations_of("reshaped/oasst-a.trees.jsonl.gz")[0]}
    assert len(flat.keys() - trees.keys()) == 2
    for known, tree in trees.items():
        assert {_told(message) for message in tree.messages} == {_told(one) for one in flat[known].messages}
        assert tree.head == flat[known].head


def _told(message: IncomingMessage) -> tuple[object, ...]:
    labels = (message.raw or {}).get("labels")
    return (
        *(message.id, message.parent, message.role, message.parts, message.created_at_us, message.feedback),
        repr(labels),
    )


def test_calls_and_their_results() -> None:
    for name, calls in (
        ("openai-messages/tau-bench.gpt-4o-airline.tasks-00-09.json.gz", 274),
        ("reshaped/tau-bench.airline.tasks-00-09.messages.jsonl.gz", 274),
        ("sharegpt/glaive_toolcall_en_demo.json.gz", 211),
        ("openai-messages/reason_tool_use_demo_50.jsonl.gz", 68),
    ):
        found, _ = conversations_of(name)
        parts = [part for message in messages_of(found) for part in message.parts]
        assert sum(isinstance(part, ToolCall) for part in parts) == calls
        for one in found:
            asked = {p.call_id for message in one.messages for p in message.parts if isinstance(p, ToolCall)}
            told = {p.call_id for message in one.messages for p in message.parts if isinstance(p, ToolResult)}
            assert told <= asked
