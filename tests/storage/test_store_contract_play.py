"""Random play: all stores answer alike, a simple model agrees, and events say what the rows say."""

from collections import defaultdict
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatcore.events import ConversationDeleted, ListChanged
from chatcore.fold import Fold
from chatcore.messages import Conversation, Message
from chatcore.ports import ANYBODY
from tests.storage.conftest import Published, check_numbers, keeping, opened
from tests.storage.playing import Play, Step, plain

SMALL = st.integers(0, 9)
# Questions and answers more often than the rest, or little would ever run
MOSTLY = ("send", "send", "again", "say", "end", "end", "post", "move")
RARELY = ("new", "interrupt", "rate", "change", "delete", "undelete", "purge")
WEIGHTED = st.sampled_from((*MOSTLY, *MOSTLY, *RARELY))
STEPS = st.lists(st.builds(Step, WEIGHTED, SMALL, SMALL, SMALL, SMALL), min_size=10, max_size=60)
START = [Step("new", 0, 0, 9, 0), Step("new", 0, 0, 9, 1)]
EASY = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@settings(EASY, max_examples=30)
@given(STEPS)
def test_all_stores_answer_alike(steps: list[Step]) -> None:
    async def play() -> None:
        async with AsyncExitStack() as stack:
            directory = stack.enter_context(TemporaryDirectory())
            plays, seen, events = [], [], []
            for kind in ("memory", "sqlite"):
                published: Published = []
                store = await stack.enter_async_context(
                    opened(kind, Path(directory) / kind, keeping(published))
                )
                plays.append(Play(store))
                events.append(published)
                seen.append(dict[str, str]())
            for step in (*START, *steps):
                first, second = [
                    plain(await play.step(step), names) for play, names in zip(plays, seen, strict=True)
                ]
                assert first == second, step
            first, second = [plain(list(one), names) for one, names in zip(events, seen, strict=True)]
            assert first == second
            first, second = [
                plain(await play.views(), names) for play, names in zip(plays, seen, strict=True)
            ]
            assert first == second
            for play in plays:
                assert await play.store.check() == []

    anyio.run(play)


@settings(EASY, max_examples=100)
@given(STEPS)
def test_events_and_rows_say_the_same(steps: list[Step]) -> None:
    """Folding all events gives the store; so do the rows; so do rows in batches after any event."""

    async def play() -> None:
        published: Published = []
        async with opened("memory", Path(), keeping(published)) as store:
            play = Play(store)
            for step in (*START, *steps):
                await play.step(step)
            check_numbers(published)
            assert await store.check() == []
            by_conversation: defaultdict[str, Published] = defaultdict(list)
            for event in published:
                if not isinstance(event, ListChanged):
                    by_conversation[event.conversation_id].append(event)
            for conversation in play.conversations:
                await _agree(play, conversation, by_conversation[conversation.id])

    anyio.run(play)


async def _agree(play: Play, conversation: Conversation, events: Published) -> None:
    cut = len(events) // 2
    whole, late = Fold(), Fold()
    for number, event in enumerate(events):
        assert not isinstance(event, ListChanged)
        whole.apply(event)
        if number <= cut:
            late.apply(event)
    # from the beginning, since text in the midst of an answer is not in rows
    for reader, limit in ((Fold(), 3), (Fold(), 1000), (late, 2)):
        after, more = reader.seq, True
        while more:
            batch = await play.store.changes(conversation.owner, conversation.id, after=after, limit=limit)
            for event in batch.events:
                reader.apply(event)
            more = batch.more
            after = batch.events[-1].seq if batch.events else after
        if any(isinstance(event, ConversationDeleted) for event in events):
            continue  # whoever saw that has forgotten it all: the stream had ended there
        assert reader.conversation == whole.conversation
        assert reader.feedback == whole.feedback
        assert {name: m for name, m in reader.messages.items() if m.status != "running"} == {
            name: m for name, m in whole.messages.items() if m.status != "running"
        }
        assert reader.messages.keys() == whole.messages.keys()


class Model:
    """The tree, the head and the list as simply as can be: built from results alone."""

    def __init__(self) -> None:
        self.parents: dict[str, str | None] = {}
        self.children: defaultdict[tuple[str, str | None], list[str]] = defaultdict(list)
        self.heads: dict[str, str | None] = {}
        self.order: list[str] = []
        """Conversations, the one with the newest message last."""

    def add(self, message: Message, *, shown: bool) -> None:
        self.parents[message.id] = message.parent
        self.children[message.conversation_id, message.parent].append(message.id)
        self.order.remove(message.conversation_id)
        self.order.append(message.conversation_id)
        if shown:
            self.heads[message.conversation_id] = message.id

    def path(self, conversation: str) -> list[str]:
        found: list[str] = []
        here = self.heads[conversation]
        while here is not None:
            found.append(here)
            here = self.parents[here]
        return found[::-1]

    def leaf(self, conversation: str, message: str) -> str:
        while below := self.children.get((conversation, message)):
            message = max(below)
        return message


@settings(EASY, max_examples=100)
@given(STEPS)
def test_a_simple_model_agrees(steps: list[Step]) -> None:
    async def play() -> None:
        async with opened("memory", Path(), lambda _: None) as store:
            play, model = Play(store), Model()
            for step in (*START, *steps):
                if step.kind in {"delete", "undelete", "purge"}:
                    continue
                messages, running = len(play.messages), await _running(play, step)
                result = await play.step(step)
                for conversation in play.conversations:
                    if conversation.id not in model.heads:
                        model.heads[conversation.id] = None
                        model.order.append(conversation.id)
                for message in play.messages[messages:]:
                    # a branch posted beside a running answer is not shown
                    model.add(message, shown=step.kind != "post" or not running)
                if step.kind == "move" and isinstance(result, Conversation):
                    _move(play, model, step)
                await _compare(play, model)

    anyio.run(play)


async def _running(play: Play, step: Step) -> bool:
    if not play.conversations:
        return False
    conversation = play.conversation(step)
    return (await play.store.conversation(ANYBODY, conversation.id)).running


def _move(play: Play, model: Model, step: Step) -> None:
    conversation = play.conversation(step)
    message = play.message(step) if step.b else None
    if message is None:
        model.heads[conversation.id] = None
        return
    exact = step.c % 2 == 0
    model.heads[conversation.id] = message.id if exact else model.leaf(conversation.id, message.id)


async def _compare(play: Play, model: Model) -> None:
    for conversation in play.conversations:
        person = play.people[0 if conversation.owner == "ann" else 1]
        page = await person.page(conversation)
        assert [message.id for message in page.messages] == model.path(conversation.id)
        for message in page.messages:
            beside = model.children[conversation.id, message.parent]
            assert page.siblings.get(message.id, (message.id,)) == tuple(sorted(beside))
    for person in play.people:
        entries = [
            entry.id
            for archived in (False, True)
            for entry in (
                await play.store.conversations(
                    person.name, archived=archived, pinned=None, after=None, limit=99
                )
            ).conversations
        ]
        owned = {one.id for one in play.conversations if one.owner == person.name}
        assert set(entries) == owned
        for archived in (False, True):
            page_of_list = await play.store.conversations(
                person.name, archived=archived, pinned=None, after=None, limit=99
            )
            places = [model.order.index(entry.id) for entry in page_of_list.conversations]
            assert places == sorted(places, reverse=True)
