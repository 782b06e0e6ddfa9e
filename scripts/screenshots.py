"""Pictures of the page, made in a real browser from a real server with a scripted responder."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from msgspec import Struct
from playwright.sync_api import Browser, FilePayload, expect, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.driving import CHROMIUM_ARGUMENTS, Server, Tab, chromium  # noqa: E402
from tests.browser.media import png, wav  # noqa: E402
from tests.frontends.serving import free_port  # noqa: E402

OTHERS = (
    "Name for a sailing boat",
    "Recipe for rye bread",
    "Why is the sky blue?",
    "Pack list for the Alps",
    "Fix a failing unit test",
)
QUESTION = "How strong is gravity on the inner planets, and how do I work it out?"
ANSWER = r"""The surface gravity of a planet follows from its mass and its radius:

$$g = \frac{G M}{R^2}$$

| Planet | Mass (10²⁴ kg) | Radius (km) | Gravity (m/s²) |
|---|---:|---:|---:|
| Mercury | 0.330 | 2,440 | 3.7 |
| Venus | 4.87 | 6,052 | 8.9 |
| Earth | 5.97 | 6,371 | 9.8 |
| Mars | 0.642 | 3,390 | 3.7 |

In Python:

```python
def gravity(mass_kg: float, radius_m: float) -> float:
    return 6.674e-11 * mass_kg / radius_m**2
```
"""
FILES_QUESTION = "What do you make of these three?"
STEPS_ANSWER = """It stays dry until the evening.

```mermaid
graph LR; Morning-->Noon; Noon-->Evening;
```
"""
LONG_ANSWER = "A wave in a string moves because each piece of it pulls at the next. "

SETTLED = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  while (document.querySelector(".mermaid:not([data-processed])")) await frame();
  do { await frame(); await frame(); await document.fonts.ready; } while (document.fonts.status !== "loaded");
}"""
"""Formulas ask for their fonts when they are drawn, diagrams for what draws them."""


class View(Struct, frozen=True):
    """How the page is looked at."""

    scheme: Literal["light", "dark"]
    size: Literal["wide", "narrow"]


VIEWS = tuple(View(scheme, size) for scheme in ("light", "dark") for size in ("wide", "narrow"))
SIZES = {"wide": (1280, 800), "narrow": (390, 844)}


def main(folder: Path | None) -> None:
    """Make them all, or those of the README alone."""
    with sync_playwright() as playwright, Server("memory:", free_port()) as server:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_ARGUMENTS))
        for title in OTHERS:
            server.api.post("/conversations", json={"title": title}).raise_for_status()
        asked = ask(browser, server, QUESTION)
        server.end(QUESTION, ANSWER)
        if folder is None:
            for view in VIEWS[::2]:
                take(browser, server, view, asked, ROOT / "docs" / "screenshots" / f"chat-{view.scheme}.png")
            return
        make_all(browser, server, asked, folder)


def make_all(browser: Browser, server: Server, asked: str, folder: Path) -> None:
    """Each state of the page in each view."""
    running = ask(browser, server, "What is a wave?")
    server.say("What is a wave?", LONG_ANSWER * 3)
    failed = ask(browser, server, "Can you do this?")
    server.say("Can you do this?", "Let me look into it.")
    server.fail("Can you do this?", "The model can't be reached: connection refused.")
    states = {
        "empty": "",
        "conversation": asked,
        "answering": running,
        "failed": failed,
        "files": ask_about_files(server),
        "steps": ask_with_steps(browser, server),
    }
    for state, address in states.items():
        for view in VIEWS:
            take(browser, server, view, address, folder / f"{state}-{view.scheme}-{view.size}.png")
    for view in VIEWS:
        for state, before in {
            "vote": vote,
            "edit": edit,
            "compose": compose,
            "statistics": statistics,
        }.items():
            target = folder / f"{state}-{view.scheme}-{view.size}.png"
            take(browser, server, view, asked, target, before=before)
    for view in VIEWS[1::2]:
        target = folder / f"list-{view.scheme}-{view.size}.png"
        take(browser, server, view, asked, target, before=open_list)


