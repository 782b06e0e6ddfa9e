"""The page on paper, and in colours that a person has chosen."""

import re
from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.browser.driving import Server, Tab

LINES = "\n\n".join(f"Line {number} of the answer." for number in range(80))
DARKNESS = """(selector) => {
  const [red, green, blue] = getComputedStyle(document.querySelector(selector)).color.match(/\\d+/g);
  return Math.max(red, green, blue) < 128;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_of_a_conversation_is_printed_dark_on_white(
    new_tab: Callable[[Server], Tab], server: Server, scheme: Literal["light", "dark"]
) -> None:
    tab = new_tab(server)
    page = tab.page
    page.emulate_media(color_scheme=scheme)
    tab.open()
    question = f"Print in {scheme}."
    tab.asked(question, LINES)
    tab.click("Good answer")
    expect(tab.bars.locator(".cc-panel")).to_be_visible()
    assert page.evaluate(DARKNESS, "#cc-hist .bot-row p") == (scheme == "light")
    page.emulate_media(media="print")
    for there in (tab.questions, tab.answers, page.locator("#cc-header h1"), tab.bars.locator(".cc-facts")):
        expect(there).to_be_visible()
    for gone in ("#cc-sidebar", "#cc-box", "#cc-hist .cc-icon", "#cc-header .cc-icon", ".cc-panel"):
        expect(page.locator(gone).first).not_to_be_visible()
    for words in ("#cc-hist .bot-row p", "#cc-hist .cc-facts"):
        page.wait_for_function(DARKNESS, arg=words)  # colours may take their time to change
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf())) > 2


def test_what_backgrounds_say_lines_say_in_forced_colours(tab: Tab) -> None:
    tab.asked("Forced?", "Yes.")
    tab.click("Good answer")
    vote = tab.bars.get_by_role("button", name="Good answer")
    expect(vote).to_have_attribute("aria-pressed", "true")
    other = tab.bars.get_by_role("button", name="Bad answer")
    tab.page.emulate_media(forced_colors="active")
    for framed in (tab.questions.last, tab.entry(tab.conversation)):
        expect(framed).to_have_css("border-top-style", "solid")
    ground = "(button) => getComputedStyle(button).backgroundColor"
    assert vote.evaluate(ground) != other.evaluate(ground)
