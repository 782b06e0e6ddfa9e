"""An engine on each store and backend."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from chatcore import Engine, open_engine

STORES = [("sqlite", "asyncio"), ("memory", "asyncio"), ("memory", "trio")]


@pytest.fixture(params=STORES, ids=["-".join(pair) for pair in STORES])
def store_and_backend(request: pytest.FixtureRequest) -> tuple[str, str]:
    pair: tuple[str, str] = request.param
    return pair


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> str:
    if "store_and_backend" not in request.fixturenames:
        return "asyncio"
    return str(request.getfixturevalue("store_and_backend")[1])


@pytest.fixture
async def engine(store_and_backend: tuple[str, str], tmp_path: Path) -> AsyncIterator[Engine]:
    url = f"sqlite:{tmp_path / 'data'}" if store_and_backend[0] == "sqlite" else "memory:"
    async with open_engine(url) as engine:
        with anyio.fail_after(30):
            yield engine
