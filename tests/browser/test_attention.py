"""What a person is told who looks elsewhere, and how a conversation is called meanwhile."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.browser.driving import Server, Tab

LOOK_AWAY = """() => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => window.isAway });
  window.isAway = true;
  document.dispatchEvent(new Event("visibilitychange"));
}"""
LOOK_BACK = """() => {
  window.isAway = false;
  document.dispatchEvent(new Event("visibilitychange"));
}"""

WATCH_NOTIFICATIONS = """
window.asked = 0;
window.notified = [];
window.Notification = class extends Notification {
  constructor(title, options) {
    super(title, options);
    window.notified.push([title, options.body]);
  }
  static requestPermission() {
    window.asked++;
    return super.requestPermission();
  }
};
"""


def test_title_is_marked_when_an_answer_ends_out_of_sight(tab: Tab, server: Server) -> None:
    tab.ask("Look away.")
    expect(tab.page).to_have_title("Look away. · Tests")
    look_away(tab)
    server.end("Look away.", "Done.")
    expect(tab.page).to_have_title("● Look away. · Tests")
    tab.page.evaluate(LOOK_BACK)
    expect(tab.page).to_have_title("Look away. · Tests")
    tab.asked("Look at me.", "I do.")
    expect(tab.page).to_have_title("Look away. · Tests")


def test_title_is_marked_of_an_answer_that_ran_when_the_page_was_opened(tab: Tab, server: Server) -> None:
    tab.ask("Reload me.")
    server.say("Reload me.", "Still")
    tab.page.reload()
    tab.ready()
    expect(tab.live).to_contain_text("Still")
    look_away(tab)
    server.end("Reload me.", " here.")
    expect(tab.page).to_have_title("● Reload me. · Tests")


def test_notification_is_shown_where_a_person_asked_for_it(
    own_context: BrowserContext, server: Server
) -> None:
    own_context.grant_permissions(["notifications"])
    tab = watching(own_context, server)
    bell = tab.page.get_by_role("button", name="Notify me when an answer is ready")
    expect(bell).to_have_attribute("aria-pressed", "false")
    for wanted in (False, True):
        if wanted:
            bell.click()
            expect(bell).to_have_attribute("aria-pressed", "true")
            assert tab.page.evaluate("asked") == 1  # and not before
        question = f"Tell me ({wanted})."
        tab.ask(question)
        look_away(tab)
        server.end(question, "Done.")
        expect(tab.page).to_have_title("● Tell me (False). · Tests")
        tab.page.evaluate(LOOK_BACK)
        expect(tab.page).to_have_title("Tell me (False). · Tests")
        expected = [["The answer is ready", "Tell me (False)."]] if wanted else []
        assert tab.page.evaluate("notified") == expected
    tab.page.reload()
    tab.ready()
    expect(bell).to_have_attribute("aria-pressed", "true")
    bell.click()
    expect(bell).to_have_attribute("aria-pressed", "false")


def test_refused_permission_is_told(own_context: BrowserContext, server: Server) -> None:
    tab = watching(own_context, server)
    tab.page.evaluate("() => { Notification.requestPermission = async () => 'denied'; }")
    bell = tab.page.get_by_role("button", name="Notify me when an answer is ready")
    bell.click()
    expect(tab.toast).to_contain_text("does not let this page notify you")
    expect(bell).to_have_attribute("aria-pressed", "false")


def look_away(tab: Tab) -> None:
    """Once the list says that an answer is running: of one never seen running a tab tells nothing."""
    expect(tab.entry(tab.conversation).get_by_role("img", name="An answer is running")).to_be_visible()
    tab.page.evaluate(LOOK_AWAY)


def watching(context: BrowserContext, server: Server) -> Tab:
    """A tab that counts its notifications."""
    context.add_init_script(WATCH_NOTIFICATIONS)
    return Tab(context.new_page(), server).open()


def test_conversation_is_called_by_its_question_at_once(
    tab: Tab, new_tab: Callable[[Server], Tab], server: Server
) -> None:
    question = "  Why is the\nsky blue, and why is it red in the evening when the sun is low?"
    tab.box.fill(question)
    tab.box.press("Enter")
    title = "Why is the sky blue, and why is it red in the evening when…"
    expect(tab.page.locator(".cc-title")).to_have_text(title)
    entry = tab.sidebar.locator(f'[data-id="{tab.conversation}"] a')
    expect(entry).to_have_text(title)
    expect(tab.page).to_have_title(f"{title} · Tests")
    server.end(question, "It scatters.")
    expect(tab.bars).to_have_count(1)
    other = new_tab(server).open(f"?conversation={tab.conversation}")
    expect(other.sidebar.locator(f'[data-id="{tab.conversation}"] a')).to_have_text(title)  # the server's own


def test_end_of_an_answer_is_announced_by_how_it_ended(tab: Tab, server: Server) -> None:
    spoken = tab.page.locator(".cc-spoken")
    tab.asked("End well.", "Well.")
    expect(spoken).to_have_text("The answer has ended.")
    tab.ask("End badly.")
    server.fail("End badly.", "No.")
    expect(spoken).to_have_text("The answer failed.")
