"""`engine.ingest`: what is read is stored, counted once, and the same again changes nothing."""

import asyncio
import io
import json
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import anyio
import msgspec
import pytest
from anyio import to_thread

from chatcore import (
    Counts,
    Engine,
    Feedback,
    Incoming,
    IncomingFile,
    IncomingMessage,
    IngestProgress,
    IngestReport,
    IngestStopped,
    InvalidInput,
    LimitExceeded,
    Limits,
    StorageError,
    Unrecognised,
    Upload,
    open_engine,
    text_of,
)
from chatcore.arrivals import IngestConversation
from chatcore.formats.format import ReadOptions
from chatcore.ingestion.cleaning import UNCLEAN
from chatcore.ingestion.delivery import IngestOptions
from chatcore.ingestion.pipeline import ingest
from chatcore.ingestion.report import joined
from chatcore.messages import Attachment, File, MissingFile, Text
from chatcore.opening import open_reading
from tests.ingestion.making import LINES, chat, chats, record, zipped
from tests.ingestion.sinks import EmptySink, NotingSink, WatchingSink


def counts(report: Counts) -> tuple[int, int, int, int, int, int]:
    for one in (report, getattr(report, "messages", report), getattr(report, "feedback", report)):
        assert one.read == one.imported + one.updated + one.unchanged + one.skipped + one.failed
    return report.read, report.imported, report.updated, report.unchanged, report.skipped, report.failed


async def texts(engine: Engine, title: str) -> list[str]:
    """The shown path of the conversation with that title."""
    listed = (await engine.conversations(limit=500)).conversations
    (found,) = [one.id for one in listed if one.title == title]
    page = await engine.page(found, limit=500)
    return [text_of(message.parts) for message in page.messages]


async def test_conversations_are_stored_and_the_same_again_changes_nothing(engine: Engine) -> None:
    first = await engine.ingest(chats(700, 3))
    assert counts(first) == (700, 700, 0, 0, 0, 0)
    assert counts(first.messages) == (2100, 2100, 0, 0, 0, 0)
    before = await engine.conversations(limit=500)
    again = await engine.ingest(chats(700, 3))
    assert counts(again) == (700, 0, 0, 700, 0, 0)
    assert await engine.conversations(limit=500) == before
    assert await texts(engine, "Conversation 699") == [f"699: message {place}" for place in range(3)]


async def test_an_async_iterator_is_taken_as_it_comes(engine: Engine) -> None:
    async def given() -> AsyncIterator[Incoming]:
        for number in range(600):
            await anyio.lowlevel.checkpoint()
            yield chat(number, 4)

    assert counts(await engine.ingest(given())) == (600, 600, 0, 0, 0, 0)
    assert counts(await engine.ingest(given(), limit=10)) == (10, 0, 0, 10, 0, 0)


async def test_a_newer_version_adds_what_is_new(engine: Engine) -> None:
    await engine.ingest([chat(1, 2), chat(2, 2)])
    report = await engine.ingest([chat(1, 5), chat(2, 2), chat(3, 1)])
    assert counts(report) == (3, 1, 1, 1, 0, 0)
    assert counts(report.messages) == (8, 4, 0, 4, 0, 0)
    assert await texts(engine, "Conversation 1") == [f"1: message {place}" for place in range(5)]


async def test_a_long_conversation_goes_in_slices(engine: Engine) -> None:
    assert counts((await engine.ingest([chat(1, 1_700)])).messages) == (1_700, 1_700, 0, 0, 0, 0)
    assert (await texts(engine, "Conversation 1"))[-1] == "1: message 1699"
    assert counts(await engine.ingest([chat(1, 1_700)])) == (1, 0, 0, 1, 0, 0)
    longer = await engine.ingest([chat(1, 2_300)])
    assert (counts(longer), counts(longer.messages)) == ((1, 0, 1, 0, 0, 0), (2_300, 600, 0, 1_700, 0, 0))
    assert (await texts(engine, "Conversation 1"))[-1] == "1: message 2299"


