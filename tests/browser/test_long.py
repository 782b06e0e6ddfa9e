"""Long conversations cost the browser no more than short ones."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.driving import Server, Tab
from tests.browser.measuring import open_seconds, token_seconds
from tests.frontends.serving import free_port
from tests.seeding import TEXT, seed

LENGTHS = (5000, 100)
FIRST = "How did all of this begin?"
OPEN_SECONDS = 1.5
MOST_RATIO = 1.5
TRIES = 5  # other work on the machine is in all of these numbers: the best of some is what is asked for
PAGES = 4
FRAMES = """async () => {
  for (let frame = 0; frame < 60; frame++) await new Promise(requestAnimationFrame);
}"""

pytestmark = pytest.mark.measures


@pytest.fixture(scope="module")
def long_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, list[str]]]:
    data = tmp_path_factory.mktemp("long") / "data"
    with ThreadPoolExecutor(1) as pool:  # a loop of its own: Playwright has one on this thread
        conversations = pool.submit(seed, Path(data), LENGTHS, chain([FIRST], repeat(TEXT))).result()
    with Server(f"sqlite:{data}", free_port()) as server:
        yield server, conversations


def test_long_conversation_opens_soon_and_scrolls(
    long_server: tuple[Server, list[str]], new_tab: Callable[[Server], Tab]
) -> None:
    server, (conversation, _) = long_server
    tab = new_tab(server)
    rows = tab.history.locator(".message-row")
    took = []
    for _ in range(TRIES):
        took.append(open_seconds(tab, conversation, 100))
        if took[-1] < OPEN_SECONDS:
            break
    assert min(took) < OPEN_SECONDS, took
    for pages in (2, 3):
        tab.page.locator("#cc-scroll").hover()
        tab.page.mouse.wheel(0, -1_000_000)
        earlier = tab.page.get_by_role("button", name="Load earlier messages")
        expect(earlier).to_be_in_viewport()
        first = rows.first.get_attribute("data-message")
        earlier.click()
        expect(rows).to_have_count(100 * pages)
        expect(tab.history.locator(f'[data-message="{first}"]')).to_be_in_viewport()  # it stays where it was


def test_without_a_title_it_is_called_by_its_first_question(
    long_server: tuple[Server, list[str]], new_tab: Callable[[Server], Tab]
) -> None:
    server, (conversation, _) = long_server
    server.api.patch(f"/conversations/{conversation}", json={"title": None}).raise_for_status()
    tab = new_tab(server).open(f"?conversation={conversation}")
    expect(tab.page.locator("h1.cc-title")).to_have_text(FIRST)


def test_a_token_costs_the_same_in_a_long_conversation(
    long_server: tuple[Server, list[str]], new_tab: Callable[[Server], Tab]
) -> None:
    server, conversations = long_server
    ratios = []
    for number in range(TRIES):
        long, short = (
            token_seconds(new_tab(server), server, conversation, f"Try {number} in {length}")
            for conversation, length in zip(conversations, LENGTHS, strict=True)
        )
        ratios.append(long / short)
        if ratios[-1] <= MOST_RATIO:
            break
    assert min(ratios) <= MOST_RATIO, ratios


def test_nor_after_much_was_loaded(
    long_server: tuple[Server, list[str]], new_tab: Callable[[Server], Tab]
) -> None:
    server, (conversation, short) = long_server
    ratios = []
    for number in range(TRIES):
        tab = new_tab(server).open(f"?conversation={conversation}")
        rows = tab.history.locator(".message-row")
        for pages in range(2, PAGES + 1):
            tab.page.get_by_role("button", name="Load earlier messages").click()
            expect(rows).to_have_count(100 * pages)
        long = token_seconds(tab, server, None, f"Much {number}")
        ratios.append(long / token_seconds(new_tab(server), server, short, f"Little {number}"))
        if ratios[-1] <= MOST_RATIO:
            break
    assert min(ratios) <= MOST_RATIO, ratios


def test_an_answer_out_of_sight_is_drawn_when_it_is_looked_at(
    long_server: tuple[Server, list[str]], new_tab: Callable[[Server], Tab]
) -> None:
    server, (_, conversation) = long_server
    tab = new_tab(server).open(f"?conversation={conversation}")
    tab.ask("Far below")
    server.say("Far below", "first ")
    answer = tab.live.locator(".bot-row .message")
    expect(answer).to_contain_text("first")
    column = tab.page.locator("#cc-scroll")
    column.evaluate("(column) => (column.scrollTop = -column.scrollHeight)")
    expect(tab.live).not_to_be_in_viewport()
    server.say("Far below", "second ")
    tab.page.wait_for_function("() => window.chatcore.live()[0].content[0].text.includes('second')")
    tab.page.evaluate(FRAMES)  # time enough to be drawn
    assert "second" not in answer.inner_text()
    column.evaluate("(column) => (column.scrollTop = 0)")
    expect(answer).to_contain_text("first second")
    column.evaluate("(column) => (column.scrollTop = -column.scrollHeight)")
    server.end("Far below", "third")
    expect(tab.answers.last).to_contain_text("first second third")
