"""The event stream: what is followed, from where, and how it ends."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import Message as AsgiMessage
from starlette.types import Scope

from chatcore import (
    Conversation,
    ConversationDeleted,
    ConversationEvent,
    Fold,
    ListChanged,
    ListEvent,
    ListReset,
    MessageChanged,
    Reset,
    Sent,
    StorageError,
    TextDelta,
    decode_event,
    open_engine,
    text_of,
)
from chatcore.testing import ScriptedRun
from frontends.http_api.frames import FrameCache, FrameParser, Position
from frontends.http_api.routes import make_api
from frontends.http_api.stream import EventStream, Timing
from frontends.site import Site
from tests.frontends.serving import Served, running, serving

Event = ConversationEvent | ListEvent


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path) as served:
        yield served


class Reader:
    """Reads frames of one stream; `position` is that of the last one."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.position = ""
        self._chunks = response.aiter_raw()
        self._parser = FrameParser()
        self._ready: list[tuple[str, Event]] = []

    async def __anext__(self) -> Event:
        while not self._ready:
            for position, data in self._parser.feed(await anext(self._chunks)):
                self.position = position or self.position
                if data is not None:
                    self._ready.append((self.position, decode_event(data)))
        self.position, event = self._ready.pop(0)
        return event

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def until(self, wanted: Callable[[Event], bool]) -> list[Event]:
        """All events up to the one that is wanted."""
        events: list[Event] = []
        with anyio.fail_after(5):
            async for event in self:
                events.append(event)
                if wanted(event):
                    return events
        raise AssertionError(f"the stream ended after {events}")


@asynccontextmanager
async def reading(served: Served, **params: str) -> AsyncIterator[Reader]:
    headers = {"Last-Event-ID": params.pop("last")} if "last" in params else {}
    async with served.http.stream("GET", "/events", params=params, headers=headers) as response:
        assert response.status_code == 200
        yield Reader(response)


async def begun(served: Served) -> tuple[Conversation, Sent, ScriptedRun]:
    """A conversation in which an answer runs."""
    conversation = await served.engine.create("Ours")
    sent = await served.engine.send(conversation.id, "Hello")
    return conversation, sent, await served.script.next_run()


def ended(message_id: str) -> Callable[[Event], bool]:
    return lambda event: (
        isinstance(event, MessageChanged)
        and event.message.id == message_id
        and event.message.ended_at is not None
    )


def said(text: str) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, TextDelta) and event.text.endswith(text)


# --- what is followed ---------------------------------------------------------------------------------------


async def test_from_the_beginning_to_the_ending(served: Served) -> None:
    conversation, sent, run = await begun(served)
    async with reading(served, conversation=conversation.id) as reader:
        assert reader.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert reader.response.headers["Cache-Control"] == "no-store"
        assert reader.response.headers["X-Accel-Buffering"] == "no"
        run.say("a ", "b ", "😀")
        run.end(" c")
        events = await reader.until(ended(sent.answer.id))
        fold = Fold()
        for event in events:
            assert not isinstance(event, ListChanged | ListReset)
            fold.apply(event)
        assert [text_of(message.parts) for message in fold.messages.values()] == ["Hello", "a b 😀 c"]
    assert reader.position.startswith(f"{served.engine.epoch}.")


async def test_frames_say_kind_and_place(served: Served) -> None:
    conversation = await served.engine.create("Ours")
    async with served.http.stream("GET", "/events", params={"conversation": conversation.id}) as response:
        content = b""
        async for chunk in response.aiter_raw():
            content += chunk
            if content.count(b"\n\n") == 2:
                break
    epoch = served.engine.epoch
    first, second, _ = content.decode().split("\n\n")
    assert first == f"retry: 1000\nid: {epoch}.0~"
    place, kind, data = second.split("\n")
    assert (place, kind) == (f"id: {epoch}.1~", "event: conversation_changed")
    assert json.loads(data.removeprefix("data: "))["type"] == "conversation_changed"


