"""Whole conversations, in batches."""

import pytest

from chatcore.errors import InvalidInput, NotFound
from chatcore.messages import Feedback
from chatcore.ports import Store
from chatcore.views import Tree
from tests.storage.acting import Person, texts
from tests.storage.bringing import bring, brought, said
from tests.storage.test_store_contract_changes import busy_conversation


async def all_trees(
    store: Store, messages: int, *, ids: list[str] | None = None, user: str = "ann"
) -> list[list[Tree]]:
    """All batches."""
    batches: list[list[Tree]] = []
    after: str | None = None
    while True:
        batch = await store.trees(user, conversation_ids=ids, after=after, messages=messages)
        batches.append(list(batch.trees))
        after = batch.next
        if after is None:
            return batches


async def test_a_tree_has_all_branches_parents_first(store: Store, ann: Person) -> None:
    made = await busy_conversation(ann)
    ((tree,),) = await all_trees(store, 100)
    assert tree.conversation == await ann.look(made)
    order = [(node.message.depth, node.message.id) for node in tree.nodes]
    assert order == sorted(order)
    seen: set[str | None] = {None}
    for node in tree.nodes:
        assert node.message == await ann.read(node.message)
        assert node.message.parent in seen
        assert node.raw is None
        seen.add(node.message.id)
    said_of_all = texts([node.message for node in tree.nodes])
    assert sorted(said_of_all) == sorted(["q", "one", "two", "on", "and on", "another root", "yes", "posted"])
    votes = {text: node.feedback for text, node in zip(said_of_all, tree.nodes, strict=True) if node.feedback}
    assert {text: [vote.feedback for vote in of] for text, of in votes.items()} == {
        "two": [Feedback(rating="dislike", comment="no")]
    }


@pytest.mark.parametrize(
    ("messages", "lengths"), [(1, [1, 1, 1, 1]), (2, [2, 2]), (4, [2, 2]), (5, [3, 1]), (99, [4])]
)
async def test_batches_end_with_whole_conversations(store: Store, messages: int, lengths: list[int]) -> None:
    await bring(store, brought("a", "1"), brought("b", "1", "2", "3"), brought("c", "1"), brought("d", "1"))
    batches = await all_trees(store, messages)
    assert [len(batch) for batch in batches] == lengths
    assert [len(tree.nodes) for batch in batches for tree in batch] == [1, 3, 1, 1]
    ids = [tree.conversation.id for batch in batches for tree in batch]
    assert ids == sorted(ids)


async def test_those_that_are_named_come_in_that_order(store: Store, ann: Person) -> None:
    a, b, c = [one.conversation_id for one in await bring(store, *(brought(name, "x") for name in "abc"))]
    for messages, lengths in ((1, [1, 1, 1]), (2, [2, 1]), (3, [3])):
        batches = await all_trees(store, messages, ids=[c, a, b])
        assert [len(batch) for batch in batches] == lengths
        assert [tree.conversation.id for batch in batches for tree in batch] == [c, a, b]
    assert await all_trees(store, 1, ids=[]) == [[]]
    await ann.delete(await store.conversation("ann", a))
    with pytest.raises(NotFound):
        await all_trees(store, 9, ids=[c, a, b])
    assert [tree.conversation.id for (tree,) in await all_trees(store, 1)] == [b, c]


async def test_only_ones_own(store: Store, ann: Person, bob: Person) -> None:
    (theirs,) = await bring(store, brought("a", "x"), user="bob")
    archived = await ann.new("archived")
    await ann.change(archived, archived=True)
    assert [tree.conversation.title for batch in await all_trees(store, 9) for tree in batch] == ["archived"]
    assert await all_trees(store, 9, user="nobody") == [[]]
    with pytest.raises(NotFound):
        await all_trees(store, 9, ids=[theirs.conversation_id])
    with pytest.raises(NotFound):
        await all_trees(store, 9, ids=["nothing"])


async def test_a_running_answer_is_as_its_row_is(store: Store, ann: Person) -> None:
    made = await ann.new()
    sent = await ann.send(made, "q")
    await ann.say(sent.answer, "so far")
    ((tree,),) = await all_trees(store, 9)
    assert [(node.message.status, node.message.parts) for node in tree.nodes][1] == ("running", ())


async def test_what_the_source_said_is_given(store: Store) -> None:
    await bring(store, brought("a", said("x", raw='{"m":1}'), said("y"), raw='{"c":1}'))
    ((tree,),) = await all_trees(store, 9)
    assert (tree.raw, [node.raw for node in tree.nodes]) == ('{"c":1}', ['{"m":1}', None])


@pytest.mark.parametrize("after", ["", "x", "-1", "1.0", "²", "9" * 19])
@pytest.mark.parametrize("ids", [None, []])
async def test_a_place_that_is_none(store: Store, after: str, ids: list[str] | None) -> None:
    with pytest.raises(InvalidInput):
        await store.trees("ann", conversation_ids=ids, after=after, messages=1)