@pytest.mark.parametrize(("index", "slices"), [(False, [2] * 4), (True, [1] * 8)])
async def test_large_messages_make_small_slices(index: bool, slices: list[int]) -> None:
    """No unit keeps others from writing for long, whatever a message's length."""
    big = [IncomingMessage(role="user", parts=(Text(f"{n}" + "x" * 100_000),)) for n in range(8)]
    sink = CountingSink([])
    given = [Incoming(source="t", messages=big, linear=True)]
    report = await ingest(given, sink, None, IngestOptions(index=index))
    assert counts(report.messages)[:2] == (8, 8)
    assert sink.seen == slices


class CountingSink(WatchingSink):
    """Notes how many messages come at once; and fails as it is told to."""

    def __init__(self, seen: list[int], errors: Sequence[Exception | None] = ()) -> None:
        super().__init__()
        self.seen = seen
        self.flying = 0
        self.most = 0
        self.all: anyio.Event | None = None
        self._errors = list(errors)

    async def take(self, conversations: Sequence[IngestConversation]) -> None:
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            await anyio.lowlevel.checkpoint()
            if self.flying == 4 and self.all is not None:
                self.all.set()
            elif self.all is not None:
                await self.all.wait()  # the first one is not done before there is a fourth
            error = self._errors.pop(0) if self._errors else None
            if error is not None:
                raise error
            self.seen.append(sum(len(one.messages) for one in conversations))
        finally:
            self.flying -= 1


async def test_four_batches_at_most_are_on_their_way() -> None:
    sink = CountingSink([])
    sink.all = anyio.Event()
    with anyio.fail_after(10):
        await ingest(chats(5_000, 2), sink, None, IngestOptions(index=False))
    assert (sum(sink.seen), sink.most, max(sink.seen)) == (10_000, 4, 500)


async def test_what_is_to_be_indexed_comes_in_smaller_batches() -> None:
    await ingest(chats(500, 2), sink := CountingSink([]), None, IngestOptions())
    assert sink.seen == [250] * 4


async def test_batches_are_stored_in_their_order(tmp_path: Path) -> None:
    """What comes last in the source, and says no time, is the newest of the list; whatever takes longer."""
    given = [
        Incoming(
            source="t",
            id=f"{number}",
            title=f"{number}",
            messages=[IncomingMessage(role="user", parts=(Text("日本語" * 200 if number < 399 else "x"),))],
        )
        for number in range(400)
    ]
    await ingest(given, sink := NotingSink(), None, IngestOptions())
    async with open_engine(f"sqlite:{tmp_path}") as engine:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.ingest_batch, sink.given[:-1])
            tasks.start_soon(engine.ingest_batch, sink.given[-1:])
        (newest,) = (await engine.conversations(limit=1)).conversations
        assert newest.title == "399"


async def test_versions_of_one_conversation_go_one_after_the_other() -> None:
    sink = CountingSink([])
    await ingest(
        [chat(1, 490), chat(2, 10), chat(1, 495), chat(3, 5)], sink, None, IngestOptions(index=False)
    )
    assert (sink.most, sink.seen) == (1, [500, 500])


async def test_the_store_fails_and_the_report_says_what_was_done() -> None:
    sink = CountingSink([], [None, None, StorageError("The disk is full.")])
    with pytest.raises(IngestStopped, match="disk is full") as caught:
        await ingest(chats(5_000, 1), sink, None, IngestOptions(index=False))
    assert isinstance(caught.value.__cause__, StorageError)
    assert caught.value.report.imported == sum(sink.seen)
    assert 1_000 <= sum(sink.seen) <= 1_500


