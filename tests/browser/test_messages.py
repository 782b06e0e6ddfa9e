"""What a message can hold, and how each kind of it is drawn."""

import json
from collections.abc import Callable

from playwright.sync_api import BrowserContext, FilePayload, Route, expect

from tests.browser.driving import Server, Tab
from tests.browser.media import png, video, wav

MARKDOWN = r"""| a | b |
|---|---:|
| 1 | 2 |

```python
print("a line of code that is much longer than a narrow screen is wide, and goes on")
```

$$x^2$$ and \(y\)

```mermaid
graph TD; One-->Two;
```
"""

PLACES = """answer => [".copy_code_button", "pre code"].map((selector) => {
  const { top, bottom } = answer.querySelector(selector).getBoundingClientRect();
  return [top, bottom];
})"""

DOLLARS = """Let $a_1 * b_1$ be the $n$th of $\\frac{c_2}{\\$}$, \u51fd\u6570$f(x)$.

From $5 to $10, $5-$10; $1.$2, $HOME/$USER, $x; A=$a=$b.

`$a$` and <code>$k$</code>, [a link](http://h/$a$)

- An item
goes on

    of $i$ (no code), a <b and $j$ >.

Indented:

    $e$

- ```
  $b$

  $c$
  ```

```
$d$
```

and $z$
"""
TIME_OF_DOLLARS = """async () => {
  const { markdownOf } = await import([...document.querySelectorAll("link[rel=modulepreload]")]
    .find(({ href }) => href.endsWith("/markdown.js")).href);
  const texts = [
    ...["` `` ``` ", "$a ", "```\\n", "$$ ", "$a\\n", "` ", "\\\\(", "](", "<pre>", "a\\n\\n    $"]
      .map((piece) => piece.repeat(20_000)),
    Array.from({ length: 500 }, (_, count) => "`".repeat(count)).join(" "),
    "$" + "a".repeat(200_000),
  ];
  return texts.map((text) => {
    const began = performance.now();
    markdownOf(text.replace(/^/, "$"));
    return performance.now() - began;
  });
}"""

ARABIC = "\u0627\u0644\u062c\u0627\u0630\u0628\u064a\u0629"  # gravity


def said(tab: Tab, server: Server, text: str, role: str = "assistant") -> None:
    """A new conversation with this one message."""
    made = server.api.post("/conversations", json={}).json()["id"]
    body = {"text": text, "role": role}
    server.api.post(f"/conversations/{made}/posts", json=body).raise_for_status()
    tab.open(f"?conversation={made}")


def test_tables_code_formulas_and_diagrams_are_drawn(tab: Tab, server: Server) -> None:
    said(tab, server, MARKDOWN)
    expect(tab.answers.locator("td")).to_have_text(["1", "2"])
    expect(tab.answers.locator("code.language-python .token").first).to_be_visible()
    expect(tab.answers.locator(".katex")).to_have_count(2)
    expect(
        tab.answers.locator(".mermaid svg").get_by_text("One", exact=True)
    ).to_be_visible()  # and nothing was fetched


def test_formulas_stand_between_single_dollars_too(tab: Tab, server: Server) -> None:
    said(tab, server, DOLLARS)
    expect(tab.answers.locator("annotation")).to_have_text(
        ["a_1 * b_1", "n", "\\frac{c_2}{\\$}", "f(x)", "i", "j", "z"]
    )
    expect(tab.answers.locator("p").nth(1)).to_have_text(
        "From $5 to $10, $5-$10; $1.$2, $HOME/$USER, $x; A=$a=$b."
    )
    expect(tab.answers.locator("code")).to_have_text(["$a$", "$k$", "$e$\n", "$b$\n\n$c$", "$d$\n"])
    expect(tab.answers.get_by_role("link", name="a link")).to_have_attribute("href", "http://h/$a$")


def test_dollars_take_no_time(tab: Tab) -> None:
    """Where the script looks for formulas: from no place it looks through all of the text."""
    took = tab.page.evaluate(TIME_OF_DOLLARS)
    assert max(took) < 1000, took


def test_copy_buttons_copy(tab: Tab, server: Server) -> None:
    said(tab, server, MARKDOWN)
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.front()
    tab.click("Copy")
    expect(tab.bars.get_by_role("button", name="Copied")).to_be_visible()
    assert tab.page.evaluate("navigator.clipboard.readText()") == MARKDOWN
    tab.answers.locator(".copy_code_button").click()
    copied = tab.page.wait_for_function(
        "() => navigator.clipboard.readText().then((t) => t.startsWith('print'))"
    )
    assert copied.json_value() is True


