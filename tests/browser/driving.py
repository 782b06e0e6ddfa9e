"""The server and the page, as tests drive them."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import httpx
from playwright.sync_api import Error, FilePayload, Locator, Page, Request, expect

from tests.frontends.commands import read_until

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
IN_ADDRESS = re.compile(r"[?&]conversation=([0-9a-f]{32})")

SETTLED = """async () => {
  const column = document.getElementById("cc-scroll");
  let [before, still] = ["", 0];
  while (still < 10) {
    await new Promise(requestAnimationFrame);
    const now = `${column.scrollTop} ${column.scrollHeight}`;
    still = now === before ? still + 1 : 0;
    before = now;
  }
}"""

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",  # which root needs
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",  # a microphone that beeps
    "--use-fake-ui-for-media-stream",  # and may be used
)


def chromium() -> str | None:
    """Where the browser is; None: Playwright's own."""
    return os.environ.get("CHATCORE_TEST_CHROMIUM") or shutil.which("chromium")


class Server:
    """A process that serves the chat on a port of its own, and keeps its data over restarts.

    Args:
        command: What is run, as arguments of Python; None: `tests.browser.app` on this store. Its first
            line that ends with its address says that it answers.
    """

    def __init__(self, store: str, port: int, command: Sequence[str] | None = None) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._command = command or ("-m", "tests.browser.app", store, str(port))
        self.script = httpx.Client(base_url=f"{self.url}/script", timeout=10)
        self.api = httpx.Client(base_url=f"{self.url}/api", timeout=10)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Server":
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self.script.close()
        self.api.close()

    def start(self) -> None:
        """Returns when it answers, which it tells by printing its address."""
        # a folder for uploads of its own: what a test imports may have named one for all processes
        environment = {name: value for name, value in os.environ.items() if name != "GRADIO_TEMP_DIR"}
        self._process = subprocess.Popen(
            [sys.executable, *self._command], cwd=ROOT, env=environment, stdout=subprocess.PIPE
        )
        read_until(self._process, f"{self.url}\n".encode(), seconds=START_SECONDS)

    def kill(self) -> None:
        """As a power cut ends a process."""
        self._end(signal.SIGKILL)

    def terminate(self) -> float:
        """As a service manager ends it; gives the seconds that it took."""
        began = time.monotonic()
        self._end(signal.SIGTERM)
        return time.monotonic() - began

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Its machine is gone: what is sent is lost for now, and nobody is told."""
        assert self._process is not None, "it does not run"
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=10)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    # --- what the responder is told -----------------------------------------------------------------------

    def say(self, question: str, *texts: str) -> None:
        self._tell("say", question=question, texts=texts)

    def part(self, question: str, kind: str, **fields: str | int) -> None:
        self._tell("part", question=question, kind=kind, fields=fields)

    def end(self, question: str, *texts: str) -> None:
        self._tell("end", question=question, texts=texts)

    def fail(self, question: str, reason: str) -> None:
        self._tell("fail", question=question, reason=reason)

    def refuse(self, reason: str | None) -> None:
        self._tell("refuse", reason=reason)

    def _tell(self, what: str, **told: object) -> None:
        self.script.post(f"/{what}", json=told).raise_for_status()


class Tab:
    """A tab with the chat.

    Args:
        page: An empty one.

    Attributes:
        outside: Addresses beyond the server that were asked for.
        refused: Those that the page's policy did not allow: nothing went out.
        errors: What its scripts failed with.
    """

    def __init__(self, page: Page, server: Server) -> None:
        self.server = server
        self.page = page
        self._size = page.viewport_size
        self._is_prepared = False
        self.outside: list[str] = []
        self.refused: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", self._note)
        self.page.on("requestfailed", self._note_failed)
        self.page.on("pageerror", self._note_error)
        self.history: Locator = self.page.locator("#cc-hist")
        self.live: Locator = self.page.locator("#cc-live")
        self.box: Locator = self.page.locator("#cc-box textarea")
        self.answers: Locator = self.history.locator(".bot-row .message")
        self.questions: Locator = self.history.locator(".user-row .message")
        self.sidebar: Locator = self.page.locator("#cc-sidebar")
        self.bars: Locator = self.history.locator(".cc-bar-answer")
        self.asked_bars: Locator = self.history.locator(".cc-bar-question")
        self.toast: Locator = self.page.locator(".cc-toast")

    def _note(self, request: Request) -> None:
        if not request.url.startswith((self.server.url, "data:", "blob:")):
            self.outside.append(request.url)

    def _note_failed(self, request: Request) -> None:
        if request.failure == "csp":
            self.outside.remove(request.url)
            self.refused.append(request.url)

    def _note_error(self, error: Error) -> None:
        self.errors.append(str(error))

    def before_each(self, script: str) -> None:
        """Have this done before the page's own scripts whenever it is opened; call it before that."""
        self._is_prepared = True
        self.page.add_init_script(script)

    def leave(self) -> None:
        """Takes back all that was done to the page, or closes it."""
        self.page.remove_listener("request", self._note)
        self.page.remove_listener("requestfailed", self._note_failed)
        self.page.remove_listener("pageerror", self._note_error)
        if self._is_prepared or self.page.is_closed():
            self.page.close()
            return
        self.page.unroute_all()
        self.page.set_extra_http_headers({})
        self.page.emulate_media(media="null", color_scheme="null", forced_colors="null")
        if self._size is not None:
            self.page.set_viewport_size(self._size)
        if self.page.url.startswith("http"):
            self.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        self.page.goto("about:blank")

    def open(self, address: str = "") -> "Tab":
        """Go there; returns when the page is ready."""
        self.page.goto(f"{self.server.url}/{address}")
        return self.ready()

    def ready(self) -> "Tab":
        self.page.wait_for_selector("body[data-ready]")
        return self

    def front(self) -> "Tab":
        """What a person does before clicking: frames come slowly to a tab behind another one."""
        self.page.bring_to_front()
        return self

    def ask(self, question: str) -> None:
        """Returns when the question is in the history."""
        self.box.fill(question)
        self.box.press("Enter")
        expect(self.questions.filter(has_text=question)).to_be_visible()

    def asked(self, question: str, answer: str) -> None:
        """Ask and be answered at once."""
        self.ask(question)
        before = self.bars.count()  # of all that was there: as the page is opened there may be none yet
        self.server.end(question, answer)
        expect(self.bars).to_have_count(before + 1)

    def click(self, name: str, number: int = -1) -> None:
        """One of the buttons below an answer; by default the last answer."""
        self.bars.nth(number).get_by_role("button", name=name, exact=True).click()

    def entry(self, conversation: str) -> Locator:
        """A conversation in the list."""
        return self.sidebar.locator(f'[data-id="{conversation}"]')

    def choose(self, entry: Locator, item: str) -> None:
        """From the menu of a conversation in the list."""
        entry.hover()
        entry.get_by_role("button", name="More about").click()
        self.page.get_by_role("menuitem", name=item, exact=True).click()

    def attach(self, *files: FilePayload) -> None:
        """Choose files; returns when all of them are uploaded, and our script knows of them."""
        held = self.page.locator("#cc-box .thumbnail-wrapper[data-name]")
        before = held.count()
        self.page.locator("#cc-box input[type=file]").set_input_files(files)
        expect(held).to_have_count(before + len(files))

    def settle(self) -> None:
        """Returns when the messages have not moved for some frames: places can be measured then."""
        self.page.evaluate(SETTLED)

    @property
    def conversation(self) -> str:
        """The id in the address, once there is one."""
        expect(self.page).to_have_url(IN_ADDRESS)
        found = IN_ADDRESS.search(self.page.evaluate("location.href"))
        assert found is not None
        return found[1]
