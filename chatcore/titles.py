"""Titles for conversations that were given none: what their responder calls them, else the first words."""

import logging
import re

import anyio
from anyio.abc import TaskGroup

from chatcore.asked import Asked
from chatcore.commands import ChangeConversation
from chatcore.errors import ChatcoreError
from chatcore.limits import Limits
from chatcore.messages import Conversation, Message, clean_text, first_words
from chatcore.ports import ANYBODY, Store, Titling
from chatcore.strangers import StrangerFailed, strangers_code

__all__ = ["Titles", "title_within"]

log = logging.getLogger("chatcore.titles")

MAX_CHARS = 60

TITLE_SECONDS = 20.0
"""How long a responder may think about a title."""

_LOOKED_AT = 20
"""Messages above a question in which an answer that ended well is looked for; nearly always there is one."""

_BEFORE = re.compile(r"#+ +|\**(?:title|titel|titre|título|titolo|标题) ?\**[:\uff1a]\**", re.IGNORECASE)
_AROUND = (("**", "**"), *zip("*`\"'“„„\u2018«»「『《", "*`\"'”“”\u2019»«」』》", strict=True))


class Titles:
    """Gives titles, each in the task of the run that has ended; nobody waits for it."""

    def __init__(self, store: Store, limits: Limits, tasks: TaskGroup) -> None:
        self._store = store
        self._tasks = tasks
        self._max_chars = min(MAX_CHARS, limits.title_chars)
        self._thoughts: dict[str, _Thought] = {}
        self._closing = False

    def close(self) -> None:
        """Wait for no responder any more: the first words are taken."""
        self._closing = True
        for thought in self._thoughts.values():
            thought.over.set()

    async def make(self, asked: Asked, answer: str, responder: Titling | None) -> None:
        """Give the conversation a title, unless it has one or is just being given one.

        Args:
            asked: What was answered.
            answer: The words of the answer.
            responder: Who is asked for a title; None: nobody.
        """
        conversation = asked.conversation
        if conversation.title is not None or conversation.id in self._thoughts:
            return
        thought = self._thoughts[conversation.id] = _Thought()
        try:
            if responder is not None and not self._closing:
                if (await self._store.conversation(ANYBODY, conversation.id)).title is not None:
                    return
                if not await self._is_answered_above(asked.question):
                    await self._think(thought, responder, asked, answer)
            await self._set(conversation, thought.title or first_words(asked.text, self._max_chars))
        except ChatcoreError as error:  # nobody asked for a title: without one nothing is lost
            log.info("no title: %s", error, extra={"action": "no_title"})
        finally:
            del self._thoughts[conversation.id]

    async def _is_answered_above(self, question: Message) -> bool:
        """Whether an answer of ours stands above: a title was asked for then, and none was given."""
        if question.parent is None:
            return False
        above = await self._store.ancestors(question.parent, limit=_LOOKED_AT)
        return any(one.responder is not None and one.status == "complete" for one in above)

    async def _think(self, thought: "_Thought", responder: Titling, asked: Asked, answer: str) -> None:
        """Ask it, in a task of its own: one that does not let go is not waited for."""
        self._tasks.start_soon(self._ask, thought, responder, asked, answer)
        with anyio.move_on_after(TITLE_SECONDS):
            await thought.over.wait()
        thought.scope.cancel()

    async def _ask(self, thought: "_Thought", responder: Titling, asked: Asked, answer: str) -> None:
        try:
            with strangers_code(), thought.scope:
                thought.title = title_within(await responder.make_title(asked, answer), self._max_chars)
        except ChatcoreError as error:
            log.info("no title by the responder: %s", error, extra={"action": "title_failed"})
        except StrangerFailed as error:
            log.warning("no title: %s", error, exc_info=error.__cause__, extra={"action": "title_failed"})
        finally:
            thought.over.set()

    async def _set(self, conversation: Conversation, title: str) -> None:
        if not title:
            return
        command = ChangeConversation(
            user=conversation.owner, conversation_id=conversation.id, title=title, only_untitled=True
        )
        await self._store.write(command)


class _Thought:
    """A title that is being made.

    Attributes:
        title: What the responder gave; empty while that is nothing.
        over: Set when it is not waited for any more.
        scope: In which the responder thinks.
    """

    def __init__(self) -> None:
        self.title = ""
        self.over = anyio.Event()
        self.scope = anyio.CancelScope()


def title_within(given: object, max_chars: int = MAX_CHARS) -> str:
    """The title in what a responder gave: its first line with words, without label and quotation marks.

    Empty where there is none.
    """
    if not isinstance(given, str):
        return ""
    lines = map(_bare, clean_text(given[: MAX_CHARS * 20]).splitlines())
    return first_words(next(filter(None, lines), ""), max_chars)


def _bare(line: str) -> str:
    """The line without what models like to put around a title."""
    while True:
        line = line.strip()
        before = _BEFORE.match(line)
        rest = line[before.end() :] if before is not None else line
        for first, last in _AROUND:
            inner = rest[len(first) : -len(last)]
            if rest == first + inner + last and first not in inner and last not in inner:
                rest = inner
        if rest == line:
            return line
        line = rest
