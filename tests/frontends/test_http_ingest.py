"""An ingestion through a running server: over its socket alone, checked there, while people chat."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import msgspec
import pytest

from chatcore import DryRun, Feedback, Incoming, IncomingFile, IncomingMessage, IngestStopped, Text
from chatcore.ingestion.delivery import IngestOptions
from chatcore.ingestion.pipeline import ingest
from frontends.http_api.client import open_client
from tests.frontends.serving import Served, serving
from tests.ingestion.making import chat, chats
from tests.ingestion.sinks import NotingSink


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path) as served:
        yield served


async def test_the_client_ingests_as_the_engine_does(served: Served) -> None:
    async with open_client(served.socket_path) as client:
        first = await client.ingest(chats(600, 3))
        assert (first.read, first.imported, first.messages.imported) == (600, 600, 1800)
        again = await client.ingest(chats(600, 3), dry_run=True)
        assert again.unchanged == 600
        longer = await client.ingest([chat(1, 1_300)])
        assert (longer.updated, longer.messages.imported) == (1, 1_297)
        there = await served.engine.ingest([chat(1, 1_300)])
        assert there.unchanged == 1


async def test_a_dry_run_tells_a_server_of_earlier_versions_too(served: Served) -> None:
    versions = [chat(1, 2), chat(1, 2), chat(1, 4), chat(2), chat(1, 4), chat(1, 5)]
    run = DryRun()
    async with open_client(served.socket_path) as client:
        await client.ingest([chat(1, 1)])
        for dry_run in (run, False):
            reports = [await client.ingest([one], dry_run=dry_run) for one in versions]
            assert [one.updated for one in reports] == [1, 0, 1, 0, 0, 1]
            assert [one.messages.imported for one in reports] == [1, 0, 2, 2, 0, 1]


async def test_votes_of_several_users_go_along(served: Served) -> None:
    like = Feedback(rating="like")
    message = IncomingMessage(id="q", role="user", parts=(Text("x"),), feedback=like)
    given = Incoming(source="t", messages=[message], votes={"q": {"bob": like, "cid": like}})
    async with open_client(served.socket_path) as client:
        report = await client.ingest([given])
        assert (report.feedback.read, report.feedback.imported) == (3, 3)
    (tree,) = [tree async for tree in served.engine.trees()]
    assert {held.user for held in tree.nodes[0].feedback} == {"bob", "cid", "local"}


async def test_open_lists_show_what_is_new(served: Served) -> None:
    async with served.engine.subscribe_user() as events, open_client(served.socket_path) as client:
        await client.ingest([chat(7)])
        with anyio.fail_after(5):
            event = await anext(aiter(events))
        assert event.conversation.title == "Conversation 7"  # type: ignore[union-attr]


async def test_files_go_along(served: Served, tmp_path: Path) -> None:
    (tmp_path / "there.bin").write_bytes(b"b" * 600_000)
    files = (
        IncomingFile(name="a ü&=.txt", content=b"words"),
        IncomingFile(name="b.bin", at=tmp_path / "there.bin"),
        IncomingFile(name="large.bin", content=b"x" * (served.engine.limits.file_bytes + 1)),
    )
    given = Incoming(source="t", messages=[IncomingMessage(role="user", parts=files)])
    async with open_client(served.socket_path) as client:
        report = await client.ingest([given])
    assert (report.attachments.imported, report.attachments.skipped) == (2, 1)
    (there,) = (await served.engine.conversations()).conversations
    (message,) = (await served.engine.page(there.id)).messages
    attachment, path = await served.engine.attachment(message.id, 0)
    assert (attachment.name, path.read_bytes()) == ("a ü&=.txt", b"words")


async def test_nobody_else_may(served: Served) -> None:
    for path in ("owner/ingest", "owner/ingest/files?name=x"):
        answer = await served.http.post(path, content=b"x")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_what_is_no_batch_is_refused(served: Served) -> None:
    for content, status in ((b"\xc1", 400), (b"\x80", 422), (b"\x81\xa1a\x01", 422), (b"", 400)):
        answer = await served.owner.post("owner/ingest", content=content)
        assert answer.status_code == status, answer.text
    assert (await served.owner.post("owner/ingest/files", content=b"x")).status_code == 422

    async def much() -> AsyncIterator[bytes]:
        for _ in range(65):
            yield b"\0" * 2**20

    assert (await served.owner.post("owner/ingest", content=much())).status_code == 413


async def test_an_engine_that_closes_stops_it_with_a_report(served: Served) -> None:
    async with open_client(served.socket_path) as client:
        await served.engine.close()
        with pytest.raises(IngestStopped) as caught:
            await client.ingest(chats(10))
        assert caught.value.report.read == 0


def slow(count: int) -> Iterator[Incoming]:
    for number in range(count):
        yield Incoming(
            source="big",
            id=str(number),
            messages=[IncomingMessage(role="user", parts=(Text("words " * 80),)) for _ in range(10)],
            linear=True,
        )


async def test_people_go_on_chatting_meanwhile(served: Served) -> None:
    """The waits themselves are measured by `scripts/bench ingest`; here: nothing is refused and all ends."""
    engine = served.engine
    conversation = await engine.create()
    async with open_client(served.socket_path) as client, anyio.create_task_group() as tasks:

        async def chatting() -> None:
            for _ in range(20):
                await engine.post(conversation.id, "still here")

        tasks.start_soon(chatting)
        report = await client.ingest(slow(500))
    assert report.imported == 500
    assert len((await engine.page(conversation.id)).messages) == 20


async def test_a_batch_can_be_sent_by_hand(served: Served) -> None:
    """The body is what the documentation says."""
    await ingest([chat(1)], sink := NotingSink(), None, IngestOptions())
    batch = msgspec.msgpack.encode({"conversations": sink.given})
    answer = await served.owner.post("owner/ingest", content=batch)
    assert answer.status_code == 200
    assert [one["outcome"] for one in answer.json()] == ["imported"]
    like = Feedback(rating="like")
    votes = {0: {f"user {number}": like for number in range(1_000)}}
    many = [msgspec.structs.replace(sink.given[0], votes=votes)] * 3
    answer = await served.owner.post("owner/ingest", content=msgspec.msgpack.encode({"conversations": many}))
    assert answer.status_code == 413
    assert answer.json()["data"] == {"limit": 2_000, "given": 3_000}