def test_copying_works_where_a_page_has_no_clipboard(
    new_tab: Callable[[Server], Tab], server: Server
) -> None:
    tab = new_tab(server)
    tab.before_each("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    tab.before_each("addEventListener('copy', () => (window.copied = String(getSelection()) || 'area'))")
    said(tab, server, MARKDOWN)
    tab.click("Copy")
    expect(tab.bars.get_by_role("button", name="Copied")).to_be_visible()
    tab.page.evaluate("delete window.copied")
    tab.answers.locator(".copy_code_button").click()
    tab.page.wait_for_function("window.copied")


def test_copy_button_lies_on_no_code_on_a_narrow_screen(tab: Tab, server: Server) -> None:
    tab.page.set_viewport_size({"width": 390, "height": 844})
    said(tab, server, MARKDOWN)
    expect(tab.answers.locator(".copy_code_button")).to_be_visible()
    expect(tab.answers.locator(".mermaid svg").get_by_text("One", exact=True)).to_be_visible()
    tab.settle()
    (_, button_bottom), (code_top, _) = tab.answers.evaluate(PLACES)
    assert button_bottom <= code_top
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 390


def test_code_has_its_language_above_it_and_done_is_ticked(tab: Tab, server: Server) -> None:
    said(tab, server, "```python\nx = 1\n```\n\n- [x] done\n- [ ] to do\n")
    shown = "block => getComputedStyle(block, '::before').content"
    expect(tab.answers.locator(".code_wrap")).to_have_attribute("data-language", "python")
    assert tab.answers.locator(".code_wrap").evaluate(shown) == '"python"'
    done = tab.answers.get_by_role("checkbox").first
    expect(done).to_be_checked()
    expect(done).to_have_css("appearance", "auto")  # Gradio's own tick is white on white


def test_wide_things_are_scrolled_and_what_scrolls_is_dark_in_the_dark(
    own_context: BrowserContext, server: Server
) -> None:
    tab = Tab(own_context.new_page(), server).open()
    tab.page.set_viewport_size({"width": 390, "height": 844})
    tab.page.emulate_media(color_scheme="dark")
    wide = "x^2 + " * 30
    said(tab, server, f"$${wide} 1$$\n\n`{'name_' * 30}`\n\n| {'wide | ' * 9}\n|{'---|' * 9}\n")
    for scrolled in (".katex-display", "table"):
        what = tab.answers.locator(scrolled)
        expect(what).to_have_css("overflow-x", "auto")
        expect(what).to_have_css("color-scheme", "dark")
        assert what.evaluate("what => what.scrollWidth > what.clientWidth")
    code = tab.answers.locator("p > code").bounding_box()
    assert code is not None
    assert code["x"] + code["width"] <= 390
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 390


def test_each_paragraph_goes_the_way_of_its_letters(tab: Tab, server: Server) -> None:
    said(tab, server, f"Gravity.\n\n{ARABIC}.\n\n- {ARABIC}\n")
    left = """paragraph => {
      const range = document.createRange();
      range.selectNodeContents(paragraph);
      return range.getBoundingClientRect().left - paragraph.getBoundingClientRect().left;
    }"""
    latin, arabic = (tab.answers.locator("p").nth(place).evaluate(left) for place in (0, 1))
    assert latin < 1
    assert arabic > 300  # it begins at the right
    expect(tab.answers.locator("ul")).to_have_css("direction", "rtl")


def test_sound_and_video_are_played_in_place(tab: Tab, server: Server) -> None:
    film = video(tab.page)
    tab.attach(
        FilePayload(name="tone.wav", mimeType="audio/wav", buffer=wav()),
        FilePayload(name="film.webm", mimeType="video/webm", buffer=film),
    )
    tab.ask("Play these.")
    server.end("Play these.", "Played.")
    player = tab.history.locator("video")
    expect(player).to_be_visible()
    expect(player).not_to_have_js_property("readyState", 0)
    expect(player).to_have_js_property("error", None)
    expect(tab.history.get_by_role("button", name="Play").first).to_be_visible()
    expect(tab.history.locator(".cc-card")).to_have_count(0)


def test_images_are_named_and_files_are_cards(tab: Tab, server: Server) -> None:
    tab.attach(
        FilePayload(name="a square.png", mimeType="image/png", buffer=png()),
        FilePayload(name="table.csv", mimeType="text/csv", buffer=b"a,b\n" * 400),
    )
    tab.ask("Look at these.")
    server.end("Look at these.", "Seen.")
    expect(tab.history.get_by_role("img", name="a square.png")).to_be_visible()
    expect(tab.history.locator(".cc-card")).to_have_text("table.csvCSV · 1.6 kB")
    expect(tab.history.locator(".user-row").last).to_contain_text("Look at these.")  # the words come last


def as_imported(*messages: dict[str, object]) -> Callable[[Route], None]:
    """Answers a page of the server's with its messages changed like this, one after the other."""

    def change(route: Route) -> None:
        response = route.fetch()
        page = json.loads(response.text())
        for message, fields in zip(page["messages"], messages, strict=True):
            message.update(fields)
        route.fulfill(response=response, json=page)

    return change


def test_messages_of_an_import(tab: Tab, server: Server) -> None:
    made = server.api.post("/conversations", json={}).json()["id"]
    for number in range(5):
        server.api.post(
            f"/conversations/{made}/posts", json={"text": f"Message {number}."}
        ).raise_for_status()
    missing = {"type": "missing_file", "name": "<b>plan</b>.pdf", "size_bytes": 2_345_678}
    call = {"type": "tool_call", "call_id": "7", "name": "look_up", "arguments": '{"place": "Bonn"}'}
    result = {"type": "tool_result", "call_id": "7", "output": "sunny", "is_error": False}
    change = as_imported(
        {"role": "system"},
        {"parts": [missing, {"type": "text", "text": "See the plan."}]},
        {"role": "assistant", "parts": [call]},
        {"role": "tool", "parts": [result]},
        {"role": "assistant", "hidden": True},
    )
    tab.page.route("**/messages", change)
    tab.open(f"?conversation={made}")
    card = tab.history.locator(".cc-card")
    expect(card).to_have_text("<b>plan</b>.pdfPDF · 2.3 MB · not included")
    expect(card.get_by_role("link")).to_have_count(0)
    steps = tab.history.locator(".thought-group")
    expect(steps).to_have_text(["System", "look_up"])
    expect(tab.history).not_to_contain_text("Message 4.")
    expect(tab.history).not_to_contain_text("Message 0.")  # folded
    steps.first.get_by_role("button", name="System").press("Enter")
    expect(steps.first).to_contain_text("Message 0.")
    steps.last.get_by_role("button", name="look_up").click()
    expect(steps.last).to_contain_text("sunny")
    expect(steps.last.get_by_role("button", name="look_up")).to_have_attribute("aria-expanded", "true")


def test_model_time_and_tokens_are_shown_on_hover(tab: Tab, server: Server) -> None:
    tab.ask("How many tokens?")
    server.part("How many tokens?", "usage", prompt_tokens=1200, completion_tokens=45)
    server.end("How many tokens?", "A few.")
    facts = tab.bars.locator(".cc-facts")
    expect(facts).to_contain_text("scripted-1")
    expect(facts).to_contain_text("45 tokens, 1,200 read")
    tab.page.mouse.move(0, 0)
    expect(facts).to_have_css("opacity", "0")
    tab.answers.last.hover()
    expect(facts).to_have_css("opacity", "1")


def test_line_is_drawn_where_the_memory_begins(tab: Tab, server: Server) -> None:
    made = server.api.post("/conversations", json={"settings": {"responder": "forgetful"}}).json()["id"]
    tab.open(f"?conversation={made}")
    line = tab.history.get_by_role("separator")
    tab.asked("The first question.", "word " * 40)
    expect(line).to_have_count(0)
    tab.asked("The second question.", "word " * 40)
    tab.asked("The third question.", "Done.")
    expect(line).to_have_text("The model’s memory begins here")
    page = server.api.get(f"/conversations/{made}/messages").json()
    begins = page["messages"][-1]["memory_from"]
    row = tab.history.locator(".message-row", has=tab.page.get_by_role("separator"))
    expect(row).to_have_attribute("data-message", begins)
    assert begins != page["messages"][0]["id"]


def test_failed_stopped_and_interrupted_answers_offer_a_way_on(tab: Tab, server: Server) -> None:
    tab.ask("Fail at once.")
    server.fail("Fail at once.", "There is no model.")
    expect(tab.bars).to_contain_text("There is no model.")
    expect(tab.bars.get_by_role("button", name="Continue")).to_have_count(0)  # there is nothing to continue
    tab.bars.get_by_role("button", name="Retry").click()
    server.say("Fail at once.", "Now ")
    expect(tab.live).to_contain_text("Now")
    tab.page.locator("#cc-box .stop-button").click()
    expect(tab.bars).to_contain_text("Stopped.")
    tab.bars.get_by_role("button", name="Continue").click()
    server.end("Fail at once.", "it works.")
    expect(tab.answers).to_have_text("Now it works.")
    expect(tab.bars).to_contain_text("3/3")
