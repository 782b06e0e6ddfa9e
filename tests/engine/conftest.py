"""An engine on each store and backend, with a scripted responder."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from chatcore import Engine, Limits, open_engine
from chatcore.testing import ScriptedResponder

STORES = [("sqlite", "asyncio"), ("memory", "asyncio"), ("memory", "trio")]


@pytest.fixture(params=STORES, ids=["-".join(pair) for pair in STORES])
def store_and_backend(request: pytest.FixtureRequest) -> tuple[str, str]:
    pair: tuple[str, str] = request.param
    return pair


@pytest.fixture
def anyio_backend(store_and_backend: tuple[str, str]) -> str:
    return store_and_backend[1]


@pytest.fixture
def url(store_and_backend: tuple[str, str], tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'data'}" if store_and_backend[0] == "sqlite" else "memory:"


@pytest.fixture
def script() -> ScriptedResponder:
    return ScriptedResponder()


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
async def engine(url: str, script: ScriptedResponder, limits: Limits) -> AsyncIterator[Engine]:
    async with open_engine(url, responder=script, limits=limits) as engine:
        with anyio.fail_after(15):
            yield engine
