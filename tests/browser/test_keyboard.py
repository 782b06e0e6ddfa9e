"""Everything without a mouse: what is focused is what is pressed."""

from collections.abc import Callable

from playwright.sync_api import Locator, expect

from tests.browser.driving import Server, Tab

MOST_STEPS = 400  # the list may be as long as other tests have made it

IS_SHOWN = """() => {
  const focused = document.activeElement;
  return focused.matches("textarea, input") || getComputedStyle(focused).outlineStyle !== "none";
}"""
IS_OPAQUE = """() => {
  const seen = (element) => (element ? getComputedStyle(element).opacity * seen(element.parentElement) : 1);
  return seen(document.activeElement) > 0.9;
}"""


class Hands:
    """Somebody with a keyboard and nothing else."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.page = tab.page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def go_to(self, target: Locator, *, back: bool = False) -> None:
        """By Tab alone; where it is, it can be seen that it is focused."""
        expect(target).to_be_attached()
        for _ in range(MOST_STEPS):
            if target.evaluate("target => target === document.activeElement"):
                assert self.page.evaluate(IS_SHOWN), "a focus that nobody sees"
                self.page.wait_for_function(IS_OPAQUE)  # tools come into view when one of them is focused
                return
            self.press("Shift+Tab" if back else "Tab")
        raise AssertionError(f"no way to {target}")

    def use(self, target: Locator, *, back: bool = False) -> None:
        self.go_to(target, back=back)
        self.press("Enter")

    def ask(self, question: str) -> None:
        self.go_to(self.tab.box)
        self.type(question)
        self.press("Enter")
        expect(self.tab.questions.filter(has_text=question)).to_be_visible()

    def choose(self, entry: Locator, item: str) -> None:
        """From the menu of an entry of the list: there by arrows."""
        self.use(entry.get_by_role("button", name="More about"))
        wanted = self.page.get_by_role("menuitem", name=item, exact=True)
        expect(wanted).to_be_attached()
        for _ in range(9):
            if wanted.evaluate("wanted => wanted === document.activeElement"):
                break
            self.press("ArrowDown")
        self.press("Enter")


def test_messages_by_keyboard(tab: Tab, server: Server) -> None:
    hands = Hands(tab)
    expect(tab.box).to_be_focused()
    hands.ask("Keyboard, can you hear me?")
    server.end("Keyboard, can you hear me?", "I can.")
    expect(tab.bars).to_have_count(1)

    # rated, with a comment
    hands.use(tab.bars.get_by_role("button", name="Good answer"), back=True)
    hands.use(tab.bars.get_by_role("button", name="Complete"))
    hands.go_to(tab.bars.get_by_role("textbox", name="A comment"))
    hands.type("Heard well")
    hands.use(tab.bars.get_by_role("button", name="Save"))
    expect(tab.bars.locator(".cc-remark")).to_have_text("Complete · “Heard well”")
    expect(tab.bars.get_by_role("button", name="Good answer")).to_be_focused()

    # answered again, and back to the first answer
    hands.use(tab.bars.get_by_role("button", name="Answer again"))
    expect(tab.box).to_be_focused()  # what was pressed is gone
    server.end("Keyboard, can you hear me?", "Still.")
    expect(tab.answers).to_have_text(["Still."])
    hands.use(tab.bars.get_by_role("button", name="Previous version"), back=True)
    expect(tab.answers).to_have_text(["I can."])
    hands.use(tab.bars.get_by_role("button", name="Next version"))
    expect(tab.answers).to_have_text(["Still."])

    # edited
    hands.use(tab.asked_bars.get_by_role("button", name="Edit the question"), back=True)
    editor = tab.page.get_by_role("textbox", name="The question")
    expect(editor).to_be_focused()
    hands.press("Control+A")
    hands.type("And now?")
    hands.press("Enter")
    expect(tab.box).to_be_focused()
    server.end("And now?", "Now too.")
    expect(tab.answers).to_have_text(["Now too."])

    # stopped
    hands.ask("Tell me everything")
    server.say("Tell me everything", "In the beginning")
    expect(tab.live).to_contain_text("In the beginning")
    hands.use(tab.page.locator("#cc-box .stop-button"))
    expect(tab.bars.last).to_contain_text("Stopped.")

    # undone, and done again
    hands.use(tab.asked_bars.last.get_by_role("button", name="Undo this exchange"), back=True)
    expect(tab.bars).to_have_count(1)
    hands.use(tab.toast.get_by_role("button", name="Redo"))
    expect(tab.box).to_be_focused()
    expect(tab.bars).to_have_count(2)


def test_the_list_by_keyboard(new_tab: Callable[[Server], Tab], server: Server) -> None:
    older, made = (
        server.api.post("/conversations", json={"title": title}).json()["id"]
        for title in ("Of hinges", "Of keys and locks")
    )
    server.api.post(f"/conversations/{made}/posts", json={"text": "A skeleton key fits."}).raise_for_status()
    tab = new_tab(server).open()
    hands = Hands(tab)
    beside, entry = tab.entry(older), tab.entry(made)

    hands.go_to(tab.sidebar.get_by_role("searchbox"))  # not back: the list may be longer than the way around
    hands.type("skeleton")
    expect(tab.sidebar.locator(".cc-results a")).to_have_count(1)
    hands.press("ArrowDown", "Enter")
    expect(tab.questions).to_have_text(["A skeleton key fits."])
    hands.go_to(tab.sidebar.get_by_role("searchbox"), back=True)
    hands.press("Escape")
    expect(entry).to_be_visible()

    hands.choose(entry, "Rename")
    expect(tab.sidebar.get_by_role("textbox", name="Title")).to_be_focused()
    hands.press("Control+A")
    hands.type("Of doors")
    hands.press("Enter")
    expect(entry.get_by_role("link")).to_have_text("Of doors")

    hands.choose(entry, "Delete")
    expect(entry).to_have_count(0)
    expect(tab.toast.get_by_role("button", name="Undo")).to_be_focused()  # it is there for some seconds only
    hands.press("Enter")
    expect(entry).to_be_visible()
    expect(tab.box).to_be_focused()

    hands.choose(entry, "Archive")
    expect(entry).to_have_count(0)
    expect(beside.get_by_role("button", name="More about")).to_be_focused()

    hands.use(tab.page.get_by_role("button", name="Settings of this conversation"), back=True)
    expect(tab.page.get_by_role("dialog")).to_be_visible()
    hands.press("Escape")
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    hands.use(tab.sidebar.get_by_role("link", name="Statistics"), back=True)
    expect(tab.page.get_by_role("dialog")).to_be_visible()
    hands.press("Escape")
    expect(tab.sidebar.get_by_role("link", name="Statistics")).to_be_focused()
