"""A conversation that was given no title gets one once: from what answered it, else from its first words."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic

import anyio
import pytest

from chatcore import (
    Asked,
    ConversationChanged,
    Engine,
    Incoming,
    IncomingMessage,
    Limits,
    ResponderError,
    Sent,
    Text,
    first_words,
    open_engine,
    text_of,
)
from chatcore.run import Run
from chatcore.testing import ScriptedResponder
from chatcore.titles import title_within

WORDS = "How do I bake bread?"

Make = Callable[[], Awaitable[object]]


class Titler(ScriptedResponder):
    """Gives the titles that the test has it make.

    Attributes:
        asked: Questions and answers that it was asked about.
        thinks: Set when it was asked.
        let_go: Set when it is done with one, or was cancelled.
        said: The test sets it to have it say one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.make: Make = self.wait
        self.asked: list[tuple[str, str]] = []
        self.thinks = anyio.Event()
        self.let_go = anyio.Event()
        self.said = anyio.Event()

    async def make_title(self, asked: Asked, answer: str) -> str | None:
        self.asked.append((asked.text, answer))
        self.thinks.set()
        try:
            return await self.make()  # type: ignore[return-value]
        finally:
            self.let_go.set()

    async def wait(self) -> str:
        """Think until the test sets `said`."""
        await self.said.wait()
        return "Bread"

    async def hold_on(self) -> str:
        """Likewise, and let nobody interrupt it."""
        with anyio.CancelScope(shield=True):
            await self.said.wait()
        return "Bread"


def giving(value: object) -> Make:
    async def make() -> object:
        return value

    return make


def raising(error: BaseException) -> Make:
    async def make() -> object:
        raise error

    return make


@pytest.fixture
def script() -> Titler:
    return Titler()


async def answered(
    engine: Engine, script: ScriptedResponder, text: str = WORDS, *, conversation_id: str | None = None
) -> tuple[Sent, Run]:
    """An exchange whose answer has ended, and its run."""
    sent = await engine.send(conversation_id or (await engine.create()).id, text)
    run = engine._runs.running(sent.answer.conversation_id)
    assert run is not None
    (await script.next_run()).end("In an oven.")
    assert (await engine.wait_ended(sent.answer.id)).status == "complete"
    return sent, run


async def title(engine: Engine, sent: Sent) -> str | None:
    return (await engine.conversation(sent.answer.conversation_id)).title


async def title_made(engine: Engine, sent: Sent) -> str:
    """The title, as soon as a subscriber is told of one."""
    async with engine.subscribe(sent.answer.conversation_id) as events:
        async for event in events:
            if isinstance(event, ConversationChanged) and event.conversation.title is not None:
                return event.conversation.title
    raise AssertionError("no title")


async def test_what_answered_is_asked_and_nothing_waits_for_it(engine: Engine, script: Titler) -> None:
    sent, _ = await answered(engine, script)
    await script.thinks.wait()
    assert script.asked == [(WORDS, "In an oven.")]
    assert await title(engine, sent) is None
    # the next question is answered, and does not have it asked once more
    again, run = await answered(engine, script, "And rolls?", conversation_id=sent.answer.conversation_id)
    await run.over.wait()
    assert await title(engine, again) is None
    script.said.set()
    assert await title_made(engine, sent) == "Bread"
    page = await engine.conversations()
    assert [entry.title for entry in page.conversations] == ["Bread"]
    assert len(script.asked) == 1


async def test_what_gives_none_is_not_asked_after_every_answer(
    engine: Engine, script: Titler, tmp_path: Path
) -> None:
    """Where the question has no words the conversation stays without a title, until one has some."""
    script.make = giving(None)
    paper = tmp_path / "a.txt"
    paper.write_text("No question.")
    said = (
        IncomingMessage(role="user", parts=(Text(" "),)),
        IncomingMessage(role="assistant", parts=(Text("From elsewhere."),)),
    )
    await engine.ingest([Incoming(source="tests", id="1", messages=said)])
    [imported] = (await engine.conversations()).conversations
    for conversation_id in ((await engine.create()).id, imported.id):
        script.asked.clear()
        failed = await engine.send(conversation_id, "", [paper])
        (await script.next_run()).fail(ResponderError("Out of paper."))
        await engine.wait_ended(failed.answer.id)
        for text in ("", "", WORDS):
            sent = await engine.send(conversation_id, text, [paper])
            run = engine._runs.running(conversation_id)
            assert run is not None
            (await script.next_run()).end("A paper of yours.")
            await run.over.wait()
            assert await title(engine, sent) == (text or None)
        assert script.asked == [("", "A paper of yours.")]


