"""What the page costs in Chromium: opening, tokens, tabs, the list and its search.

The page as it is served, with a scripted responder, in a headless browser with a warm cache. Goals: 5,000
messages open in 1.5 s; a token costs the main thread at most 1.5 times as much as with 100 messages; what one
does is seen by another within 300 ms; among 30,000 conversations list and search are there within 300 ms.

usage: scripts/bench page [ROUNDS]      without: 10
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from statistics import median

import anyio
from playwright.sync_api import BrowserContext, expect, sync_playwright

from tests.browser.bringing import bring
from tests.browser.driving import CHROMIUM_ARGUMENTS, Server, Tab, chromium
from tests.browser.measuring import (
    LISTED,
    NOTE_FIRST_ENTRY,
    PRESSED,
    SAID,
    TIME_OF_LIST,
    TIME_OF_SEARCH,
    open_seconds,
    seconds_until,
    token_seconds,
)
from tests.frontends.serving import free_port
from tests.seeding import seed

LENGTHS = (5000, 100)
TABS = 10
SOUGHT = ("kettle", "Talk 12345", "num", '"kettle counts" -hours')


def tell(what: str, milliseconds: Iterable[float]) -> None:
    """One line of figures."""
    times = sorted(milliseconds)
    print(f"{what:44} median {median(times):7.1f} ms, longest {times[-1]:7.1f} ms", flush=True)


def measure_length(context: BrowserContext, server: Server, conversations: list[str], rounds: int) -> None:
    """Opening, and a token's cost, in a long and in a short conversation in turn."""
    opened: dict[int, list[float]] = {length: [] for length in LENGTHS}
    cost: dict[int, list[float]] = {length: [] for length in LENGTHS}
    for number in range(rounds):
        for length, conversation in zip(LENGTHS, conversations, strict=True):
            tab = Tab(context.new_page(), server)
            opened[length].append(open_seconds(tab, conversation, 100) * 1e3)
            question = f"Round {number} in {length}"
            cost[length].append(token_seconds(tab, server, conversation, question) * 1e3)
    for length in LENGTHS:
        tell(f"opening {length:,} messages", opened[length])
        tell(f"main thread for a token, {length:,} messages", cost[length])
    long, short = (median(cost[length]) for length in LENGTHS)
    print(f"ratio of a token's cost {long / short:.2f}")


def measure_tabs(context: BrowserContext, other: BrowserContext, server: Server, rounds: int) -> None:
    """What is done elsewhere until it is seen, in another window, and in many tabs."""
    tab, there = (Tab(one.new_page(), server).open() for one in (context, other))
    tab.asked("Watch.", "I do.")
    id_ = tab.conversation
    there.open(f"?conversation={id_}")
    answer = server.api.get(f"/conversations/{id_}/messages").json()["messages"][-1]["id"]
    address = f"/conversations/{id_}"
    seen: dict[str, list[float]] = {"message": [], "vote": [], "new name": [], "deletion": []}
    for number in range(rounds):
        words, title = f"Number {number} of a script.", f"Name {number}"
        pressed, rating = ("false", None) if number % 2 else ("true", "like")
        for name, shown, arg, method, path, given in (
            ("message", SAID, words, "POST", f"{address}/posts", {"text": words}),
            ("vote", PRESSED, pressed, "PUT", f"/messages/{answer}/feedback", {"rating": rating}),
            ("new name", LISTED, [id_, title], "PATCH", address, {"title": title}),
            ("deletion", LISTED, [id_, None], "DELETE", address, None),
        ):
            act = partial(server.api.request, method, path, json=given)
            seen[name].append(seconds_until(there, shown, arg, act) * 1e3)
        server.api.post(f"{address}/undelete").raise_for_status()
        there.open(f"?conversation={id_}")
    for name, times in seen.items():
        tell(f"a script's {name} seen", times)
    follow(context, server, tab, id_)


def follow(context: BrowserContext, server: Server, tab: Tab, conversation: str) -> None:
    """Many tabs of one person on one answer."""
    tab.front().open(f"?conversation={conversation}")  # which was gone for a while
    tab.ask("All of you?")
    began = time.perf_counter()
    tabs = [Tab(context.new_page(), server).open(f"?conversation={conversation}") for _ in range(TABS - 1)]
    opened = time.perf_counter() - began
    began = time.perf_counter()
    server.end("All of you?", "All of us.")
    for one in (tab, *tabs):
        expect(one.answers.last).to_have_text("All of us.")
    shown_ms = (time.perf_counter() - began) * 1e3
    print(f"{TABS - 1} more tabs open in {opened:.2f} s; all {TABS} show an answer after {shown_ms:.0f} ms")


def measure_list(context: BrowserContext, server: Server, rounds: int) -> None:
    """The list and its search."""
    tab = Tab(context.new_page(), server)
    tab.before_each(NOTE_FIRST_ENTRY)
    tell("list of 30,000", [tab.open().page.evaluate(TIME_OF_LIST) for _ in range(rounds)])
    for words in SOUGHT:
        tell(f"search for {words}", [tab.page.evaluate(TIME_OF_SEARCH, words) for _ in range(rounds)])


def main(rounds: int) -> None:
    """Fill two stores, serve them and look at them."""
    with tempfile.TemporaryDirectory() as temporary:
        long, full = Path(temporary, "long"), f"sqlite:{temporary}/full"
        conversations = seed(long, LENGTHS)
        anyio.run(bring, full)
        with (
            Server(f"sqlite:{long}", free_port()) as long_server,
            Server(full, free_port()) as full_server,
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_ARGUMENTS))
            context, other = (browser.new_context(viewport={"width": 1280, "height": 800}) for _ in range(2))
            measure_length(context, long_server, conversations, rounds)
            measure_tabs(context, other, long_server, rounds)
            measure_list(context, full_server, rounds)
            browser.close()
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
