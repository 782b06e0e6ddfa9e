"""Long conversations cost the browser no more than short ones."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, expect

from tests.browser.driving import Server, Tab
from tests.frontends.serving import free_port
from tests.seeding import seed

LENGTHS = (5000, 100)
OPEN_SECONDS = 1.5
MOST_RATIO = 1.5
TRIES = 5  # other work on the machine is in all of these numbers: the best of some is what is asked for
TOKENS = 30
PAGES = 4
FRAMES = """async () => {
  for (let frame = 0; frame < 60; frame++) await new Promise(requestAnimationFrame);
}"""

pytestmark = pytest.mark.measures


@pytest.fixture(scope="module")
def long_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, list[str]]]:
    data = tmp_path_factory.mktemp("long") / "data"
    with ThreadPoolExecutor(1) as pool:  # a loop of its own: Playwright has one on this thread
        conversations = pool.submit(seed, Path(data), LENGTHS).result()
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
        began = time.perf_counter()
        tab.page.goto(f"{server.url}/?conversation={conversation}")
        expect(rows).to_have_count(100)
        expect(rows.last).to_be_in_viewport()
        took.append(time.perf_counter() - began)
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


def token_seconds(tab: Tab, server: Server, conversation: str | None, question: str) -> float:
    """Main-thread time of one token that is drawn, in seconds; `conversation` None: the one that is shown."""
    if conversation is not None:
        tab.open(f"?conversation={conversation}")
    tab.ask(question)
    server.say(question, "token 0 ")
    shown = tab.live.locator(".bot-row .message")
    expect(shown).to_contain_text("token 0")
    devtools = tab.page.context.new_cdp_session(tab.page)
    devtools.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})  # without other work's time
    devtools.send("Performance.enable")
    before = task_seconds(devtools)
    for number in range(1, TOKENS + 1):
        server.say(question, f"token {number} ")
        tab.page.wait_for_function(
            "(words) => document.querySelector('#cc-live .bot-row .message')?.textContent.includes(words)",
            arg=f"token {number} ",
        )
    spent = task_seconds(devtools) - before
    server.end(question)
    expect(tab.live.locator(".message")).to_have_count(0)
    assert tab.history.locator(".message-row").count() <= 102  # what else was loaded was let go
    tab.page.close()
    return spent / TOKENS


def task_seconds(devtools: CDPSession) -> float:
    """What the main thread has worked so far."""
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))
