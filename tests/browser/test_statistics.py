"""Numbers about answers and votes, as they stand in the store."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.driving import Server, Tab
from tests.frontends.serving import free_port


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(f"sqlite:{tmp_path_factory.mktemp('counted') / 'data'}", free_port()) as server:
        yield server


def statistics(tab: Tab) -> Locator:
    tab.sidebar.get_by_role("button", name="Statistics").click()
    found = tab.page.get_by_role("dialog", name="Statistics")
    expect(found).to_be_visible()
    return found


def test_answers_and_votes_are_counted_and_can_be_saved(
    own_server: Server, new_tab: Callable[[Server], Tab]
) -> None:
    tab = new_tab(own_server).open()
    empty = statistics(tab)
    expect(empty).to_contain_text("Nothing was answered here in the last 30 days.")
    empty.get_by_role("button", name="Close").click()
    expect(empty).to_have_count(0)
    expect(tab.sidebar.get_by_role("button", name="Statistics")).to_be_focused()
    for question, vote in (("One?", "Good answer"), ("Two?", "Good answer"), ("Three?", "Bad answer")):
        tab.ask(question)
        own_server.part(question, "usage", completion_tokens=100)
        own_server.end(question, "Yes.")
        expect(tab.bars.last).to_contain_text("100 tokens")
        tab.click(vote)
        expect(tab.bars.last.get_by_role("button", name=vote)).to_have_attribute("aria-pressed", "true")
    tab.ask("Four?")
    own_server.fail("Four?", "No.")
    expect(tab.bars).to_have_count(4)
    given = statistics(tab)
    cells = given.locator("tbody tr").first.locator("th, td")
    expect(cells).to_have_count(8)
    assert cells.all_inner_texts()[:6] == ["scripted-1", "4", "75 %", "2", "1", "67 %"]
    plots = given.get_by_role("img")
    expect(plots).to_have_count(4)
    expect(plots.nth(0).locator("rect title")).to_contain_text("scripted-1")
    assert [title.split(",")[0] for title in plots.nth(1).locator("title").all_text_contents()] == [
        "Likes",
        "Dislikes",
    ]
    given.get_by_label("Period").select_option("7")
    expect(plots.nth(0).locator("rect")).to_have_count(1)
    with tab.page.expect_download() as saved:
        given.get_by_role("link", name="for KTO").click()
    rows = Path(saved.value.path()).read_text().splitlines()
    assert len(rows) == 3
    tab.page.keyboard.press("Escape")
    expect(given).to_have_count(0)
