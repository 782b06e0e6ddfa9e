"""The composer: files on every way into it, what is too much, the microphone, drafts."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import APIResponse, FilePayload, Route, expect

from tests.browser.app import MOST_BYTES
from tests.browser.driving import Server, Tab

PASTE = """(area, [name, type]) => {
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File(["content"], name, { type }));
  area.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""

TWO_FRAMES = """async () => {
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
}"""

COMPOSE = """(area) => area.dispatchEvent(
  new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true })
)"""
"""Enter that takes a suggestion while a word is composed; false: the page took it for its own."""

DROP = """(element, name) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File(["content"], name));
  const told = { dataTransfer, bubbles: true, cancelable: true };
  for (const kind of ["dragenter", "dragover", "drop"]) {
    if (element.dispatchEvent(new DragEvent(kind, told)) && kind !== "dragenter") throw Error(kind);
  }
}"""
"""The browser leaves the page for a dropped file unless both events are prevented."""


def kept_files(tab: Tab) -> list[str]:
    """Names of the files of the first message of the conversation, as the server has them."""
    (first, *_) = tab.server.api.get(f"/conversations/{tab.conversation}/messages").json()["messages"]
    return [part["attachment"]["name"] for part in first["parts"] if part["type"] == "file"]


def test_files_are_chosen_pasted_and_dropped(tab: Tab, server: Server) -> None:
    names = tab.page.locator("#cc-box .cc-file-name")
    tab.attach(FilePayload(name="chosen.txt", mimeType="text/plain", buffer=b"one"))
    expect(names).to_have_text(["chosen.txt"])
    tab.box.evaluate(PASTE, ["pasted.pdf", "application/pdf"])
    expect(names).to_have_text(["chosen.txt", "pasted.pdf"])
    tab.page.locator("#cc-scroll").evaluate(DROP, "dropped.csv")
    expect(names).to_have_text(["chosen.txt", "pasted.pdf", "dropped.csv"])
    tab.page.get_by_role("button", name="Remove", exact=False).first.click()
    expect(names).to_have_text(["pasted.pdf", "dropped.csv"])
    tab.ask("Three ways.")
    server.end("Three ways.", "Two files.")
    expect(tab.bars).to_have_count(1)
    assert kept_files(tab) == ["pasted.pdf", "dropped.csv"]


def test_too_large_a_file_is_refused_before_it_is_sent(tab: Tab, server: Server) -> None:
    uploads: list[str] = []
    tab.page.on("request", lambda request: uploads.append(request.url) if "upload" in request.url else None)
    large = FilePayload(name="large.bin", mimeType="application/x", buffer=bytes(MOST_BYTES + 1))
    tab.page.locator("#cc-box input[type=file]").set_input_files(large)
    expect(tab.toast).to_have_text("“large.bin” is too large: 1.0 MB, where a file may have 1.0 MB.")
    expect(tab.page.locator("#cc-box .thumbnail-item")).to_have_count(0)
    assert uploads == []
    made = server.api.post("/conversations", json={}).json()["id"]  # and the server decides:
    answer = server.api.post(
        f"/conversations/{made}/messages", data={"text": "x"}, files={"files": ("a", large["buffer"])}
    )
    assert (answer.status_code, answer.json()["code"]) == (
        413,
        "limit_exceeded",
    )  # it is the server that decides


def test_too_many_files_are_refused_before_they_are_sent(tab: Tab) -> None:
    many = [FilePayload(name=f"{n}.txt", mimeType="text/plain", buffer=b"x") for n in range(10)]
    tab.attach(*many)
    tab.page.locator("#cc-box input[type=file]").set_input_files(many[:1])
    expect(tab.toast).to_have_text("A message takes 10 files at most; these would be 11.")
    expect(tab.page.locator("#cc-box .thumbnail-item")).to_have_count(10)


def test_too_long_a_message_is_told_and_kept(tab: Tab) -> None:
    tab.box.fill("x" * 200_001)
    tab.box.press("Enter")
    expect(tab.toast).to_have_text("The message is too long: 200,001 characters, where 200,000 are allowed.")
    expect(tab.box).to_have_value(re.compile("^x{200001}$"))


