"""The states that the page can be in: how the conversation comes about, and what a person does then."""

from collections.abc import Callable

from msgspec import Struct
from playwright.sync_api import FilePayload, expect

from scripts.shots import scenes
from scripts.shots.texts import FORMULA
from tests.browser.driving import Server, Tab
from tests.browser.media import video

__all__ = ["README", "STATES", "State"]


class State(Struct, frozen=True):
    """One state.

    Attributes:
        make: Gives the id of the conversation that is shown; None: a new one.
        act: What is done in the page that shows it.
        restore: What has to be put right afterwards, beyond the conversation, which is deleted.
        height: Of the window, in pixels; None: as high as a screen.
    """

    name: str
    make: Callable[[Server], str | None]
    act: Callable[[Tab], None] = lambda tab: None
    restore: Callable[[Tab], None] = lambda tab: None
    height: int | None = None


# --- the list -----------------------------------------------------------------------------------------------


def show_list(tab: Tab) -> None:
    """On a narrow screen it is closed at first."""
    button = tab.sidebar.get_by_role("button", name="New chat", exact=True)
    if tab.page.evaluate("document.getElementById('cc-shell').clientWidth <= 760"):
        tab.page.get_by_role("button", name="Show or hide the list").click()
    expect(button).to_be_in_viewport(ratio=1)


def show_menu(tab: Tab) -> None:
    show_list(tab)
    entry = tab.sidebar.locator(".cc-entry", has_text="Recipe for rye bread")
    entry.hover()
    entry.get_by_role("button", name="More about").click()
    expect(tab.page.get_by_role("menuitem").first).to_be_visible()


def rename(tab: Tab) -> None:
    show_menu(tab)
    tab.page.get_by_role("menuitem", name="Rename", exact=True).click()


def search(tab: Tab) -> None:
    show_list(tab)
    tab.page.get_by_role("searchbox").fill("gravity")
    expect(tab.sidebar.locator("mark").first).to_be_visible()


def show_archive(tab: Tab) -> None:
    show_list(tab)
    tab.sidebar.get_by_role("button", name="Archive", exact=True).click()
    expect(tab.sidebar.get_by_text("Compare heat pumps")).to_be_visible()


def delete(tab: Tab) -> None:
    show_menu(tab)
    tab.page.get_by_role("menuitem", name="Delete", exact=True).click()
    expect(tab.toast).to_be_visible()
    tab.toast.evaluate("toast => toast.querySelector('button')?.blur()")


def undelete(tab: Tab) -> None:
    tab.toast.get_by_role("button", name="Undo").click()
    expect(tab.sidebar.get_by_text("Recipe for rye bread")).to_be_attached()


# --- a conversation -----------------------------------------------------------------------------------------


def open_steps(tab: Tab) -> None:
    for title in tab.history.locator(".thought-group > .title").all():
        if title.get_attribute("aria-expanded") != "true":
            title.click()


def vote(tab: Tab) -> None:
    tab.click("Bad answer")
    tab.bars.last.get_by_role("button", name="Not correct").click()


def comment(tab: Tab) -> None:
    vote(tab)
    tab.bars.last.get_by_role("textbox").fill("The radius of Mars is that of its equator.")
    tab.bars.last.get_by_role("button", name="Save").click()
    expect(tab.bars.last.locator(".cc-remark")).to_be_visible()


def edit(tab: Tab) -> None:
    tab.asked_bars.last.get_by_role("button", name="Edit the question").click()
    tab.history.get_by_role("textbox", name="The question").scroll_into_view_if_needed()


def compose(tab: Tab) -> None:
    """About to send files."""
    tab.attach(
        FilePayload(
            name="notes of the long meeting.txt", mimeType="text/plain", buffer=b"Remember the milk."
        ),
        FilePayload(name="a hill at dusk.png", mimeType="image/png", buffer=scenes.landscape()),
    )
    tab.box.fill("What do you make of these two?\nI have no idea.")


def send_video(tab: Tab) -> None:
    film = video(tab.page)
    tab.attach(FilePayload(name="film.webm", mimeType="video/webm", buffer=film))
    tab.ask("And of this film?")
    tab.server.end("And of this film?", "It is short.")
    expect(tab.history.locator("video")).to_be_visible()
    expect(tab.bars).to_have_count(2)


def set_up(tab: Tab) -> None:
    tab.page.get_by_role("button", name="Settings of this conversation").click()
    given = tab.page.get_by_role("dialog", name="Settings of this conversation")
    given.get_by_label("System prompt").fill("You are an astronomer. Be brief.")
    expect(given).to_be_visible()


def count(tab: Tab) -> None:
    """The numbers about answers and votes."""
    tab.open("?statistics")
    expect(tab.page.get_by_role("dialog").get_by_role("img").first).to_be_visible()


def lose_server(tab: Tab) -> None:
    tab.server.kill()
    expect(tab.page.get_by_text("Reconnecting…")).to_be_visible()


def find_server(tab: Tab) -> None:
    tab.server.start()


def walk(tab: Tab) -> None:
    """By keyboard, as far as a button of the answer."""
    tab.bars.last.get_by_role("button", name="Copy").focus()
    tab.page.keyboard.press("Tab")


def see_all(tab: Tab) -> None:
    """The beginning of what is higher than the window."""
    tab.page.locator("#cc-scroll").evaluate("scroller => scroller.scrollTo(0, -scroller.scrollHeight)")


def be_answered(tab: Tab) -> None:
    expect(tab.live.locator(".message").first).to_be_visible()


STATES = (
    State("empty", scenes.nothing),
    State("list", scenes.answered, show_list),
    State("menu", scenes.answered, show_menu),
    State("rename", scenes.answered, rename),
    State("search", scenes.answered, search),
    State("archive", scenes.answered, show_archive),
    State("undo", scenes.answered, delete, undelete),
    State("answer", scenes.answered, height=1500),
    State("unruly", scenes.unruly, height=1500),
    State("letters", scenes.letters),
    State("files", scenes.photographed, send_video, height=1200),
    State("compose", scenes.answered, compose),
    State("steps", scenes.stepwise),
    State("steps-open", scenes.stepwise, open_steps, height=1000),
    State("thinking", scenes.thinking),
    State("streaming", scenes.answering, be_answered),
    State("failed", scenes.failed),
    State("stopped", scenes.stopped),
    State("interrupted", scenes.interrupted),
    State("versions", scenes.versions),
    State("edit", scenes.answered, edit),
    State("vote", scenes.answered, vote),
    State("voted", scenes.answered, comment),
    State("memory", scenes.remembered),
    State("focus", scenes.answered, walk),
    State("settings", scenes.answered, set_up),
    State("statistics", scenes.answered, count),
    State("reconnecting", scenes.answered, lose_server, find_server),
)

README = State("readme", scenes.told(FORMULA))