class Strange(BaseException):
    pass


@pytest.mark.parametrize(
    "make",
    [
        giving(None),
        giving(" \n"),
        giving("Title:"),
        giving(42),
        raising(ResponderError("The server is down.")),
        raising(ValueError("\ud800")),
        raising(SystemExit(3)),
        raising(Strange()),
        raising(ExceptionGroup("many", [ValueError()])),
    ],
    ids=["None", "blanks", "label", "number", "ours", "error", "exit", "strange", "group"],
)
async def test_where_it_gives_none_the_first_words_are_taken(
    engine: Engine, script: Titler, make: Make
) -> None:
    script.make = make
    sent, _ = await answered(engine, script)
    assert await title_made(engine, sent) == WORDS
    assert len(script.asked) == 1
    await answered(engine, script)  # others are answered as ever


async def test_what_is_given_is_cleaned_and_cut(url: str, script: Titler) -> None:
    script.make = giving("Title: “Bread\ud800 for beginners”\nI hope it helps!")
    async with open_engine(url, responder=script, limits=Limits(title_chars=12)) as engine:
        with anyio.fail_after(10):
            sent, _ = await answered(engine, script)
            assert await title_made(engine, sent) == "Bread� for…"
            script.make = giving(None)
            sent, _ = await answered(engine, script)
            assert await title_made(engine, sent) == "How do I…"