def test_microphone_records_a_file(tab: Tab, server: Server) -> None:
    tab.page.get_by_role("button", name="Record", exact=True).click()
    expect(tab.page.locator("#cc-notice")).to_contain_text("Recording 0:01")
    tab.page.get_by_role("button", name="Stop recording").click()
    name = tab.page.locator("#cc-box .cc-file-name")
    expect(name).to_have_text(re.compile(r"^recording [-\d]{10} \d\d\.\d\d\.\d\d\.wav$"))
    expect(tab.page.locator("#cc-notice")).not_to_contain_text("Recording")
    tab.ask("Listen.")
    server.end("Listen.", "I hear.")
    expect(tab.bars).to_have_count(1)
    (first, _) = server.api.get(f"/conversations/{tab.conversation}/messages").json()["messages"]
    sound = tab.page.request.get(f"{server.url}/api/messages/{first['id']}/files/1")
    assert sound.headers["content-type"] == "audio/wav"
    samples = memoryview(sound.body()[44:]).cast("h")
    assert len(samples) > 8_000  # half a second: a busy machine begins later than it says
    assert max(samples) > 1_000  # and not silence: the device beeps


def test_microphone_that_is_not_allowed_is_told(tab: Tab) -> None:
    tab.page.evaluate(
        """() => {
          navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError"));
        }"""
    )
    tab.page.get_by_role("button", name="Record", exact=True).click()
    expect(tab.toast).to_have_text("The browser does not let this page use the microphone.")


def test_draft_survives_a_reload_until_it_is_sent(tab: Tab, server: Server) -> None:
    tab.box.fill("A beginning")
    tab.page.reload()
    tab.ready()
    expect(tab.box).to_have_value("A beginning")
    tab.asked("A beginning", "An answer.")
    expect(tab.box).to_have_value("")
    tab.box.fill("Half a question in this one")
    tab.sidebar.get_by_role("button", name="New chat", exact=True).click()
    expect(tab.box).to_have_value("")
    tab.box.fill("Something new")
    tab.page.go_back()
    expect(tab.box).to_have_value("Half a question in this one")
    tab.page.reload()
    tab.ready()
    expect(tab.box).to_have_value("Half a question in this one")
    tab.box.fill("")
    tab.page.reload()
    tab.ready()
    expect(tab.box).to_have_value("")
    tab.sidebar.get_by_role("button", name="New chat", exact=True).click()
    expect(tab.box).to_have_value("Something new")
    tab.box.fill("")


def test_a_draft_is_of_who_wrote_it(tab: Tab) -> None:
    tab.attach(FilePayload(name="mine.txt", mimeType="text/plain", buffer=b"mine"))
    tab.box.fill("Mine alone")
    for user, draft, files in (("bob", "", 0), ("local", "Mine alone", 1)):
        tab.page.set_extra_http_headers({"Test-User": user})
        tab.open()
        expect(tab.box).to_have_value(draft)
        expect(tab.page.locator("#cc-box .thumbnail-item")).to_have_count(files)


def test_files_of_a_draft_survive_a_reload(tab: Tab, server: Server) -> None:
    names = tab.page.locator("#cc-box .cc-file-name")
    tab.attach(FilePayload(name="kept.txt", mimeType="text/plain", buffer=b"kept"))
    tab.box.fill("With a file")
    tab.page.reload()
    tab.ready()
    expect(names).to_have_text(["kept.txt"])
    expect(tab.box).to_have_value("With a file")
    tab.ask("With a file")
    server.end("With a file", "Thanks.")
    expect(tab.bars).to_have_count(1)
    assert kept_files(tab) == ["kept.txt"]
    tab.page.reload()
    tab.ready()
    expect(tab.page.locator("#cc-box .thumbnail-item")).to_have_count(0)
    # what the server has no more is told, and no message can be sent with it
    tab.attach(FilePayload(name="lost.txt", mimeType="text/plain", buffer=b"lost"))
    tab.page.route("**/file=**", lambda route: route.fulfill(status=404))
    tab.page.reload()
    tab.ready()
    expect(tab.toast).to_have_text("The server has not kept “lost.txt”: choose it again.")
    tab.page.unroute("**/file=**")
    tab.page.reload()
    tab.ready()
    expect(tab.page.locator("#cc-box .thumbnail-item")).to_have_count(0)


