"""The event stream by a web socket: the same frames, from the same address."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import anyio
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chatcore import ConversationEvent, ListEvent, MessageChanged, TextDelta, decode_event
from frontends.http_api.frames import FrameParser
from tests.frontends.serving import Served, serving

Event = ConversationEvent | ListEvent


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path) as served:
        yield served


def socket(served: Served, query: str, **headers: str) -> connect:
    address = served.address.url.replace("http:", "ws:", 1)
    return connect(f"{address}/api/events?{query}", additional_headers=headers, compression=None)


async def frames(connection: ClientConnection) -> AsyncIterator[tuple[str, Event]]:
    """Each event with the position after it."""
    parser, position = FrameParser(), ""
    async for chunk in connection:
        assert isinstance(chunk, str), "a browser reads text"
        for given, data in parser.feed(chunk.encode()):
            position = given or position
            if data is not None:
                yield position, decode_event(data)


async def test_the_frames_of_the_request_come_by_the_socket(served: Served) -> None:
    conversation = await served.engine.create("Ours")
    sent = await served.engine.send(conversation.id, "Hello")
    run = await served.script.next_run()
    with anyio.fail_after(5):
        async with socket(served, f"conversation={conversation.id}&list=1&window_ms=0") as connection:
            run.say("Well 🎉")
            seen: list[Event] = []
            async for _, event in frames(connection):
                seen.append(event)
                if isinstance(event, TextDelta):
                    run.end()
                if isinstance(event, MessageChanged) and event.message.ended_at is not None:
                    assert event.message.id == sent.answer.id
                    break
    assert "".join(event.text for event in seen if isinstance(event, TextDelta)) == "Well 🎉"


async def test_a_position_goes_on_where_it_was(served: Served) -> None:
    conversation = await served.engine.create("Ours")
    with anyio.fail_after(5):
        async with socket(served, f"conversation={conversation.id}&list=1") as connection:
            first = await served.engine.post(conversation.id, "one")
            position = ""
            async for reached, event in frames(connection):
                position = reached
                if isinstance(event, MessageChanged) and event.message.id == first.id:
                    break
        second = await served.engine.post(conversation.id, "two")
        async with socket(served, f"conversation={conversation.id}&list=1&after={position}") as connection:
            async for _, event in frames(connection):
                if isinstance(event, MessageChanged):
                    assert event.message.id == second.id
                    break


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("conversation=nope", 404, "not_found"),
        ("", 422, "invalid_input"),
        ("list=maybe", 422, "invalid_input"),
    ],
)
async def test_a_refusal_answers_the_handshake(served: Served, query: str, status: int, code: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with socket(served, query):
            pass
    assert refused.value.response.status_code == status
    assert json.loads(bytes(refused.value.response.body))["code"] == code


async def test_another_users_conversation_is_not_found(served: Served) -> None:
    theirs = await served.engine.create("Theirs", user="somebody")
    with pytest.raises(InvalidStatus) as refused:
        async with socket(served, f"conversation={theirs.id}"):
            pass
    assert refused.value.response.status_code == 404
    async with socket(served, f"conversation={theirs.id}", **{"Test-User": "somebody"}):
        pass


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_pages_of_other_sites_are_refused(served: Served, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with socket(served, "list=1", **headers):
            pass
    assert refused.value.response.status_code == 403


async def test_the_end_of_the_server_ends_it_at_once(served: Served) -> None:
    async with socket(served, "list=1") as connection:
        await connection.recv()
        with anyio.fail_after(1):
            served.site.close()
            with suppress(ConnectionClosed):  # with “service restart”
                async for _ in connection:
                    pass
            await served.ended.wait()


async def test_what_a_reader_sends_is_not_listened_to(served: Served) -> None:
    conversation = await served.engine.create("Ours")
    with anyio.fail_after(5):
        async with socket(served, f"conversation={conversation.id}") as connection:
            for _ in range(20):
                await connection.send("x" * 1000)
            await served.engine.post(conversation.id, "Hello")
            async for _, event in frames(connection):
                if isinstance(event, MessageChanged):
                    break
