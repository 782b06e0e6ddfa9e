"""The examples do what they say, in a browser."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import FilePayload, expect

from tests.browser.driving import START_SECONDS, Server, Tab
from tests.browser.examples import EXAMPLES
from tests.browser.media import png, wav
from tests.frontends.commands import read_until
from tests.frontends.serving import free_port
from tests.responders.scripted_server import ScriptedServer, open_scripted_server
from tests.source_tree import ROOT

TRIES = 5  # on a busy machine an answer may be over before the page has its first word
NOTE_TEXTS = """() => {
  window.texts = [];
  const live = () => document.querySelector("#cc-live .bot-row .message");
  const note = () => window.texts.push(live()?.textContent ?? "");
  new MutationObserver(note).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""
SAYINGS = re.compile(r"^(How are you\?|Today is a great day|I'm very hungry)\s*$")
NewTab = Callable[[Server], Tab]


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedServer]:
    """A server that speaks OpenAI's protocol."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_scripted_server()) as scripted,
    ):
        yield scripted


@pytest.fixture(scope="module")
def examples(
    tmp_path_factory: pytest.TempPathFactory, model: ScriptedServer
) -> Iterator[Mapping[str, Server]]:
    """All of them, by the numbers that their names begin with."""
    ports = [free_port() for _ in EXAMPLES]
    folder = tmp_path_factory.mktemp("examples")
    command = [sys.executable, "-m", "tests.browser.examples", str(folder), *map(str, ports)]
    environment = {**os.environ, "OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "k", "MODEL": "m-1"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, start_new_session=True
    )
    servers = {example.stem[:2]: Server("", port) for example, port in zip(EXAMPLES, ports, strict=True)}
    try:
        # six print at once, and an unbuffered Python writes the end of a line by itself: it may come later
        read_until(process, *(server.url.encode() for server in servers.values()), seconds=START_SECONDS)
        yield servers
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=10)
        for server in servers.values():
            server.__exit__(None, None, None)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_each_fits_25_lines(example: os.PathLike[str]) -> None:
    with open(example, encoding="utf-8") as file:
        assert len(file.readlines()) <= 25


def test_there_is_a_test_of_each() -> None:
    assert [example.stem[:2] for example in EXAMPLES] == ["01", "02", "03", "04", "05", "06"]


def test_01_the_simple_bot_says_one_of_three_things(new_tab: NewTab, examples: Mapping[str, Server]) -> None:
    tab = new_tab(examples["01"]).open()
    expect(tab.page).to_have_title("A simple bot")
    tab.ask("Hello?")
    expect(tab.answers).to_have_text(SAYINGS)
    tab.page.reload()
    expect(tab.ready().answers).to_have_text(SAYINGS)


def test_02_the_streaming_bot_is_seen_writing(new_tab: NewTab, examples: Mapping[str, Server]) -> None:
    tab = new_tab(examples["02"]).open()
    tab.page.evaluate(NOTE_TEXTS)
    for number in range(1, TRIES + 1):
        tab.ask(f"Hello for the {number}th time?")
        expect(tab.answers).to_have_text([SAYINGS] * number)
        whole = tab.answers.last.inner_text().strip()
        texts = {text.strip() for text in tab.page.evaluate("texts")} - {"", whole}
        if any(whole.startswith(text) for text in texts):
            return
    raise AssertionError("nothing but whole answers was seen")


def test_03_all_kinds_of_things_are_shown_and_rated(new_tab: NewTab, examples: Mapping[str, Server]) -> None:
    tab = new_tab(examples["03"]).open()
    tab.attach(
        FilePayload(name="red.png", mimeType="image/png", buffer=png()),
        FilePayload(name="tone.wav", mimeType="audio/wav", buffer=wav()),
        FilePayload(name="film.webm", mimeType="video/webm", buffer=b"\x1a\x45\xdf\xa3" + bytes(64)),
        FilePayload(name="notes.txt", mimeType="text/plain", buffer=b"Remember the milk."),
    )
    tab.box.fill("**Bold**, $$e^{i\\pi}$$ and\n```python\nprint(1)\n```")
    tab.box.press("Enter")
    answer = tab.answers
    expect(answer.locator("li")).to_have_count(4)
    expect(answer.locator("strong", has_text="Bold")).to_be_visible()
    expect(answer.locator(".katex").first).to_be_visible()
    expect(answer.locator("pre code")).to_contain_text("print(1)")
    expect(tab.history.locator("img[src*='/files/']")).to_be_visible()
    expect(tab.history.get_by_role("button", name="Play")).to_be_visible()
    for name in ("film.webm", "notes.txt"):
        expect(tab.history.get_by_role("link", name=name)).to_be_visible()
    vote = tab.page.get_by_label("Your last vote")
    tab.click("Good answer")
    expect(vote).to_have_value(re.compile("^like: "))
    tab.click("Bad answer")
    expect(vote).to_have_value(re.compile("^dislike: "))
    tab.click("Bad answer")
    expect(vote).to_have_value(re.compile("^no vote: "))


def test_03_its_examples_fill_the_composer(new_tab: NewTab, examples: Mapping[str, Server]) -> None:
    tab = new_tab(examples["03"]).open()
    offered = tab.page.get_by_role("group", name="Examples").get_by_role("button")
    expect(offered).to_have_count(3)
    offered.first.click()
    expect(tab.box).to_have_value("# A heading and *emphasis*")
    expect(tab.box).to_be_focused()
    tab.box.press("Enter")
    expect(tab.answers.get_by_role("heading", name="A heading")).to_be_visible()
    expect(offered).to_have_count(0)


def test_04_stopped_and_asked_again(new_tab: NewTab, examples: Mapping[str, Server]) -> None:
    tab = new_tab(examples["04"]).open()
    tab.ask("Count!")
    running = tab.live.locator(".bot-row .message")

    def stop() -> str:
        expect(running).to_have_text(re.compile(r"^\d+ \d+"))
        tab.page.locator("#cc-box .stop-button").click()
        expect(running).to_have_count(0)
        expect(tab.bars).to_have_count(1)
        return tab.answers.inner_text()

    first = stop()
    tab.click("Answer again")
    assert stop() != first
    expect(tab.bars.get_by_text("2/2")).to_be_visible()
    tab.click("Previous version")
    expect(tab.answers).to_have_text(first)


def test_05_the_model_is_given_the_image(
    new_tab: NewTab, examples: Mapping[str, Server], model: ScriptedServer
) -> None:
    model.say("A red ", "rectangle.")
    tab = new_tab(examples["05"]).open()
    expect(tab.page.get_by_text("m-1 will answer.")).to_be_visible()
    tab.attach(FilePayload(name="red.png", mimeType="image/png", buffer=png()))
    tab.page.get_by_role("button", name="What is in this picture?").click()
    tab.box.press("Enter")
    expect(tab.answers).to_have_text("A red rectangle.")
    asked = str(model.requests[0]["messages"])
    assert "What is in this picture?" in asked
    assert "data:image/" in asked


def test_06_other_components_hear_of_answers(new_tab: NewTab, examples: Mapping[str, Server]) -> None:
    tab = new_tab(examples["06"]).open()
    log = tab.page.get_by_label("Answers so far")
    for number in (1, 2):
        tab.ask("one two three"[: 7 + 6 * (number - 1)])
        expect(tab.bars).to_have_count(number)
    expect(log).to_have_value("You said 2 words.\nYou said 3 words.\n")
    place = tab.page.locator("#cc-shell").bounding_box()
    assert place is not None
    assert abs(place["height"] - 560) < 2
    assert place["width"] < 1000
    expect(tab.page.locator("footer")).to_be_visible()  # the rest of the page is theirs
