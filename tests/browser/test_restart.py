"""The server ends and comes back under an open page."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, FilePayload, expect

from tests.browser.driving import Server, Tab


def test_page_goes_on_after_the_server_was_killed(tab: Tab, server: Server) -> None:
    tab.ask("Will you survive?")
    server.say("Will you survive?", "I will ")
    expect(tab.live).to_contain_text("I will")
    server.kill()
    expect(tab.page.get_by_text("Reconnecting…")).to_be_visible()
    expect(tab.live).to_contain_text("I will")
    server.start()
    expect(tab.page.get_by_text("Reconnecting…")).not_to_be_visible()
    expect(tab.answers).to_have_text("I will")
    expect(tab.bars).to_contain_text("went down")
    tab.bars.get_by_role("button", name="Continue").click()
    server.end("Will you survive?", "survive.")
    expect(tab.answers).to_have_text("I will survive.")
    tab.asked("And again?", "And again.")


def test_a_question_typed_without_a_server_is_kept(tab: Tab, server: Server) -> None:
    """Its files are not: a server that was started anew has none of them."""
    tab.asked("Are you there?", "Yes.")
    tab.attach(
        *(FilePayload(name=f"{name}.txt", mimeType="text/plain", buffer=b"x") for name in ("one", "two"))
    )
    server.kill()
    expect(tab.page.get_by_text("Reconnecting…")).to_be_visible()
    tab.box.fill("And now?")
    tab.box.press("Enter")
    tab.page.locator("#cc-box .submit-button").click()
    expect(tab.box).to_have_value("And now?")
    server.start()
    expect(tab.page.get_by_text("Reconnecting…")).not_to_be_visible()
    expect(tab.box).to_have_value("And now?")
    tab.box.press("Enter")
    expect(tab.toast).to_have_text("The server has not kept “one.txt”, “two.txt”: choose them again.")
    expect(tab.page.locator("#cc-box .thumbnail-item")).to_have_count(0)
    expect(tab.page.locator(".toast-body")).to_have_count(0)  # which is Gradio's
    expect(tab.box).to_have_value("And now?")
    tab.attach(FilePayload(name="three.txt", mimeType="text/plain", buffer=b"x"))
    tab.page.locator("#cc-box .submit-button").click()
    expect(tab.questions.filter(has_text="And now?")).to_be_visible()
    expect(tab.history.get_by_role("link", name="three.txt")).to_be_visible()
    server.end("And now?", "Again.")
    expect(tab.answers).to_have_text(["Yes.", "Again."])


def test_a_connection_that_died_without_a_word_is_made_anew(
    own_context: BrowserContext, server: Server
) -> None:
    """As after a laptop's sleep, or in another network: no close ever comes."""
    tab = Tab(own_context.new_page(), server)
    tab.page.clock.install()
    tab.open()
    tab.ask("Do you hear me?")
    server.say("Do you hear me?", "I do")
    expect(tab.live).to_contain_text("I do")
    with server.paused():
        tab.page.clock.fast_forward(30_000)
        expect(tab.page.get_by_text("Reconnecting…")).not_to_be_visible()
        tab.page.clock.fast_forward(15_000)
        expect(tab.page.get_by_text("Reconnecting…")).to_be_visible()
        with tab.page.expect_event("websocket"):
            tab.page.clock.fast_forward(1000)
        with tab.page.expect_event("websocket"):  # nor does one wait for ever for an answer
            tab.page.clock.fast_forward(20_000)
            tab.page.clock.fast_forward(1000)
    expect(tab.page.get_by_text("Reconnecting…")).not_to_be_visible()
    server.end("Do you hear me?", " again.")
    expect(tab.answers).to_have_text("I do again.")


def test_nothing_is_sent_without_a_network(own_context: BrowserContext, server: Server) -> None:
    tab = Tab(own_context.new_page(), server).open()
    tab.asked("Are you in?", "In.")
    own_context.set_offline(True)
    expect(tab.page.get_by_text("Reconnecting…")).to_be_visible()
    tab.box.fill("And out?")
    tab.box.press("Enter")
    expect(tab.toast).to_have_text("The server can't be reached; your message stays here.")
    own_context.set_offline(False)
    expect(tab.page.get_by_text("Reconnecting…")).not_to_be_visible()
    tab.box.press("Enter")
    expect(tab.questions.last).to_have_text("And out?")
    expect(tab.page.locator(".toast-body")).to_have_count(0)  # which is Gradio's
    server.end("And out?", "Out.")
    expect(tab.answers).to_have_text(["In.", "Out."])


def test_without_a_network_a_server_on_this_machine_is_still_there(tab: Tab, server: Server) -> None:
    tab.asked("Are you here?", "Here.")
    with tab.page.expect_response("**/api/health"):
        tab.page.evaluate("dispatchEvent(new Event('offline'))")
    tab.asked("Still?", "Still.")
    expect(tab.page.get_by_text("Reconnecting…")).not_to_be_visible()


@pytest.mark.measures
def test_stop_takes_less_than_a_second_and_loses_nothing(
    tab: Tab, new_tab: Callable[[Server], Tab], server: Server
) -> None:
    tab.asked("Do you like me?", "I do.")
    tab.click("Good answer")
    tab.ask("How long?")
    server.say("How long?", "Not long")
    expect(tab.live).to_contain_text("Not long")
    other = new_tab(server).open(f"?conversation={tab.conversation}")
    assert server.terminate() < 1.0
    server.start()
    for each in (tab, other):
        expect(each.answers).to_have_text(["I do.", "Not long"])
        vote = each.bars.first.get_by_role("button", name="Good answer")
        expect(vote).to_have_attribute("aria-pressed", "true")
