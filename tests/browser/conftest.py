"""One browser for the tests of a module, and one server for all that do not end it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.browser.driving import CHROMIUM_ARGUMENTS, Server, Tab, chromium
from tests.frontends.serving import free_port

expect.set_options(timeout=10_000)


# Not for the session: as long as Playwright is there its loop counts as running, and asynchronous tests of
# other modules could not run theirs.
@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One profile, so that the browser need not fetch Gradio's scripts for each test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def new_tab(context: BrowserContext) -> Iterator[Callable[[Server], Tab]]:
    """Makes tabs; in none of them may a script fail or a request leave the machine."""
    tabs: list[Tab] = []

    def make(server: Server) -> Tab:
        tabs.append(Tab(context, server))
        return tabs[-1]

    yield make
    for tab in tabs:
        if not tab.page.is_closed():
            tab.page.evaluate("localStorage.clear()")  # drafts are not for the next test
            tab.page.close()
    assert [tab.outside for tab in tabs] == [[] for _ in tabs]
    assert [tab.errors for tab in tabs] == [[] for _ in tabs]


@pytest.fixture
def tab(new_tab: Callable[[Server], Tab], server: Server) -> Tab:
    return new_tab(server).open()
