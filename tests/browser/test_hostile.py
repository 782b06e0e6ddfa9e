"""Hostile words and names: nothing runs, nothing covers the page, nothing leaves the machine."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import anyio
import pytest
from playwright.sync_api import expect

from chatcore import Incoming, IncomingFile, IncomingMessage, open_engine
from chatcore.messages import Feedback, Reasoning, Text, ToolCall, ToolResult
from tests.browser.driving import Server, Tab
from tests.browser.hostile import BIDI, OUTSIDE, VECTORS, ZALGO
from tests.browser.media import png
from tests.frontends.serving import free_port

ALL = "\n\n".join(VECTORS)
MARKUP = '<img src=x onerror="window.hacked=50"><script>window.hacked=51</script>'
COVER = '<b style="position:fixed;inset:0;z-index:99999;background:red">'
NAME = f"{MARKUP}{BIDI}"
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" onload="parent.hacked = 59">'
    b"<script>parent.hacked = 60</script></svg>"
)

COVERED = """() => {
  const places = { sidebar: "#cc-side .cc-new", search: "#cc-side input", header: "#cc-header .cc-title",
                   composer: "#cc-box textarea:not(.prose *)" };
  return Object.entries(places).filter(([name, selector]) => {
    const held = document.querySelector(selector);
    const { left, top, width, height } = held.getBoundingClientRect();
    if (!width) return name !== "header"; // without a title
    const seen = document.elementFromPoint(left + width / 2, top + height / 2);
    return !(held === seen || held.contains(seen));
  }).map(([name]) => name);
}"""
"""Places of the page at which something else is seen."""

PRESS = """() => {
  const seen = [];
  addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
  for (const trap of document.querySelectorAll(".trap")) trap.click();
  const press = () => new MouseEvent("click", { bubbles: true, cancelable: true });
  for (const link of document.querySelectorAll("#cc-inner .prose :is(a, math, svg *)")) {
    if (!/^http/.test(link.href ?? "")) link.dispatchEvent(press());
  }
  return seen;
}"""


def hostile() -> Incoming:
    """A conversation each of whose words an attacker has chosen."""
    call = ToolCall(call_id="c1", name=f"{MARKUP}{COVER}", arguments=ALL)
    files = (
        IncomingFile(name=NAME, content=b"x"),
        IncomingFile(name=f"{MARKUP}.svg", content=SVG),
        IncomingFile(name="page.html", content=b"<!doctype html><script>parent.hacked = 61</script>"),
        IncomingFile(name=f'{MARKUP}".png', content=png()),
        IncomingFile(
            name=f"{COVER}{BIDI}", media_type=f"x/{MARKUP}", size_bytes=1, pointer=f"{OUTSIDE}/file"
        ),
    )
    words = [
        *(IncomingMessage(role="assistant", parts=(Text(vector),)) for vector in VECTORS),
        IncomingMessage(role="assistant", parts=tuple(Reasoning(vector) for vector in VECTORS)),
        IncomingMessage(role="system", parts=(Text(ALL),)),
        IncomingMessage(role="user", parts=(Text(f"armadillo {MARKUP} {COVER} {ZALGO}\n\n{ALL}"), *files)),
        IncomingMessage(
            role="assistant",
            parts=(Reasoning(ALL), call, ToolResult(call_id="c1", output=ALL, is_error=True), Text(ALL)),
            model=f"{MARKUP}{COVER}",
            status="failed",
            reason=f"{MARKUP}{COVER}{ALL}",
            feedback=Feedback(rating="dislike", comment=f"{MARKUP}{COVER}{ZALGO}", reasons=(MARKUP, COVER)),
        ),
        IncomingMessage(role="tool", parts=(ToolResult(call_id="nobody", output=ALL), Text(ALL))),
        IncomingMessage(role="user", parts=(Text("Thanks."),)),
        IncomingMessage(role="assistant", parts=(Text("The end of it."),)),
    ]
    return Incoming(
        source="hostile", id="1", title=f"{BIDI}{MARKUP}{COVER}{ZALGO}", messages=words, linear=True
    )


async def seed(url: str) -> None:
    async with open_engine(url) as engine:
        report = await engine.ingest([hostile()])
        assert report.imported == 1, report


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server, and the conversation."""
    url = f"sqlite:{tmp_path_factory.mktemp('attacked') / 'data'}"
    with ThreadPoolExecutor(1) as pool:  # a loop of its own: Playwright has one on this thread
        pool.submit(anyio.run, seed, url).result()
    with Server(url, free_port()) as server:
        yield server, server.api.get("/conversations").json()["conversations"][0]["id"]


def assert_unharmed(tab: Tab) -> None:
    assert tab.page.evaluate("window.hacked") is None
    assert tab.page.evaluate(COVERED) == []
    assert tab.page.url.startswith(tab.server.url)
    assert all(address.startswith(OUTSIDE) for address in tab.refused)


def opened(attacked: tuple[Server, str], new_tab: Callable[[Server], Tab]) -> Tab:
    server, id_ = attacked
    tab = new_tab(server).open(f"?conversation={id_}")
    expect(tab.answers.last).to_have_text("The end of it.")
    expect(tab.bars).to_have_count(
        len(VECTORS) + 3
    )  # an element in an answer may look like a row, or like a bar
    return tab