def ask(browser: Browser, server: Server, question: str) -> str:
    """The address of a new conversation in which the question was asked."""
    context = browser.new_context()
    tab = Tab(context, server).open()
    tab.ask(question)
    address = f"?conversation={tab.conversation}"
    context.close()
    return address


def ask_about_files(server: Server) -> str:
    """Likewise, with a picture, a sound and a text."""
    made = server.api.post("/conversations", json={}).json()["id"]
    files = [
        ("files", ("a square.png", png(), "image/png")),
        ("files", ("tone.wav", wav(), "audio/wav")),
        ("files", ("minutes of the meeting, second revision.txt", b"Remember the milk.", "text/plain")),
    ]
    server.api.post(f"/conversations/{made}/messages", data={"text": FILES_QUESTION}, files=files)
    server.end(FILES_QUESTION, "A red square, a tone of 255 Hz, and a reminder to buy milk.")
    return f"?conversation={made}"


def ask_with_steps(browser: Browser, server: Server) -> str:
    """Likewise, answered with reasoning, a tool and a diagram."""
    question = "Will it rain in Bonn?"
    asked = ask(browser, server, question)
    server.part(question, "reasoning", text="The person wants to know about the weather.")
    server.part(question, "tool_call", call_id="1", name="look_up_weather", arguments='{"place": "Bonn"}')
    server.part(question, "tool_result", call_id="1", output="dry until the evening")
    server.part(question, "usage", prompt_tokens=812, completion_tokens=64)
    server.end(question, STEPS_ANSWER)
    return asked


def vote(tab: Tab) -> None:
    """As a person who is not content; what one said in the picture before is forgotten."""
    (*_, answer) = tab.server.api.get(f"/conversations/{tab.conversation}/messages").json()["messages"]
    tab.server.api.delete(f"/messages/{answer['id']}/feedback").raise_for_status()
    button = tab.bars.last.get_by_role("button", name="Bad answer")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    tab.bars.last.get_by_role("button", name="Not correct").click()


def edit(tab: Tab) -> None:
    """As a person who puts it in other words."""
    tab.asked_bars.last.get_by_role("button", name="Edit the question").click()
    tab.history.get_by_role("textbox", name="The question").scroll_into_view_if_needed()


def compose(tab: Tab) -> None:
    """As a person who is about to send files."""
    tab.attach(
        FilePayload(name="notes.txt", mimeType="text/plain", buffer=b"Remember the milk."),
        FilePayload(name="a square.png", mimeType="image/png", buffer=png()),
    )
    tab.box.fill("What do you make of these two?\nI have no idea.")


def statistics(tab: Tab) -> None:
    """As a person who wants to know how it goes."""
    tab.open("?statistics")
    expect(tab.page.get_by_role("dialog").get_by_role("img").first).to_be_visible()


def open_list(tab: Tab) -> None:
    """As a person on a narrow screen does."""
    tab.page.get_by_role("button", name="Show or hide the list").click()
    expect(tab.sidebar.get_by_role("button", name="New chat", exact=True)).to_be_in_viewport(ratio=1)


def take(
    browser: Browser,
    server: Server,
    view: View,
    address: str,
    target: Path,
    *,
    before: Callable[[Tab], None] = lambda tab: None,
) -> None:
    """One picture."""
    width, height = SIZES[view.size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=view.scheme,
        reduced_motion="reduce",  # else a picture shows the middle of a fade
        locale="en-US",
    )
    tab = Tab(context, server).open(address)
    expect(tab.page.locator(".message-row" if address else ".cc-empty").first).to_be_visible()
    before(tab)
    tab.page.evaluate(SETTLED)
    target.parent.mkdir(parents=True, exist_ok=True)
    tab.page.screenshot(path=target)
    print(target, f"{target.stat().st_size // 1024} kB")
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