async def test_what_was_read_before_reading_failed_is_stored() -> None:
    def failing() -> Iterator[Incoming]:
        yield from chats(1_700, 1)
        raise StorageError("The folder for temporary files is full.")

    async with open_engine("memory:") as engine:
        with pytest.raises(IngestStopped, match="temporary") as caught:
            await engine.ingest(failing())
        assert caught.value.report.imported == 1_700
        assert sum([1 async for _ in engine.trees()]) == 1_700


async def test_what_the_store_refuses_costs_itself_only() -> None:
    no = InvalidInput("This one is odd.")
    sink = CountingSink([], [no, None, no, None])
    report = await ingest(chats(4), sink, None, IngestOptions())
    assert counts(report) == (4, 3, 0, 0, 0, 1)
    assert [(one.id, one.reason) for one in report.failures] == [("c1", "This one is odd.")]


async def test_a_slice_that_is_refused_ends_its_conversation() -> None:
    sink = CountingSink([], [None, InvalidInput("No more.")])
    report = await ingest([chat(1, 2_000), chat(2)], sink, None, IngestOptions(index=False))
    assert (counts(report), sink.seen) == ((2, 1, 0, 0, 0, 1), [500, 2])
    assert counts(report.messages) == (2_002, 2, 0, 0, 0, 2_000)


async def test_after_one_that_was_refused_another_version_of_it_is_tried() -> None:
    sink = CountingSink([], [None, InvalidInput("No more.")])
    report = await ingest([chat(1, 2_000), chat(1, 1_200)], sink, None, IngestOptions(index=False))
    assert (counts(report), sink.seen) == ((2, 1, 0, 0, 0, 1), [500, 500, 500, 200])


async def test_what_was_deleted_here_stays_so(engine: Engine) -> None:
    await engine.ingest([chat(1)])
    (there,) = (await engine.conversations()).conversations
    await engine.delete(there.id)
    for version in (chat(1), chat(1, 3), chat(1, 900)):
        report = await engine.ingest([version])
        assert counts(report) == (1, 0, 0, 0, 1, 0)
        assert counts(report.messages) == (len(version.messages), 0, 0, 0, len(version.messages), 0)
    assert (await engine.conversations()).conversations == ()


async def test_a_dry_run_tells_the_same_and_stores_nothing(engine: Engine) -> None:
    voted = msgspec.structs.replace(
        chat(9), messages=[IncomingMessage(role="user", parts=(), feedback=Feedback(rating="like"))]
    )
    await engine.ingest([chat(0), chat(1), chat(2)])
    versions = [
        chat(0),
        chat(1, 4),
        chat(5, 2),
        *chats(300, 3),
        chat(5, 2),
        chat(5, 8),
        voted,
        voted,
        chat(6, 700),
    ]
    before = await engine.conversations()
    dry = await engine.ingest(versions, dry_run=True)
    assert await engine.conversations() == before
    real = await engine.ingest(versions)
    assert dry.dry_run
    assert msgspec.structs.replace(dry, dry_run=False, seconds=0) == msgspec.structs.replace(real, seconds=0)


async def test_votes_of_others_are_counted_and_those_of_nobody_are_told(engine: Engine) -> None:
    like = Feedback(rating="like", comment="x" * 9_000, reasons=("y",))
    messages = [
        IncomingMessage(id=str(place), role="user", parts=(Text("x"),), feedback=like if place == 1 else None)
        for place in range(600)
    ]
    given = Incoming(
        source="t",
        id="c",
        title="Voted",
        updated_at_us=1_700_000_000_000_000,
        messages=messages,
        linear=True,
        votes={
            "0": {"bob": like, " ": like, "c" * 1_001: like},
            "1": {"bob\0": like, "local": like},  # who takes it in has voted on this one
            "599": {"bob": like},
            "600": {"bob": like},
        },
    )
    dry = await engine.ingest([given, given], dry_run=True)
    report = await engine.ingest([given, given])
    assert counts(report.feedback) == (10, 4, 0, 6, 0, 0)
    assert report.repaired == {"a vote of nobody, or on nothing": 6, UNCLEAN: 2}
    assert (dry.read, dry.feedback.read) == (2, 10)
    (tree,) = [tree async for tree in engine.trees()]
    votes = [
        sorted((held.user, len(held.feedback.comment or "")) for held in one.feedback) for one in tree.nodes
    ]
    limit = engine.limits.comment_chars
    assert votes[:2] == [[("bob", limit)], [("bob\ufffd", limit), ("local", limit)]]
    assert votes[599] == [("bob", limit)]
    without = msgspec.structs.replace(given, votes={})
    assert counts(await engine.ingest([without])) == (1, 0, 0, 1, 0, 0)


