"""A dry run tells what really becomes of versions that come one after the other, whatever the store has."""

import random
from collections.abc import Sequence

import anyio
import pytest
from msgspec.structs import replace

from chatcore import DryRun, Engine, Incoming, IncomingMessage, IngestReport, LimitExceeded, Limits
from chatcore.arrivals import IngestConversation, Ingested
from chatcore.incoming import IncomingFile, IncomingPart
from chatcore.ingestion import rehearsal
from chatcore.ingestion.rehearsal import Rehearsal
from chatcore.messages import Feedback, Text
from tests.ingestion.making import chat
from tests.ingestion.sinks import EmptySink
from tests.storage.bringing import brought, said

pytestmark = pytest.mark.anyio

SECOND = 1_000_000
BEGUN = 1_700_000_000 * SECOND
PICTURE = IncomingFile(name="a.png", content=b"\x89PNG\r\n\x1a\n")
PARTS: Sequence[IncomingPart] = (Text("a"), Text("b"), PICTURE, replace(PICTURE, content=None))


def version(dice: random.Random, source: str) -> Incoming:
    """One of two conversations, as somebody may have it at some time."""
    count = dice.randint(1, 4)
    messages = [
        IncomingMessage(
            id=f"m{place}",
            parent=f"m{dice.randrange(place)}" if place else None,
            role="assistant" if place % 2 else "user",
            parts=(dice.choice(PARTS),),
            model=dice.choice([None, None, "x"]),
            feedback=Feedback(rating="like") if dice.random() < 0.2 else None,
            raw={"n": 1} if dice.random() < 0.2 else None,
        )
        for place in range(count)
    ]
    votes = {
        f"m{place}": {user: Feedback(rating="dislike") for user in ("bob", "local") if dice.random() < 0.4}
        for place in range(count)
    }
    return Incoming(
        source=source,
        id=dice.choice(["c1", "c2"]),
        title=dice.choice([None, "T"]),
        messages=messages,
        head=f"m{dice.randrange(count)}",
        updated_at_us=dice.choice([None, *(BEGUN + at * SECOND for at in range(4))]),
        votes=votes,
        ours=dice.random() < 0.5,
    )


def told(report: IngestReport) -> IngestReport:
    """What has to be the same."""
    return replace(report, seconds=0.0, dry_run=False)


@pytest.mark.parametrize("has_first", [False, True])
async def test_a_dry_run_tells_what_becomes_of_versions(engine: Engine, has_first: bool) -> None:
    for seed in range(30):
        dice = random.Random(seed)
        paths = [[version(dice, f"s{seed}") for _ in range(dice.randint(1, 4))] for _ in range(3)]
        if has_first:
            await engine.ingest(paths[0])
        run = DryRun()
        expected = [told(await engine.ingest(path, dry_run=run)) for path in paths]
        assert [told(await engine.ingest(path)) for path in paths] == expected, f"seed {seed}"


async def test_what_is_known_by_its_content_is_so_with_files_too(engine: Engine) -> None:
    message = IncomingMessage(role="user", parts=(Text("q"), PICTURE))
    given = Incoming(source="test", linear=True, messages=[message])
    for dry_run, outcome in ((False, "imported"), (True, "unchanged"), (False, "unchanged")):
        report = await engine.ingest([given], dry_run=dry_run)
        assert getattr(report, outcome) == 1


async def test_an_older_record_that_brings_only_a_title_is_told_as_updated(engine: Engine) -> None:
    newer = replace(chat(1), title=None, updated_at_us=BEGUN + SECOND)
    older = replace(newer, title="T", updated_at_us=BEGUN)
    for dry_run in (True, False):
        report = await engine.ingest([newer, older], dry_run=dry_run)
        assert (report.imported, report.updated, report.repeated) == (1, 1, 0)


async def test_what_came_in_another_source_is_not_repeated(engine: Engine) -> None:
    run = DryRun()
    for dry_run in (run, False):
        await engine.ingest([chat(1)], dry_run=dry_run)
        report = await engine.ingest([chat(2), chat(1)], dry_run=dry_run)
        assert (report.imported, report.unchanged, report.repeated) == (1, 1, 0)