async def test_two_kinds_on_one_stream(served: Served) -> None:
    conversation, sent, run = await begun(served)
    async with reading(served, conversation=conversation.id, list="1") as reader:
        other = await served.engine.create("Another")
        events = await reader.until(
            lambda event: isinstance(event, ListChanged) and event.conversation_id == other.id
        )
        run.end("Hi")
        events += await reader.until(ended(sent.answer.id))
        position = reader.position
    assert [event.conversation_id for event in events if isinstance(event, ListChanged)].count(other.id) == 1
    # both go on from one place
    await served.engine.rename(other.id, "Renamed")
    await served.engine.rename(conversation.id, "Renamed too")
    async with reading(served, conversation=conversation.id, list="1", last=position) as reader:
        titles: set[str | None] = set()
        while titles < {"Renamed", "Renamed too"}:
            event = await anext(reader)
            assert not isinstance(event, Reset | ListReset | TextDelta)
            if isinstance(event, ListChanged):
                titles.add(event.conversation.title)


async def test_the_list_alone(served: Served) -> None:
    await served.engine.create("Before")
    async with reading(served, list="1") as reader:
        made = await served.engine.create("After")
        event = await anext(reader)
        assert isinstance(event, ListChanged)
        assert event.conversation == made  # nothing of before: from now on
        position = reader.position
    assert position.startswith("~")
    cursor = served.engine.list_cursor(await served.engine.conversations())
    again = await served.engine.create("Later")
    for after in (position, cursor):
        async with reading(served, list="1", after=after) as reader:
            event = await anext(reader)
            assert isinstance(event, ListChanged)
            assert event.conversation_id == again.id


# --- from where ---------------------------------------------------------------------------------------------


async def test_coming_back_loses_and_repeats_nothing(served: Served) -> None:
    conversation, sent, run = await begun(served)
    text, position = "", ""
    for number in range(20):
        run.say(f"{number} ")
        params = {"last": position} if position else {}
        async with reading(served, conversation=conversation.id, **params) as reader:
            for event in await reader.until(said(f"{number} ")):
                if isinstance(event, TextDelta):
                    assert event.start == len(text)
                    text += event.text
            position = reader.position
    assert text == "".join(f"{number} " for number in range(20))
    run.end()
    async with reading(served, conversation=conversation.id, last=position) as reader:
        assert not any(isinstance(event, TextDelta) for event in await reader.until(ended(sent.answer.id)))


async def test_the_header_is_newer_than_the_query(served: Served) -> None:
    conversation, _, run = await begun(served)
    run.say("one ")
    async with reading(served, conversation=conversation.id) as reader:
        await reader.until(said("one "))
        position = reader.position
    run.say("two")
    old = f"{served.engine.epoch}.0~"
    async with reading(served, conversation=conversation.id, after=old, last=position) as reader:
        event = await anext(reader)
        assert isinstance(event, TextDelta)
        assert event.text == "two"


FOREIGN = [
    "0.0",
    "feedfeedfeedfeed.3~",
    "nonsense",
    "x\r\ndata: injected\r\n",
    "😀~😀",
    "~~~",
    "a.b",
    f"{'9' * 40}.1",
]


@pytest.mark.parametrize("cursor", FOREIGN)
async def test_a_place_that_is_none_is_answered_by_a_reset(served: Served, cursor: str) -> None:
    conversation, _, run = await begun(served)
    run.say("text")
    params = {"conversation": conversation.id, "after": cursor}
    if cursor.startswith("~"):
        params["list"] = "1"
    async with reading(served, **params) as reader:
        first = await anext(reader)
        if cursor.startswith("~"):
            assert isinstance(first, ListReset) or not isinstance(first, Reset)
            return
        assert isinstance(first, Reset)
        events = await reader.until(said("text"))
        assert {type(event) for event in events} >= {MessageChanged, TextDelta}
        assert reader.position.startswith(f"{served.engine.epoch}.")


async def test_a_place_beyond_the_end_is_answered_by_a_reset(served: Served) -> None:
    conversation, _, _ = await begun(served)
    after = f"{served.engine.epoch}.99999"
    async with reading(served, conversation=conversation.id, after=after) as reader:
        assert isinstance(await anext(reader), Reset)


async def test_a_foreign_place_stays_so_until_the_reset_was_read(served: Served) -> None:
    """Else a reader that loses the connection in between would add new events to what it holds of old."""
    conversation, _, _ = await begun(served)
    params = {"conversation": conversation.id, "after": "feed.3~feed.4", "list": "1"}
    async with served.http.stream("GET", "/events", params=params) as response:
        first = await anext(response.aiter_raw())
    assert b"id: feed.3~feed.4\n" in first


# --- how it ends --------------------------------------------------------------------------------------------


