"""Random play with a store: steps of small numbers, so that Hypothesis can shrink them.

A number picks one of the things there are (modulo), so each step makes sense in any state.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from chatcore.commands import AppendDeltas, InterruptRuns, PartOpened, Purge, Sent, TextAdded
from chatcore.errors import ChatcoreError, NotFound
from chatcore.messages import Conversation, Message, Policy, Rating, Status, Text
from chatcore.ports import ANYBODY, Store
from tests.storage.acting import PROCESS, Person, ending

__all__ = ["Play", "Step", "plain"]

Kind = Literal[
    "new",
    "post",
    "send",
    "again",
    "say",
    "end",
    "interrupt",
    "move",
    "rate",
    "change",
    "delete",
    "undelete",
    "purge",
]
POLICIES: tuple[Policy, ...] = ("reject", "queue", "interrupt")
ENDED: tuple[Status, ...] = ("complete", "stopped", "failed")
RATINGS: tuple[Rating | None, ...] = ("like", "dislike", None)


class Step(Struct, frozen=True):
    """What is done, and by numbers from 0 to 9 to which of the things there are and how.

    It is done in conversation `a`, by its owner; `stranger` 9 means by the other person.
    """

    kind: Kind
    stranger: int
    a: int
    b: int
    c: int


class Play:
    """Two people and one process at a store, and what they know of."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.people = [Person(store, "ann"), Person(store, "bob")]
        self.conversations: list[Conversation] = []
        self.messages: list[Message] = []
        self.answers: list[Message] = []
        self._texts = 0

    async def step(self, step: Step) -> object:
        """What came of it: the result, or the code of the error."""
        acts: dict[Kind, Callable[[Step, Person], Awaitable[object]]] = {
            "new": self._new,
            "post": self._post,
            "send": self._send,
            "again": self._again,
            "say": self._say,
            "end": self._end,
            "interrupt": self._interrupt,
            "move": self._move,
            "rate": self._rate,
            "change": self._change,
            "delete": self._delete,
            "undelete": self._undelete,
            "purge": self._purge,
        }
        if not self.conversations:
            step = msgspec.structs.replace(step, kind="new")
        try:
            return await acts[step.kind](step, self._person(step))
        except ChatcoreError as error:
            return error.code, sorted(error.data)

    async def views(self) -> list[object]:
        """All that anybody can see."""
        seen: list[object] = []
        for person in self.people:
            seen += [
                await self.store.conversations(
                    person.name, archived=archived, pinned=None, after=None, limit=50
                )
                for archived in (False, True)
            ]
            seen.append(await self.store.list_changes(person.name, after=0, limit=500))
            for conversation in self.conversations:
                seen += await self._views_of(person, conversation)
        seen.append(sorted(await self.store.orphans("nobody")))
        return seen

    async def _views_of(self, person: Person, conversation: Conversation) -> list[object]:
        try:
            changes = await self.store.changes(person.name, conversation.id, after=0, limit=1000)
        except NotFound:
            return ["not found"]
        seen: list[object] = [changes]
        try:
            seen.append(await person.page(conversation))
            seen += [
                await person.page(conversation, around=message, limit=3)
                for message in self.messages
                if message.conversation_id == conversation.id
            ]
        except NotFound:
            seen.append("deleted")
        return seen

    def _person(self, step: Step) -> Person:
        if step.kind == "new":
            return self.people[step.c % 2]
        owner = self.conversation(step).owner
        return self.people[(owner == "bob") ^ (step.stranger == 9)]

    def conversation(self, step: Step) -> Conversation:
        return self.conversations[step.a % len(self.conversations)]

    def message(self, step: Step) -> Message | None:
        """A message of the conversation; with `b` 9 of any."""
        name = self.conversation(step).id
        found = [one for one in self.messages if one.conversation_id == name or step.b == 9]
        return found[-1 - step.b % len(found)] if found else None

    def _answer(self, number: int) -> Message | None:
        return self.answers[-1 - number % len(self.answers)] if self.answers else None

    def _parent(self, step: Step) -> str | None | UnsetType:
        """Mostly unset, sometimes a root, else some message."""
        if step.b < 6:
            return UNSET
        message = self.message(step)
        return message.id if message and step.b > 6 else None

    def _text(self) -> str:
        self._texts += 1
        return f"text {self._texts}"

    async def _running(self, conversation_id: str) -> Message | None:
        for answer in self.answers:
            if answer.conversation_id == conversation_id:
                try:
                    now = await self.store.message(ANYBODY, answer.id)
                except NotFound:
                    continue
                if now.status == "running":
                    return now
        return None

    def _took(self, sent: Sent) -> Sent:
        known = {message.id for message in self.messages}
        self.messages += [message for message in (sent.question, sent.answer) if message.id not in known]
        if sent.answer.id not in known:
            self.answers.append(sent.answer)
        return sent

    async def _new(self, step: Step, person: Person) -> object:
        key = f"key {step.b}" if step.b < 3 else None
        made = await person.new("title", key=key)
        if made.id not in {known.id for known in self.conversations}:
            self.conversations.append(made)
        return made

    async def _post(self, step: Step, person: Person) -> object:
        key = f"key {step.c}" if step.c < 3 else None
        text = "keyed" if key else self._text()
        posted = await person.post(self.conversation(step), text, parent=self._parent(step), key=key)
        if posted.id not in {known.id for known in self.messages}:
            self.messages.append(posted)
        return posted

    async def _send(self, step: Step, person: Person) -> object:
        conversation = self.conversation(step)
        running = await self._running(conversation.id)
        sent = await person.send(
            conversation,
            self._text(),
            parent=self._parent(step),
            policy=POLICIES[step.c % 3],
            ends=ending(running, "cut") if running and step.c < 6 else None,
            max_open_runs=4,
        )
        return self._took(sent)

    async def _again(self, step: Step, person: Person) -> object:
        message = self.message(step)
        if message is None:
            return None
        running = await self._running(message.conversation_id)
        sent = await person.again(
            message,
            continues=step.b % 3 == 0,
            policy=POLICIES[step.c % 3],
            ends=ending(running, "cut") if running and step.c < 6 else None,
            key=f"again {step.b}" if step.b > 6 else None,
        )
        return self._took(sent)

    async def _say(self, step: Step, _: Person) -> object:
        answers = {answer.id for number in (step.a, step.b) if (answer := self._answer(number))}
        deltas: list[PartOpened | TextAdded] = []
        for name in sorted(answers):
            deltas += [PartOpened(name, 0, Text("a")), TextAdded(name, 0, 1, "b" * step.c)]
        command = AppendDeltas(owner=PROCESS, deltas=tuple(deltas))
        ended = await self.store.write(command)
        return sorted(ended)

    async def _end(self, step: Step, person: Person) -> object:
        answer = self._answer(step.c)
        if answer is None:
            return None
        return await person.end(answer, self._text(), status=ENDED[step.b % 3])

    async def _interrupt(self, step: Step, _: Person) -> object:
        if step.c < 5:  # a process does not die that often
            return None
        names = tuple(answer.id for answer in self.answers)
        return await self.store.write(InterruptRuns(message_ids=names, reason="It died."))

    async def _move(self, step: Step, person: Person) -> object:
        message = self.message(step) if step.b else None
        return await person.move(self.conversation(step), message, exact=step.c % 2 == 0)

    async def _rate(self, step: Step, person: Person) -> object:
        message = self.message(step)
        return await person.rate(message, RATINGS[step.c % 3]) if message else None

    async def _change(self, step: Step, person: Person) -> object:
        return await person.change(
            self.conversation(step),
            title=f"title {step.b % 2}" if step.b < 5 else UNSET,
            pinned=step.c % 2 == 0 if step.c < 5 else UNSET,
            archived=step.c % 2 == 0 if step.c > 7 else UNSET,
        )

    async def _delete(self, step: Step, person: Person) -> object:
        conversation = self.conversation(step)
        running = await self._running(conversation.id)
        return await person.delete(conversation, ends=ending(running, "cut") if running else None)

    async def _undelete(self, step: Step, person: Person) -> object:
        return await person.undelete(self.conversation(step))

    async def _purge(self, step: Step, _: Person) -> object:
        if step.b < 5:
            return None
        return await self.store.write(Purge(max_rows=1 + step.a))


def plain(value: object, names: dict[str, str]) -> object:
    """`value` without what differs between two stores: ids are numbered as they come, times left out."""
    match value:
        case Struct():
            fields = {
                name: plain(getattr(value, name), names)
                for name in value.__struct_fields__
                if name != "activity"  # a time too
            }
            return type(value).__name__, fields
        case str():
            if len(value) == 32 and set(value) <= set("0123456789abcdef"):
                return names.setdefault(value, f"#{len(names)}")
            return value
        case datetime() | msgspec.UnsetType():
            return None
        case list() | tuple():
            return [plain(item, names) for item in value]
        case dict():
            return [[plain(key, names), plain(item, names)] for key, item in value.items()]
        case _:
            return value
