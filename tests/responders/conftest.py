"""Responders run on asyncio: the openai client and processes do."""

from collections.abc import AsyncIterator

import anyio
import pytest

from chatcore.ports import Responder
from chatcore.responders.openai_compatible import open_responder
from tests.responders.remote import options
from tests.responders.scripted_server import ScriptedServer, open_scripted_server


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with open_scripted_server() as server:
        with anyio.fail_after(15):
            yield server


@pytest.fixture
async def responder(server: ScriptedServer) -> AsyncIterator[Responder]:
    async with open_responder(options(server)) as responder:
        yield responder


@pytest.fixture
def fast_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries of a stream wait no half second here."""
    monkeypatch.setattr("chatcore.responders.completions.PAUSE_SECONDS", 0.01)