def test_shift_enter_breaks_a_line(tab: Tab, server: Server) -> None:
    tab.attach(
        FilePayload(name="a.txt", mimeType="text/plain", buffer=b"x")
    )  # of which the server is asked first
    tab.box.fill("One")
    tab.box.press("Shift+Enter")
    tab.box.press_sequentially("Two")
    expect(tab.box).to_have_value("One\nTwo")
    assert tab.box.evaluate(COMPOSE)
    tab.box.press("Enter")
    server.end("One\nTwo", "Three.")
    expect(tab.answers).to_have_text("Three.")


def test_what_may_be_sent_is_told_before(tab: Tab) -> None:
    chooser = tab.page.get_by_role("button", name="Upload a file")
    expect(chooser).to_have_attribute("title", "Up to 10 files, each of 1.0 MB at most.")


def test_files_stay_with_their_conversation(tab: Tab) -> None:
    tab.asked("I come back.", "Do.")
    tab.attach(FilePayload(name="mine.txt", mimeType="text/plain", buffer=b"x"))
    tab.sidebar.get_by_role("button", name="New chat", exact=True).click()
    expect(tab.page.locator("#cc-box .thumbnail-item")).to_have_count(0)
    tab.page.go_back()
    expect(tab.page.locator("#cc-box .cc-file-name")).to_have_text("mine.txt")


def test_words_typed_while_a_message_is_on_its_way_are_kept(tab: Tab, server: Server) -> None:
    def type_on(route: Route) -> None:
        tab.box.fill("And further")
        route.continue_()

    tab.page.route("**/queue/join*", type_on)
    tab.ask("I am sent.")
    expect(tab.box).to_have_value("And further")
    server.end("I am sent.")
    tab.box.fill("")


def test_a_message_that_is_sent_while_another_is_on_its_way_follows_it(tab: Tab, server: Server) -> None:
    first = ["The first of all.", "The second."]  # into a new conversation
    then = ["No pause.", "And on."]
    for one, other in (first, then):
        with on_its_way(tab, one):
            tab.box.fill(other)
            tab.box.press("Enter")
        expect(tab.box).to_have_value("")
        server.end(one, "Yes.")
        server.end(other, "Yes.")
    expect(tab.questions).to_have_text(first + then)


