"""A person and the page: asking, following, coming back, voting, stopping."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.driving import Server, Tab


def test_question_is_answered_as_it_streams(tab: Tab, server: Server) -> None:
    tab.ask("Name two planets.")
    server.say("Name two planets.", "Mars")
    expect(tab.live).to_contain_text("Mars")
    server.say("Name two planets.", " and **Venus**")
    expect(tab.live.locator("strong")).to_have_text("Venus")
    server.end("Name two planets.", ".")
    expect(tab.answers).to_have_text("Mars and Venus.")
    expect(tab.live.locator(".message")).to_have_count(0)
    expect(tab.bars.locator(".cc-facts")).to_contain_text("scripted-1")


def test_model_and_examples_are_there_before_the_first_question(tab: Tab) -> None:
    expect(tab.page.locator(".cc-empty")).to_contain_text("Scripted 1")
    example = tab.page.get_by_role("group", name="Examples").get_by_role("button").first
    words = example.inner_text()
    example.click()
    expect(tab.box).to_have_value(words)
    tab.box.fill("")  # else it is the draft of the tests to come
    expect(tab.page.locator(".cc-model")).to_have_text("Scripted 1")


def test_reload_in_mid_answer_goes_on(tab: Tab, server: Server) -> None:
    tab.ask("Tell me a story.")
    server.say("Tell me a story.", "Once upon ")
    expect(tab.live).to_contain_text("Once upon")
    tab.page.reload()
    tab.ready()
    expect(tab.live).to_contain_text("Once upon")
    server.say("Tell me a story.", "a time")
    expect(tab.live).to_contain_text("Once upon a time")
    server.end("Tell me a story.", ".")
    expect(tab.answers).to_have_text("Once upon a time.")


def test_second_tab_follows(tab: Tab, new_tab: Callable[[Server], Tab], server: Server) -> None:
    tab.ask("Who is there?")
    other = new_tab(server).open(f"?conversation={tab.conversation}")
    server.say("Who is there?", "Both of us")
    expect(tab.live).to_contain_text("Both of us")
    expect(other.live).to_contain_text("Both of us")
    server.end("Who is there?", "!")
    expect(other.answers).to_have_text("Both of us!")
    other.asked("And now?", "From the second.")
    expect(tab.answers.last).to_have_text("From the second.")


def test_emoji_shift_no_text(tab: Tab, server: Server) -> None:
    tab.ask("Emoji 😀?")
    server.say("Emoji 😀?", "👩‍👩‍👧 one ")
    expect(tab.live).to_contain_text("one")
    tab.page.reload()
    tab.ready()
    for piece in ("𝄞 two ", "🇩🇪🎉", " three"):
        server.say("Emoji 😀?", piece)
    whole = "👩‍👩‍👧 one 𝄞 two 🇩🇪🎉 three"
    expect(tab.live.locator(".bot-row .message")).to_have_text(whole)  # not yet the whole text of the ending
    server.end("Emoji 😀?")
    expect(tab.answers).to_have_text(whole)


def test_stop_keeps_the_text(tab: Tab, server: Server) -> None:
    tab.ask("Count.")
    server.say("Count.", "one two three")
    expect(tab.live).to_contain_text("three")
    tab.page.locator("#cc-box .stop-button").click()
    expect(tab.bars).to_contain_text("Stopped")
    expect(tab.answers).to_have_text("one two three")
    tab.page.reload()
    tab.ready()
    expect(tab.answers).to_have_text("one two three")
    expect(tab.page.locator("#cc-box .submit-button")).to_be_visible()


def test_regenerate_keeps_the_old_answer(tab: Tab, server: Server) -> None:
    tab.asked("Say something.", "First answer.")
    tab.click("Answer again")
    server.end("Say something.", "Second answer.")
    expect(tab.answers).to_have_text("Second answer.")
    expect(tab.bars).to_contain_text("2/2")
    tab.click("Previous version")
    expect(tab.answers).to_have_text("First answer.")
    expect(tab.questions).to_have_count(1)


def test_failed_answer_says_why(tab: Tab, server: Server) -> None:
    tab.ask("Please fail.")
    server.say("Please fail.", "Let me ")
    expect(tab.live).to_contain_text("Let me")
    server.fail("Please fail.", "The model has left the building.")
    expect(tab.bars).to_contain_text("The model has left the building.")
    expect(tab.answers).to_contain_text("Let me")
    tab.bars.get_by_role("button", name="Continue").click()
    server.end("Please fail.", "see.")
    expect(tab.answers).to_have_text("Let me see.")


def test_question_asked_meanwhile_waits_its_turn(tab: Tab, server: Server) -> None:
    tab.ask("First one.")
    server.say("First one.", "wait")
    expect(tab.live).to_contain_text("wait")
    tab.box.fill("Second one.")
    tab.box.press("Enter")
    expect(tab.live.locator(".user-row")).to_have_text("Second one.")
    server.end("First one.", "ed")
    server.end("Second one.", "at last")
    expect(tab.answers).to_have_text(["waited", "at last"])


def test_refused_question_stays_in_the_composer(tab: Tab, server: Server) -> None:
    before = len(server.api.get("/conversations?limit=500").json()["conversations"])
    server.refuse("The question is too long for this model.")
    tab.box.fill("A long question.")
    tab.box.press("Enter")
    expect(tab.page.get_by_text("The question is too long for this model.")).to_be_visible()
    expect(tab.box).to_have_value("A long question.")
    assert len(server.api.get("/conversations?limit=500").json()["conversations"]) == before
    server.refuse(None)
    tab.asked("A long question.", "Here you are.")


def test_reasoning_and_tools_are_folded_steps(tab: Tab, server: Server) -> None:
    question = "Think about the weather."
    tab.ask(question)
    server.part(question, "reasoning", text="Where is the person?")
    expect(tab.live.locator(".thought-group")).to_contain_text("Reasoning")
    server.part(question, "tool_call", call_id="1", name="look_up", arguments='{"place": "Bonn"}')
    server.part(question, "tool_result", call_id="1", output="`sunny`")
    server.end(question, "It is sunny.")
    expect(tab.answers.last).to_contain_text("It is sunny.")
    step = tab.history.locator(".thought-group", has_text="look_up")
    step.locator(".title").click()
    expect(step).to_contain_text("`sunny`")


def test_answer_is_never_seen_twice_nor_missing(tab: Tab, server: Server) -> None:
    """Between its end and its place in the history lies no frame."""
    tab.asked("Before.", "Earlier answer.")
    tab.ask("Watch closely.")
    server.say("Watch closely.", "MARK")
    expect(tab.live).to_contain_text("MARK")
    tab.page.evaluate(
        """() => {
          window.counts = [];
          const inner = document.getElementById("cc-inner");
          const count = () => {
            counts.push(inner.textContent.split("MARK").length - 1);
            requestAnimationFrame(count);
          };
          count();
        }"""
    )
    for piece in (" one", " two", " three"):
        server.say("Watch closely.", piece)
    server.end("Watch closely.")
    expect(tab.answers.last).to_have_text("MARK one two three")
    expect(tab.bars).to_have_count(2)
    assert set(tab.page.evaluate("counts")) == {1}


def test_view_sticks_to_the_bottom_unless_one_has_scrolled_up(tab: Tab, server: Server) -> None:
    question = "Write many lines."
    tab.ask(question)
    server.say(question, *(f"Line {n}.\n\n" for n in range(60)))
    expect(tab.live.get_by_text("Line 59.")).to_be_in_viewport()
    tab.page.locator("#cc-scroll").hover()
    tab.page.mouse.wheel(0, -700)
    expect(tab.live.get_by_text("Line 59.")).not_to_be_in_viewport()
    line = tab.live.get_by_text("Line 40.")
    expect(line).to_be_in_viewport()
    tab.settle()
    before = line.bounding_box()
    server.say(question, *(f"Line {n}.\n\n" for n in range(60, 90)))
    expect(tab.live.get_by_text("Line 89.")).to_be_attached()
    tab.settle()
    assert line.bounding_box() == before
    server.end(question)
    expect(tab.bars).to_have_count(1)


def test_stream_is_not_read_out(tab: Tab, server: Server) -> None:
    tab.ask("Be quiet.")
    server.say("Be quiet.", "Shh")
    expect(tab.live.get_by_role("log")).to_have_attribute("aria-live", "off")
    server.end("Be quiet.")
    expect(tab.page.locator(".cc-spoken")).to_have_text("The answer has ended.")


def test_enter_in_an_empty_composer_does_nothing(tab: Tab, server: Server) -> None:
    tab.box.fill("  ")
    tab.box.press("Enter")
    expect(tab.box).to_have_value("")
    expect(tab.page.locator(".cc-empty")).to_be_visible()
    expect(tab.page).not_to_have_url(re.compile("conversation"))