async def test_it_ends_after_deletion_and_tells_late_readers(served: Served) -> None:
    conversation, _, run = await begun(served)
    async with reading(served, conversation=conversation.id, list="1") as reader:
        await served.engine.delete(conversation.id)
        events = [event async for event in reader]
        assert isinstance(
            [event for event in events if not isinstance(event, ListChanged)][-1], ConversationDeleted
        )
    await run.closed.wait()
    async with reading(served, conversation=conversation.id) as reader:
        assert [type(event) async for event in reader] == [ConversationDeleted]


async def test_it_ends_with_the_engine(served: Served) -> None:
    conversation, _, _ = await begun(served)
    async with reading(served, conversation=conversation.id, list="1") as reader:
        await anext(reader)
        await served.engine.close()
        with anyio.fail_after(5):
            assert not [event async for event in reader if isinstance(event, Reset)]


async def test_a_reader_that_leaves_leaves_nothing_behind(served: Served) -> None:
    conversation, _, run = await begun(served)
    before = await _settled(served)
    for _ in range(5):
        async with reading(served, conversation=conversation.id, list="1") as reader:
            await anext(reader)
    with anyio.fail_after(5):
        while asyncio.all_tasks() - before:
            await anyio.lowlevel.checkpoint()
    assert served.engine._hub.conversations[conversation.id].readers == 0
    assert served.engine._hub.users == {}
    run.end("The answer goes on.")


async def _settled(served: Served) -> set[asyncio.Task[object]]:
    assert (await served.http.get("/health")).status_code == 200
    await anyio.wait_all_tasks_blocked()
    return set(asyncio.all_tasks())


async def test_a_head_request_gets_a_head(served: Served) -> None:
    conversation, _, _ = await begun(served)
    with anyio.fail_after(5):
        response = await served.http.head("/events", params={"conversation": conversation.id})
    assert response.headers["Content-Type"].startswith("text/event-stream")


# --- one stream by hand -------------------------------------------------------------------------------------


class Hand:
    """An ASGI server for one request, played by the test."""

    def __init__(self, served: Served, **timing: float) -> None:
        self.app = EventStream(served.site, Timing(**{"window_seconds": 0.0, **timing}))  # type: ignore[arg-type]
        self.sent: list[AsgiMessage] = []
        self.aborted = anyio.Event()
        self.gone = anyio.Event()
        self.open = anyio.Event()
        self.open.set()

    async def run(self, conversation_id: str, *, can_abort: bool = True) -> None:
        scope: Scope = {
            "type": "http",
            "method": "GET",
            "path": "/events",
            "query_string": f"conversation={conversation_id}".encode(),
            "headers": [],
        }
        if can_abort:
            scope["state"] = {"chatcore.abort": self._abort}
        with anyio.fail_after(10):
            await self.app(scope, self._receive, self._send)

    async def content(self, ready: Callable[[bytes], bool]) -> bytes:
        """What was sent, as soon as it is ready."""
        with anyio.fail_after(5):
            while not ready(b"".join(message.get("body", b"") for message in self.sent)):
                await anyio.lowlevel.checkpoint()
        return b"".join(message.get("body", b"") for message in self.sent)

    def _abort(self) -> None:
        self.aborted.set()
        self.gone.set()

    async def _receive(self) -> AsgiMessage:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: AsgiMessage) -> None:
        await self.open.wait()
        self.sent.append(message)


async def test_pings_come_while_nothing_happens(served: Served) -> None:
    conversation = await served.engine.create()
    hand = Hand(served, ping_seconds=0.01)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hand.run, conversation.id)
        await hand.content(lambda content: content.count(b": ping\n\n") >= 3)
        hand.gone.set()


async def test_a_reader_that_does_not_read_is_cut_off(served: Served) -> None:
    conversation, _, run = await begun(served)
    for can_abort in (True, False):
        hand = Hand(served, ping_seconds=0.02, stall_seconds=0.05)
        async with anyio.create_task_group() as tasks:

            async def read(hand: Hand = hand, can_abort: bool = can_abort) -> None:
                await hand.run(conversation.id, can_abort=can_abort)

            tasks.start_soon(read)
            await hand.content(lambda content: b"message_changed" in content)
            hand.open = anyio.Event()  # from now on nothing is taken
            run.say(f"not taken {can_abort}")
        assert hand.aborted.is_set() == can_abort
        assert f"not taken {can_abort}".encode() not in await hand.content(bool)


