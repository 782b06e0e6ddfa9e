"""The SQLite store's parts without its thread: groups are run right here, one after the other."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from chatcore.commands import (
    AppendDeltas,
    Command,
    CreateConversation,
    PartOpened,
    PostMessage,
    SendMessage,
    TextAdded,
)
from chatcore.events import ConversationEvent, ListChanged
from chatcore.messages import Conversation, Message, Text
from chatcore.ports import ListMoved
from storage.sqlite.connection import prepare_writer
from storage.sqlite.group import Committed, Failed, GroupRunner
from storage.sqlite.meta import begin_use
from storage.sqlite.migrations import migrate
from tests.storage.acting import PROCESS, run_spec

__all__ = ["Bench", "bench", "connected", "steps"]

R = TypeVar("R")
T = TypeVar("T")


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """The writing connection to the database, as the store has it."""
    with closing(sqlite3.connect(path, isolation_level=None, cached_statements=256)) as connection:
        prepare_writer(connection)
        migrate(connection, path)
        begin_use(connection, same_file=True)
        yield connection


class Bench:
    """Groups on one connection, and all of their events."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.runner = GroupRunner(connection)
        self.events: list[ConversationEvent | ListChanged] = []

    def group(self, *commands: Command[Any]) -> list[object]:
        """The outcomes of one group."""
        committed: Committed = self.runner.run(self.connection, commands)
        self.events += [event for event in committed.events if not isinstance(event, ListMoved)]
        return committed.outcomes

    def do(self, command: Command[R]) -> R:
        """The result of a group of one."""
        (outcome,) = self.group(command)
        if isinstance(outcome, Failed):
            raise outcome.error
        result: R = outcome  # type: ignore[assignment]  # what the command's type says
        return result

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What a statement of the test's own gives."""
        return self.connection.execute(sql, parameters).fetchall()

    def key_of(self, conversation: Conversation) -> int:
        """The key of its row."""
        ((key,),) = self.rows("SELECT id FROM conversation WHERE public = ?", bytes.fromhex(conversation.id))
        return int(key)

    def new(self) -> Conversation:
        return self.do(CreateConversation(user="ann"))

    def posts(self, conversation: Conversation, count: int, text: str = "x") -> list[Message]:
        """So many messages, one below the other."""
        post = PostMessage(user="ann", conversation_id=conversation.id, parts=(Text(text),))
        posted: list[Message] = []
        while len(posted) < count:
            outcomes = self.group(*[post] * min(500, count - len(posted)))
            posted += [outcome for outcome in outcomes if isinstance(outcome, Message)]
        return posted

    def answering(self, conversation: Conversation, *, owner: str = PROCESS) -> Message:
        """A running answer that has opened its text."""
        question = SendMessage(
            user="ann", conversation_id=conversation.id, parts=(Text("q"),), run=run_spec(owner=owner)
        )
        answer = self.do(question).answer
        self.do(AppendDeltas(owner=owner, deltas=(PartOpened(answer.id, 0, Text("")),)))
        return answer

    def say(self, answer: Message, *texts: str, start: int = 0, owner: str = PROCESS) -> frozenset[str]:
        """Append pieces of text to the answer's first part."""
        deltas = []
        for text in texts:
            deltas.append(TextAdded(answer.id, 0, start, text))
            start += len(text)
        return self.do(AppendDeltas(owner=owner, deltas=tuple(deltas)))


@contextmanager
def bench(path: Path) -> Iterator[Bench]:
    """Groups on the database at this path."""
    with connected(path) as connection:
        yield Bench(connection)


def steps(connection: sqlite3.Connection, function: Callable[[], T]) -> tuple[int, T]:
    """How many steps SQLite's virtual machine takes while the function is called, and what that gives."""
    count = 0

    def count_step() -> int:
        nonlocal count
        count += 1
        return 0

    connection.set_progress_handler(count_step, 1)
    try:
        result = function()
    finally:
        connection.set_progress_handler(None, 0)
    return count, result
