"""The chat's pieces in somebody's own page and app, in a browser."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import APIResponse, FilePayload, Route, expect

from chatcore import Message, open_engine, text_of
from tests.browser.driving import Server, Tab
from tests.browser.media import png
from tests.frontends.serving import free_port

NewTab = Callable[[Server], Tab]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("theirs") / "data"


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Iterator[Server]:
    port = free_port()
    command = ("-m", "tests.browser.own_page", f"sqlite:{folder}", str(port))
    with Server("", port, command) as server:
        yield server


def test_pieces_stand_where_they_were_put(new_tab: NewTab, theirs: Server) -> None:
    tab = new_tab(theirs).open("chat/")
    expect(tab.page).to_have_title("Their page")
    expect(tab.page.get_by_role("heading", name="Their page")).to_be_visible()
    tab.ask("Count to 3")
    expect(tab.answers).to_have_text(re.compile(r"^1 2 3\s*$"))
    places = {
        name: tab.page.locator(selector).bounding_box()
        for name, selector in {
            "composer": "#cc-box",
            "history": "#cc-scroll",
            "sidebar": "#cc-sidebar",
        }.items()
    }
    (composer, history, sidebar) = (place for place in places.values() if place is not None)
    assert composer["y"] + composer["height"] <= history["y"]
    assert history["x"] + history["width"] <= sidebar["x"]
    assert history["height"] <= 420
    assert sidebar["height"] <= 260
    expect(tab.page).to_have_title("Their page")
    expect(tab.entry(tab.conversation)).to_be_visible()


def test_their_components_hear_what_happens(new_tab: NewTab, theirs: Server) -> None:
    tab = new_tab(theirs).open("chat/")
    sent, answered, rated, opened = (
        tab.page.get_by_label(f"Was {name}") for name in ("sent", "answered", "rated", "opened")
    )
    tab.ask("Count to 2")
    expect(answered).to_have_value("1 2 ;")
    expect(sent).to_have_value("Count to 2;")
    expect(opened).to_have_value(".;")
    for vote in ("like1 2 ;", "like1 2 ;None1 2 ;"):
        tab.click("Good answer")
        expect(rated).to_have_value(vote)
    tab.page.reload()
    expect(tab.ready().answers).to_have_count(1)
    expect(opened).to_have_value(".;")
    expect(answered).to_have_value("")  # what ended before is not told again


def test_an_answer_that_ends_before_gradio_has_told_of_its_question_is_told_once(
    new_tab: NewTab, theirs: Server
) -> None:
    tab = new_tab(theirs).open("chat/")
    sent, answered = (tab.page.get_by_label(f"Was {name}") for name in ("sent", "answered"))
    tab.ask("Count to 1")
    expect(sent).to_have_value("Count to 1;")
    expect(answered).to_have_value("1 ;")
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if "Count to 2" in (route.request.post_data or "") and not held:
            held.append((route, route.fetch()))
        else:
            route.continue_()

    tab.page.route("**/queue/join*", hold)
    tab.ask("Count to 2")
    expect(answered).to_have_value("1 ;1 2 ;")
    ((route, response),) = held
    route.fulfill(response=response)
    expect(sent).to_have_value("Count to 1;Count to 2;")
    tab.ask("Count to 3")
    expect(answered).to_have_value("1 ;1 2 ;1 2 3 ;")


def test_addresses_of_theirs_are_kept(new_tab: NewTab, theirs: Server) -> None:
    tab = new_tab(theirs).open("chat/?their=own")
    tab.ask("Count to 1")
    expect(tab.page).to_have_url(re.compile(r"/chat/\?their=own&conversation=\w{32}$"))


def test_kinds_of_files_are_told_before_they_are_uploaded(new_tab: NewTab, theirs: Server) -> None:
    tab = new_tab(theirs).open("chat/")
    uploads: list[str] = []
    tab.page.on("request", lambda request: uploads.append(request.url) if "upload" in request.url else None)
    chooser = tab.page.locator("#cc-box input[type=file]")
    expect(chooser).to_have_attribute("accept", "image/*,application/pdf")
    expect(tab.page.get_by_role("button", name="Upload a file")).to_have_attribute(
        "title", "Up to 10 files, each of 50 MB at most: images and PDF."
    )
    expect(tab.page.get_by_text("Up to 10 files, each of 50 MB at most: images and PDF.")).to_be_visible()
    expect(tab.page.get_by_role("button", name="Record", exact=True)).to_have_count(0)
    chooser.set_input_files(FilePayload(name="tone.wav", mimeType="audio/wav", buffer=b"x"))
    expect(tab.toast).to_have_text("“tone.wav” can't be sent: files here are images and PDF.")
    assert uploads == []
    # and the server looks at what is in them
    tab.attach(FilePayload(name="picture.png", mimeType="image/png", buffer=b"words"))
    tab.box.fill("Count to 1")
    tab.box.press("Enter")
    sentence = "“picture.png” can't be sent: it is text/plain, and files here are image/*, application/pdf."
    expect(tab.page.get_by_text(sentence)).to_be_visible()
    expect(tab.questions).to_have_count(0)
    expect(tab.box).to_have_value("Count to 1")
    tab.page.get_by_role("button", name="Remove", exact=False).click()
    tab.attach(FilePayload(name="picture.png", mimeType="image/png", buffer=png()))
    tab.box.press("Enter")
    expect(tab.questions.filter(has_text="Count to 1")).to_be_visible()
    expect(tab.history.get_by_role("img", name="picture.png")).to_be_visible()


def test_without_a_composer_it_is_for_reading(new_tab: NewTab, theirs: Server) -> None:
    api = f"{theirs.url}/read/api"
    made = httpx.post(f"{api}/conversations", json={}).json()["id"]
    httpx.post(f"{api}/conversations/{made}/messages", json={"text": "Count to 3"}).raise_for_status()
    tab = new_tab(theirs).open(f"read/?conversation={made}")
    expect(tab.answers).to_have_text(re.compile(r"^1 2 3\s*$"))
    tools = tab.bars.get_by_role("button")
    expect(tools).to_have_count(3)  # copying, and two votes
    expect(tab.asked_bars.get_by_role("button")).to_have_count(1)
    tab.click("Bad answer")
    expect(tab.bars.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")


@pytest.mark.measures
def test_their_server_ends_at_once_with_tabs_open(new_tab: NewTab, theirs: Server, folder: Path) -> None:
    tab = new_tab(theirs).open("chat/")
    tab.ask("Count on from 3")
    expect(tab.live.locator(".bot-row .message")).to_contain_text("1 2 3")
    assert theirs.terminate() < 2.5
    with start_blocking_portal() as portal:
        answer = portal.call(newest, f"sqlite:{folder}")
    assert answer.status == "interrupted"
    assert text_of(answer.parts).startswith("1 2 3")


async def newest(url: str) -> Message:
    async with open_engine(url) as engine:
        (conversation, *_) = (await engine.conversations()).conversations
        return (await engine.page(conversation.id)).messages[-1]
