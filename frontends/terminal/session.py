"""A person at a terminal: the conversation on the paper, the line below it, and Ctrl-C."""

import signal
from collections.abc import Iterable
from pathlib import Path

import anyio
from anyio.abc import TaskGroup, TaskStatus

from chatcore.errors import ChatcoreError, EngineClosed
from chatcore.messages import Message
from frontends.chat import Chat
from frontends.terminal.commands import run_line
from frontends.terminal.editor import END, LineEditor
from frontends.terminal.harmless import harmless
from frontends.terminal.keyboard import Keyboard, key_by_key, open_keyboard, set_key_by_key
from frontends.terminal.screen import Piece, Screen
from frontends.terminal.transcript import NewPage, Transcript
from frontends.terminal.wording import title_of

__all__ = ["converse"]

PAGE = 10
"""So many messages are printed of a conversation that is opened."""

RETRY_SECONDS = 1.0


async def converse(
    chat: Chat, conversation_id: str | None, *, keys: int, paper: int
) -> signal.Signals | None:
    """Let the person at the terminal (descriptors `keys` and `paper`) talk until Ctrl-D.

    Gives the signal that ended it, if one did.

    Raises:
        NotFound: No such conversation.
    """
    editor = LineEditor()
    screen = Screen(paper, editor)
    with key_by_key(keys), open_keyboard(keys) as keyboard:
        try:
            async with anyio.create_task_group() as tasks:
                session = Session(chat, screen, editor, tasks)
                await tasks.start(session.hear_signals, keys)
                await screen.begin()
                await session.say(
                    "/help says what can be typed besides messages; Ctrl-C stops an answer, Ctrl-D leaves."
                )
                if conversation_id is not None:
                    await session.open(conversation_id)
                await session.read(keyboard)
                tasks.cancel_scope.cancel()
            return session.ended_by
        finally:
            with anyio.CancelScope(shield=True):
                await screen.end()


class Session:
    """One sitting; see `frontends.terminal.commands.Place` for what commands need of it."""

    def __init__(self, chat: Chat, screen: Screen, editor: LineEditor, tasks: TaskGroup) -> None:
        self.chat = chat
        self.conversation_id: str | None = None
        self.files: list[Path] = []
        self.listed: list[str] = []
        self._screen = screen
        self._editor = editor
        self._tasks = tasks
        self.ended_by: signal.Signals | None = None
        self._transcript = Transcript()
        self._following = anyio.CancelScope()

    @property
    def answer(self) -> str | None:
        """The newest answer on the paper."""
        return self._transcript.answer

    async def say(self, text: str) -> None:
        """A row of ours; it waits for no answer."""
        await self._screen.show([Piece(f"{text}\n", "faint")], on_own_row=True)

    async def open(self, conversation_id: str) -> None:
        """Print the end of that conversation, and all that happens in it from now on."""
        page = await self.chat.page(conversation_id, limit=PAGE)
        await self.leave()
        self.conversation_id = conversation_id
        await self.say(f"── {title_of(page.conversation, page.first_words)} ── {conversation_id}")
        if page.has_older:
            await self.say(f"(what came before: chatcore show {conversation_id})")
        await self._print(self._transcript, self._transcript.page(page.conversation, page.messages))
        self._following = anyio.CancelScope()
        self._tasks.start_soon(self._follow, conversation_id, self._transcript, page.cursor, self._following)

    async def leave(self) -> None:
        """Follow nothing."""
        self._following.cancel()
        self._following = anyio.CancelScope()
        self.conversation_id = None
        self._transcript = Transcript()

    async def send(self, text: str) -> None:
        """Ask; while an answer runs the question waits for its end."""
        if self.conversation_id is None:
            await self.open((await self.chat.create()).id)
        assert self.conversation_id is not None
        await self.chat.send(self.conversation_id, text, self.files, policy="queue")
        self.files = []

    async def begun(self, answer: Message) -> None:
        """It will come with the events."""

    async def read(self, keyboard: Keyboard) -> None:
        """Do what is typed, until Ctrl-D or the end of the input."""
        while data := await keyboard.read():
            for line in self._editor.feed(data):
                if line is END:
                    return
                await self._do(line)
            await self._screen.refresh()

    async def hear_signals(self, keys: int, *, task_status: TaskStatus[None]) -> None:
        """Ctrl-C stops the answer, SIGTERM and SIGHUP end the sitting, waking up restores the terminal."""
        heard = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCONT, signal.SIGWINCH)
        with anyio.open_signal_receiver(*heard) as signals:
            task_status.started()
            async for number in signals:
                match number:
                    case signal.SIGINT:
                        await self._interrupt()
                    case signal.SIGTERM | signal.SIGHUP:
                        self.ended_by = number
                        self._tasks.cancel_scope.cancel()
                    case signal.SIGCONT:
                        set_key_by_key(keys)
                await self._screen.refresh()

    async def _interrupt(self) -> None:
        if self._transcript.running is None and self._editor.text:
            self._editor.clear()
            return
        if self._transcript.running is None:
            await self.say("Ctrl-D leaves.")
        if self.conversation_id is not None:  # also when its first word is still to come
            try:
                await self.chat.stop(self.conversation_id)
            except ChatcoreError as error:
                await self._complain(error)

    async def _do(self, line: str) -> None:
        try:
            await run_line(self, line)
        except ChatcoreError as error:
            await self._complain(error)

    async def _complain(self, error: ChatcoreError) -> None:
        await self._screen.show([Piece(f"{harmless(error.sentence)}\n", "alarm")], on_own_row=True)

    async def _follow(
        self, conversation_id: str, transcript: Transcript, cursor: str | None, scope: anyio.CancelScope
    ) -> None:
        """Print what happens after the cursor until the conversation is deleted or left."""
        told = False
        with scope:
            while True:
                try:
                    if cursor is None:
                        page = await self.chat.page(conversation_id, limit=PAGE)
                        await self._print(transcript, transcript.page(page.conversation, page.messages))
                        cursor, told = page.cursor, False
                    async with self.chat.subscribe(conversation_id, after=cursor) as events:
                        async for event in events:
                            await self._print(transcript, transcript.apply(event))
                    break
                except NewPage:
                    cursor = None
                except EngineClosed as error:  # the server is gone; it may come back
                    if not told:
                        await self._complain(error)
                    cursor, told = None, True
                    await anyio.sleep(RETRY_SECONDS)
                except ChatcoreError as error:
                    await self._complain(error)
                    break
            self.conversation_id = None

    async def _print(self, transcript: Transcript, pieces: Iterable[Piece]) -> None:
        shown = list(pieces)
        waiting = len(transcript.waiting)
        prompt = f"({waiting} waiting) > " if waiting else "> "
        if shown or prompt != self._screen.prompt:
            self._screen.prompt = prompt
            await self._screen.show(shown)
