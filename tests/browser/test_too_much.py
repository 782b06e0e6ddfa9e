"""Words that a browser could not draw in reasonable time, or at all, are shown as they were written."""

import pytest
from playwright.sync_api import expect

from tests.browser.driving import Server, Tab


def nested(before: str, after: str, count: int) -> str:
    return f"$${before * count}x{after * count}$$ the end."


TOO_MUCH = {
    "fractions": nested("\\frac{1}{", "}", 160),  # each of these was the end of the tab
    "powers": nested("x^{", "}", 150),
    "lines over it": nested("\\overline{", "}", 300),
    "stars": "*a " * 20_000 + "the end.",
    "stars of all kinds": "**a* _b" * 8_000 + " the end.",
    "backslashes": "\\" * 50_000 + " the end.",
    "quotes": ">" * 5_000 + " the end.",
    "lists": "1. " * 5_000 + "the end.",
    "lines": "one two\n" * 20_000 + "the end.",
    "lines of an old Mac": "one two\r" * 20_000 + "the end.",
    "stars behind code": "```\nx\n```\n" + "*a " * 20_000 + "the end.",
    "stars where no code begins": "``` `\n" + "*a " * 20_000 + "the end.",
}

ORDINARY = "\n\n".join(
    (
        "\n".join(f"* an **item** of _many_, {number}" for number in range(1_000)),
        "| a | b |\n|---|---|\n" + "\n".join(f"| one_{n}_x | **two** |" for n in range(700)),
        "```python\n" + "a = [b * c for _ in _d_]  # *x*\n" * 3_000 + "```",
        "~~~\n```\n" + "*a " * 3_000 + "\n~~~",
        "\n" * 300,
        nested("\\frac{1}{", "}", 20),
    )
)


@pytest.mark.parametrize("text", TOO_MUCH.values(), ids=TOO_MUCH)
def test_too_much_is_shown_as_it_was_written(tab: Tab, server: Server, text: str) -> None:
    made = server.api.post("/conversations", json={}).json()["id"]
    server.api.post(f"/conversations/{made}/posts", json={"text": text}).raise_for_status()
    tab.open(f"?conversation={made}")
    expect(tab.questions).to_contain_text("the end.")
    assert tab.page.evaluate("new Promise((done) => requestAnimationFrame(() => done(1)))") == 1
    expect(tab.questions.locator(".katex")).to_have_count(0)


def test_what_is_only_long_is_markdown(tab: Tab, server: Server) -> None:
    made = server.api.post("/conversations", json={}).json()["id"]
    server.api.post(f"/conversations/{made}/posts", json={"text": ORDINARY}).raise_for_status()
    tab.open(f"?conversation={made}")
    expect(tab.questions).to_contain_text("the end.")
    expect(tab.questions.locator("li strong")).to_have_count(1_000)
    expect(tab.questions.locator("td strong")).to_have_count(700)
    expect(tab.questions.locator("pre")).to_have_count(2)
    expect(tab.questions.locator(".katex").first).to_be_visible()