@pytest.mark.parametrize("way", ["wait", "hold_on"])
async def test_one_that_is_silent_is_not_waited_for(
    engine: Engine, script: Titler, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr("chatcore.titles.TITLE_SECONDS", 0.01)
    script.make = getattr(script, way)
    sent, run = await answered(engine, script)
    assert await title_made(engine, sent) == WORDS
    await run.over.wait()
    if way == "hold_on":
        assert not script.let_go.is_set()
        script.said.set()
    await script.let_go.wait()
    assert await title(engine, sent) == WORDS


async def test_a_title_given_meanwhile_stays(engine: Engine, script: Titler) -> None:
    sent, run = await answered(engine, script)
    await script.thinks.wait()
    await engine.rename(sent.answer.conversation_id, "Mine")
    script.said.set()
    await run.over.wait()
    assert script.let_go.is_set()
    assert await title(engine, sent) == "Mine"


async def test_a_conversation_deleted_meanwhile_gets_none(engine: Engine, script: Titler) -> None:
    sent, run = await answered(engine, script)
    await script.thinks.wait()
    await engine.delete(sent.answer.conversation_id)
    script.said.set()
    await run.over.wait()
    assert (await engine.undelete(sent.answer.conversation_id)).title is None


async def test_a_title_that_is_there_is_asked_for_by_nobody(engine: Engine, script: Titler) -> None:
    given = await engine.create("Given")
    said = [IncomingMessage(role="user", parts=(Text("Hi"),))]
    await engine.ingest([Incoming(source="tests", id="1", title="Imported", messages=said)])
    ids = {entry.title: entry.id for entry in (await engine.conversations()).conversations}
    for name, conversation_id in (("Given", given.id), ("Imported", ids["Imported"])):
        sent, run = await answered(engine, script, conversation_id=conversation_id)
        await run.over.wait()
        assert await title(engine, sent) == name
    # one that has got it while its answer was written
    sent = await engine.send((await engine.create()).id, WORDS)
    run = engine._runs.running(sent.answer.conversation_id)  # type: ignore[assignment]
    await engine.rename(sent.answer.conversation_id, "Named")
    (await script.next_run()).end("In an oven.")
    await run.over.wait()
    assert await title(engine, sent) == "Named"
    assert script.asked == []


async def test_what_came_without_one_is_listed_by_its_first_question(engine: Engine) -> None:
    """Which is no title: nothing is stored, and an export has none."""
    system = IncomingMessage(role="system", parts=(Text("Be brief."),))
    question = IncomingMessage(role="user", parts=(Text(f"  {WORDS}\n{'And why? ' * 20}"),))
    answer = IncomingMessage(role="assistant", parts=(Text("In an oven."),))
    further = IncomingMessage(role="user", parts=(Text("And then?"),))
    for id_, title, messages in (
        ("untitled", None, [system, question, answer, further]),
        ("titled", "Baking", [question]),
        ("unasked", None, [answer]),
    ):
        await engine.ingest(
            [Incoming(source="elsewhere", id=id_, title=title, messages=messages, linear=True)]
        )
    await engine.create()
    page = await engine.conversations()
    assert sorted(str(one.title) for one in page.conversations) == ["Baking", "None", "None", "None"]
    ((id_, words),) = page.first_words.items()
    assert words == "How do I bake bread? And why? And why? And why? And why?…"
    assert (await engine.conversation(id_)).title is None
    assert [tree.conversation.title async for tree in engine.trees() if tree.conversation.id == id_] == [None]


async def test_it_is_made_once(engine: Engine, script: Titler) -> None:
    script.make = giving("Bread")
    sent, run = await answered(engine, script)
    await run.over.wait()
    script.make = giving("Rolls")
    await engine.regenerate(sent.answer.id)
    run = engine._runs.running(sent.answer.conversation_id)  # type: ignore[assignment]
    (await script.next_run()).end("On a stone.")
    await run.over.wait()
    assert await title(engine, sent) == "Bread"
    assert len(script.asked) == 1


async def test_an_answer_that_was_cut_off_is_called_by_the_first_words(
    engine: Engine, script: Titler
) -> None:
    sent = await engine.send((await engine.create()).id, WORDS)
    run = await script.next_run()
    run.say("In an")
    async with engine.subscribe(sent.answer.conversation_id) as events:
        async for event in events:
            if getattr(event, "text", "") == "In an":
                break
    await engine.stop(sent.answer.conversation_id)
    assert await title_made(engine, sent) == WORDS
    assert script.asked == []


async def test_closing_takes_the_first_words(url: str, script: Titler) -> None:
    if url == "memory:":
        pytest.skip("a memory store is gone when it is closed")
    async with open_engine(url, responder=script) as engine:
        sent, _ = await answered(engine, script)
        await script.thinks.wait()
        begun = monotonic()
    assert monotonic() - begun < 5  # and not the bound of a title
    assert script.let_go.is_set()
    async with open_engine(url) as engine:
        assert await title(engine, sent) == WORDS
        page = await engine.page(sent.answer.conversation_id)
        assert [text_of(message.parts) for message in page.messages] == [WORDS, "In an oven."]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Bread", "Bread"),
        ('"Bread and rolls"', "Bread and rolls"),
        ("**Title:** Bread", "Bread"),
        ("Title: **“Bread”**", "Bread"),
        ("## Bread", "Bread"),
        ("### Titel: »Brot«", "Brot"),
        ("标题：《面包》", "面包"),
        ("\n\n  Title:\n Bread \n\nIt is short.", "Bread"),
        ("Bread:\ta   guide", "Bread: a guide"),
        ("“Bread” and “Rolls”", "“Bread” and “Rolls”"),
        ("Loops in C#", "Loops in C#"),
        ("Titles of nobility", "Titles of nobility"),
        ("''", ""),
        ("", ""),
        (None, ""),
        (b"Bread", ""),
        ("x" * 100_000, "x" * 59 + "…"),
        ('"' * 100_000, '"' * 59 + "…"),
    ],
)
def test_what_is_left_of_a_title(given: object, expected: str) -> None:
    assert title_within(given) == expected


@pytest.mark.parametrize(
    ("most", "expected"), [(11, "Hello there"), (10, "Hello…"), (2, "H…"), (1, "…"), (0, "")]
)
def test_the_first_words_keep_to_a_bound(most: int, expected: str) -> None:
    assert first_words("Hello there", most) == expected
