"""Numbers about answers and votes, as they stand in the store, on a page with an address of its own."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import anyio
import pytest
from playwright.sync_api import Locator, expect

from chatcore import open_engine
from tests.browser.driving import Server, Tab
from tests.frontends.serving import free_port


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    store = f"sqlite:{tmp_path_factory.mktemp('counted') / 'data'}"
    with ThreadPoolExecutor(1) as pool:  # a loop of its own: Playwright has one on this thread
        pool.submit(anyio.run, ingest, store).result()
    with Server(store, free_port()) as server:
        yield server


async def ingest(store: str) -> None:
    """A conversation of two months ago, from elsewhere."""
    at = datetime.now(UTC) - timedelta(days=60)
    message = {"created_at": at.isoformat(), "parts": [{"type": "text", "text": "x"}]}
    answer = message | {"role": "assistant", "model": "elsewhere-1"}
    liked = {"votes": [{"user": "local", "rating": "like"}]}
    line = {
        "chatcore": 1,
        "id": "1",
        "owner": "local",
        "created_at": at.isoformat(),
        "updated_at": at.isoformat(),
        "messages": [
            message | {"id": "q", "role": "user"},
            answer | {"id": "a", "parent": "q"} | liked,
            answer | {"id": "b", "parent": "q"},
        ],
    }
    async with open_engine(store) as engine:
        report = await engine.ingest(BytesIO(json.dumps(line).encode()))
    assert report.imported == 1, report


def shown(tab: Tab) -> Locator:
    return tab.page.get_by_role("dialog", name="Statistics")


def statistics(tab: Tab) -> Locator:
    tab.sidebar.get_by_role("link", name="Statistics").click()
    expect(shown(tab)).to_be_visible()
    return shown(tab)


def test_answers_and_votes_are_counted_and_can_be_saved(
    own_server: Server, new_tab: Callable[[Server], Tab]
) -> None:
    tab = new_tab(own_server).open()
    empty = statistics(tab)
    expect(empty).to_contain_text("Nothing was answered here in the last 30 days.")
    empty.get_by_role("link", name="Back", exact=True).click()
    expect(empty).to_have_count(0)
    expect(tab.sidebar.get_by_role("link", name="Statistics")).to_be_focused()
    votes = {"One?": "Good answer", "Two?": "Good answer", "Three?": "Bad answer"}
    for number, (question, vote) in enumerate(votes.items(), 1):
        tab.ask(question)
        own_server.part(question, "usage", completion_tokens=100)
        own_server.end(question, "Yes.")
        expect(tab.bars).to_have_count(number)
        expect(tab.bars.last).to_contain_text("100 tokens")
        tab.click(vote)
        expect(tab.bars.last.get_by_role("button", name=vote)).to_have_attribute("aria-pressed", "true")
    tab.ask("Four?")
    own_server.fail("Four?", "No.")
    expect(tab.bars).to_have_count(4)
    given = statistics(tab)
    cells = given.locator("tbody tr").first.locator("th, td")
    expect(cells).to_have_count(10)
    texts = cells.all_inner_texts()
    assert texts[:7] == ["scripted-1", "4", "0", "75 %", "2", "1", "67 %"]
    assert re.fullmatch(r"[\d.]+ s", texts[7]), texts
    plots = given.get_by_role("img")
    expect(plots).to_have_count(6)
    expect(plots.nth(0).locator("rect title")).to_contain_text("scripted-1")
    expect(plots.nth(1).locator("title")).to_have_text([re.compile("^Likes,"), re.compile("^Dislikes,")])
    expect(plots.nth(2).locator("circle title")).to_contain_text(re.compile(": 67 %$"))
    expect(plots.nth(3).locator("circle title")).to_contain_text(re.compile(r": [\d.]+ s$"))
    given.get_by_label("Period").select_option("7")
    expect(plots.nth(0).locator("rect")).to_have_count(1)
    with tab.page.expect_download() as saved:
        given.get_by_role("link", name="for KTO").click()
    rows = Path(saved.value.path()).read_text().splitlines()
    assert len(rows) == 4  # one was rated elsewhere
    tab.page.keyboard.press("Escape")
    expect(given).to_have_count(0)


def test_it_has_an_address(own_server: Server, new_tab: Callable[[Server], Tab]) -> None:
    tab = new_tab(own_server).open()
    tab.asked("Where am I?", "Here.")
    here = f"{own_server.url}/?conversation={tab.conversation}"
    statistics(tab).get_by_label("Period").select_option("90")
    expect(tab.page).to_have_url(f"{here}&statistics=90")
    expect(tab.page).to_have_title(re.compile("^Statistics · "))
    tab.page.reload()
    expect(shown(tab).get_by_label("Period")).to_have_value("90")
    tab.page.go_back()
    expect(shown(tab)).to_have_count(0)
    expect(tab.page).to_have_url(here)
    expect(tab.page).to_have_title(re.compile("^Where am I"))
    expect(tab.answers).to_have_text(["Here."])
    tab.page.go_forward()
    expect(shown(tab)).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(shown(tab)).to_have_count(0)
    expect(tab.page).to_have_url(here)
    deep = new_tab(own_server).open("?statistics")
    expect(shown(deep).get_by_label("Period")).to_have_value("30")
    expect(shown(deep).get_by_role("img")).to_have_count(6)
    shown(deep).get_by_role("link", name="Back", exact=True).click()
    expect(deep.page.locator(".cc-empty")).to_be_visible()


def test_what_was_imported_is_counted(own_server: Server, new_tab: Callable[[Server], Tab]) -> None:
    given = shown(new_tab(own_server).open("?statistics=90"))
    expect(given.get_by_role("row", name=re.compile("^elsewhere-1"))).to_contain_text(
        re.compile("elsewhere-1.*0.*2.*–.*1.*0.*100 %")
    )


def test_numbers_that_cannot_be_had_are_told(own_server: Server, new_tab: Callable[[Server], Tab]) -> None:
    tab = new_tab(own_server).open()
    told = {"code": "storage_error", "sentence": "The disk is full."}
    tab.page.route("**/api/statistics*", lambda route: route.fulfill(status=507, json=told))
    expect(statistics(tab).get_by_role("alert")).to_have_text("The disk is full.")
    tab.page.unroute("**/api/statistics*")
    shown(tab).get_by_role("button", name="Try again").click()
    expect(shown(tab).get_by_role("link", name="for KTO")).to_be_visible()
    expect(shown(tab).get_by_role("alert")).to_have_count(0)
