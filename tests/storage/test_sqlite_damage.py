"""Rows that can't be decoded: each is told of, and takes nothing with it that does not need it."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import anyio
import pytest

from chatcore.commands import AppendDeltas, InterruptRuns, PartOpened, Purge, TextAdded
from chatcore.errors import NotFound, StorageCorrupt
from chatcore.messages import Message, Reasoning, Settings, Text, ToolCall
from chatcore.ports import Store
from storage.sqlite import open_store
from tests.storage.acting import PROCESS, Person, ending

NO_SETTINGS = '{"parameters": 5}'
BAD_PARTS = ['[{"type": "text", "text": 5}]', '["text"]', "{}", "no JSON", ""]


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[Store]:
    with anyio.fail_after(10):
        async with open_store(str(directory), publish=lambda _: None) as store:
            yield store


def spoil(directory: Path, sql: str, *parameters: object) -> None:
    with closing(sqlite3.connect(directory / "chat.db")) as connection, connection:
        connection.execute(sql, parameters)


def public(some_id: str) -> bytes:
    return bytes.fromhex(some_id)


async def answering(ann: Person) -> Message:
    """An answer that runs: it thinks, calls a tool, speaks."""
    answer = (await ann.send(await ann.new(), "q")).answer
    deltas = (
        PartOpened(answer.id, 0, Reasoning("")),
        TextAdded(answer.id, 0, 0, "Hm."),
        PartOpened(answer.id, 1, ToolCall("1", "search")),
        PartOpened(answer.id, 2, Text("")),
        TextAdded(answer.id, 2, 0, "So."),
    )
    await ann.store.write(AppendDeltas(owner=PROCESS, deltas=deltas))
    return answer


async def interrupted(store: Store) -> int:
    orphans = tuple(await store.orphans("process-2"))
    return await store.write(InterruptRuns(message_ids=orphans, reason="It died."))


@pytest.mark.parametrize(
    ("part", "left"),
    [
        (0, (Text("Hm."), ToolCall("1", "search"), Text("So."))),
        (1, (Reasoning("Hm."), Text("So."))),
        (2, (Reasoning("Hm."), ToolCall("1", "search"), Text("So."))),
    ],
)
async def test_recovery_leaves_out_a_part_that_can_not_be_decoded(
    tmp_path: Path, part: int, left: tuple[object, ...]
) -> None:
    async with opened(tmp_path) as store:
        answer, other = await answering(Person(store)), await answering(Person(store, "bob"))
    body = '{"type": "tool_call", "call_id": 1, "name": "search"}'
    where = "part = ? AND start IS NULL AND message = (SELECT id FROM message WHERE public = ?)"
    spoil(tmp_path, f"UPDATE delta SET body = ? WHERE {where}", body, part, public(answer.id))
    async with opened(tmp_path) as store:
        assert await interrupted(store) == 2
        assert (await store.message("ann", answer.id)).parts == left
        assert len((await store.message("bob", other.id)).parts) == 3
        assert await store.check() == []


async def test_recovery_needs_neither_settings_nor_what_the_row_says(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        answer = await answering(Person(store))
    spoil(tmp_path, "UPDATE conversation SET settings = ?", NO_SETTINGS)
    spoil(tmp_path, "UPDATE message SET parts = 'x', usage = 'x' WHERE public = ?", public(answer.id))
    async with opened(tmp_path) as store:
        assert await interrupted(store) == 1
        assert len((await store.message("ann", answer.id)).parts) == 3


@pytest.mark.parametrize("parts", BAD_PARTS)
async def test_a_damaged_message_is_refused_alone(tmp_path: Path, parts: str) -> None:
    async with opened(tmp_path) as store:
        ann = Person(store)
        made, other = await ann.new(), await ann.new()
        good, bad = await ann.post(made, "good"), await ann.post(made, "bad")
        await ann.post(other, "x")
    spoil(tmp_path, "UPDATE message SET parts = ? WHERE public = ?", parts, public(bad.id))
    async with opened(tmp_path) as store:
        ann = Person(store)
        for read in (
            store.message("ann", bad.id),
            store.page("ann", made.id, before=None, around=None, limit=10),
            store.changes("ann", made.id, after=0, limit=10),
            store.ancestors(bad.id, limit=10),
        ):
            with pytest.raises(StorageCorrupt, match=f"Message {bad.id} can't be read") as refused:
                await read
            assert refused.value.data == {"message_id": bad.id}
        assert await store.message("ann", good.id) == good
        assert len((await ann.page(other)).messages) == 1
        assert await store.check() == [f"What message {bad.id} says can't be decoded."]
        await ann.delete(made)
        assert not (await store.write(Purge())).more
        assert await store.check() == []


async def test_damaged_settings_are_told_of_and_the_conversation_can_go(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        ann = Person(store)
        made, other = await ann.new(), await ann.new()
        sent = await ann.send(made, "q")
    spoil(tmp_path, "UPDATE conversation SET settings = ? WHERE public = ?", NO_SETTINGS, public(made.id))
    async with opened(tmp_path) as store:
        ann = Person(store)
        told = [f"The settings of conversation {made.id} can't be decoded."]
        assert await store.check() == told
        with pytest.raises(StorageCorrupt, match=f"Conversation {made.id} can't be read"):
            await store.conversation("ann", made.id)
        page = await store.conversations("ann", archived=False, pinned=None, after=None, limit=10)
        assert {entry.id: entry.settings for entry in page.conversations} == {
            made.id: Settings(),
            other.id: Settings(),
        }
        assert len((await store.list_changes("ann", after=0, limit=10)).events) == 2
        await ann.change(made, title="They stay as they are")
        assert await store.check() == told
        assert (await ann.delete(made, ends=ending(sent.answer))).deleted
        with pytest.raises(NotFound):
            await store.conversation("ann", made.id)
        assert len((await store.changes("ann", made.id, after=0, limit=10)).events) == 1
        await ann.undelete(made)
        given = Settings(system_prompt="New ones")
        await ann.change(made, settings=given)
        assert (await store.conversation("ann", made.id)).settings == given
        assert await store.check() == []


async def test_damaged_votes_usage_and_files_are_told_of(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        ann = Person(store)
        made = await ann.new()
        attachment = await ann.file("x")
        message = await ann.post(made, "x", files=[attachment])
        await ann.rate(message, "like")
    spoil(tmp_path, "UPDATE message SET usage = X'22ff22' || ''")
    spoil(tmp_path, "UPDATE feedback SET reasons = '[5]'")
    spoil(tmp_path, "UPDATE file SET attachment = '{}'")
    async with opened(tmp_path) as store:
        assert await store.check() == [
            f"A vote on message {message.id} can't be decoded.",
            f"What message {message.id} says can't be decoded.",
            f"What is known of the file {attachment.sha256} can't be decoded.",
        ]
        assert await store.attachments(after=0, limit=10) == ([], None)


async def test_the_check_goes_through_all_rows_in_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.sqlite.store._CHECKED_AT_ONCE", 2)
    async with opened(tmp_path) as store:
        ann = Person(store)
        made = await ann.new()
        posted = [await ann.post(made, "x") for _ in range(5)]
    spoil(tmp_path, "UPDATE message SET parts = 'x'")
    async with opened(tmp_path) as store:
        found = await store.check()
        assert found == [f"What message {message.id} says can't be decoded." for message in posted]
