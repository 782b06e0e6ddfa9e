"""What the page costs, as a browser counts it: for tests that bound it and the bench that tells it."""

import time
from collections.abc import Callable

from playwright.sync_api import CDPSession, expect

from tests.browser.driving import Server, Tab

__all__ = [
    "LISTED",
    "NOTE_FIRST_ENTRY",
    "PRESSED",
    "SAID",
    "TIME_OF_LIST",
    "TIME_OF_SEARCH",
    "open_seconds",
    "seconds_until",
    "token_seconds",
]

TOKENS = 30

SAID = "(words) => document.getElementById('cc-hist').textContent.includes(words)"
PRESSED = """(pressed) =>
  document.querySelector("#cc-hist [data-action=like]")?.getAttribute("aria-pressed") === pressed"""
LISTED = """([id, title]) =>
  (document.querySelector(`#cc-sidebar [data-id="${id}"] a`)?.textContent ?? null) === title"""

NOTE_FIRST_ENTRY = """new MutationObserver((_, watch) => {
  if (!document.querySelector("#cc-sidebar .cc-entry")) return;
  window.firstEntryAt = performance.now();
  watch.disconnect();
}).observe(document, { childList: true, subtree: true });"""

TIME_OF_LIST = """() => {
  const isList = ({ name }) => name.includes("/api/conversations?");
  return window.firstEntryAt - performance.getEntriesByType("resource").find(isList).startTime;
}"""
"""Milliseconds from asking for the list until it is there to be seen, after `NOTE_FIRST_ENTRY`."""

TIME_OF_SEARCH = """(words) => new Promise((resolve) => {
  const field = document.querySelector("#cc-sidebar input[type=search]");
  const results = document.querySelector("#cc-sidebar .cc-results");
  const began = performance.now();
  const watch = new MutationObserver(() => {
    if (!results.querySelector("mark")) return;
    watch.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - began));
  });
  results.replaceChildren();
  watch.observe(results, { childList: true, subtree: true });
  field.value = words;
  field.dispatchEvent(new Event("input", { bubbles: true }));
})"""
"""Milliseconds from the last key until what was found is drawn."""


def seconds_until(tab: Tab, shown: str, arg: object, act: Callable[[], object]) -> float:
    """From what is done until the tab shows it, which is looked at in every frame."""
    began = time.perf_counter()
    act()
    tab.page.wait_for_function(shown, arg=arg)
    return time.perf_counter() - began


def open_seconds(tab: Tab, conversation: str, messages: int) -> float:
    """From going to a conversation until so many of its messages are drawn, and the last of them in sight."""
    rows = tab.history.locator(".message-row")
    began = time.perf_counter()
    tab.page.goto(f"{tab.server.url}/?conversation={conversation}")
    expect(rows).to_have_count(messages)
    expect(rows.last).to_be_in_viewport()
    return time.perf_counter() - began


def token_seconds(tab: Tab, server: Server, conversation: str | None, question: str) -> float:
    """Main-thread time of one token that is drawn, in seconds; `conversation` None: the one that is shown."""
    if conversation is not None:
        tab.open(f"?conversation={conversation}")
    tab.ask(question)
    server.say(question, "token 0 ")
    shown = tab.live.locator(".bot-row .message")
    expect(shown).to_contain_text("token 0")
    devtools = tab.page.context.new_cdp_session(tab.page)
    devtools.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})  # without other work's time
    devtools.send("Performance.enable")
    before = _task_seconds(devtools)
    for number in range(1, TOKENS + 1):
        server.say(question, f"token {number} ")
        tab.page.wait_for_function(
            "(words) => document.querySelector('#cc-live .bot-row .message')?.textContent.includes(words)",
            arg=f"token {number} ",
        )
    spent = _task_seconds(devtools) - before
    server.end(question)
    expect(tab.live.locator(".message")).to_have_count(0)
    assert tab.history.locator(".message-row").count() <= 102  # what else was loaded was let go
    tab.page.close()
    return spent / TOKENS


def _task_seconds(devtools: CDPSession) -> float:
    """What the main thread has worked so far."""
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))
