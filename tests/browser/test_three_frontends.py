"""One conversation in the page, in a terminal and in a plain event stream at once, each of them sending."""

import threading
from collections.abc import Callable
from pathlib import Path

import httpx
from playwright.sync_api import expect

from chatcore import Fold, decode_event, text_of
from tests.browser.driving import Server, Tab
from tests.frontends.commands import RESPONDER, Terminal
from tests.frontends.serving import free_port

TURNS = ("from the page", "from the terminal", "from the stream")


class StreamReader:
    """Folds what the event stream says, in a thread of its own."""

    def __init__(self, url: str, conversation: str) -> None:
        self.fold = Fold()
        self._address = f"{url}/api/events?conversation={conversation}"
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait_for(self, turns: int) -> list[str]:
        """The texts of the path once so many questions are answered."""

        def answered() -> bool:
            done = [message for message in self.fold.path() if message.ended_at is not None]
            return len(done) == turns

        with self._changed:
            assert self._changed.wait_for(answered, timeout=10), self.fold.path()
            return [text_of(message.parts) for message in self.fold.path()]

    def _read(self) -> None:
        try:
            with httpx.stream("GET", self._address, timeout=None) as frames:
                for line in frames.iter_lines():
                    if line.startswith("data:"):
                        with self._changed:
                            self.fold.apply(decode_event(line[5:]))  # type: ignore[arg-type]  # no list is asked for
                            self._changed.notify_all()
        except httpx.TransportError:
            pass  # the server has ended


def test_all_show_the_same(tmp_path: Path, new_tab: Callable[[Server], Tab]) -> None:
    data = tmp_path / "data"
    (tmp_path / "scripted.py").write_text(RESPONDER)
    port = free_port()
    command = ("-m", "frontends.cli", "serve", "--data", str(data), "--port", str(port))
    responder = ("--responder", f"{tmp_path / 'scripted.py'}:answer")
    with Server(f"sqlite:{data}", port, (*command, *responder)) as server:
        tab = new_tab(server).open()
        tab.ask(TURNS[0])
        expect(tab.bars).to_have_count(1)
        conversation = tab.conversation
        reader = StreamReader(server.url, conversation)
        with Terminal(tmp_path, "chat", "--data", data, "--conversation", conversation) as terminal:
            shown = terminal.wait_for(f"You said: {TURNS[0]}")
            terminal.type(f"{TURNS[1]}\r")
            shown += terminal.wait_for(f"You said: {TURNS[1]}")
            expect(tab.bars).to_have_count(2)
            reader.wait_for(2)
            server.api.post(
                f"/conversations/{conversation}/messages", json={"text": TURNS[2]}
            ).raise_for_status()
            shown += terminal.wait_for(f"You said: {TURNS[2]}")
            expect(tab.bars).to_have_count(3)
            texts = reader.wait_for(3)
        assert texts == [text for turn in TURNS for text in (turn, f"You said: {turn}")]
        expect(tab.questions).to_have_text(texts[::2])
        expect(tab.answers).to_have_text(texts[1::2])
        assert all(turn in shown for turn in TURNS)
