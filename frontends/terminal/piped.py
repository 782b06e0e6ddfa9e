"""Chat without a terminal: each line of the input is a message, its answer goes to the output."""

import sys
from collections.abc import Iterable
from contextlib import aclosing
from pathlib import Path

import anyio
from anyio import to_thread

from chatcore.errors import ChatcoreError
from chatcore.events import MessageChanged, PartAdded, TextDelta
from chatcore.messages import ENDINGS, Message
from frontends.chat import Chat
from frontends.terminal.commands import run_line
from frontends.terminal.harmless import harmless_line
from frontends.terminal.keyboard import open_keyboard
from frontends.terminal.screen import Piece
from frontends.terminal.transcript import NewPage, Transcript
from frontends.terminal.wording import ending_of

__all__ = ["converse_by_lines"]


async def converse_by_lines(chat: Chat, conversation_id: str | None, keys: int) -> bool:
    """Ask line by line, each when the answer before has ended; gives whether all went well.

    What went wrong is told on standard error. Cancelling stops the answer that runs.
    """
    place = _Lines(chat, conversation_id)
    with open_keyboard(keys) as keyboard:
        async with aclosing(keyboard.lines()) as lines:
            async for line in lines:
                try:
                    await run_line(place, line)
                except ChatcoreError as error:
                    await place.complain(error.sentence)
    return place.went_well


class _Lines:
    """See `frontends.terminal.commands.Place`."""

    def __init__(self, chat: Chat, conversation_id: str | None) -> None:
        self.chat = chat
        self.conversation_id = conversation_id
        self.files: list[Path] = []
        self.listed: list[str] = []
        self.answer: str | None = None
        self.went_well = True

    async def say(self, text: str) -> None:
        await to_thread.run_sync(_write, f"{text}\n")

    async def complain(self, sentence: str) -> None:
        self.went_well = False
        await to_thread.run_sync(lambda: print(harmless_line(sentence), file=sys.stderr, flush=True))

    async def open(self, conversation_id: str) -> None:
        self.conversation_id = (await self.chat.conversation(conversation_id)).id
        self.answer = None

    async def leave(self) -> None:
        self.conversation_id = self.answer = None

    async def send(self, text: str) -> None:
        if self.conversation_id is None:
            self.conversation_id = (await self.chat.create()).id
        sent = await self.chat.send(self.conversation_id, text, self.files, policy="queue")
        self.files = []
        await self.begun(sent.answer)

    async def begun(self, answer: Message) -> None:
        """Print the answer as it comes, until it has ended."""
        self.answer = answer.id
        try:
            ended = await self._follow(answer)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await self.chat.stop(answer.conversation_id)
            raise
        if ending := ending_of(ended):
            await self.complain(ending)

    async def _follow(self, answer: Message) -> Message:
        transcript = Transcript()
        while True:
            page = await self.chat.page(answer.conversation_id, around=answer.id, limit=1)
            try:
                for message in page.messages:
                    if message.id == answer.id:
                        await self._print(transcript.message(message))
                        if message.status in ENDINGS:
                            return message
                async with self.chat.subscribe(answer.conversation_id, after=page.cursor) as events:
                    async for event in events:
                        match event:
                            case MessageChanged(message=message) if message.id == answer.id:
                                await self._print(transcript.apply(event))
                                if message.status in ENDINGS:
                                    return message
                            case PartAdded(message_id=answer.id) | TextDelta(message_id=answer.id):
                                await self._print(transcript.apply(event))
                            case _:
                                pass
            except NewPage:
                continue

    async def _print(self, pieces: Iterable[Piece]) -> None:
        """The words of the answer alone: what it thought and did on the way is not the answer."""
        text = "".join(piece.text for piece in pieces if piece.style == "plain")
        if text:
            await to_thread.run_sync(_write, text)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
