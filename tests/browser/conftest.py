"""One browser and one server for all tests, and pages that are used again."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.driving import CHROMIUM_ARGUMENTS, Server, Tab, chromium
from tests.frontends.serving import free_port

expect.set_options(timeout=10_000)


FREE_PAGES = 2


# Not for the session: as long as Playwright is there its loop counts as running, and asynchronous tests of
# other folders could not run theirs.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Shared, since it takes seconds to start: each test asks questions of its own in its own conversations.

    A test may end it if it starts it again.
    """
    with Server(f"sqlite:{tmp_path_factory.mktemp('shared') / 'data'}", free_port()) as server:
        yield server


@pytest.fixture(scope="package")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One profile, so that the browser need not fetch Gradio's scripts for each test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def own_context(browser: Browser) -> Iterator[BrowserContext]:
    """A profile for one test: what is set for a whole profile, its clock too, can't be taken back."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture(scope="package")
def free_pages() -> list[Page]:
    """Pages of the profile that a test has left: in a new one, Gradio's scripts would be compiled anew."""
    return []


@pytest.fixture
def new_tab(context: BrowserContext, free_pages: list[Page]) -> Iterator[Callable[[Server], Tab]]:
    """Makes tabs; in none of them may a script fail or a request leave the machine."""
    tabs: list[Tab] = []

    def make(server: Server) -> Tab:
        tabs.append(Tab(free_pages.pop() if free_pages else context.new_page(), server))
        return tabs[-1].front()

    yield make
    for tab in tabs:
        tab.leave()
    free_pages += [tab.page for tab in tabs if not tab.page.is_closed()]
    while len(free_pages) > FREE_PAGES:
        free_pages.pop().close()
    context.clear_permissions()
    assert [tab.outside for tab in tabs] == [[] for _ in tabs]
    assert [tab.errors for tab in tabs] == [[] for _ in tabs]


@pytest.fixture
def tab(new_tab: Callable[[Server], Tab], server: Server) -> Tab:
    return new_tab(server).open()
