"""Settings of a conversation: what answers it, and how."""

from collections.abc import Callable

from playwright.sync_api import Locator, expect

from tests.browser.driving import Server, Tab


def dialog(tab: Tab) -> Locator:
    tab.page.get_by_role("button", name="Settings of this conversation").click()
    found = tab.page.get_by_role("dialog", name="Settings of this conversation")
    expect(found).to_be_visible()
    return found


def settings(tab: Tab) -> dict[str, object]:
    found = tab.server.api.get(f"/conversations/{tab.conversation}").json()["settings"]
    assert isinstance(found, dict)
    return found


def test_settings_are_stored_and_seen_in_the_other_tab(
    tab: Tab, new_tab: Callable[[Server], Tab], server: Server
) -> None:
    tab.asked("Which model are you?", "A scripted one.")
    other = new_tab(server).open(f"?conversation={tab.conversation}")
    tab.front()
    given = dialog(tab)
    given.get_by_label("Answered by").select_option("forgetful")
    given.get_by_label("System prompt").fill("Be <b>brief</b>.")
    given.get_by_label("Temperature").fill("0.75")
    given.get_by_label("Maximum length").fill("200")
    given.get_by_role("button", name="Save").click()
    expect(given).to_have_count(0)
    expect(tab.page.get_by_role("button", name="Settings of this conversation")).to_be_focused()
    assert settings(tab) == {
        "responder": "forgetful",
        "system_prompt": "Be <b>brief</b>.",
        "parameters": {"temperature": 0.75, "max_tokens": 200},
    }
    for each in (tab, other):
        expect(each.page.locator("#cc-header .cc-model")).to_have_text("forgetful-1")
    other.front()
    again = dialog(other)
    expect(again.get_by_label("Answered by")).to_have_value("forgetful")
    expect(again.get_by_label("System prompt")).to_have_value("Be <b>brief</b>.")
    expect(again.get_by_label("Temperature")).to_have_value("0.75")
    again.get_by_label("Answered by").select_option("")
    again.get_by_label("System prompt").fill("")
    again.get_by_label("Maximum length").fill("")
    again.get_by_label("Temperature").press("Enter")
    expect(again).to_have_count(0)
    expect(tab.page.locator("#cc-header .cc-model")).to_have_text("Scripted 1")
    assert settings(tab) == {"parameters": {"temperature": 0.75}}


def test_a_new_conversation_takes_them_with_its_first_message(tab: Tab) -> None:
    given = dialog(tab)
    given.get_by_label("System prompt").fill("Answer in rhymes.")
    given.get_by_label("Answered by").select_option("forgetful")
    given.get_by_role("button", name="Save").click()
    expect(tab.page.locator("#cc-header .cc-model")).to_have_text("forgetful-1")
    tab.asked("A rhyme?", "In time.")
    assert settings(tab) == {"responder": "forgetful", "system_prompt": "Answer in rhymes."}
    tab.page.get_by_role("button", name="New chat", exact=True).click()
    expect(tab.page.locator("#cc-header .cc-model")).to_have_text("Scripted 1")
    tab.asked("And now?", "No rhyme.")
    assert settings(tab) == {}


def test_numbers_between_the_steps_are_taken(tab: Tab, server: Server) -> None:
    tab.asked("How warm is it?", "Warm.")
    values = {"parameters": {"temperature": 0.333, "max_tokens": 5}}  # by a script
    server.api.patch(f"/conversations/{tab.conversation}", json={"settings": values}).raise_for_status()
    given = dialog(tab)
    given.get_by_label("Maximum length").fill("1.5")
    given.get_by_role("button", name="Save").click()
    assert given.get_by_label("Maximum length").evaluate("field => field.validity.stepMismatch")
    given.get_by_label("Maximum length").fill("6")
    given.get_by_role("button", name="Save").click()
    expect(given).to_have_count(0)
    assert settings(tab) == {"parameters": {"temperature": 0.333, "max_tokens": 6}}


def test_settings_of_one_conversation_are_not_saved_to_another(tab: Tab) -> None:
    tab.asked("The one before.", "Yes.")
    tab.page.get_by_role("button", name="New chat", exact=True).click()
    tab.asked("The one after.", "Yes.")
    given = dialog(tab)
    given.get_by_label("System prompt").fill("For the one after.")
    tab.page.go_back()  # as people close a dialog on a telephone
    expect(given).to_have_count(0)


def test_what_cannot_be_set_is_said_and_escape_changes_nothing(tab: Tab, server: Server) -> None:
    tab.asked("Can it be anything?", "No.")
    given = dialog(tab)
    given.get_by_label("Temperature").fill("9")
    given.get_by_role("button", name="Save").click()
    expect(given).to_be_visible()
    assert given.get_by_label("Temperature").evaluate("field => field.validity.rangeOverflow")
    given.get_by_label("Temperature").fill("1")
    server.api.delete(f"/conversations/{tab.conversation}").raise_for_status()
    expect(tab.questions).to_have_count(0)
    given.get_by_role("button", name="Save").click()
    expect(given).to_have_count(0)  # what was a conversation's is a new one's now
    again = dialog(tab)
    expect(again.get_by_label("Temperature")).to_have_value("1")
    again.get_by_label("Temperature").fill("0")
    tab.page.keyboard.press("Escape")
    expect(again).to_have_count(0)
    expect(dialog(tab).get_by_label("Temperature")).to_have_value("1")
