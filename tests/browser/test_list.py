"""The list of conversations, and getting from one to another."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Route, expect

from tests.browser.driving import Server, Tab


def test_back_and_forward_go_between_conversations(tab: Tab) -> None:
    tab.asked("The first conversation.", "One.")
    first = tab.conversation
    tab.sidebar.get_by_role("button", name="New chat", exact=True).click()
    expect(tab.page.locator(".cc-empty")).to_be_visible()
    tab.asked("The second conversation.", "Two.")
    second = tab.conversation
    assert first != second
    tab.page.go_back()
    expect(tab.page.locator(".cc-empty")).to_be_visible()
    tab.page.go_back()
    expect(tab.answers).to_have_text("One.")
    expect(tab.page).to_have_url(re.compile(first))
    tab.page.go_forward()
    tab.page.go_forward()
    expect(tab.answers).to_have_text("Two.")
    tab.sidebar.locator(f'[data-id="{first}"] a').click()
    expect(tab.answers).to_have_text("One.")


def test_deep_link_opens_the_conversation(tab: Tab, new_tab: Callable[[Server], Tab], server: Server) -> None:
    tab.asked("Link to me.", "Linked.")
    other = new_tab(server).open(f"?conversation={tab.conversation}")
    expect(other.answers).to_have_text("Linked.")
    expect(other.sidebar.locator("[aria-current]")).to_have_text("Link to me.")


@pytest.mark.parametrize("id_", ["0" * 32, "nonsense", "no%20id", "..%2Finfo"])
def test_unknown_conversation_leads_to_a_new_one(
    new_tab: Callable[[Server], Tab], server: Server, id_: str
) -> None:
    tab = new_tab(server).open(f"?conversation={id_}")
    expect(tab.page.locator(".cc-empty")).to_be_visible()
    expect(tab.page.locator(".cc-toast")).to_contain_text("does not exist")
    expect(tab.page).not_to_have_url(re.compile("conversation"))


def test_an_address_without_an_id_is_of_a_new_conversation(
    new_tab: Callable[[Server], Tab], server: Server
) -> None:
    tab = new_tab(server).open("?conversation=")
    tab.asked("Where am I now?", "Somewhere new.")
    expect(tab.entry(tab.conversation)).to_be_visible()


def test_list_is_live_in_the_other_tab(tab: Tab, new_tab: Callable[[Server], Tab], server: Server) -> None:
    other = new_tab(server).open()
    tab.ask("What is new?")
    entry = other.sidebar.locator(f'[data-id="{tab.conversation}"]')
    expect(entry.locator(".cc-running")).to_be_visible()
    server.end("What is new?", "This.")
    expect(entry.locator(".cc-running")).to_have_count(0)
    expect(entry).to_have_text("What is new?")
    expect(other.sidebar.get_by_role("heading", name="Today")).to_be_visible()


def test_rename_delete_and_undo(tab: Tab, new_tab: Callable[[Server], Tab], server: Server) -> None:
    tab.asked("Call me names.", "No.")
    other = new_tab(server).open(f"?conversation={tab.conversation}")
    entry = tab.sidebar.locator(f'[data-id="{tab.conversation}"]')
    seen = other.sidebar.locator(f'[data-id="{tab.conversation}"]')
    tab.front()
    tab.choose(entry, "Rename")
    entry.get_by_role("textbox").fill("A better name")
    entry.get_by_role("textbox").press("Enter")
    expect(seen).to_have_text("A better name")
    expect(other.page).to_have_title("A better name · Tests")
    tab.choose(entry, "Delete")
    expect(seen).to_have_count(0)
    expect(other.page.locator(".cc-empty")).to_be_visible()
    expect(other.toast).to_have_text("This conversation was deleted.")  # it is not taken away without a word
    tab.toast.get_by_role("button", name="Undo").click()
    expect(seen).to_have_text("A better name")
    expect(tab.answers).to_have_text("No.")  # where one was before
    expect(tab.page).to_have_url(re.compile(tab.conversation))


def test_the_one_that_was_chosen_last_is_shown_however_slow_the_others_are(tab: Tab, server: Server) -> None:
    tab.asked("Stay with me.", "I stay.")
    stays, slow = tab.conversation, made(server, "I am slow.")
    with chosen_and_slow(tab, slow):
        tab.entry(stays).locator("a").click()
        expect(tab.page).to_have_url(re.compile(stays))
    expect(tab.answers).to_have_text("I stay.")
    expect(tab.page).to_have_url(re.compile(stays))
    expect(tab.sidebar.locator("[aria-current]")).to_have_text("Stay with me.")


def test_words_go_where_the_list_says_one_is(tab: Tab, server: Server) -> None:
    tab.asked("Leave me.", "Left.")
    left, slow = tab.conversation, made(server, "Wait for me.")
    tab.box.fill("For the one before.")
    with chosen_and_slow(tab, slow):
        expect(tab.sidebar.locator("[aria-current]")).to_have_text("Wait for me.")
        expect(tab.history).to_have_css("opacity", "0.4")  # what is shown still is of another one
        expect(tab.box).to_have_value("")
        tab.box.fill("For the one I chose.")
        tab.box.press("Enter")
        expect(tab.box).to_have_value("")
    expect(tab.questions).to_have_text(["Wait for me.", "For the one I chose."])
    expect(tab.history).to_have_css("opacity", "1")
    assert [len(messages_of(server, one)) for one in (left, slow)] == [2, 4]
    tab.entry(left).locator("a").click()
    expect(tab.box).to_have_value("For the one before.")


def test_who_goes_back_before_the_other_has_come_is_there_at_once(tab: Tab, server: Server) -> None:
    tab.asked("Here I was.", "You were.")
    was, slow = tab.conversation, made(server, "I take my time.")
    tab.box.fill("A thought.")
    with chosen_and_slow(tab, slow), held_up(tab, was):
        expect(tab.box).to_have_value("")
        tab.entry(was).locator("a").click()
        expect(tab.box).to_have_value("A thought.")
        expect(tab.sidebar.locator("[aria-current]")).to_have_text("Here I was.")
        expect(tab.history).to_have_css("opacity", "1")
    tab.box.fill("")


def test_the_end_of_the_one_that_was_left_does_not_take_the_chosen_one_away(tab: Tab, server: Server) -> None:
    tab.asked("I am going.", "Go.")
    going, slow = tab.conversation, made(server, "I am coming.")
    with chosen_and_slow(tab, slow):
        server.api.delete(f"/conversations/{going}").raise_for_status()
        expect(tab.entry(going)).to_have_count(0)
    expect(tab.questions).to_have_text(["I am coming."])
    expect(tab.page).to_have_url(re.compile(slow))
    expect(tab.toast).to_have_count(0)


def test_a_name_that_is_being_typed_stays_when_an_answer_ends(tab: Tab, server: Server) -> None:
    tab.ask("What shall I be called?")
    entry = tab.entry(tab.conversation)
    tab.choose(entry, "Rename")
    entry.get_by_role("textbox").fill("Half a na")
    server.end("What shall I be called?", "As you like.")
    expect(tab.answers).to_have_text("As you like.")
    expect(entry.get_by_role("textbox")).to_have_value("Half a na")
    expect(entry.get_by_role("textbox")).to_be_focused()
    entry.get_by_role("textbox").press("Enter")
    expect(entry).to_have_text("Half a na")
    server.api.patch(f"/conversations/{tab.conversation}", json={"title": None}).raise_for_status()
    expect(entry).to_have_text("What shall I be called?")
    tab.choose(entry, "Delete")
    expect(tab.toast).to_contain_text("Deleted “What shall I be called?”.")


def test_a_deletion_that_failed_is_no_reason_to_say_nothing_of_the_next(tab: Tab, server: Server) -> None:
    tab.asked("Delete me.", "Do.")
    address = f"**/api/conversations/{tab.conversation}"
    tab.page.route(address, lambda route: route.fulfill(status=500, json={}), times=1)
    tab.choose(tab.entry(tab.conversation), "Delete")
    expect(tab.toast).to_be_visible()
    server.api.delete(f"/conversations/{tab.conversation}").raise_for_status()
    expect(tab.toast).to_have_text("This conversation was deleted.")


def made(server: Server, question: str) -> str:
    """A conversation with this question and an answer, from elsewhere."""
    conversation = str(server.api.post("/conversations", json={"title": question}).json()["id"])
    server.api.post(f"/conversations/{conversation}/messages", json={"text": question}).raise_for_status()
    server.end(question, "So.")
    return conversation


def messages_of(server: Server, conversation: str) -> list[object]:
    return list(server.api.get(f"/conversations/{conversation}/messages").json()["messages"])


@contextmanager
def chosen_and_slow(tab: Tab, conversation: str) -> Iterator[None]:
    """It was clicked in the list; its messages come when this is over."""
    with held_up(tab, conversation):
        with tab.page.expect_request(f"**/{conversation}/messages*"):
            tab.entry(conversation).locator("a").click()
        yield


@contextmanager
def held_up(tab: Tab, conversation: str) -> Iterator[None]:
    """Its messages come when this is over."""
    held: list[Route] = []
    address = f"**/{conversation}/messages*"

    def hold(route: Route) -> None:
        held.append(route)

    tab.page.route(address, hold)
    yield
    for route in held:
        route.continue_()
    tab.page.unroute(address)


def test_long_list_comes_in_pages(server: Server, new_tab: Callable[[Server], Tab]) -> None:
    for number in range(120):
        made = server.api.post("/conversations", json={"title": f"Number {number}"})
        made.raise_for_status()
    tab = new_tab(server).open()
    entries = tab.sidebar.locator(".cc-entry", has_text="Number")
    expect(entries.first).to_have_text("Number 119")
    assert entries.count() < 120
    while (count := entries.count()) < 120:
        entries.last.scroll_into_view_if_needed()
        expect(entries.nth(count)).to_be_attached()
    expect(entries.last).to_have_text("Number 0")


def test_what_has_no_title_is_called_by_its_first_question(
    new_tab: Callable[[Server], Tab], server: Server
) -> None:
    named = server.api.post("/conversations", json={}).json()["id"]
    server.api.post(f"/conversations/{named}/posts", json={"text": "Who named you?"}).raise_for_status()
    tab = new_tab(server).open()
    expect(tab.entry(named)).to_have_text("Who named you?")
    server.api.patch(f"/conversations/{named}", json={"pinned": True}).raise_for_status()
    expect(tab.sidebar.get_by_role("heading", name="Pinned")).to_be_visible()
    expect(tab.entry(named)).to_have_text("Who named you?")
    server.api.patch(f"/conversations/{named}", json={"pinned": False}).raise_for_status()


def test_what_comes_while_the_list_is_open_is_called_so_at_once(tab: Tab, server: Server) -> None:
    tab.open()
    made = server.api.post("/conversations", json={}).json()["id"]
    expect(tab.entry(made)).to_have_text("New chat")
    server.api.post(
        f"/conversations/{made}/posts", json={"text": "Where is the sunk ship?"}
    ).raise_for_status()
    expect(tab.entry(made)).to_have_text("Where is the sunk ship?")
    tab.sidebar.get_by_role("searchbox").fill("sunk ship")
    expect(tab.sidebar.locator(".cc-result-title")).to_have_text("Where is the sunk ship?")


def test_an_unanswered_chat_is_called_by_its_question_in_every_tab(
    tab: Tab, new_tab: Callable[[Server], Tab], server: Server
) -> None:
    other = new_tab(server).open()
    tab.ask("Is it answered yet?")
    for each in (tab, other):
        expect(each.entry(tab.conversation)).to_have_text("Is it answered yet?")
    server.end("Is it answered yet?", "Now.")


def test_long_conversation_comes_in_pages(tab: Tab, server: Server) -> None:
    made = server.api.post("/conversations", json={}).json()["id"]
    for number in range(150):
        server.api.post(f"/conversations/{made}/posts", json={"text": f"Line {number}."}).raise_for_status()
    tab.open(f"?conversation={made}")
    expect(tab.questions).to_have_count(100)
    expect(tab.questions.last).to_be_in_viewport()
    tab.page.get_by_role("button", name="Load earlier messages").click()
    expect(tab.questions).to_have_count(150)
    expect(tab.questions.first).to_have_text("Line 0.")
    expect(tab.page.get_by_role("button", name="Load earlier messages")).to_have_count(0)


def test_narrow_screen_shows_the_list_on_demand(tab: Tab) -> None:
    tab.page.set_viewport_size({"width": 390, "height": 844})
    create = tab.sidebar.get_by_role("button", name="New chat", exact=True)
    expect(create).not_to_be_in_viewport()
    tab.page.get_by_role("button", name="Show or hide the list").click()
    expect(create).to_be_in_viewport()
    create.click()
    expect(create).not_to_be_in_viewport()
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 390
