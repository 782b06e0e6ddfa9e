"""Files that are almost right: the fixtures of all formats, with bytes and values changed at random."""

import gzip
import io
import json
import random
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import anyio
import zstandard

from chatcore import Engine, IngestReport, InvalidInput, ReadOptions, open_engine
from chatcore.formats.reading import read_source
from chatcore.formats.streams import UNREADABLE
from chatcore.incoming import Incoming, Unread
from chatcore.ingestion.checking import check_conversation
from chatcore.ingestion.preparation import NotTaken, Preparation
from chatcore.limits import Limits
from tests.ingestion.making import CONTAINERS, zipped

__all__ = ["Fuzz", "corpus"]

ROOT = Path(__file__).parents[2]
MOST_BYTES = 40_000
MOST_SECONDS = 10.0
STORED_EVERY = 10

TOKENS: Sequence[bytes] = (
    *(bytes([one]) for one in b"{}[]\"\\,:\0\xff'"),
    *(b"null", b"true", b"-1", b"1e400", b"NaN", b"1" * 400, b'"":', b"\r\n", b"\n\n"),
    *(b"\\ud800", b"\\u0000", b"\xed\xa0\x80", b"[" * 3000, b'{"a":' * 3000),
)
VALUES: Sequence[object] = (
    *(None, True, -1, 0, 1.5, 2**70, 10**400, float("nan"), 1e18, -1e18),
    *("", "x", "\0", "\ud800", "9" * 50, "user", "data:;base64,%%%"),
    *("1970-01-01", "2026-13-45T99:99:99Z"),
    *([], {}, [[]], [None], ["user"], {"": None}, {"id": 1}),
)


def corpus() -> dict[str, bytes]:
    """Files to begin with, by name."""
    found = dict(CONTAINERS)
    folders = [ROOT / "tests" / "formats" / "fixtures", ROOT.parent / "shared" / "data"]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".md" and path.stat().st_size <= MOST_BYTES:
                content = path.read_bytes()
                if path.suffix == ".gz":
                    content = gzip.decompress(content)
                if len(content) <= MOST_BYTES:
                    found[f"{path.parent.name}/{path.name}"] = content
    return found


