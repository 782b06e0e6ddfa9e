"""What other programs take for the same messages, through their own calls. They must be installed."""

import importlib.util
import sqlite3
import tempfile
import time

from scripts.benches._texts import conversations

__all__ = ["print_peers"]

STEP_COLUMNS = (
    "id name type threadId parentId streaming waitForAnswer isError metadata tags input output createdAt "
    "command start end generation showInput language indent defaultOpen autoCollapse icon modes"
)
THREAD_COLUMNS = "id createdAt name userId userIdentifier tags metadata"


def _table(name: str, columns: str) -> str:
    """A table as Chainlit's layer wants it."""
    quoted = ", ".join(f'"{column}"' for column in columns.split())
    return f'CREATE TABLE {name} ({quoted}, PRIMARY KEY ("id"))'


def chainlit_rate(messages: int) -> float:
    """Chainlit's SQLAlchemy layer: a call per message."""
    import asyncio
    import uuid

    from chainlit.data.sql_alchemy import (  # type: ignore[import-not-found, unused-ignore]
        SQLAlchemyDataLayer,
    )

    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/chainlit.db"
        with sqlite3.connect(path) as database:
            database.execute(_table("steps", STEP_COLUMNS))
            database.execute(_table("threads", THREAD_COLUMNS))
        layer = SQLAlchemyDataLayer(conninfo=f"sqlite+aiosqlite:///{path}")
        create = getattr(SQLAlchemyDataLayer.create_step, "__wrapped__", SQLAlchemyDataLayer.create_step)

        async def run() -> float:
            begun = time.perf_counter()
            for number, spoken in enumerate(conversations(messages, 3)):
                for text in spoken:
                    step = {"id": str(uuid.uuid4()), "threadId": f"t{number}", "name": "user"}
                    step |= {"type": "user_message", "output": text, "createdAt": "2026-01-01T00:00:00Z"}
                    await create(layer, {**step, "streaming": False})
            return messages / (time.perf_counter() - begun)

        return asyncio.run(run())


def agents_rate(messages: int) -> float:
    """openai-agents' SQLiteSession: a call per message."""
    import asyncio

    from agents.memory.sqlite_session import (  # type: ignore[import-not-found, unused-ignore]
        SQLiteSession,
    )

    async def run(directory: str) -> float:
        begun = time.perf_counter()
        for number, spoken in enumerate(conversations(messages, 3)):
            session = SQLiteSession(f"t{number}", f"{directory}/agents.db")
            for text in spoken:
                await session.add_items([{"role": "user", "content": text}])
        return messages / (time.perf_counter() - begun)

    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(run(directory))


PEERS = (("chainlit", chainlit_rate), ("agents", agents_rate))


def print_peers(messages: int) -> None:
    """A line for each."""
    for name, rate in PEERS:
        if importlib.util.find_spec(name) is None:
            print(f"{name}: not installed here, skipped")
        else:
            print(f"{name}: {rate(messages):,.0f} messages/s", flush=True)