async def test_votes_that_are_neither_like_nor_dislike_are_left_out_and_told(engine: Engine) -> None:
    """Who gives conversations by hand may give any; what they say stays with the message."""
    like, odd = Feedback(rating="like"), Feedback(rating="meh", comment="so so")  # type: ignore[arg-type]
    messages = [
        IncomingMessage(id=id_, role="user", parts=(Text("x"),), feedback=vote)
        for id_, vote in (("a", odd), ("b", like))
    ]
    votes = {"a": {"bob": odd, "cid": like}, "b": {"bob": odd}}
    given = Incoming(source="t", id="c", messages=messages, linear=True, votes=votes)
    for report in (await engine.ingest([given], dry_run=True), await engine.ingest([given])):
        assert counts(report) == (1, 1, 0, 0, 0, 0)
        assert counts(report.feedback) == (5, 2, 0, 0, 3, 0)
        assert report.left_out == {"a vote that is neither like nor dislike": 3}
    assert counts((await engine.ingest([given])).feedback) == (5, 0, 0, 2, 3, 0)
    (tree,) = [tree async for tree in engine.trees()]
    assert [[held.user for held in node.feedback] for node in tree.nodes] == [["cid"], ["local"]]
    kept = [json.loads(node.raw or "")["votes_left_out"] for node in tree.nodes]
    assert [[one.get("user") for one in votes] for votes in kept] == [[None, "bob"], ["bob"]]
    assert kept[0][0] == {"rating": "meh", "comment": "so so", "reasons": []}


async def test_many_votes_on_a_message_are_bounded_and_cut_into_units(engine: Engine) -> None:
    like = Feedback(rating="like")
    votes = {f"user {number}": like for number in range(1_003)}
    messages = [IncomingMessage(id=str(place), role="user", parts=(Text("x"),)) for place in range(4)]
    given = Incoming(
        source="t", id="c", messages=messages, linear=True, votes={"1": votes | {" ": like}, "3": votes}
    )
    await ingest([given], sink := NotingSink(), None, IngestOptions())
    report = await engine.ingest([given])
    assert report.repaired == {
        "a vote of nobody, or on nothing": 1,
        "a vote beyond the first 1,000 on a message": 6,
    }
    units = [(one.first, one.weight, one.last) for one in sink.given]
    assert units == [(0, 1, False), (1, 1_001, False), (2, 1, False), (3, 1_001, True)]
    assert report.feedback.imported == 2_000


async def test_an_older_file_after_a_newer_one_only_adds(engine: Engine) -> None:
    """And a dry run knows it, too."""

    def version(*texts: str, at: int | None) -> Incoming:
        messages = [IncomingMessage(role="user", parts=(Text(text),)) for text in texts]
        return Incoming(source="t", id="c", title="C", messages=messages, linear=True, updated_at_us=at)

    versions = [version("new", at=2_000), version("old", "and gone", at=1_000)]
    dry = await engine.ingest(versions, dry_run=True)
    report = await engine.ingest(versions)
    assert msgspec.structs.replace(dry, dry_run=False, seconds=0) == msgspec.structs.replace(
        report, seconds=0
    )
    assert counts(report.messages) == (3, 2, 0, 1, 0, 0)
    assert await texts(engine, "C") == ["new"]  # what was added is there, and not shown
    assert counts((await engine.ingest([version("untimed", at=None)])).messages) == (1, 0, 1, 0, 0, 0)
    assert await texts(engine, "C") == ["untimed"]