def test_nothing_of_an_imported_conversation_does_anything(
    attacked: tuple[Server, str], new_tab: Callable[[Server], Tab]
) -> None:
    tab = opened(attacked, new_tab)
    assert_unharmed(tab)
    steps = tab.history.locator(".thought-group > .title").all()
    assert len(steps) > len(VECTORS)
    for step in steps:
        step.dispatch_event("click")
    assert_unharmed(tab)
    for directive in tab.page.evaluate(PRESS):
        assert directive in {"form-action", "img-src"}, directive
    assert_unharmed(tab)


def test_streamed_hostile_words_do_nothing(
    new_tab: Callable[[Server], Tab], attacked: tuple[Server, str]
) -> None:
    server, _ = attacked
    tab = new_tab(server).open()
    tab.ask("Attack!")
    server.part("Attack!", "tool_call", call_id="1", name=MARKUP, arguments=ALL)
    server.part("Attack!", "tool_result", call_id="1", output=ALL)
    for vector in VECTORS:  # each a part of its own: what one leaves open does not hide the next
        server.part("Attack!", "reasoning", text=vector)
        server.say("Attack!", vector)
    expect(tab.live.locator(".message-row")).to_have_count(1 + 2 * len(VECTORS))
    assert_unharmed(tab)
    server.fail("Attack!", f"{MARKUP}{COVER}{BIDI}{ZALGO}")
    expect(tab.bars).to_have_count(1)
    expect(tab.bars).to_contain_text(MARKUP)
    assert_unharmed(tab)
    tab.click("Retry")
    server.end("Attack!", "Peace.")
    expect(tab.answers).to_have_text(["Peace."])
    assert_unharmed(tab)


def test_hostile_titles_and_snippets_are_words(
    attacked: tuple[Server, str], new_tab: Callable[[Server], Tab]
) -> None:
    _, id_ = attacked
    tab = opened(attacked, new_tab)
    title = f"{MARKUP}{COVER}"
    for place in (tab.entry(id_).get_by_role("link"), tab.page.locator("#cc-header .cc-title")):
        expect(place).to_contain_text(title)
        expect(place.locator("*")).to_have_count(0)
        assert "\u202e" not in place.inner_text()
    assert "\u202e" not in tab.page.title()
    tab.sidebar.get_by_role("searchbox").fill("armadillo")
    result = tab.sidebar.locator(".cc-results a")
    expect(result).to_have_count(1)
    expect(result).to_contain_text(title)
    expect(result).to_contain_text(MARKUP[:20])
    expect(result.locator("img, b, script")).to_have_count(0)
    assert_unharmed(tab)
    tab.sidebar.get_by_role("searchbox").press("Escape")
    tab.choose(tab.entry(id_), "Archive")
    tab.sidebar.get_by_role("button", name="Archive", exact=True).click()
    tab.choose(tab.entry(id_), "Unarchive")
    tab.sidebar.get_by_role("button", name="Archive", exact=True).click()
    tab.choose(tab.entry(id_), "Delete")
    expect(tab.toast).to_contain_text(title)
    expect(tab.toast.locator("img, b, script")).to_have_count(0)
    tab.toast.get_by_role("button", name="Undo").click()
    expect(tab.entry(id_)).to_be_visible()
    assert_unharmed(tab)


def test_hostile_files_are_cards_and_downloads(
    attacked: tuple[Server, str], new_tab: Callable[[Server], Tab]
) -> None:
    tab = opened(attacked, new_tab)
    cards = tab.history.locator(".cc-card")
    expect(cards).to_have_count(4)
    for card in cards.all():
        expect(card.locator("img, b, script")).to_have_count(0)
        assert "\u202e" not in card.inner_text()
    expect(cards.last).to_contain_text("not included")
    expect(cards.last.locator("a")).to_have_count(0)
    for link in cards.locator("a").all():
        answer = tab.page.request.get(f"{tab.server.url}/{(link.get_attribute('href') or '').lstrip('/')}")
        if "text/plain" not in answer.headers["content-type"]:
            assert answer.headers["content-disposition"].startswith("attachment;")
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "\u202e" not in answer.headers["content-disposition"]
        assert "%E2%80%AE" not in answer.headers["content-disposition"].upper()
    with tab.page.expect_download() as svg:
        cards.get_by_text(".svg").press(
            "Enter"
        )  # a click may land beside it: rows get their heights as they come
    assert svg.value.suggested_filename.endswith(".svg")
    assert_unharmed(tab)


def test_the_page_still_works_among_hostile_words(
    attacked: tuple[Server, str], new_tab: Callable[[Server], Tab]
) -> None:
    tab = opened(attacked, new_tab)
    tab.attach({"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"})
    tab.asked("Are you well?", "I am.")
    tab.click("Good answer")
    expect(tab.bars.last.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
    expect(tab.bars.last.get_by_role("textbox")).to_be_visible()
    tab.page.get_by_role("button", name="New chat", exact=True).click()
    expect(tab.bars).to_have_count(0)
    assert_unharmed(tab)


def test_an_address_that_is_made_up_leads_nowhere(tab: Tab) -> None:
    """An id in it is no path: it could name a file that looks like a conversation."""
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    tab.open("?conversation=..%2F..%2F..%2Fgradio_api%2Finfo%3F")
    expect(tab.page.locator(".cc-empty")).to_be_visible()
    assert [path for path in asked if path.endswith("/info")] == []
