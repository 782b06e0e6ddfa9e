"""Files: sent with a message, stored, shown; and nothing hostile in them or in words runs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.driving import Server, Tab
from tests.browser.media import png


def test_image_and_text_file_are_stored_and_shown(tab: Tab, server: Server, tmp_path: Path) -> None:
    (tmp_path / "red square.png").write_bytes(png())
    (tmp_path / "notes.txt").write_text("Remember the milk.")
    chooser = tab.page.locator("#cc-box input[type=file]")
    chooser.set_input_files([tmp_path / "red square.png", tmp_path / "notes.txt"])
    expect(tab.page.locator("#cc-box .thumbnail-item")).to_have_count(2)
    tab.ask("What do you see?")
    server.end("What do you see?", "A red square and notes.")
    for _ in range(2):
        image = tab.history.locator("img")
        expect(image).to_be_visible()
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 40
        card = tab.history.get_by_role("link", name="notes.txt")
        address = card.get_attribute("href")
        assert address is not None
        content = tab.page.request.get(f"{server.url}/{address.lstrip('/')}")
        assert content.text() == "Remember the milk."
        tab.page.reload()
        tab.ready()


HOSTILE = """<script>window.hacked = 1</script>
<img src=x onerror="window.hacked = 2"><svg onload="window.hacked = 3"></svg>
<iframe srcdoc="<script>parent.hacked = 4</script>"></iframe>
<a href="javascript:window.hacked = 5">link</a>
<div style="position:fixed;inset:0;z-index:9999;background:red">covered</div>
<form action="/api/conversations" method="post"><button class="trap">press</button></form>
![spy](http://198.51.100.7/spy.png) <img src="http://198.51.100.7/spy.png">
<style>#cc-foot { display: none !important }</style>"""


PRESS_THE_TRAP = """() => new Promise((resolve) => {
  addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
  document.querySelector(".trap").click();
})"""


@pytest.mark.parametrize("who", ["person", "model"])
def test_hostile_words_do_nothing(tab: Tab, server: Server, who: str) -> None:
    before = len(server.api.get("/conversations?limit=500").json()["conversations"])
    question = HOSTILE if who == "person" else f"Attack ({who})."
    tab.box.fill(question)
    tab.box.press("Enter")
    server.end(question, HOSTILE if who == "model" else "Fine.")
    expect(tab.bars).to_have_count(1)
    for link in tab.history.get_by_text("link", exact=True).all():
        link.dispatch_event("click")
    tab.box.click(trial=True)  # nothing lies over it
    assert tab.page.evaluate(PRESS_THE_TRAP) == "form-action"
    assert tab.page.evaluate("window.hacked") is None
    assert len(server.api.get("/conversations?limit=500").json()["conversations"]) == before + 1
    assert set(tab.refused) == {"http://198.51.100.7/spy.png"}


@pytest.mark.parametrize("name", ["a.svg", "a.html"])
def test_files_that_can_hold_scripts_run_none(
    tab: Tab, server: Server, tmp_path: Path, name: str, new_tab: Callable[[Server], Tab]
) -> None:
    script = "<script>window.hacked = 1; fetch('/api/conversations', {method: 'POST', body: '{}'})</script>"
    content = f'<svg xmlns="http://www.w3.org/2000/svg">{script}</svg>' if name == "a.svg" else script
    (tmp_path / name).write_text(content)
    tab.page.locator("#cc-box input[type=file]").set_input_files(tmp_path / name)
    expect(tab.page.locator("#cc-box .thumbnail-item")).to_have_count(1)
    tab.ask(f"See {name}.")
    server.end(f"See {name}.", "Seen.")
    expect(tab.bars).to_have_count(1)
    assert tab.page.evaluate("window.hacked") is None
    message = server.api.get(f"/conversations/{tab.conversation}/messages").json()["messages"][0]
    index = next(number for number, part in enumerate(message["parts"]) if part["type"] == "file")
    answer = tab.page.request.get(f"{server.url}/api/messages/{message['id']}/files/{index}")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_hostile_file_name_is_text(tab: Tab, server: Server, tmp_path: Path) -> None:
    name = "<img src=x onerror=window.hacked=1>.txt"
    (tmp_path / name).write_text("harmless")
    tab.page.locator("#cc-box input[type=file]").set_input_files(tmp_path / name)
    expect(tab.page.locator("#cc-box .thumbnail-item")).to_have_count(1)
    tab.ask("Names?")
    server.end("Names?", "Names.")
    expect(tab.history.get_by_role("link")).to_have_text(name)
    assert tab.page.evaluate("window.hacked") is None