class _Refusing(EmptySink):
    """Takes everything but one version, and knows the size of its largest command.

    Attributes:
        most: The most conversations that came at once.
    """

    def __init__(self, refused: bytes = b"") -> None:
        super().__init__(Limits())
        self.most = 0
        self._refused = refused

    async def write(
        self,
        conversations: Sequence[IngestConversation],
        *,
        index: bool,
        dry_run: bool,
        packed: bytes | None = None,
    ) -> tuple[Ingested, ...]:
        if any(one.digest == self._refused for one in conversations):
            raise LimitExceeded("Too much.", limit=1, given=2)
        self.most = max(self.most, len(conversations))
        return await super().write(conversations, index=index, dry_run=dry_run, packed=packed)


async def test_of_a_batch_that_is_refused_nothing_is_remembered() -> None:
    good, new, bad = brought("good", "q"), brought("new", "q"), brought("good", "q", "a")
    sink = Rehearsal(_Refusing(bad.digest))
    with pytest.raises(LimitExceeded):
        await sink.write([good, new, bad], index=True, dry_run=True)
    for one in (good, new):  # the batch comes again, one by one
        (became,) = await sink.write([one], index=True, dry_run=True)
        assert became.outcome == "imported"


async def test_what_was_begun_first_is_told_first() -> None:
    many = [brought(f"c{number}", *map(str, range(400))) for number in range(20)]
    sink = Rehearsal(EmptySink(Limits()))
    ended: list[int] = []

    async def write(number: int, given: Sequence[IngestConversation]) -> None:
        await sink.write(given, index=True, dry_run=True)
        ended.append(number)

    async with anyio.create_task_group() as tasks:
        for number, given in enumerate([many, many[:1], []]):
            tasks.start_soon(write, number, given)
    assert ended == [0, 1, 2]


async def test_earlier_versions_make_no_command_too_large() -> None:
    names = ["a", "b", "c", "d", "e"]
    asked = _Refusing()
    sink = Rehearsal(asked)
    for model in ("x", "y"):
        asked.most = 0
        given = [brought(name, *(said(f"{n}", model=model) for n in range(100))) for name in names]
        await sink.write(given, index=True, dry_run=True)
    assert asked.most == 4  # two versions of two, 400 messages


async def test_of_very_many_versions_the_newest_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _Refusing()
    sink = Rehearsal(asked)
    for number in range(40):
        await sink.write([brought("c", f"text {number}")], index=True, dry_run=True)
    assert asked.most == rehearsal._MOST_VERSIONS + 1
    monkeypatch.setattr(rehearsal, "_MOST_BYTES", 100)
    for number in range(3):
        await sink.write([brought("c", f"again {number}")], index=True, dry_run=True)
    asked.most = 0
    await sink.write([brought("c", "last")], index=True, dry_run=True)
    assert asked.most == 2


async def test_texts_of_what_is_new_or_known_are_not_held(engine: Engine) -> None:
    text = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=100_000))
    long = IncomingMessage(role="user", parts=(Text(text),))
    given = replace(chat(1), messages=[long, *chat(1).messages])
    for _ in range(2):
        run = DryRun()
        await engine.ingest([given], dry_run=run)
        (past,) = run.past.values()
        assert sum(len(one.packed) for one in past.versions) < 500
        await engine.ingest([given])


async def test_when_one_that_changes_nothing_was_made_is_remembered(engine: Engine) -> None:
    undated = replace(chat(1), messages=[replace(one, created_at_us=None) for one in chat(1).messages])
    await engine.ingest([undated])
    dated = replace(undated, updated_at_us=BEGUN + SECOND)
    (question, answer) = undated.messages
    older = replace(undated, messages=[question, replace(answer, model="x")], updated_at_us=BEGUN)
    renamed = replace(dated, title="Another")  # which only what has no title takes over
    run = DryRun()
    for dry_run in (run, False):
        for one in (dated, older, renamed):
            report = await engine.ingest([one], dry_run=dry_run)
            assert (report.unchanged, report.messages.unchanged) == (1, 2)
