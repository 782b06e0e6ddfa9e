"""Questions in other words, ways between versions, and taking an exchange back."""

from collections.abc import Callable

from playwright.sync_api import FilePayload, Locator, expect

from tests.browser.driving import Server, Tab


def edit(tab: Tab) -> Locator:
    """Open the editor of the last question."""
    tab.asked_bars.last.get_by_role("button", name="Edit the question").click()
    return tab.history.get_by_role("textbox", name="The question")


def test_question_is_edited_in_place_and_keeps_the_old_wording(tab: Tab, server: Server) -> None:
    tab.attach(FilePayload(name="notes.txt", mimeType="text/plain", buffer=b"Remember the milk."))
    tab.asked("What is the wether?", "What is a wether?")
    area = edit(tab)
    expect(area).to_be_focused()
    expect(area).to_have_value("What is the wether?")
    expect(tab.questions.get_by_text("What is the wether?")).to_be_hidden()
    expect(tab.asked_bars.last.get_by_role("button", name="Undo this exchange")).to_be_hidden()
    area.fill("What is the weather?")
    area.press("Shift+Enter")
    expect(area).to_have_value("What is the weather?\n")
    area.fill("What is the weather?")
    area.press("Enter")
    server.end("What is the weather?", "Sunny.")
    expect(tab.answers).to_have_text("Sunny.")
    expect(tab.questions.last).to_have_text("What is the weather?")
    expect(tab.history.locator(".cc-card")).to_contain_text("notes.txt")
    bar = tab.asked_bars.last
    expect(bar).to_contain_text("2/2")
    bar.get_by_role("button", name="Previous version").click()
    expect(tab.questions.last).to_have_text("What is the wether?")
    expect(tab.answers).to_have_text("What is a wether?")
    tab.asked_bars.last.get_by_role("button", name="Next version").click()
    expect(tab.answers).to_have_text("Sunny.")


def test_editing_is_left_with_escape(tab: Tab) -> None:
    tab.asked("Leave me as I am.", "As you like.")
    area = edit(tab)
    area.fill("Something else")
    area.press("Escape")
    expect(tab.questions.last).to_have_text("Leave me as I am.")
    expect(area).to_have_count(0)
    expect(tab.asked_bars.last.get_by_role("button", name="Edit the question")).to_be_focused()


def test_words_of_an_editor_are_kept_when_they_are_refused(tab: Tab, server: Server) -> None:
    tab.asked("A short one.", "Short.")
    area = edit(tab)
    server.refuse("The question is too long for this model.")
    area.fill("A long one.")
    area.press("Enter")
    expect(tab.toast).to_contain_text("too long for this model")
    expect(area).to_have_value("A long one.")
    server.refuse(None)
    area.press("Enter")
    server.end("A long one.", "Long.")
    expect(tab.answers).to_have_text("Long.")


def test_open_editor_survives_what_happens_around_it(
    tab: Tab, new_tab: Callable[[Server], Tab], server: Server
) -> None:
    tab.asked("Edit me slowly.", "Take your time.")
    other = new_tab(server).open(f"?conversation={tab.conversation}")
    tab.front()
    area = edit(tab)
    area.fill("Half of a")
    other.bars.last.get_by_role("button", name="Good answer").click()
    like = tab.bars.last.get_by_role("button", name="Good answer")
    expect(like).to_have_attribute("aria-pressed", "true")
    other.front().asked("Meanwhile?", "Meanwhile.")
    tab.front()
    expect(tab.answers.last).to_have_text("Meanwhile.")
    expect(area).to_have_value("Half of a")
    area.press_sequentially(" word")
    expect(area).to_have_value("Half of a word")


def test_regenerated_answers_are_gone_through_with_the_keyboard(tab: Tab, server: Server) -> None:
    tab.asked("Again and again.", "One.")
    for number, text in ((2, "Two."), (3, "Three.")):
        tab.click("Answer again")
        server.end("Again and again.", text)
        expect(tab.bars).to_contain_text(f"{number}/3" if number == 3 else "2/2")
    previous = tab.bars.get_by_role("button", name="Previous version")
    previous.press("Enter")
    expect(tab.answers).to_have_text("Two.")
    expect(previous).to_be_focused()
    previous.press("Enter")
    expect(tab.answers).to_have_text("One.")
    expect(previous).to_be_disabled()
    expect(tab.bars.get_by_role("button", name="Next version")).to_be_focused()
    tab.bars.get_by_role("button", name="Next version").press("Enter")
    expect(tab.answers).to_have_text("Two.")


def test_last_exchange_is_taken_back_and_brought_back(tab: Tab) -> None:
    tab.asked("The first.", "One.")
    tab.asked("The second.", "Two.")
    undo = tab.history.get_by_role("button", name="Undo this exchange")
    expect(undo).to_have_count(1)  # at the last one alone
    undo.click()
    expect(tab.answers).to_have_text(["One."])
    tab.toast.get_by_role("button", name="Redo").click()
    expect(tab.answers).to_have_text(["One.", "Two."])
    undo.click()
    expect(tab.answers).to_have_text(["One."])
    undo.click()
    expect(tab.page.locator(".cc-empty")).to_be_visible()
    tab.asked("A new beginning.", "Begun.")
    expect(tab.answers).to_have_text("Begun.")


def test_a_double_click_is_one(tab: Tab, server: Server) -> None:
    tab.asked("Once.", "One.")
    tab.asked("Twice.", "Two.")
    undo = tab.history.get_by_role("button", name="Undo this exchange")
    undo.dblclick()
    expect(tab.answers).to_have_text(["One."])
    expect(tab.toast).to_contain_text("was taken back")  # and nothing that went wrong
    tab.bars.last.get_by_role("button", name="Answer again").dblclick()
    server.end("Once.", "Another.")
    expect(tab.answers).to_have_text(["Another."])
    expect(tab.toast).to_contain_text("was taken back")
