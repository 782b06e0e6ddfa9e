"""The training sets load with the library by which trainers read them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatcore.formats.format import WriteFormat, WriteOptions
from chatcore.formats.output import written
from chatcore.formats.registry import find_write_format
from chatcore.messages import Reasoning, Settings, ToolCall, ToolResult
from chatcore.views import Tree
from tests.formats.trees import node, tree

os.environ["HF_HUB_OFFLINE"] = "1"  # read when it is imported
datasets = pytest.importorskip("datasets", reason="the library `datasets` is not installed (extra: test)")

COUNT = 40
MESSAGES = {"role", "content"}
ODD = '日本語 \U0001f600 e\u0301 \u2028\ufeff\x07\t"\\ null'
"""Letters of all kinds, what ends lines elsewhere, and what is no value."""


def given() -> Iterator[Tree]:
    """Trees of all kinds, so that rows differ in all that they may differ in."""
    for number in range(COUNT):
        prompt = Settings(system_prompt="Be kind.") if number % 2 else Settings()
        yield tree(
            node("q", None, "user", f"What {number}? " * 20),
            node("a1", "q", "assistant", Reasoning("Hm."), "This.", votes=["like"]),
            node(
                "a2",
                "q",
                "assistant",
                ToolCall("1", "look", "{}"),
                ToolResult("1", "x"),
                "That.",
                votes=["dislike"],
            ),
            node("q2", "a1", "user", ODD),
            node("a3", "q2", "assistant", "So.", votes=["like"] if number % 3 else []),
            id_=f"c{number}",
            settings=prompt,
        )


def file_of(known: WriteFormat, folder: Path, options: WriteOptions) -> str:
    path = folder / f"{known.name}{known.suffix}"
    path.write_bytes(b"".join(piece for one in given() for piece in written(known, one, options)))
    return str(path)


@pytest.mark.parametrize("reasoning", [False, True])
@pytest.mark.parametrize(
    ("name", "columns", "count"),
    [
        ("sft", ["prompt", "completion"], 2 * COUNT),
        ("kto", ["prompt", "completion", "label"], 2 * COUNT + COUNT - (COUNT + 2) // 3),
        ("dpo", ["prompt", "chosen", "rejected"], COUNT),
        ("openai_dpo", ["input", "preferred_output", "non_preferred_output"], COUNT),
        ("openai", ["messages"], COUNT),
        ("sharegpt", ["id", "conversations", "system"], COUNT),
    ],
)
def test_it_loads(tmp_path: Path, name: str, columns: list[str], count: int, reasoning: bool) -> None:
    path = file_of(find_write_format(name), tmp_path, WriteOptions(reasoning=reasoning))
    # small chunks: each must have the schema of the first
    loaded = datasets.Dataset.from_json(path, cache_dir=str(tmp_path / "cache"), chunksize=2_000)
    assert sorted(loaded.column_names) == sorted(columns)
    assert loaded.num_rows == count
    for column in set(columns) & {"prompt", "completion", "chosen", "rejected"}:
        for messages in loaded[column]:
            assert messages
            assert all(set(message) == MESSAGES and all(message.values()) for message in messages)
    if name in {"sft", "kto"}:
        said = {message["content"] for messages in loaded["prompt"] for message in messages}
        assert ODD in said
    if name in {"sft", "kto", "dpo", "openai_dpo"}:
        assert not any(value is None for row in loaded for value in values_of(row))
    if name == "kto":
        assert set(loaded["label"]) == {True, False}
        assert loaded.features["label"].dtype == "bool"
    if name == "dpo":
        assert {rows[0]["content"] for rows in loaded["rejected"]} == {"That."}


def values_of(value: object) -> Iterator[object]:
    """All that is in it, however deep."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if inner is None:
        yield value
    else:
        for one in inner:
            yield from values_of(one)


@pytest.mark.parametrize("name", ["kto", "dpo", "openai_dpo", "sft"])
def test_a_set_without_rows_is_an_empty_file(name: str) -> None:
    """Which the library does not load (it has no schema to begin with); `chatcore export` tells."""
    unjudged = tree(node("q", None, "user", "What?"), node("h", "q", "assistant", "Hm.", hidden=True))
    content = b"".join(written(find_write_format(name), unjudged, WriteOptions()))
    assert content == b""
