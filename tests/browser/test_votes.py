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


def test_comment_and_reasons_are_kept_and_seen_everywhere(
    tab: Tab, new_tab: Callable[[Server], Tab], server: Server
) -> None:
    tab.asked("What is two and two?", "Five.")
    other = new_tab(server).open(f"?conversation={tab.conversation}")
    tab.front()
    dislike(tab).click()
    panel = tab.bars.last.get_by_role("group")
    panel.get_by_role("button", name="Not correct").click()
    panel.get_by_role("textbox").press_sequentially("It is <b>four</b>.")
    panel.get_by_role("button", name="Save").click()
    expect(panel).to_have_count(0)
    expect(dislike(tab)).to_be_focused()
    for each in (tab, other):
        expect(each.bars.last.locator(".cc-remark")).to_have_text("Not correct · “It is <b>four</b>.”")
    tab.page.reload()
    tab.ready()
    expect(tab.bars.last.locator(".cc-remark")).to_have_text("Not correct · “It is <b>four</b>.”")
    tab.bars.last.get_by_role("button", name="Change the comment").click()
    panel.get_by_role("button", name="Not correct").click()
    panel.get_by_role("button", name="Incomplete").click()
    panel.get_by_role("button", name="Save").click()
    expect(other.bars.last.locator(".cc-remark")).to_have_text("Incomplete · “It is <b>four</b>.”")
    dislike(tab).click()
    expect(other.bars.last.locator(".cc-remark")).to_have_count(0)
    expect(dislike(other)).to_have_attribute("aria-pressed", "false")
    tab.toast.get_by_role("button", name="Undo").click()
    expect(other.bars.last.locator(".cc-remark")).to_have_text("Incomplete · “It is <b>four</b>.”")


def test_panel_may_be_left_alone_or_closed(tab: Tab) -> None:
    tab.asked("Is it good?", "It is.")
    like(tab).click()
    panel = tab.bars.last.get_by_role("group")
    expect(panel).to_be_visible()
    panel.get_by_role("textbox").fill("Never mind")
    panel.get_by_role("textbox").press("Escape")
    expect(panel).to_have_count(0)
    expect(like(tab)).to_have_attribute("aria-pressed", "true")
    expect(tab.bars.last.locator(".cc-remark")).to_have_count(0)
    like(tab).click()
    expect(like(tab)).to_have_attribute("aria-pressed", "false")
    expect(panel).to_have_count(0)


def test_vote_with_the_keyboard_alone(tab: Tab) -> None:
    tab.asked("Keys only?", "Keys only.")
    tab.box.focus()
    for _ in range(20):
        tab.page.keyboard.press("Shift+Tab")
        if tab.page.evaluate("document.activeElement.dataset.action") == "like":
            break
    expect(like(tab)).to_be_focused()
    tab.page.keyboard.press("Enter")
    expect(like(tab)).to_have_attribute("aria-pressed", "true")
    chip = tab.bars.last.get_by_role("button", name="Correct", exact=True)
    expect(chip).to_be_visible()
    expect(like(tab)).to_be_focused()
    for _ in range(3):  # over the dislike and the further answer
        tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Space")
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(chip).not_to_have_css("outline-style", "none")
