"""Kills a server in mid-answer, again and again, and compares what a reader saw with the store."""

import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
import msgspec

from chatcore import Fold, Message, MissedText, Page, decode_event, text_of
from frontends.cli.main import main as chatcore_command

__all__ = ["Rig"]

HERE = Path(__file__).parent
MOST_CHARS = 1_500
ROUNDS_PER_CONVERSATION = 10


class Rig:
    """One data directory, and the servers that live and die on it.

    Attributes:
        lost: Sentences about what a reader had seen or was told, and the store has not. Must stay empty.
        characters: How many were seen in all.
    """

    def __init__(self, directory: Path, seed: int) -> None:
        self.directory = directory
        self.lost: list[str] = []
        self.characters = 0
        self._random = random.Random(seed)
        self._voted = ""
        self._port = _free_port()
        self._server: subprocess.Popen[str] | None = None
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{self._port}/api", timeout=10.0)

    def kill_rounds(self, rounds: int) -> None:
        """Ask, follow, kill at a random character, start again and compare: so many times."""
        try:
            while rounds > 0:
                self._conversation(min(rounds, ROUNDS_PER_CONVERSATION))
                rounds -= ROUNDS_PER_CONVERSATION
        finally:
            self._kill()
            self._http.close()
        if chatcore_command(["check", "--data", str(self.directory)]) != 0:
            self.lost.append("chatcore check found damage")

    def _conversation(self, rounds: int) -> None:
        self._start()
        conversation = str(self._post("/conversations", {})["id"])
        with _following(self._port, conversation) as seen:
            for number in range(rounds):
                acknowledged = self._act(conversation, number)
                seen.read_until(self._random.randrange(1, MOST_CHARS))
                self._kill()
                seen.read_until_gone()
                self._start()
                seen.go_on()
                self._compare(conversation, seen, acknowledged)
            self.characters += seen.characters
        self._kill()

    def _act(self, conversation: str, number: int) -> dict[str, str]:
        """Ask and vote; gives what was acknowledged: ids of messages and their texts."""
        sent = self._post(f"/conversations/{conversation}/messages", {"text": f"question {number}"})
        question = msgspec.convert(sent["question"], Message)
        posted = {question.id: text_of(question.parts), sent["answer"]["id"]: ""}
        if self._random.random() < 0.5:
            answer = self._http.put(f"/messages/{question.id}/feedback", json={"rating": "like"})
            answer.raise_for_status()
            self._voted = question.id
        return posted

    def _compare(self, conversation: str, seen: "Seen", acknowledged: dict[str, str]) -> None:
        reply = self._http.get(f"/conversations/{conversation}/messages?limit=100")
        reply.raise_for_status()
        page = msgspec.json.decode(reply.content, type=Page)
        stored = {message.id: message for message in page.messages}
        for message_id, text in acknowledged.items():
            if message_id not in stored or not text_of(stored[message_id].parts).startswith(text):
                self.lost.append(f"message {message_id}: acknowledged and gone")
        if self._voted in stored and self._voted not in {vote.message_id for vote in page.feedback}:
            self.lost.append(f"vote on {self._voted}: acknowledged and gone")
        for message_id, words in seen.words().items():
            if message_id not in stored or not _words(stored[message_id]).startswith(words):
                self.lost.append(
                    f"message {message_id}: {len(words)} characters were seen, not all are stored"
                )
        running = [message.id for message in page.messages if message.status in {"running", "queued"}]
        if running or page.conversation.running:
            self.lost.append(f"still running after a start: {running}")
        socket_path = httpx.HTTPTransport(uds=str(self.directory / "chatcore.sock"))
        with httpx.Client(transport=socket_path, base_url="http://owner/api", timeout=10.0) as owner:
            problems = owner.post("/owner/check").raise_for_status().json()["problems"]
            self.lost += [f"check: {problem}" for problem in problems]

    def _start(self) -> None:
        if self._server is not None:
            return
        command = [sys.executable, "-m", "frontends.cli", "serve", "--frontend", "http_api"]
        command += ["--port", str(self._port), "--data", str(self.directory)]
        command += ["--responder", f"{HERE / 'chatter.py'}:chatter"]
        self._server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parents[1])
        assert self._server.stdout is not None
        if "http" not in self._server.stdout.readline():
            raise AssertionError("the server did not start")

    def _kill(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.communicate()
            self._server = None

    def _post(self, path: str, body: dict[str, str]) -> dict[str, dict[str, str]]:
        reply = self._http.post(path, json=body)
        reply.raise_for_status()
        answer: dict[str, dict[str, str]] = reply.json()
        return answer


class Seen:
    """What the follower has told: the longest text of each message that it was ever shown."""

    def __init__(self, lines: IO[str], signs: IO[str]) -> None:
        self._lines = lines
        self._signs = signs
        self._fold = Fold()
        self._words: dict[str, str] = {}
        self.characters = 0

    def read_until(self, characters: int) -> None:
        """Until so many new characters were received."""
        target = self.characters + characters
        while self.characters < target:
            if not self._take(next(self._lines)):
                self.go_on()

    def read_until_gone(self) -> None:
        """All that was received before the server died."""
        while self._take(next(self._lines)):
            pass

    def go_on(self) -> None:
        """Have the follower connect again: there is a server."""
        self._signs.write("\n")
        self._signs.flush()

    def words(self) -> dict[str, str]:
        """By message id."""
        return self._words

    def _take(self, line: str) -> bool:
        if line.strip() == "gone":
            return False
        event = decode_event(line)
        try:
            self._fold.apply(event)  # type: ignore[arg-type]  # the stream carries the conversation alone
        except MissedText as missed:
            raise AssertionError(f"a hole in the stream: {missed}") from missed
        for message_id, message in self._fold.messages.items():
            words = _words(message)
            known = self._words.get(message_id, "")
            if len(words) > len(known):
                if not words.startswith(known):
                    raise AssertionError(f"the text of {message_id} changed under its reader")
                self.characters += len(words) - len(known)
                self._words[message_id] = words
        return True


def _words(message: Message) -> str:
    return "".join(getattr(part, "text", "") for part in message.parts)


@contextmanager
def _following(port: int, conversation: str) -> Iterator[Seen]:
    command = [sys.executable, str(HERE / "follower.py"), str(port), conversation]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as follower:
        assert follower.stdin is not None
        assert follower.stdout is not None
        try:
            yield Seen(follower.stdout, follower.stdin)
        finally:
            follower.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
