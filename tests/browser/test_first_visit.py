"""The first visit of somebody who has brought 30,000 conversations along."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
from playwright.sync_api import expect

from tests.browser.bringing import CONVERSATIONS, bring
from tests.browser.driving import Server, Tab
from tests.browser.measuring import NOTE_FIRST_ENTRY, TIME_OF_LIST, TIME_OF_SEARCH
from tests.frontends.serving import free_port

MOST_MS = 300
TRIES = 5  # other work on the machine is in all of these numbers: the best of some is what is asked for

STAY_AT_THE_END = """list => {
  const scroll = () => (list.scrollTop = list.scrollHeight);
  new MutationObserver(scroll).observe(list, { childList: true, subtree: true });
  scroll();
}"""
"""Scroll on in the same frame in which there is more."""


@pytest.fixture(scope="module")
def full_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    url = f"sqlite:{tmp_path_factory.mktemp('full') / 'data'}"
    with ThreadPoolExecutor(1) as pool:  # a loop of its own: Playwright has one on this thread
        pool.submit(anyio.run, bring, url).result()
    with Server(url, free_port()) as server:
        yield server


def test_list_goes_on_and_what_is_far_down_is_found(
    full_server: Server, new_tab: Callable[[Server], Tab]
) -> None:
    tab = new_tab(full_server).open()
    entries = tab.sidebar.locator(".cc-entry")
    expect(entries.first).to_contain_text(f"Talk {CONVERSATIONS - 1}")
    tab.sidebar.locator(".cc-list-scroll").evaluate(STAY_AT_THE_END)
    expect(entries.nth(199)).to_be_attached()
    tab.sidebar.get_by_role("searchbox").fill("Talk 7 about")
    tab.sidebar.locator(".cc-results a").filter(has_text="Talk 7 about").click()
    expect(tab.questions).to_contain_text(["Number 7:"])


@pytest.mark.measures
def test_list_and_search_are_there_at_once(full_server: Server, new_tab: Callable[[Server], Tab]) -> None:
    tab = new_tab(full_server)
    tab.before_each(NOTE_FIRST_ENTRY)
    took: list[float] = []
    for _ in range(TRIES):
        tab.open()
        took.append(tab.page.evaluate(TIME_OF_LIST))
        if took[-1] < MOST_MS:
            break
    assert min(took) < MOST_MS, took
    for words in ("kettle", "Talk 12345", "num", '"kettle counts" -hours'):
        took = []
        for _ in range(TRIES):
            took.append(tab.page.evaluate(TIME_OF_SEARCH, words))
            if took[-1] < MOST_MS:
                break
        assert min(took) < MOST_MS, (words, took)
