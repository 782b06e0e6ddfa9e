"""The list of conversations: what can be done with each, the archive, and the search."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.driving import Server, Tab

HEADING = "xpath=preceding-sibling::h2[1]"
"""What a conversation of the list stands under."""


def made(server: Server, title: str, *texts: str) -> str:
    """A conversation with these messages; gives its id."""
    id_: str = server.api.post("/conversations", json={"title": title}).json()["id"]
    for text in texts:
        server.api.post(f"/conversations/{id_}/posts", json={"text": text}).raise_for_status()
    return id_


def test_pinned_ones_stand_above_all(server: Server, new_tab: Callable[[Server], Tab]) -> None:
    for other_test in server.api.get("/conversations", params={"pinned": 1}).json()["conversations"]:
        server.api.patch(f"/conversations/{other_test['id']}", json={"pinned": False}).raise_for_status()
    old = made(server, "An old friend")
    for number in range(60):
        made(server, f"Newer {number}")
    tab, other = new_tab(server).open(), new_tab(server).open()
    expect(tab.entry(old)).to_have_count(0)  # it is beyond the first page
    server.api.patch(f"/conversations/{old}", json={"pinned": True}).raise_for_status()
    for one in (tab, other):
        expect(one.sidebar.locator("h2").first).to_have_text("Pinned")
        expect(one.sidebar.locator(".cc-entry").first).to_have_text("An old friend")
    expect(new_tab(server).open().sidebar.locator(".cc-entry").first).to_have_text("An old friend")
    tab.choose(tab.front().entry(old), "Unpin")
    expect(other.sidebar.get_by_role("heading", name="Pinned")).to_have_count(0)


def test_menu_stays_inside_of_a_narrow_page(server: Server, tab: Tab) -> None:
    id_ = made(server, "Near the edge")
    tab.page.set_viewport_size({"width": 390, "height": 844})
    tab.page.get_by_role("button", name="Show or hide the list").click()
    expect(tab.entry(id_)).to_be_in_viewport(ratio=1)  # scrolling there would close the menu
    tab.entry(id_).get_by_role("button", name="More about").click()
    expect(tab.page.get_by_role("menu")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(
    ("days", "group"), [(0, "Today"), (1, "Yesterday"), (5, "Previous 7 days"), (60, None)]
)
def test_conversations_stand_under_when_they_were(
    server: Server, own_context: BrowserContext, days: int, group: str | None
) -> None:
    id_ = made(server, "When was that?", "Now.")
    now = datetime.now().astimezone()
    tab = Tab(own_context.new_page(), server)
    tab.page.clock.set_fixed_time(now + timedelta(days=days))
    entry = tab.open().entry(id_)
    expect(entry).to_be_visible()
    expect(entry.locator(HEADING)).to_have_text(group or f"{now:%B %Y}")


def test_a_dot_says_that_an_answer_is_running(tab: Tab, server: Server) -> None:
    tab.ask("Take your time.")
    dot = tab.entry(tab.conversation).get_by_role("img", name="An answer is running")
    tab.sidebar.get_by_role("button", name="New chat", exact=True).click()
    expect(tab.page.locator(".cc-empty")).to_be_visible()
    expect(dot).to_be_visible()
    server.end("Take your time.", "Done.")
    expect(dot).to_have_count(0)


def test_archive_takes_out_and_gives_back(server: Server, new_tab: Callable[[Server], Tab]) -> None:
    id_ = made(server, "For the archive")
    tab, other = new_tab(server).open(), new_tab(server).open()
    tab.choose(tab.front().entry(id_), "Archive")
    for one in (tab, other):
        expect(one.entry(id_)).to_have_count(0)
    archive = tab.sidebar.get_by_role("button", name="Archive", exact=True)
    archive.click()
    expect(tab.entry(id_)).to_have_text("For the archive")
    tab.choose(tab.entry(id_), "Unarchive")
    expect(tab.entry(id_)).to_have_count(0)
    expect(other.entry(id_)).to_have_text("For the archive")
    archive.click()
    expect(tab.entry(id_)).to_have_text("For the archive")


def test_export_is_saved_as_a_file(server: Server, new_tab: Callable[[Server], Tab], tmp_path: Path) -> None:
    id_ = made(server, "Take me along", "Words to keep.")
    tab = new_tab(server).open()
    for item, read in (("Export as Markdown", str), ("Export as JSON", json.loads)):
        with tab.page.expect_download() as download:
            tab.choose(tab.entry(id_), item)
        download.value.save_as(path := tmp_path / "saved")
        assert "Words to keep." in str(read(path.read_text("utf-8")))


def test_menu_by_keyboard_alone(server: Server, new_tab: Callable[[Server], Tab]) -> None:
    id_ = made(server, "Only keys")
    tab = new_tab(server).open()
    tab.entry(id_).get_by_role("link").focus()
    tab.page.keyboard.press("Tab")
    button = tab.entry(id_).get_by_role("button", name="More about Only keys")
    expect(button).to_be_focused()
    expect(button).to_have_css("opacity", "1")
    tab.page.keyboard.press("ArrowDown")
    expect(tab.page.get_by_role("menuitem", name="Rename")).to_be_focused()
    tab.page.keyboard.press("ArrowUp")
    expect(tab.page.get_by_role("menuitem", name="Delete")).to_be_focused()
    tab.page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(tab.page.get_by_role("menu")).to_have_count(0)
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("Enter")
    expect(tab.entry(id_).get_by_role("textbox")).to_be_focused()
    tab.page.keyboard.type("Renamed by keys")
    tab.page.keyboard.press("Enter")
    expect(tab.entry(id_)).to_have_text("Renamed by keys")


def test_what_happens_elsewhere_takes_no_focus_from_the_list(
    server: Server, new_tab: Callable[[Server], Tab]
) -> None:
    here, there = made(server, "I am here", "A."), made(server, "Elsewhere", "B.")
    tab = new_tab(server).open()
    newest = tab.sidebar.locator(".cc-entry").first

    def say(conversation: str, title: str) -> None:
        server.api.post(f"/conversations/{conversation}/posts", json={"text": "More."}).raise_for_status()
        expect(newest).to_contain_text(title)

    link = tab.entry(here).get_by_role("link")
    link.focus()
    say(here, "I am here")
    expect(link).to_be_focused()
    say(there, "Elsewhere")
    expect(link).to_be_focused()
    tab.choose(tab.entry(here), "Rename")
    tab.page.keyboard.type("Half")
    say(there, "Elsewhere")
    server.api.post(f"/conversations/{here}/posts", json={"text": "More."}).raise_for_status()
    expect(newest).to_have_attribute("data-id", here)
    tab.page.keyboard.type(" way")
    tab.page.keyboard.press("Enter")
    expect(tab.entry(here)).to_have_text("Half way")


def test_search_finds_words_in_titles_and_messages(server: Server, new_tab: Callable[[Server], Tab]) -> None:
    said = made(server, "About animals", "Was it a *zebrafinch* that sang?", "It was <b>not</b>.")
    named = made(server, "Zebrafinches at home", "Nothing.")
    tab = new_tab(server).open()
    field = tab.sidebar.get_by_role("searchbox", name="Search titles and messages")
    field.fill("zebraf")
    results = tab.sidebar.locator(".cc-results a")
    expect(results).to_have_count(2)
    expect(results.locator("mark")).to_have_text(["Zebrafinches", "zebrafinch"])
    expect(tab.sidebar.get_by_role("status")).to_contain_text("2 found")
    tab.page.keyboard.press("ArrowDown")
    expect(results.first).to_be_focused()
    results.nth(1).click()
    expect(tab.page.locator(".cc-pointed")).to_contain_text("zebrafinch")
    expect(tab.page).to_have_url(re.compile(said))
    results.nth(0).click()
    expect(tab.questions).to_have_text(["Nothing."])
    expect(tab.page).to_have_url(re.compile(named))
    field.press("Escape")
    expect(tab.entry(said)).to_be_visible()
    expect(results).to_have_count(0)
    field.fill('zebrafinch OR "')
    expect(tab.sidebar.get_by_role("status")).to_have_text("Nothing found.")


NO_ROWS = """
new MutationObserver(() => {
  document.querySelectorAll("#cc-hist [data-message]").forEach((row) => row.removeAttribute("data-message"));
}).observe(document, { subtree: true, childList: true, attributes: true });
window.requestAnimationFrame = (step) => setTimeout(step, 1); // patience is counted in frames
"""


def test_a_hit_that_does_not_come_into_the_page_is_told(
    server: Server, new_tab: Callable[[Server], Tab]
) -> None:
    made(server, "Slow", "The theremin hums.")
    tab = new_tab(server)
    tab.before_each(NO_ROWS)
    tab.open()
    tab.sidebar.get_by_role("searchbox").fill("theremin")
    tab.sidebar.locator(".cc-results a").click()
    expect(tab.toast).to_have_text("This message could not be shown. Try again.")


def test_a_hit_is_shown_also_when_its_conversation_comes_late(
    server: Server, new_tab: Callable[[Server], Tab]
) -> None:
    late = made(server, "Late", "Where is the harmonium?")
    tab = new_tab(server).open()
    tab.sidebar.get_by_role("searchbox").fill("harmonium")
    tab.page.route(f"**/{late}/messages*", lambda route: route.abort(), times=1)
    tab.sidebar.locator(".cc-results a").click()
    expect(tab.page.locator(".cc-pointed", has_text="harmonium")).to_be_visible()


def test_a_hit_in_a_question_that_waits_is_shown(server: Server, tab: Tab) -> None:
    tab.ask("I am being answered.")
    tab.box.fill("And the glockenspiel?")
    tab.box.press("Enter")
    expect(tab.live).to_contain_text("glockenspiel")
    tab.sidebar.get_by_role("searchbox").fill("glockenspiel")
    tab.sidebar.locator(".cc-results a").click()
    expect(tab.live.locator(".cc-pointed")).to_contain_text("glockenspiel")
    for question in ("I am being answered.", "And the glockenspiel?"):
        server.end(question, "Yes.")
    expect(tab.toast).to_have_count(0)


def test_search_leads_far_up_and_to_other_branches(server: Server, new_tab: Callable[[Server], Tab]) -> None:
    id_ = made(server, "A long one", "The xylophone plays.", *(f"Line {number}." for number in range(310)))
    path = server.api.get(f"/conversations/{id_}/messages", params={"limit": 1}).json()["messages"]
    first = path[0]["parent"]
    branch = server.api.post(
        f"/conversations/{id_}/posts", json={"text": "A bassoon on a branch.", "parent": first}
    ).json()
    head = {"message_id": path[0]["id"]}
    server.api.post(f"/conversations/{id_}/head", json=head).raise_for_status()
    tab = new_tab(server).open()
    tab.sidebar.get_by_role("searchbox").fill("xylophone")
    tab.sidebar.locator(".cc-results a").click()
    expect(tab.page.locator(".cc-pointed", has_text="xylophone")).to_be_in_viewport()
    tab.sidebar.get_by_role("searchbox").fill("bassoon")
    expect(tab.sidebar.locator(".cc-results mark")).to_have_text("bassoon")
    tab.sidebar.locator(".cc-results a").click()
    expect(tab.page.locator(f'[data-message="{branch["id"]}"]').first).to_be_in_viewport()
