"""Many tabs of one person at once, and a script beside them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.driving import Server, Tab
from tests.browser.measuring import LISTED, PRESSED, SAID, seconds_until

TABS = 10
MOST_SECONDS = 0.3
TRIES = 5  # other work on the machine is in all of these numbers: the best of some is what is asked for


def assert_soon(measure: Callable[[int], float]) -> None:
    took = []
    for number in range(TRIES):
        took.append(measure(number))
        if took[-1] < MOST_SECONDS:
            return
    raise AssertionError((measure.__name__, took))


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
    address, title = f"/conversations/{id_}", "Renamed by a script"

    def message(number: int) -> float:
        words = f"From a script, try {number}."
        return seconds_until(
            tab, SAID, words, lambda: server.api.post(f"{address}/posts", json={"text": words})
        )

    def vote(number: int) -> float:
        rating, pressed = (None, "false") if number % 2 else ("like", "true")
        given = {"rating": rating}
        return seconds_until(
            tab, PRESSED, pressed, lambda: server.api.put(f"/messages/{answer}/feedback", json=given)
        )

    def rename(number: int) -> float:
        words = f"{title}, try {number}" if number else title
        return seconds_until(
            tab, LISTED, [id_, words], lambda: server.api.patch(address, json={"title": words})
        )

    def delete(number: int) -> float:
        if number:
            server.api.post(f"{address}/undelete")
            expect(tab.entry(id_)).to_be_visible()
        return seconds_until(tab, LISTED, [id_, None], lambda: server.api.delete(address))

    for measure in (message, vote, rename, delete):
        assert_soon(measure)
    expect(tab.page.locator(".cc-empty")).to_be_visible()


@pytest.mark.measures
def test_what_one_tab_does_another_shows_within_a_moment(
    tab: Tab, own_context: BrowserContext, server: Server
) -> None:
    """In windows of their own: a browser draws a tab behind another one when it likes to."""
    tab.asked("Watch the other one.", "I do.")
    id_ = tab.conversation
    other = Tab(own_context.new_page(), server).open(f"?conversation={id_}")
    expect(other.answers).to_have_text("I do.")
    here, there = tab.entry(id_), other.entry(id_)

    def vote(number: int) -> float:
        pressed = "false" if number % 2 else "true"
        return seconds_until(other, PRESSED, pressed, lambda: tab.click("Good answer", 0))

    def message(number: int) -> float:
        words = f"Seen from there, try {number}?"
        other.box.fill(words)
        took = seconds_until(tab, SAID, words, lambda: other.box.press("Enter"))
        server.end(words, "At once.")
        for one in (tab, other):
            expect(one.bars).to_have_count(number + 2)
        return took

    def rename(number: int) -> float:
        words = f"Renamed in one, try {number}"
        tab.choose(here, "Rename")
        field = here.get_by_role("textbox", name="Title")
        field.fill(words)
        return seconds_until(other, LISTED, [id_, words], lambda: field.press("Enter"))

    def delete(number: int) -> float:
        if number:
            other.toast.get_by_role("button", name="Undo").click()
            expect(here).to_be_visible()
        there.hover()
        there.get_by_role("button", name="More about").click()
        item = other.page.get_by_role("menuitem", name="Delete", exact=True)
        return seconds_until(tab, LISTED, [id_, None], lambda: item.press("Enter"))

    for measure in (vote, message, rename, delete):
        assert_soon(measure)
    expect(tab.page.locator(".cc-empty")).to_be_visible()