AS_SOCKET = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.mark.parametrize("headers", ["", AS_SOCKET])
async def test_a_connection_that_nobody_reads_is_dropped_quietly(
    caplog: pytest.LogCaptureFixture, headers: str
) -> None:
    async with open_engine("memory:") as engine:
        conversation = await engine.create()
        for _ in range(40):
            await engine.post(conversation.id, "x" * 200_000)  # more than all buffers on the way hold
        site = Site(engine)
        app = Starlette()
        app.mount("/api", make_api(site, Timing(ping_seconds=0.05, stall_seconds=0.1)))
        async with running(app, site, None) as (address, _):
            stream = await anyio.connect_tcp("127.0.0.1", address.port)
            async with stream:
                path = f"/api/events?conversation={conversation.id}"
                head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{address.port}\r\n{headers}\r\n"
                await stream.send(head.encode())
                with anyio.fail_after(5):
                    while conversation.id not in engine._hub.conversations:
                        await anyio.lowlevel.checkpoint()
                    while conversation.id in engine._hub.conversations:
                        await anyio.lowlevel.checkpoint()
    assert caplog.records == []


async def test_a_slow_reader_is_not_cut_off_and_gets_deltas_merged(served: Served) -> None:
    conversation, _, run = await begun(served)
    hand = Hand(served)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hand.run, conversation.id)
        run.say("first")
        await hand.content(lambda content: b"first" in content)
        hand.open = blocked = anyio.Event()
        async with served.engine.subscribe(conversation.id) as events:
            for number in range(50):
                run.say(f" {number}")
            async for event in events:
                if isinstance(event, TextDelta) and event.text.endswith(" 49"):
                    break
        blocked.set()
        content = await hand.content(lambda content: b" 49" in content)
        assert content.count(b"event: text_delta") <= 3
        hand.gone.set()


async def test_closing_ends_a_stream_properly(served: Served) -> None:
    conversation = await served.engine.create()
    hand = Hand(served)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hand.run, conversation.id)
        await hand.content(lambda content: b"conversation_changed" in content)
        served.site.close()
    assert hand.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_a_store_that_fails_ends_the_stream_and_the_reader_may_come_back(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    conversation = await served.engine.create()
    real = served.engine._store.changes
    calls = 0

    async def failing(user: str, conversation_id: str, *, after: int, limit: int) -> object:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise StorageError("The disk is gone.")
        return await real(user, conversation_id, after=after, limit=limit)

    monkeypatch.setattr(served.engine._store, "changes", failing)
    hand = Hand(served)
    await hand.run(conversation.id)
    assert hand.sent[-1]["more_body"] is False
    assert [record.action for record in caplog.records] == ["stream_failed"]  # type: ignore[attr-defined]


async def test_a_long_history_comes_in_pieces(served: Served) -> None:
    conversation = await served.engine.create()
    for _ in range(5):
        await served.engine.post(conversation.id, "x" * 50_000)
    hand = Hand(served)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hand.run, conversation.id)
        content = await hand.content(lambda content: content.count(b"event: message_changed") == 5)
        hand.gone.set()
    assert max(len(message.get("body", b"")) for message in hand.sent) < len(content) / 2


# --- frames -------------------------------------------------------------------------------------------------


def test_positions_are_read_as_they_are_written() -> None:
    for position in (Position("a.1", "b.2"), Position("a.1"), Position("", "b.2"), Position()):
        assert Position.parse(str(position)) == position
    assert Position.parse("a.1") == Position("a.1")
    assert Position.parse("a.1", only_list=True) == Position("", "a.1")
    for text in ("a", "a.1\n~b.2", "a.1~b.2~c.3", "a b.1", "a.-1", "a.١", "a." + "1" * 19):
        assert "0.0" in str(Position.parse(text)), text


async def test_an_event_is_encoded_once_for_all(served: Served) -> None:
    conversation = await served.engine.create()
    cache = FrameCache()
    async with served.engine.subscribe(conversation.id) as events:
        event = await anext(events)
    assert cache.frame(event) is cache.frame(event)
    small = FrameCache(max_bytes=1000)
    for seq in range(100):
        small.frame(Reset(conversation_id=conversation.id, seq=seq, at=event.at))
        assert small.size_bytes <= 1000
