"""Kills an ingestion again and again, lets it run through in the end, and compares what is stored."""

import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import anyio

from chatcore import open_engine
from chatcore.views import Tree
from tests.kills.ingester import ingest_all
from tests.search_index import index_damage

__all__ = ["IngestionRig"]

HERE = Path(__file__).parent
KILLS_PER_STORE = 5
MOST_DELAY_SECONDS = 0.03

Content = list[tuple[object, ...]]


class IngestionRig:
    """Stores that an ingestion fills in spite of being killed.

    Attributes:
        wrong: Sentences about what is other than after an ingestion that ran through. Must stay empty.
        in_the_middle: How many kills came before the end.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.wrong: list[str] = []
        self.in_the_middle = 0
        self._folder = folder
        self._random = random.Random(seed)
        self._expected = anyio.run(self._content, folder / "through", True)

    def kill_rounds(self, kills: int) -> None:
        """Kill so often, a few times in each store."""
        for number in range(0, kills, KILLS_PER_STORE):
            store = self._folder / f"store-{number}"
            for _ in range(min(KILLS_PER_STORE, kills - number)):
                self._kill(store)
                self._look(store)
            content = anyio.run(self._content, store, True)
            for one in [one for one in content if one not in self._expected]:
                self.wrong.append(f"{store.name}: {one[0]} is other than it should be")
            if len(content) != len(self._expected):
                self.wrong.append(f"{store.name}: {len(content)} conversations, not {len(self._expected)}")
            with closing(sqlite3.connect(store / "chat.db")) as connection:
                self.wrong += index_damage(connection)

    def _kill(self, store: Path) -> None:
        """Start it and kill it after a random batch, a random moment later."""
        command = [sys.executable, str(HERE / "ingester.py"), str(store)]
        batches = self._random.randrange(0, 14)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parents[1]) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            while batches and line and line != "ended\n":
                line = process.stdout.readline()
                batches -= 1
            time.sleep(self._random.random() * MOST_DELAY_SECONDS)  # the moment is what is random
            process.kill()
            self.in_the_middle += "ended" not in process.stdout.read() and line != "ended\n"

    def _look(self, store: Path) -> None:
        """What is to be seen after a kill is whole."""
        if not (store / "chat.db").exists():
            return
        whole = {one[0]: len(one) for one in self._expected}
        for one in anyio.run(self._content, store, False):
            is_older_version = str(one[0]).startswith("Conversation") and len(one) < 25
            if len(one) != whole.get(one[0]) and not is_older_version:
                self.wrong.append(f"{store.name}: {one[0]} is seen with {len(one)} of its messages")

    async def _content(self, store: Path, run_through: bool) -> Content:
        if run_through:
            report = await ingest_all(str(store), telling=False)
            if report.failed or report.read != sum(
                (report.imported, report.updated, report.unchanged, report.skipped)
            ):
                self.wrong.append(f"{store.name}: {report}")
        async with open_engine(f"sqlite:{store}") as engine:
            self.wrong += await engine.check()
            return sorted([_content_of(tree) async for tree in engine.trees()], key=repr)


def _content_of(tree: Tree) -> tuple[object, ...]:
    """All of it but for ids and numbers."""
    places = {node.message.id: place for place, node in enumerate(tree.nodes)}
    whole = tree.conversation
    return (
        whole.title,
        places.get(whole.head or ""),
        whole.archived,
        whole.deleted,
        tree.raw,
        *(
            (
                places.get(node.message.parent or ""),
                node.message.role,
                node.message.parts,
                node.message.created_at,
                node.message.hidden,
                [vote.feedback for vote in node.feedback],
                node.raw,
            )
            for node in tree.nodes
        ),
    )
