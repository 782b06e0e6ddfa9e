"""One picture: a conversation is made for it, the page brought into the state, and all taken away again."""

from pathlib import Path
from typing import Literal

from msgspec import Struct
from playwright.sync_api import Browser, BrowserContext, expect

from scripts.shots.states import State
from tests.browser.driving import Server, Tab

__all__ = ["VIEWS", "View", "open_context", "take"]

SETTLED = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  let changedAt = performance.now();
  const watch = new MutationObserver(() => (changedAt = performance.now()));
  watch.observe(document.body, { subtree: true, childList: true, characterData: true });
  const isDrawn = (row) =>
    row.querySelector("img, video, audio") || row.querySelector(".message")?.innerText.trim();
  const drawn = () => [...document.querySelectorAll('.message-row[data-shows=""]')].every(isDrawn);
  do { await frame(); await document.fonts.ready; } while (performance.now() - changedAt < 400 || !drawn());
  const images = [...document.querySelectorAll("#cc-inner img")];
  await Promise.all(images.map((image) => image.decode().catch(() => null)));
  await frame();
}"""
"""Markdown, formulas and diagrams fetch what draws them when they are first asked for."""


class View(Struct, frozen=True):
    """How the page is looked at."""

    scheme: Literal["light", "dark"]
    width: int
    height: int

    @property
    def is_wide(self) -> bool:
        """Whether the list stands beside the conversation."""
        return self.width > 760

    @property
    def name(self) -> str:
        """For the name of a file."""
        return f"{self.scheme}-{self.width}"


VIEWS = tuple(
    View(scheme, width, height) for scheme in ("light", "dark") for width, height in ((1280, 800), (390, 844))
)


def open_context(browser: Browser, view: View) -> BrowserContext:
    """A profile for all pictures of this view, which fetches Gradio's scripts once."""
    return browser.new_context(
        viewport={"width": view.width, "height": view.height},
        color_scheme=view.scheme,
        reduced_motion="reduce",  # else a picture shows the middle of a fade
        has_touch=not view.is_wide,
        is_mobile=not view.is_wide,  # scrollbars that lie over the page
        locale="en-US",
    )


def take(context: BrowserContext, server: Server, state: State, view: View, target: Path) -> None:
    """The state as it looks in this view."""
    made = state.make(server)
    tab = Tab(context.new_page(), server)
    tab.page.set_viewport_size({"width": view.width, "height": state.height or view.height})
    tab.open(f"?conversation={made}" if made else "")
    expect(tab.page.locator(".message-row" if made else ".cc-empty").first).to_be_visible()
    state.act(tab)
    tab.page.evaluate(SETTLED)
    target.parent.mkdir(parents=True, exist_ok=True)
    tab.page.screenshot(path=target)
    state.restore(tab)
    tab.page.evaluate("localStorage.clear()")  # drafts
    tab.page.close()
    if made:
        server.api.delete(f"/conversations/{made}")
