"""In, out, in again: the same trees, roles, texts and votes, in every format that can hold them."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from chatcore import Engine, Incoming, IncomingMessage, IngestReport, Unrecognised, open_engine
from chatcore.filters import verdict_of
from chatcore.formats.format import ReadOptions, WriteOptions
from chatcore.formats.output import written
from chatcore.formats.paths import Paths
from chatcore.formats.registry import find_write_format
from chatcore.formats.turns import is_told
from chatcore.messages import Feedback, Role, Text, text_of
from chatcore.views import Node, Tree
from tests.source_tree import ROOT

DATA = ROOT.parent / "shared" / "data"
FILES = sorted(
    str(path.relative_to(DATA))
    for path in DATA.rglob("*")
    if path.is_file() and path.suffix != ".md" and "LICENSES" not in path.parts
)
OPTIONS = ReadOptions(assistant="nobody", unfinished=True)

needs_data = pytest.mark.skipif(not FILES, reason="there is no shared data beside this project")
Said = tuple[str, str, str | None]


@asynccontextmanager
async def taken_in(source: Path, options: ReadOptions = OPTIONS) -> AsyncIterator[Engine]:
    async with open_engine("memory:") as engine:
        await engine.ingest(source, options=options, index=False)
        yield engine


async def exported(engine: Engine, name: str, out: Path, options: WriteOptions = WriteOptions()) -> bytes:
    known = find_write_format(name)
    content = b"".join([piece async for tree in engine.trees() for piece in written(known, tree, options)])
    await anyio.Path(out).write_bytes(content)
    return content


def shape(tree: Tree, kept: Sequence[str] | None = None) -> object:
    """Nested roles, texts and votes, siblings in order."""
    paths = Paths(tree)
    above: dict[str | None, list[object]] = {None: []}
    for node in tree.nodes:
        message = node.message
        holds = above[message.parent]
        if kept is not None and (message.role not in kept or not is_told(message)):
            above[message.id] = holds
            continue
        below: list[object] = []
        holds.append((message.role, text_of(message.parts), verdict_of(node), below))
        above[message.id] = below
    assert paths.tree is tree
    return above[None]


# --- one small tree through every format: several users have voted, and in one place they are divided

LIKE, DISLIKE = Feedback(rating="like"), Feedback(rating="dislike")


def _told(
    id_: str, parent: str | None, role: Role, words: str, mine: Feedback | None = None
) -> IncomingMessage:
    return IncomingMessage(id=id_, parent=parent, role=role, parts=(Text(words),), feedback=mine)


VOTED = Incoming(
    source="test",
    id="voted",
    title="Größe 🍞",
    head="b2",
    created_at_us=1_700_000_000_000_000,
    messages=[
        _told("s", None, "system", "Be brief."),
        _told("q", "s", "user", "What? 🍞"),
        _told("a1", "q", "assistant", "This.", LIKE),
        _told("a2", "q", "assistant", "That."),
        _told("q2", "a1", "user", "Why?"),
        _told("b1", "q2", "assistant", "Because."),
        _told("b2", "q2", "assistant", "So.", LIKE),
    ],
    votes={
        "a1": {"bob": LIKE, "cid": DISLIKE},
        "a2": {"bob": DISLIKE, "cid": DISLIKE},
        "b1": {"bob": DISLIKE},
        "b2": {"bob": DISLIKE},
    },
)

Told = tuple[str, str, str | None]
S, Q, Q2 = ("system", "Be brief.", None), ("user", "What? 🍞", None), ("user", "Why?", None)
A1, A2, A = ("assistant", "This.", "like"), ("assistant", "That.", "dislike"), ("assistant", "This.", None)
B1, B2, B = ("assistant", "Because.", "dislike"), ("assistant", "So.", None), ("assistant", "Because.", None)


def row(*messages: Told) -> list[object]:
    """One below the other."""
    below: list[object] = []
    for message in reversed(messages):
        below = [(*message, below)]
    return below


BRANCHES: list[object] = [(*A1, [(*Q2, [(*B1, []), (*B2, [])])]), (*A2, [])]
PAIR: list[object] = [(*S, [(*Q, [(*A1, []), (*A2, [])])])]
PATHS = [row(Q, A, Q2, B2), row(Q, ("assistant", "That.", None)), row(Q, A, Q2, B)]

COMES_BACK: Mapping[str, list[list[object]]] = {
    "chatcore": [[(*S, [(*Q, BRANCHES)])]],
    "oasst": [[(*Q, BRANCHES)]],  # it has two roles
    "kto": [row(S, Q, A1), row(S, Q, A2), row(S, Q, A, Q2, B1)],
    "dpo": [PAIR],
    "openai_dpo": [PAIR],
    "openai": [[(*S, path)] for path in PATHS],
    "sharegpt": PATHS,  # its instructions are settings
}
"""What each format can hold of it, as conversations."""


@pytest.mark.parametrize("name", COMES_BACK)
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_every_format_gives_back_what_it_can_hold(
    name: str, tmp_path: Path, anyio_backend: str
) -> None:
    file, every = tmp_path / "first.jsonl", WriteOptions(all_paths=True)
    async with open_engine("memory:") as engine:
        report = await engine.ingest([VOTED])
        assert (report.feedback.read, report.feedback.imported) == (8, 8)
        first = await exported(engine, name, file, every)
    async with taken_in(file) as engine:
        held = [tree async for tree in engine.trees()]
        assert [shape(tree) for tree in held] == COMES_BACK[name]
        second = await exported(engine, name, tmp_path / "second.jsonl", every)
        assert (await engine.ingest(file)).unchanged == len(held)
    assert [unnamed({**line, "id": None}) for line in lines_of(second)] == [
        unnamed({**line, "id": None}) for line in lines_of(first)
    ]


@pytest.mark.parametrize("name", ["kto", "dpo", "oasst", "openai_dpo", "sft"])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_sets_are_the_same_after_our_own_format(
    name: str, kind: str, tmp_path: Path, anyio_backend: str
) -> None:
    """Everybody's votes count, wherever the conversation is."""
    async with open_engine("memory:") as engine:
        await engine.ingest([VOTED])
        before = await exported(engine, name, tmp_path / "before.jsonl")
        ours = await exported(engine, "chatcore", tmp_path / "ours.jsonl")
    async with open_engine("memory:" if kind == "memory" else f"sqlite:{tmp_path / 'data'}") as engine:
        report = await engine.ingest(tmp_path / "ours.jsonl")
        assert (report.feedback.read, report.feedback.imported) == (8, 8)
        after = await exported(engine, name, tmp_path / "after.jsonl")
        assert await exported(engine, "chatcore", tmp_path / "again.jsonl") == ours
    assert [unnamed(line) for line in lines_of(after)] == [unnamed(line) for line in lines_of(before)]