@contextmanager
def on_its_way(tab: Tab, words: str) -> Iterator[None]:
    """A message with these words, which reaches the server when this is over."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    tab.page.route("**/queue/join*", hold, times=1)
    tab.box.fill(words)
    with tab.page.expect_request("**/queue/join*"):
        tab.box.press("Enter")
    yield
    held.pop().continue_()


def test_what_is_typed_after_a_second_press_is_not_sent(tab: Tab, server: Server) -> None:
    with on_its_way(tab, "First words."):
        tab.box.press("Enter")
        tab.box.fill("Second words.")
        tab.box.press("Enter")
        tab.box.fill("Half a sen")
    server.end("First words.", "Yes.")
    expect(tab.answers).to_have_text(["Yes."])
    expect(tab.box).to_have_value("Half a sen")
    tab.page.evaluate(TWO_FRAMES)  # what waits to be sent would be
    tab.asked("Whole words.", "Yes.")
    expect(tab.questions).to_have_text(["First words.", "Whole words."])


def test_what_is_typed_while_a_message_is_on_its_way_is_there_when_one_comes_back(
    tab: Tab, server: Server
) -> None:
    tab.asked("Whose is it?", "Yours.")
    left = tab.conversation
    with on_its_way(tab, "On its way."):
        tab.box.fill("Typed since.")
        tab.attach(FilePayload(name="since.txt", mimeType="text/plain", buffer=b"x"))
        tab.sidebar.get_by_role("button", name="New chat", exact=True).click()
        expect(tab.box).to_have_value("")
    server.end("On its way.", "Here.")
    tab.entry(left).locator("a").click()
    expect(tab.answers).to_have_text(["Yours.", "Here."])
    expect(tab.box).to_have_value("Typed since.")
    expect(tab.page.locator("#cc-box .cc-file-name")).to_have_text("since.txt")


def test_what_is_typed_in_the_new_one_before_its_reply_stays_there(tab: Tab, server: Server) -> None:
    tab.open()
    held: list[tuple[Route, APIResponse]] = []
    tab.page.route("**/queue/join*", lambda route: held.append((route, route.fetch())), times=1)
    tab.box.fill("Where will I be?")
    tab.box.press("Enter")
    entry = tab.sidebar.get_by_role("link", name="Where will I be?")
    entry.click()
    expect(tab.questions).to_have_text(["Where will I be?"])
    tab.box.fill("And then?")
    ((route, response),) = held
    route.fulfill(response=response)
    server.end("Where will I be?", "Here.")
    expect(tab.answers).to_have_text(["Here."])
    tab.sidebar.get_by_role("button", name="New chat", exact=True).click()
    expect(tab.box).to_have_value("")
    entry.click()
    expect(tab.box).to_have_value("And then?")


def test_a_file_that_is_sent_while_a_message_is_on_its_way_follows_it(tab: Tab, server: Server) -> None:
    with on_its_way(tab, "And the file?"):
        tab.attach(FilePayload(name="follows.txt", mimeType="text/plain", buffer=b"x"))
        tab.box.press("Enter")
    server.end("And the file?", "It comes.")
    expect(tab.history.get_by_role("link", name="follows.txt")).to_be_visible()
    expect(tab.page.locator("#cc-box .thumbnail-wrapper")).to_have_count(0)


def test_a_file_that_comes_while_a_message_is_on_its_way_stays(tab: Tab, server: Server) -> None:
    tab.attach(FilePayload(name="sent.txt", mimeType="text/plain", buffer=b"x"))
    with on_its_way(tab, "With one file."):
        tab.attach(FilePayload(name="later.txt", mimeType="text/plain", buffer=b"y"))
    server.end("With one file.", "Yes.")
    expect(tab.box).to_have_value("")
    thumbnails = tab.page.locator("#cc-box .thumbnail-wrapper")
    expect(thumbnails).to_have_count(1)
    expect(thumbnails).to_have_attribute("data-name", "later.txt")
    tab.box.fill("With another one.")
    tab.box.press("Enter")
    server.end("With another one.", "Yes.")
    files = tab.history.get_by_role("link", name=re.compile("txt"))
    expect(files).to_have_text([re.compile("sent.txt"), re.compile("later.txt")])
    expect(thumbnails).to_have_count(0)


def test_send_is_stop_while_an_answer_runs(
    tab: Tab, new_tab: Callable[[Server], Tab], server: Server
) -> None:
    tab.ask("Go on and on.")
    server.say("Go on and on.", "and on")
    stop = tab.page.get_by_role("button", name="Stop", exact=True)
    expect(stop).to_be_visible()
    expect(tab.page.locator("#cc-box .submit-button")).to_have_count(0)
    other = new_tab(server).open(f"?conversation={tab.conversation}")
    other.page.get_by_role("button", name="Stop", exact=True).click()
    tab.front()
    expect(tab.bars).to_contain_text("Stopped.")
    expect(stop).to_have_count(0)
    expect(tab.page.locator("#cc-box .submit-button")).to_be_visible()
    tab.ask("And once more.")
    server.say("And once more.", "once")
    tab.box.press("Shift+Tab")  # there is a keyboard
    stop.press("Enter")
    expect(tab.bars.last).to_contain_text("Stopped.")
    expect(tab.box).to_be_focused()  # the button is gone