# --- files


async def test_files_of_all_kinds_of_records_are_counted(engine: Engine, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.jsonl"
    content = LINES + b'{"messages": [oops\n{"other": 1}\n' + LINES
    report = await engine.ingest(io.BytesIO(content), rejects=rejects)
    assert counts(report)[:4] == (12, 5, 0, 5)
    assert {one.place for one in report.failures} >= {"line 6"}
    lines = [json.loads(line) for line in rejects.read_bytes().splitlines()]
    assert len(lines) == report.failed
    assert lines[0] == {
        "file": "input",
        "place": "line 6",
        "id": None,
        "reason": lines[0]["reason"],
        "record": '{"messages": [oops',
    }


async def test_what_a_conversation_was_made_of_is_rejected_with_it(engine: Engine, tmp_path: Path) -> None:
    long = json.dumps({"messages": [{"role": "user", "content": "x" * 4_000_001}]}).encode()
    rejects = tmp_path / "rejects.jsonl"
    report = await engine.ingest(io.BytesIO(LINES + long), rejects=rejects)
    assert counts(report) == (6, 5, 0, 0, 0, 1)
    assert counts(report.messages) == (11, 10, 0, 0, 0, 1)
    assert json.loads(rejects.read_bytes())["record"] == json.loads(long)


async def test_a_path_and_a_limit_and_progress(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"".join(json.dumps(record(n)).encode() + b"\n" for n in range(2_000)))
    told: list[IngestProgress] = []
    report = await engine.ingest(path, progress=told.append, options=ReadOptions(source="mine"))
    assert report.imported == 2_000
    assert [one.messages for one in told] == sorted(one.messages for one in told)
    assert (told[-1].conversations, told[-1].read_bytes, told[-1].total_bytes) == (
        2_000,
        *2 * [path.stat().st_size],
    )
    assert (await engine.ingest(path, limit=3, options=ReadOptions(source="mine"))).unchanged == 3
    assert (await engine.ingest(str(path), limit=3)).imported == 3


async def test_wrong_use_is_told_at_once(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        await engine.ingest(tmp_path / "nothing")
    with pytest.raises(InvalidInput, match="no format “nope”"):
        await engine.ingest(io.BytesIO(LINES), format="nope")
    with pytest.raises(InvalidInput, match="rejects"):
        await engine.ingest(io.BytesIO(LINES), rejects=tmp_path / "no" / "where")
    with pytest.raises(Unrecognised) as caught:
        await engine.ingest(io.BytesIO(b'[{"strange": 1, "key": 2}]'))
    assert caught.value.data == {"keys": "strange, key"}
    assert (await engine.conversations()).conversations == ()


async def test_attachments_are_kept_and_counted(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "there.txt").write_text("there")
    files = (
        IncomingFile(name="a.txt", content=b"words"),
        IncomingFile(name="b.txt", at=tmp_path / "there.txt"),
        IncomingFile(name="c.txt", pointer="elsewhere"),
        IncomingFile(name="d.txt", at=tmp_path / "gone.txt"),
    )
    messages = [IncomingMessage(role="user", parts=files)]
    given = Incoming(source="t", id="one", file="a.json", place="item 1", messages=messages)
    dry = await engine.ingest([given], dry_run=True)
    report = await engine.ingest([given])
    assert counts(report.attachments) == counts(dry.attachments) == (4, 2, 0, 0, 2, 0)
    c, gone = report.missing_files
    assert (c.file, c.place, c.id, c.name) == ("a.json", "item 1", "one", "c.txt")
    assert c.reason == "Its content did not come along."
    assert (gone.name, gone.reason) == ("d.txt", "Its content can't be read: No such file or directory.")
    assert dry.missing_files == report.missing_files
    again = await engine.ingest([given])
    assert (counts(again.attachments), again.missing_files) == ((4, 0, 0, 2, 2, 0), report.missing_files)
    (there,) = (await engine.conversations()).conversations
    (message,) = (await engine.page(there.id)).messages
    stored = [part.attachment for part in message.parts if isinstance(part, File)]
    assert [one.name for one in stored] == ["a.txt", "b.txt"]
    _, path = await engine.attachment(message.id, 1)
    assert path.read_text() == "there"
    assert [part.name for part in message.parts if isinstance(part, MissingFile)] == ["c.txt", "d.txt"]
    assert (tmp_path / "there.txt").exists()


async def test_files_that_are_named_only_are_listed_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatcore.ingestion.tally._MOST_MISSING", 5)
    monkeypatch.setattr("chatcore.ingestion.report._MOST_TOLD", 7)
    addresses = ("data:,x", "HTTPS://example.org/a", "file-1", None)
    files = tuple(IncomingFile(name=f"{n}.png", pointer=address) for n, address in enumerate(addresses))
    given = [
        Incoming(source="t", id=id_, messages=[IncomingMessage(role="user", parts=files)])
        for id_ in ("a", "b", "c")
    ]
    report = await ingest(given, EmptySink(Limits()), None, IngestOptions())
    assert report.attachments.skipped == 12
    assert [(one.id, one.name) for one in report.missing_files] == [
        *(("a", f"{number}.png") for number in range(4)),
        ("b", "0.png"),
    ]
    assert [one.reason.split(",")[0] for one in report.missing_files[:4]] == [
        "Its content",
        "Only its address came along",
        "Its content did not come along.",
        "Its content did not come along.",
    ]
    assert len(joined([report, report]).missing_files) == 7
    refusing = CountingSink([], [InvalidInput("No.")] * 2)
    refused = await ingest(given[:1], refusing, None, IngestOptions())
    assert (refused.attachments.failed, refused.missing_files) == (4, ())


async def test_a_batch_from_another_process_is_checked(engine: Engine) -> None:
    await ingest([chat(1)], sink := NotingSink(), None, IngestOptions())
    (good,) = sink.given
    forged = Attachment(name="x", media_type="x", size_bytes=1, sha256="0" * 64, path="../../etc/passwd")
    replace = msgspec.structs.replace
    wrong = [
        replace(good, origin=b"short"),
        replace(good, messages=()),
        replace(good, head=7),
        replace(good, created_at_us=-1),
        replace(good, messages=(replace(good.messages[0], parent=0),), head=0),
        replace(good, messages=(replace(good.messages[0], origin=b""),), head=0),
        replace(good, messages=(replace(good.messages[0], status="running"),), head=0),
        replace(good, messages=(replace(good.messages[0], raw="\ud800"),), head=0),
        replace(good, messages=(replace(good.messages[0], parts=(File(forged),)),), head=0),
        replace(good, votes={0: {f"user {number}": Feedback(rating="like") for number in range(1_001)}}),
        *(
            replace(good, votes={place: {user: Feedback(rating="like")}})
            for place, user in ((2, "bob"), (-1, "bob"), (0, " "), (0, "b\0b"), (0, "b" * 1_001))
        ),
    ]
    for one in wrong:
        with pytest.raises(InvalidInput):
            await engine.ingest_batch([one])
    attachment = await engine.ingest_file(Upload("x.txt", _bytes(b"x")))
    right = replace(good, messages=(replace(good.messages[0], parts=(File(attachment),)),), head=0)
    assert [one.outcome for one in await engine.ingest_batch([right])] == ["imported"]


async def test_a_batch_has_so_many_votes_at_most(engine: Engine) -> None:
    """A dry run may have more: it writes none, and is given long conversations whole."""
    like = Feedback(rating="like")
    message = IncomingMessage(id="m", role="user", parts=(Text("x"),))
    votes = {"m": {f"user {number}": like for number in range(700)}}
    given = [Incoming(source="t", id=id_, messages=[message], votes=votes) for id_ in "abc"]
    sink = NotingSink()
    await ingest(given, sink, None, IngestOptions())
    assert await engine.ingest_batch(sink.given, dry_run=True)
    with pytest.raises(LimitExceeded, match="2,100 votes of others, more than the 2,000") as caught:
        await engine.ingest_batch(sink.given)
    assert caught.value.data == {"limit": 2_000, "given": 2_100}
    assert (await engine.conversations()).conversations == ()
    assert [one.votes for one in await engine.ingest_batch(sink.given[1:])] == [700, 700]


async def _bytes(content: bytes) -> AsyncIterator[bytes]:
    yield content


# --- cancelling


def cancelling(scope: anyio.CancelScope, after: int) -> Callable[[IngestProgress], None]:
    """Cancels the scope when it has been told more than so often."""
    left = [after]

    def count(at: IngestProgress) -> None:
        left[0] -= 1
        if left[0] < 0:
            scope.cancel()

    return count


async def test_cancelling_leaves_whole_conversations_and_the_same_again_goes_on(engine: Engine) -> None:
    for delay in range(0, 40, 4):
        with anyio.CancelScope() as scope:
            await engine.ingest(chats(2_000, 3), progress=cancelling(scope, delay // 8))
        assert scope.cancelled_caught
        for entry in (await engine.conversations(limit=500)).conversations:
            assert len((await engine.page(entry.id)).messages) == 3
    report = await engine.ingest(chats(2_000, 3))
    assert report.imported + report.unchanged == 2_000
    assert report.unchanged > 0


async def test_cancelling_ends_the_thread_that_waits_for_a_pipe(engine: Engine) -> None:
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb") as file, os.fdopen(theirs, "wb", 0) as held:
        held.write(LINES)
        before = threading.active_count()
        with anyio.move_on_after(0.2) as scope:
            await engine.ingest(file)
        assert scope.cancelled_caught
        assert threading.active_count() <= before + 2  # workers that wait for work


def test_asyncios_own_cancelling_ends_it_as_well(tmp_path: Path) -> None:
    """It comes through shields, and leaves the thread behind that reads what has to be closed."""
    os.mkfifo(pipe := tmp_path / "pipe")

    async def cancel_it() -> None:
        async with open_engine("memory:") as engine:
            task = asyncio.create_task(engine.ingest(pipe))
            with await to_thread.run_sync(pipe.open, "wb"):  # it reads
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

    asyncio.run(cancel_it())


async def test_an_iterator_that_raises_is_the_callers_own_affair(engine: Engine) -> None:
    async def given() -> AsyncIterator[Incoming]:
        yield chat(1)
        raise LookupError("of the caller")

    with pytest.raises(BaseException) as caught:  # noqa: PT011
        await engine.ingest(given())
    assert "of the caller" in repr(caught.value)


async def test_reading_ends_with_the_unpacked_members_gone(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    ours, theirs = os.pipe()
    with os.fdopen(theirs, "wb") as held:
        held.write(zipped({"a.jsonl": LINES}))
    with os.fdopen(ours, "rb") as file:
        report: IngestReport = await engine.ingest(file)
    assert report.imported == 5
    assert [path for path in (tmp_path / "temp").iterdir() if "reading" in path.name] == []


async def test_a_file_needs_formats() -> None:
    with pytest.raises(InvalidInput, match="No formats"):
        await ingest(io.BytesIO(LINES), EmptySink(Limits()), None, IngestOptions())
    report = await ingest(io.BytesIO(LINES), EmptySink(Limits()), open_reading, IngestOptions())
    assert report.imported == 5
