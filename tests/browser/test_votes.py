"""Likes and dislikes: stored, shown again, everywhere, and taken back."""

from collections.abc import Callable

from playwright.sync_api import Locator, expect

from tests.browser.driving import Server, Tab


def like(tab: Tab) -> Locator:
    return tab.bars.last.get_by_role("button", name="Good answer")


def dislike(tab: Tab) -> Locator:
    return tab.bars.last.get_by_role("button", name="Bad answer")


def test_like_survives_reload_and_is_taken_back(tab: Tab) -> None:
    tab.asked("Do you like me?", "I do.")
    like(tab).click()
    expect(like(tab)).to_have_attribute("aria-pressed", "true")
    tab.page.reload()
    tab.ready()
    expect(like(tab)).to_have_attribute("aria-pressed", "true")
    expect(dislike(tab)).to_have_attribute("aria-pressed", "false")
    like(tab).click()
    expect(like(tab)).to_have_attribute("aria-pressed", "false")
    tab.page.reload()
    tab.ready()
    expect(like(tab)).to_have_attribute("aria-pressed", "false")


def test_vote_shows_in_the_other_tab(tab: Tab, new_tab: Callable[[Server], Tab], server: Server) -> None:
    tab.asked("And you?", "Me too.")
    other = new_tab(server).open(f"?conversation={tab.conversation}")
    dislike(other).click()
    expect(dislike(tab)).to_have_attribute("aria-pressed", "true")
    tab.front()
    like(tab).click()
    expect(like(other)).to_have_attribute("aria-pressed", "true")
    expect(dislike(other)).to_have_attribute("aria-pressed", "false")