@pytest.mark.parametrize("name", ["markdown", "sft"])
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_what_nobody_can_take_in_is_told(name: str, tmp_path: Path, anyio_backend: str) -> None:
    """These are for people and for trainers; docs/export.md says so."""
    async with open_engine("memory:") as engine:
        await engine.ingest([VOTED])
        await exported(engine, name, tmp_path / "out")
        with pytest.raises(Unrecognised):
            await engine.ingest(tmp_path / "out")


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_export_taken_in_where_it_was_made_changes_nothing(
    kind: str, tmp_path: Path, anyio_backend: str
) -> None:
    file = tmp_path / "ours.jsonl"
    async with open_engine("memory:" if kind == "memory" else f"sqlite:{tmp_path / 'data'}") as engine:
        await engine.ingest([VOTED])
        made = await engine.create("Here")
        asked = await engine.post(made.id, "a question")
        await engine.rate(asked.id, "like")
        ours = await exported(engine, "chatcore", file)
        dry = await engine.ingest(file, dry_run=True)
        report = await engine.ingest(file)
        assert (report.read, report.unchanged, report.messages.unchanged) == (2, 2, 8)
        assert (dry.unchanged, report.feedback.unchanged) == (2, 9)
        assert await exported(engine, "chatcore", file) == ours
        assert (await engine.ingest([VOTED])).unchanged == 1
        await engine.delete(made.id)
        assert counted(await engine.ingest(file)) == (0, 0, 1, 1)


def counted(report: IngestReport) -> tuple[int, int, int, int]:
    return report.imported, report.updated, report.unchanged, report.skipped


# --- our own: everything


