"""Random ingestion, cut off anywhere, among a person's own changes: all stores agree, and nothing is lost."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from chatcore.arrivals import IngestConversation
from chatcore.commands import Purge
from chatcore.errors import NotFound
from chatcore.events import ListChanged
from chatcore.fold import Fold
from chatcore.messages import Conversation, Rating, text_of
from chatcore.ports import Store
from chatcore.views import Tree
from tests.storage.acting import Person
from tests.storage.bringing import NOON, bring, brought, said, sliced
from tests.storage.conftest import Published, check_numbers, keeping, opened
from tests.storage.playing import plain
from tests.storage.test_store_contract_changes import changes

NAMES = ("a", "b", "c")


class Version(Struct, frozen=True):
    """A conversation as its source has it, `dated` (0: never): for each message parent and wording."""

    name: str
    messages: tuple[tuple[int, int], ...]
    slices: tuple[int, ...]
    cut: int
    dated: int = 0

    def whole(self) -> IngestConversation:
        messages = [
            said(
                f"{self.name}{place}",
                f"{self.name}{place} v{wording}",
                parent=parent % place if place and parent >= 0 else -1,
                rating="like" if wording == 2 else None,
            )
            for place, (parent, wording) in enumerate(self.messages)
        ]
        votes: dict[int, dict[str, Rating]] = {
            place: {"ann": "dislike", "bob": "like"}
            for place, (_, wording) in enumerate(self.messages)
            if wording == 1
        }
        return brought(
            self.name,
            *messages,
            title=self.name,
            updated_at_us=NOON + self.dated,
            dated=self.dated > 0,
            votes=votes,
        )

    def parts(self) -> list[IngestConversation]:
        """Its slices up to where it is cut off (never before the first, perhaps not at all)."""
        lengths: list[int] = []
        for length in self.slices:
            lengths.append(min(length, len(self.messages) - sum(lengths)))
        lengths.append(len(self.messages) - sum(lengths))
        return sliced(self.whole(), *filter(None, lengths))[: self.cut]


VERSIONS = st.builds(
    Version,
    st.sampled_from(NAMES),
    st.lists(st.tuples(st.integers(-1, 9), st.integers(0, 2)), min_size=1, max_size=9).map(tuple),
    st.lists(st.integers(1, 4), max_size=3).map(tuple),
    st.integers(1, 4),
    st.integers(0, 3),
)
OWN = st.tuples(st.sampled_from(("post", "move", "rate", "delete", "undelete", "purge")), st.integers(0, 9))
STEPS = st.lists(st.one_of(VERSIONS, VERSIONS, OWN), min_size=3, max_size=20)


class Scene:
    """One store, and what happens there."""

    def __init__(self, store: Store, published: Published) -> None:
        self.store = store
        self.published = published
        self.ann = Person(store)
        self.made: dict[str, str] = {}  # newest id by name

    async def step(self, step: Version | tuple[str, int]) -> object:
        if isinstance(step, Version):
            results = []
            for one in step.parts():
                (result,) = await bring(self.store, one)
                self.made[step.name] = result.conversation_id
                results.append(result)
            return results
        try:
            return await self._own(*step)
        except NotFound:
            return "not found"

    async def _own(self, kind: str, number: int) -> object:
        if kind == "purge":
            return await self.store.write(Purge(max_rows=3 * number + 1))
        ids = sorted(self.made.values())
        if not ids:
            return None
        name = ids[number % len(ids)]
        if kind == "undelete":
            return await self.ann.undelete(await self._ghost(name))
        conversation = await self.store.conversation("ann", name)
        messages = (await self.ann.page(conversation)).messages
        if kind == "delete":
            return await self.ann.delete(conversation)
        if kind == "post" or not messages:
            return await self.ann.post(conversation, f"mine {number}")
        message = messages[number % len(messages)]
        if kind == "move":
            return await self.ann.move(conversation, message, exact=True)
        return await self.ann.rate(message, (None, "like", "dislike")[number % 3])

    async def _ghost(self, name: str) -> Conversation:
        listed = await self.store.list_changes("ann", after=0, limit=1000)
        return next(event.conversation for event in listed.events if event.conversation_id == name)

    async def trees(self) -> Sequence[Tree]:
        return (await self.store.trees("ann", conversation_ids=None, after=None, messages=10**6)).trees


HALF_PURGED = [
    Version("b", ((0, 0), (0, 0)), (), 1),
    Version("b", ((0, 0), (0, 1), (1, 0), (2, 0)), (), 1),  # the parent was changed after its children came
    ("delete", 0),
    ("purge", 0),
]


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=30)
@given(STEPS)
@example(HALF_PURGED)
def test_all_stores_agree_and_hold_what_was_brought(steps: list[Version | tuple[str, int]]) -> None:
    async def play() -> None:
        async with AsyncExitStack() as stack:
            directory = stack.enter_context(TemporaryDirectory())
            scenes, seen = [], []
            for kind in ("memory", "sqlite"):
                published: Published = []
                store = await stack.enter_async_context(
                    opened(kind, Path(directory) / kind, keeping(published))
                )
                scenes.append(Scene(store, published))
                seen.append(dict[str, str]())
            for step in steps:
                one, other = [
                    plain(await scene.step(step), names) for scene, names in zip(scenes, seen, strict=True)
                ]
                assert one == other, step
            for name in NAMES:  # at last, a version comes as a whole
                final = Version(name, ((-1, 0), (0, 1), (1, 2), (0, 0)), (), 1)
                for scene, names in zip(scenes, seen, strict=True):
                    plain(await scene.step(final), names)
            one, other = [
                plain(await scene.trees(), names) for scene, names in zip(scenes, seen, strict=True)
            ]
            assert one == other
            for scene in scenes:
                await _look(scene)

    anyio.run(play)


async def _look(scene: Scene) -> None:
    assert await scene.store.check() == []
    check_numbers(scene.published)
    for tree in await scene.trees():
        name = tree.conversation.title or ""
        texts = {text_of(node.message.parts) for node in tree.nodes}
        assert {f"{name}{place} v{wording}" for place, wording in enumerate((0, 1, 2, 0))} <= texts
        # whoever follows from the beginning holds just that
        fold = Fold()
        for event in await changes(scene.ann, tree.conversation):
            fold.apply(event)
        assert fold.conversation == tree.conversation
        assert fold.messages == {node.message.id: node.message for node in tree.nodes}
        last = [event for event in scene.published if isinstance(event, ListChanged)]
        of_this = [event for event in last if event.conversation_id == tree.conversation.id]
        assert of_this
        assert not of_this[-1].conversation.deleted
