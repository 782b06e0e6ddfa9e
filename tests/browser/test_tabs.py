"""Many tabs of one person at once, and a script beside them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.driving import Server, Tab

TABS = 10


def test_ten_tabs_load_and_follow(tab: Tab, new_tab: Callable[[Server], Tab], server: Server) -> None:
    tab.ask("Ten of us read this.")
    tabs = [new_tab(server).open(f"?conversation={tab.conversation}") for _ in range(TABS - 1)]
    server.say("Ten of us read this.", "First half,")
    for one in [tab, *tabs]:
        expect(one.live).to_contain_text("First half,")
    server.end("Ten of us read this.", " second half.")
    for one in [tab, *tabs]:
        expect(one.answers).to_have_text("First half, second half.")


@pytest.mark.measures
def test_what_a_script_does_is_seen_within_a_moment(tab: Tab, server: Server) -> None:
    """A message, a vote, a rename, a deletion: 300 ms each, without a reload."""
    tab.asked("Watch me.", "I do.")
    id_ = tab.conversation
    answer = server.api.get(f"/conversations/{id_}/messages").json()["messages"][-1]["id"]
    server.api.post(f"/conversations/{id_}/posts", json={"text": "From a script."})
    expect(tab.page.get_by_text("From a script.").first).to_be_visible(timeout=300)
    server.api.put(f"/messages/{answer}/feedback", json={"rating": "like"})
    expect(tab.page.get_by_role("button", name="Good answer", pressed=True)).to_have_count(1, timeout=300)
    server.api.patch(f"/conversations/{id_}", json={"title": "Renamed by a script"})
    entry = tab.sidebar.locator(f'[data-id="{id_}"]')
    expect(entry).to_have_text("Renamed by a script", timeout=300)
    server.api.delete(f"/conversations/{id_}")
    expect(entry).to_have_count(0, timeout=300)
    expect(tab.page.locator(".cc-empty")).to_be_visible()


def test_what_one_tab_does_another_shows_within_a_moment(
    tab: Tab, own_context: BrowserContext, server: Server
) -> None:
    """In windows of their own: a browser draws a tab behind another one when it likes to."""
    tab.asked("Watch the other one.", "I do.")
    other = Tab(own_context.new_page(), server).open(f"?conversation={tab.conversation}")
    expect(other.answers).to_have_text("I do.")
    tab.click("Good answer")
    expect(other.page.get_by_role("button", name="Good answer", pressed=True)).to_have_count(1, timeout=300)
    other.ask("Seen from there?")
    expect(tab.questions.filter(has_text="Seen from there?")).to_be_visible(timeout=300)
    server.end("Seen from there?", "At once.")
    expect(tab.bars).to_have_count(2)
    here, there = (one.entry(tab.conversation) for one in (tab, other))
    tab.choose(here, "Rename")
    here.get_by_role("textbox", name="Title").fill("Renamed in one")
    tab.page.keyboard.press("Enter")
    expect(there).to_have_text("Renamed in one", timeout=300)
    other.choose(there, "Delete")
    expect(here).to_have_count(0, timeout=300)
    expect(tab.page.locator(".cc-empty")).to_be_visible()
