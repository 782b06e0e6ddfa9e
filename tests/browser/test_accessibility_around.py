"""axe-core finds nothing serious around the messages, on a wide and on a narrow screen."""

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.driving import Tab
from tests.browser.test_accessibility import AXE, RUN


def listed(tab: Tab) -> None:
    """A list with an entry that is shown, and one that is not."""
    made = tab.server.api.post("/conversations", json={"title": "About wallabies"}).json()["id"]
    tab.server.api.post(f"/conversations/{made}/posts", json={"text": "Do wallabies hop?"}).raise_for_status()
    tab.server.api.patch(f"/conversations/{made}", json={"pinned": True}).raise_for_status()
    tab.open(f"?conversation={made}")
    expect(tab.entry(made)).to_be_attached()


def with_menu(tab: Tab) -> None:
    listed(tab)
    tab.sidebar.get_by_role("button", name="More about").first.press("Enter")
    expect(tab.page.get_by_role("menu")).to_be_visible()


def renaming(tab: Tab) -> None:
    with_menu(tab)
    tab.page.get_by_role("menuitem", name="Rename").press("Enter")
    expect(tab.sidebar.get_by_role("textbox", name="Title")).to_be_focused()


def searching(tab: Tab) -> None:
    listed(tab)
    tab.sidebar.get_by_role("searchbox").fill("wallab")
    expect(tab.sidebar.locator(".cc-results a")).not_to_have_count(0)


def finding_nothing(tab: Tab) -> None:
    tab.sidebar.get_by_role("searchbox").fill("quokka in no message")
    expect(tab.sidebar.get_by_role("status")).to_have_text("Nothing found.")


def in_the_archive(tab: Tab) -> None:
    tab.sidebar.get_by_role("button", name="Archive", exact=True).press("Enter")
    expect(tab.sidebar.get_by_role("button", name="Archive", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )


def with_toast(tab: Tab) -> None:
    with_menu(tab)
    tab.page.get_by_role("menuitem", name="Delete").press("Enter")
    expect(tab.toast).to_be_visible()


def with_settings(tab: Tab) -> None:
    tab.page.get_by_role("button", name="Settings of this conversation").press("Enter")
    expect(tab.page.get_by_role("dialog")).to_be_visible()


def with_statistics(tab: Tab) -> None:
    tab.asked("Are you counted?", "I am.")
    tab.sidebar.get_by_role("link", name="Statistics").press("Enter")
    expect(tab.page.get_by_role("dialog")).to_be_visible()


STATES = (
    listed,
    with_menu,
    renaming,
    searching,
    finding_nothing,
    in_the_archive,
    with_toast,
    with_settings,
    with_statistics,
)


@pytest.fixture(params=["light-wide", "dark-narrow"], scope="module")
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """On a narrow screen the list is open, over the messages."""
    is_narrow = request.param == "dark-narrow"
    scheme: Literal["light", "dark"] = "dark" if is_narrow else "light"
    size = (390, 844) if is_narrow else (1280, 800)
    context = browser.new_context(
        color_scheme=scheme,
        reduced_motion="reduce",
        locale="en-US",
        viewport={"width": size[0], "height": size[1]},
    )
    context.set_default_timeout(10_000)
    if is_narrow:
        opens = "addEventListener('DOMContentLoaded', () => document.body.classList.add('cc-sidebar-open'))"
        context.add_init_script(opens)
    yield context
    context.close()


@pytest.fixture(scope="module")
def free_pages(context: BrowserContext) -> list[Page]:
    return []


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_serious(tab: Tab, state: Callable[[Tab], None]) -> None:
    state(tab)
    tab.page.evaluate(AXE)
    assert tab.page.evaluate(RUN) == []
