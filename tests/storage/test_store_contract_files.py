"""Attachments: what messages refer to, and what may be removed."""

import pytest

from chatcore.commands import EndRun, ForgetFiles, Purge
from chatcore.errors import NotFound
from chatcore.messages import Attachment, File, Text
from chatcore.ports import Store
from storage.files import collector
from tests.storage.acting import Person, pieces


async def unused(store: Store, *attachments: Attachment) -> set[str]:
    command = ForgetFiles(sha256s=tuple(one.sha256 for one in attachments))
    found = await store.write(command)
    return set(found)


async def all_attachments(store: Store, limit: int) -> list[Attachment]:
    found: list[Attachment] = []
    after: int | None = 0
    for _ in range(100):
        batch, after = await store.attachments(after=after or 0, limit=limit)
        assert len(batch) <= limit
        found += batch
        if after is None:
            return found
    raise AssertionError("the batches have no end")


async def test_what_no_message_refers_to(ann: Person) -> None:
    one, two, three = [await ann.file(content) for content in "123"]
    made = await ann.new()
    assert await unused(ann.store, one, two, three) == {one.sha256, two.sha256, three.sha256}
    await ann.post(made, "x", files=[one, two])
    await ann.post(await ann.new(), "y", files=[two])
    assert await unused(ann.store, one, two, three) == {three.sha256}
    assert await unused(ann.store) == set()
    # A mark of deletion can be undone: only a purge lets go, and of those files alone that are nowhere else.
    await ann.delete(made)
    assert await unused(ann.store, one, two, three) == {three.sha256}
    await ann.store.write(Purge())
    assert await unused(ann.store, one, two, three) == {one.sha256, three.sha256}


async def test_one_file_often(ann: Person) -> None:
    one = await ann.file("1")
    made = await ann.new()
    await ann.post(made, "x", files=[one, one])
    other = await ann.new()
    await ann.post(other, "x", files=[one])
    await ann.delete(made)
    await ann.store.write(Purge())
    assert await unused(ann.store, one) == set()
    await ann.delete(other)
    await ann.store.write(Purge())
    assert await unused(ann.store, one) == {one.sha256}


async def test_an_answer_refers_to_its_files(ann: Person) -> None:
    one = await ann.file("1")
    sent = await ann.send(await ann.new(), "q")
    parts = (Text("here"), File(one))
    await ann.store.write(EndRun(owner=ann.owner, message_id=sent.answer.id, status="complete", parts=parts))
    assert await unused(ann.store, one) == set()


async def test_a_refused_message_refers_to_nothing(ann: Person) -> None:
    one = await ann.file("1")
    with pytest.raises(NotFound):
        await ann.post(await ann.new(), "x", files=[one], parent="0" * 32)
    assert await unused(ann.store, one) == {one.sha256}


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_all_attachments_in_batches(ann: Person, bob: Person, limit: int) -> None:
    files = [await ann.file(content) for content in "abcdefg"]
    made = await ann.new()
    for file in files[:4]:
        await ann.post(made, "x", files=[file])
    await bob.post(await bob.new(), "y", files=files[3:])
    found = await all_attachments(ann.store, limit)
    assert sorted(one.sha256 for one in found) == sorted(one.sha256 for one in files)


async def test_no_attachments(store: Store) -> None:
    assert await store.attachments(after=0, limit=10) == ([], None)


async def test_what_is_put_waits_for_its_message(ann: Person) -> None:
    files = ann.store.files
    kept = await files.put(pieces(b"kept"), "kept.txt", max_bytes=10)
    assert await files.collect(ann.store, untouched_seconds=0) == 0
    await ann.post(await ann.new(), "x", files=[kept])
    assert await ann.store.check() == []


async def test_the_collector_asks_the_store(ann: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "HELD_SECONDS", 0.0)
    files = ann.store.files
    used = await files.put(pieces(b"used"), "used.txt", max_bytes=10)
    spare = await files.put(pieces(b"spare"), "spare.txt", max_bytes=10)
    made = await ann.new()
    await ann.post(made, "x", files=[used])
    assert await files.collect(ann.store, untouched_seconds=3600) == 0
    assert await files.collect(ann.store, untouched_seconds=0) == 1
    assert files.path(used).read_bytes() == b"used"
    with pytest.raises(NotFound):
        files.path(spare)
    await ann.delete(made)
    await ann.store.write(Purge())
    assert await files.collect(ann.store, untouched_seconds=0) == 1
    assert await files.collect(ann.store, untouched_seconds=0) == 0