@needs_data
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_our_own_format_gives_everything_back(file: str, tmp_path: Path, anyio_backend: str) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    async with open_engine("memory:") as engine:
        try:
            report = await engine.ingest(DATA / file, options=OPTIONS, index=False)
        except Unrecognised:
            pytest.skip("it is in no format")
        lines = (await exported(engine, "chatcore", first)).splitlines()
    if not lines:
        pytest.skip("nothing of it can be taken")
    assert report.imported + report.updated >= len(lines)
    async with taken_in(first) as engine:
        again = (await exported(engine, "chatcore", second)).splitlines()
        report = await engine.ingest(second, index=False)
        assert (report.read, report.unchanged) == (len(lines), len(lines))
    assert sorted(again) == sorted(lines)


# --- trees


@needs_data
@pytest.mark.parametrize(
    "file",
    [
        "oasst/en_100_tree.jsonl.gz",
        "oasst/oasst1.en-validation.part-a.jsonl.gz",
        "reshaped/oasst-a.trees.jsonl.gz",
        "reshaped/oasst-a.openwebui-export.json.gz",
        "reshaped/oasst-a.chatgpt-export.zip",
        "reshaped/oasst-a.claude-conversations.json.gz",
        "librechat-export/librechat-tree.json",
    ],
)
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_oasst_trees_keep_branches_and_votes(file: str, tmp_path: Path, anyio_backend: str) -> None:
    kept = ("user", "assistant")
    async with taken_in(DATA / file) as engine:
        before = [shape(tree, kept) async for tree in engine.trees()]
        first = await exported(engine, "oasst", tmp_path / "first.jsonl")
    async with taken_in(tmp_path / "first.jsonl") as engine:
        after = [shape(tree, kept) async for tree in engine.trees()]
        second = await exported(engine, "oasst", tmp_path / "second.jsonl")
    roots = [root for tree in before for root in tree]  # type: ignore[attr-defined]
    again = [root for tree in after for root in tree]  # type: ignore[attr-defined]
    assert sorted(map(repr, again)) == sorted(map(repr, roots))
    assert [unnamed(line) for line in lines_of(second)] == [unnamed(line) for line in lines_of(first)]


def lines_of(content: bytes) -> list[dict[str, object]]:
    return sorted(map(json.loads, content.splitlines()), key=lambda line: json.dumps(unnamed(line)))


def unnamed(value: object) -> object:
    """Without ids."""
    if isinstance(value, dict):
        return {
            key: unnamed(one)
            for key, one in value.items()
            if key not in {"message_tree_id", "message_id", "parent_id"}
        }
    return [unnamed(one) for one in value] if isinstance(value, list) else value


# --- paths


def said(tree: Tree, path: Sequence[Node]) -> list[Said]:
    """Who said what on a path, as a linear form can hold it."""
    return [
        (node.message.role, text_of(node.message.parts), None)
        for node in path
        if is_told(node.message) and text_of(node.message.parts)
    ]


def paths_of(tree: Tree, all_paths: bool) -> Iterator[list[Said]]:
    for path in Paths(tree).wanted(all_paths=all_paths):
        if found := said(tree, path):
            yield found


@needs_data
@pytest.mark.parametrize(
    ("name", "file", "all_paths"),
    [
        ("openai", "reshaped/oasst-a.trees.jsonl.gz", True),
        ("openai", "reshaped/tau-bench.airline.tasks-00-09.messages.jsonl.gz", False),
        ("openai", "alpaca/alpaca.json", False),
        ("openai", "sharegpt/glaive_toolcall_en_demo.json.gz", False),
        ("sharegpt", "reshaped/oasst-a.trees.jsonl.gz", True),
        ("sharegpt", "sharegpt/glaive_toolcall_en_demo.json.gz", False),
    ],
)
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_paths_are_the_same(
    name: str, file: str, all_paths: bool, tmp_path: Path, anyio_backend: str
) -> None:
    if not (DATA / file).exists():
        pytest.skip("that file is not there")
    options = WriteOptions(all_paths=all_paths)
    async with taken_in(DATA / file) as engine:
        before = [path async for tree in engine.trees() for path in paths_of(tree, all_paths)]
        first = await exported(engine, name, tmp_path / "first.jsonl", options)
    async with taken_in(tmp_path / "first.jsonl") as engine:
        after = [path async for tree in engine.trees() for path in paths_of(tree, False)]
        second = await exported(engine, name, tmp_path / "second.jsonl")
    unique = {repr(path) for path in before}
    assert {repr(path) for path in after} == unique
    assert without_ids(second) == without_ids(first)


def without_ids(content: bytes) -> set[str]:
    return {json.dumps({**json.loads(line), "id": None}) for line in content.splitlines()}