class Fuzz:
    """Mutates and ingests.

    Attributes:
        wrong: Sentences about what should not have been. Must stay empty.
        taken: How many conversations came of it.
        left: How many records did not become one.
    """

    def __init__(self, seed: int) -> None:
        self.wrong: list[str] = []
        self.taken = 0
        self.left = 0
        self._random = random.Random(seed)
        self._corpus = corpus()
        self._names = sorted(self._corpus)

    def run(self, rounds: int) -> None:
        """So many files."""
        anyio.run(self._run, rounds)

    async def _run(self, rounds: int) -> None:
        async with open_engine("memory:") as engine:
            for number in range(rounds):
                name = self._random.choice(self._names)
                content = self._mutated(self._corpus[name])
                begun = time.monotonic()
                try:
                    if number % STORED_EVERY:
                        self._read(content)
                    else:
                        await self._store(engine, content, f"round {number}, {name}")
                except InvalidInput:
                    self.left += 1
                except Exception as error:  # that is what is looked for
                    raise AssertionError(f"round {number}, {name}: {content[:400]!r}") from error
                if time.monotonic() - begun > MOST_SECONDS:
                    self.wrong.append(f"round {number}, {name}: took {time.monotonic() - begun:.0f} s")

    def _read(self, content: bytes) -> None:
        """Everything but the store."""
        preparation = Preparation(Limits(), lambda file: "It is not kept.", 1_800_000_000_000_000)
        reading = read_source(io.BytesIO(content), options=self._options())
        try:
            for item in reading:
                if isinstance(item, Unread):
                    self.left += 1
                    if "can't cope" in item.reason:
                        self.wrong.append(item.reason)
                    continue
                self._prepare(preparation, item)
        finally:
            reading.close()

    def _prepare(self, preparation: Preparation, item: Incoming) -> None:
        try:
            made = preparation.of(item)
        except NotTaken:
            self.left += 1
            return
        check_conversation(made.conversation)
        if len(made.conversation.messages) != len(item.messages):
            self.wrong.append(f"{item.file} {item.place}: messages were lost")
        self.taken += 1

    async def _store(self, engine: Engine, content: bytes, name: str) -> None:
        options = self._options()
        dry = await engine.ingest(io.BytesIO(content), options=options, dry_run=True, user=name)
        report = await engine.ingest(io.BytesIO(content), options=options, user=name)
        again = await engine.ingest(io.BytesIO(content), options=options, user=name)
        for one in (dry, report, again):
            self._check(one, name)
        seen = 0
        async for tree in engine.trees(user=name):
            seen += len(tree.nodes)
        if seen != report.messages.imported:
            self.wrong.append(f"{name}: {seen} messages are there, {report.messages.imported} were imported")
        if again.imported or again.messages.imported:
            self.wrong.append(f"{name}: the same again was {again}")
        if (dry.imported, dry.failed, dry.skipped) != (report.imported, report.failed, report.skipped):
            self.wrong.append(f"{name}: dry {dry}, then {report}")
        self.taken += report.imported
        self.left += report.failed + report.skipped

    def _check(self, report: IngestReport, name: str) -> None:
        for counts in (report, report.messages, report.attachments, report.feedback):
            parts = counts.imported + counts.updated + counts.unchanged + counts.skipped + counts.failed
            if counts.read != parts:
                self.wrong.append(f"{name}: {counts}")
        if len(report.failures) != report.failed:
            self.wrong.append(f"{name}: {report.failed} failed, {len(report.failures)} are told")

    def _options(self) -> ReadOptions:
        chance = self._random
        return ReadOptions(
            assistant=chance.choice([None, None, "User 1", "Jungle Jane"]), unfinished=chance.random() < 0.2
        )

    # --- mutations

    def _mutated(self, content: bytes) -> bytes:
        changes: Sequence[Callable[[bytes], bytes]] = (
            self._flip, self._cut, self._repeat, self._insert, self._truncate, self._change_values,
            self._change_values, self._change_values, self._pack,
        )  # fmt: skip
        for _ in range(self._random.randrange(4)):
            content = self._random.choice(changes)(content)[: 4 * MOST_BYTES]
        return content

    def _place(self, content: bytes) -> int:
        return self._random.randrange(len(content) + 1)

    def _flip(self, content: bytes) -> bytes:
        changed = bytearray(content)
        for _ in range(self._random.randrange(1, 9)):
            if changed:
                changed[self._random.randrange(len(changed))] = self._random.randrange(256)
        return bytes(changed)

    def _cut(self, content: bytes) -> bytes:
        begin = self._place(content)
        return content[:begin] + content[begin + self._random.randrange(1, 60) :]

    def _repeat(self, content: bytes) -> bytes:
        begin = self._place(content)
        piece = content[begin : begin + self._random.randrange(1, 400)]
        return content[:begin] + piece * self._random.randrange(2, 5) + content[begin:]

    def _insert(self, content: bytes) -> bytes:
        begin = self._place(content)
        return content[:begin] + self._random.choice(TOKENS) + content[begin:]

    def _truncate(self, content: bytes) -> bytes:
        return content[: self._place(content)]

    def _pack(self, content: bytes) -> bytes:
        how = self._random.randrange(5)
        if how == 0:
            return gzip.compress(content, mtime=0)
        if how == 1:
            return zstandard.compress(content)
        if how == 2:
            return zipped({"conversations.json": content, "b/c.jsonl": content[:500]})
        if how == 3 and content.startswith(b"PK"):
            return self._rezipped(content)
        return content.decode("utf-8", "replace").encode("utf-16")

    def _rezipped(self, content: bytes) -> bytes:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members = {name: archive.read(name) for name in archive.namelist()}
        except UNREADABLE:
            return content
        return zipped({name: self._change_values(member) for name, member in members.items()})

    def _change_values(self, content: bytes) -> bytes:
        """A few values of JSON replaced, removed, doubled or moved."""
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            lines = content.split(b"\n")
            number = self._random.randrange(len(lines))
            try:
                value = json.loads(lines[number])
            except (ValueError, RecursionError):
                return content
            self._change(value)
            lines[number] = json.dumps(value).encode("utf-8", "surrogatepass")
            return b"\n".join(lines)
        self._change(value)
        return json.dumps(value, ensure_ascii=self._random.random() < 0.5).encode("utf-8", "surrogatepass")

    def _change(self, value: object) -> None:
        inside = list(_containers(value))
        for _ in range(self._random.randrange(1, 4)):
            if inside:
                self._change_one(self._random.choice(inside), inside)

    def _change_one(self, held: dict[str, object] | list[object], others: Sequence[object]) -> None:
        chance = self._random
        if not held:
            return
        value = chance.choice(VALUES)
        if chance.random() < 0.3:
            simple = [one for one in others if len(json.dumps(one)) < 2_000]
            value = json.loads(json.dumps(chance.choice(simple))) if simple else None
        if isinstance(held, dict):
            key = chance.choice(list(held))
            held.pop(key) if chance.random() < 0.3 else held.update({key: value})
        elif chance.random() < 0.3:
            held.append(held[chance.randrange(len(held))])
        else:
            held[chance.randrange(len(held))] = value


def _containers(value: object, depth: int = 0) -> Iterator[dict[str, object] | list[object]]:
    if isinstance(value, dict | list) and depth < 50:
        yield value
        for below in value.values() if isinstance(value, dict) else value:
            yield from _containers(below, depth + 1)
