"""axe-core finds nothing serious on any state of the page, in light and in dark."""

from collections.abc import Callable, Iterator
from importlib.resources import files
from itertools import count
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from tests.browser.driving import Tab
from tests.browser.media import png, wav

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
RUN = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
}"""

COUNT = count(1)
ANSWER = """A **bold** word, `code` and a [link](https://example.org).

| a | b |
|---|--:|
| 1 | 2 |

```python
def gravity(mass_kg: float) -> float:  # a comment
    return 6.674e-11 * mass_kg * len("text")
```

$$x^2$$
"""


def empty(tab: Tab) -> None:
    """A page as it is opened first."""


def answered(tab: Tab) -> None:
    tab.asked("What is gravity?", ANSWER)


def running(tab: Tab) -> None:
    question = f"Go on, for the {next(COUNT)}th time."  # the one before may still run
    tab.ask(question)
    tab.server.say(question, "And on")
    expect(tab.live).to_contain_text("And on")


def failed(tab: Tab) -> None:
    tab.ask("Fail.")
    tab.server.fail("Fail.", "There is no model.")
    expect(tab.bars).to_contain_text("There is no model.")


def with_steps(tab: Tab) -> None:
    tab.ask("Look it up.")
    tab.server.part("Look it up.", "reasoning", text="Where?")
    tab.server.part("Look it up.", "tool_call", call_id="1", name="look_up", arguments='{"a": 1}')
    tab.server.part("Look it up.", "tool_result", call_id="1", output="found")
    tab.server.end("Look it up.", "Found.")
    expect(tab.bars).to_have_count(1)
    for title in tab.history.locator(".thought-group .title").all():
        title.click()


def with_files(tab: Tab) -> None:
    composing(tab)
    tab.box.press("Enter")
    tab.server.end("What are these?", "Files.")
    expect(tab.bars).to_have_count(1)


def composing(tab: Tab) -> None:
    tab.attach(
        FilePayload(name="notes.txt", mimeType="text/plain", buffer=b"x"),
        FilePayload(name="square.png", mimeType="image/png", buffer=png()),
        FilePayload(name="tone.wav", mimeType="audio/wav", buffer=wav()),
    )
    tab.box.fill("What are these?")


def voting(tab: Tab) -> None:
    answered(tab)
    tab.click("Bad answer")
    tab.bars.get_by_role("button", name="Incomplete").click()


def editing(tab: Tab) -> None:
    answered(tab)
    tab.asked_bars.get_by_role("button", name="Edit the question").click()


STATES = (empty, answered, running, failed, with_steps, with_files, composing, voting, editing)


@pytest.fixture(params=["light", "dark"], scope="module")
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    scheme: Literal["light", "dark"] = request.param
    context = browser.new_context(color_scheme=scheme, reduced_motion="reduce", locale="en-US")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture(scope="module")
def free_pages(context: BrowserContext) -> list[Page]:
    return []


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_serious(tab: Tab, state: Callable[[Tab], None]) -> None:
    state(tab)
    tab.page.evaluate(AXE)
    assert tab.page.evaluate(RUN) == []


def test_everything_that_moves_is_still_for_who_wants_it_so(tab: Tab) -> None:
    running(tab)
    assert tab.page.evaluate("document.getAnimations().length") == 0
