"""What a person can type instead of a message: one table."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from anyio import to_thread
from msgspec import Struct

from chatcore.errors import InvalidInput
from chatcore.messages import Conversation, Message, Rating
from frontends.chat import Chat
from frontends.terminal.harmless import harmless_line
from frontends.terminal.wording import size, title_of

__all__ = ["COMMANDS", "Place", "TerminalCommand", "run_line"]

LISTED = 20


class Place(Protocol):
    """Where commands are typed: at a terminal, or piped in.

    Attributes:
        conversation_id: What is open; None: the next message begins a conversation.
        files: To be sent with the next message.
        listed: Ids as `/list` has numbered them.
    """

    chat: Chat
    conversation_id: str | None
    files: list[Path]
    listed: list[str]

    @property
    def answer(self) -> str | None:
        """Id of the newest answer that was shown."""

    async def say(self, text: str) -> None:
        """Tell the person something that belongs to no conversation; `text` is harmless."""

    async def open(self, conversation_id: str) -> None:
        """Show that conversation; raises NotFound."""

    async def leave(self) -> None:
        """Show none."""

    async def send(self, text: str) -> None:
        """Ask, in the open conversation or in a new one."""

    async def begun(self, answer: Message) -> None:
        """Another answer was begun by a command."""


class TerminalCommand(Struct, frozen=True):
    """One line of the table; `run` gets what stands behind the name."""

    name: str
    argument: str
    meaning: str
    run: Callable[[Place, str], Awaitable[None]]


async def run_line(place: Place, line: str) -> None:
    """Do what a typed line says: a command when it begins with one slash, else a message.

    Raises:
        ChatcoreError: It could not be done.
    """
    if not line.strip() and not place.files:
        return
    if not line.startswith("/") or line.startswith("//"):
        await place.send(line.removeprefix("/") if line.startswith("//") else line)
        return
    name, _, argument = line.partition(" ")
    command = next((command for command in COMMANDS if command.name == name), None)
    if command is None:
        raise InvalidInput(f"There is no command {harmless_line(name, 40)}; /help lists them.")
    await command.run(place, argument.strip())


async def _list(place: Place, argument: str) -> None:
    page = await place.chat.conversations(limit=LISTED)
    place.listed = [conversation.id for conversation in page.conversations]
    if not place.listed:
        await place.say("There are no conversations yet.")
    for number, conversation in enumerate(page.conversations, 1):
        await place.say(_entry(number, conversation, page.first_words.get(conversation.id)))


def _entry(number: int, conversation: Conversation, words: str | None) -> str:
    title = title_of(conversation, words, 60)
    running = "  (being answered)" if conversation.running else ""
    return f"{number:3}  {conversation.updated_at.astimezone():%Y-%m-%d %H:%M}  {title}{running}"


async def _open(place: Place, argument: str) -> None:
    if argument.isascii() and argument.isdigit() and len(argument) < 5:
        if not 1 <= int(argument) <= len(place.listed):
            raise InvalidInput(f"There is no number {argument} in the list; /list shows it.")
        argument = place.listed[int(argument) - 1]
    if not argument:
        raise InvalidInput("Say which: /open N (of /list) or /open ID.")
    await place.open(argument)


async def _new(place: Place, argument: str) -> None:
    await place.leave()
    await place.say("The next message begins a new conversation.")


async def _file(place: Place, argument: str) -> None:
    if not argument:
        raise InvalidInput("Say which file: /file PATH.")
    path, size_bytes = await to_thread.run_sync(_found, argument)
    place.files.append(path)
    await place.say(f"{harmless_line(path.name)} ({size(size_bytes)}) goes with the next message.")


def _found(argument: str) -> tuple[Path, int]:
    path = Path(os.path.expanduser(argument))
    try:
        with path.open("rb") as opened:
            return path.absolute(), os.fstat(opened.fileno()).st_size
    except OSError as error:
        raise InvalidInput(f"{harmless_line(str(path))} can't be read: {error.strerror}.") from error


async def _like(place: Place, argument: str) -> None:
    await _rate(place, "like", argument)


async def _dislike(place: Place, argument: str) -> None:
    await _rate(place, "dislike", argument)


async def _unrate(place: Place, argument: str) -> None:
    await _rate(place, None, "")


async def _rate(place: Place, rating: Rating | None, comment: str) -> None:
    await place.chat.rate(_answer(place), rating, comment=comment or None)


async def _retry(place: Place, argument: str) -> None:
    await place.begun((await place.chat.regenerate(_answer(place))).answer)


async def _continue(place: Place, argument: str) -> None:
    await place.begun((await place.chat.continue_answer(_answer(place))).answer)


def _answer(place: Place) -> str:
    if place.answer is None:
        raise InvalidInput("There is no answer yet.")
    return place.answer


async def _help(place: Place, argument: str) -> None:
    for command in COMMANDS:
        await place.say(f"{f'{command.name} {command.argument}':20}{command.meaning}")
    await place.say("Ctrl-C stops the answer, Ctrl-D leaves. A message that begins with / is typed with //.")


COMMANDS: tuple[TerminalCommand, ...] = (
    TerminalCommand("/list", "", "The newest conversations, numbered.", _list),
    TerminalCommand("/open", "N|ID", "Go to that conversation.", _open),
    TerminalCommand("/new", "", "Begin a new one with the next message.", _new),
    TerminalCommand("/file", "PATH", "Send a file with the next message.", _file),
    TerminalCommand("/like", "[COMMENT]", "The last answer is good.", _like),
    TerminalCommand("/dislike", "[COMMENT]", "The last answer is bad.", _dislike),
    TerminalCommand("/unrate", "", "Take the vote on it back.", _unrate),
    TerminalCommand("/retry", "", "Answer the last question once more.", _retry),
    TerminalCommand("/continue", "", "Go on with the last answer.", _continue),
    TerminalCommand("/help", "", "This list.", _help),
)
