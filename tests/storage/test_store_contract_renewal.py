"""Conversations that come again in a newer version, whole or in slices."""

import pytest
from msgspec.structs import replace

from chatcore.arrivals import IngestConversation, Ingested
from chatcore.commands import Purge
from chatcore.errors import ChatcoreError, InvalidInput, NotFound
from chatcore.events import (
    ConversationChanged,
    FeedbackChanged,
    ListChanged,
    MessageChanged,
)
from chatcore.fold import Fold
from chatcore.messages import Conversation, Feedback, File, MissingFile, Rating
from chatcore.ports import Store
from tests.storage.acting import Person, texts
from tests.storage.bringing import HOUR, NOON, bring, brought, said, sliced, tree_of
from tests.storage.conftest import Published
from tests.storage.test_store_contract_changes import changes


async def first(store: Store, whole: IngestConversation) -> Conversation:
    """The conversation, ingested."""
    (result,) = await bring(store, whole)
    assert result.outcome == "imported"
    return await store.conversation("ann", result.conversation_id)


def counts(result: Ingested) -> tuple[str, int, int, int, int]:
    return result.outcome, result.imported, result.updated, result.unchanged, result.votes


async def test_what_is_new_comes_below_its_parents(store: Store, ann: Person) -> None:
    made = await first(store, brought("c", "q", "a"))
    newer = brought("c", "q", said("other", parent=0), said("a", parent=0), said("more", parent=2), head=3)
    (result,) = await bring(store, newer)
    assert counts(result) == ("updated", 2, 0, 2, 0)
    assert result.conversation_id == made.id
    tree = await tree_of(store, made.id)
    assert texts([node.message for node in tree.nodes]) == ["q", "a", "other", "more"]
    assert [node.message.depth for node in tree.nodes] == [0, 1, 1, 2]
    assert await ann.shown(made) == ["q", "a", "more"]
    assert (await bring(store, newer))[0].outcome == "unchanged"


async def test_what_is_other_than_before_is_replaced_in_its_place(
    store: Store, ann: Person, published: Published
) -> None:
    made = await first(store, brought("c", "q", said("a", "was", role="assistant"), "z"))
    before = await ann.page(made)
    published.clear()
    newer = brought("c", "q", said("a", "is", role="assistant", raw='"r"'), "z")
    (result,) = await bring(store, newer)
    assert counts(result) == ("updated", 0, 1, 2, 0)
    after = await ann.page(made)
    assert texts(after.messages) == ["q", "is", "z"]
    old, new = before.messages[1], after.messages[1]
    assert new.seq > made.seq
    assert replace(new, parts=old.parts, seq=old.seq) == old
    assert [event.message for event in published if isinstance(event, MessageChanged)] == [new]
    assert (await tree_of(store, made.id)).nodes[1].raw == '"r"'


async def test_what_a_source_says_beyond_a_message_can_change_alone(store: Store) -> None:
    made = await first(store, brought("c", said("q", raw="1")))
    (result,) = await bring(store, brought("c", said("q", raw="2")))
    assert counts(result) == ("updated", 0, 1, 0, 0)
    assert (await tree_of(store, made.id)).nodes[0].raw == "2"


async def test_another_time_alone_is_no_change(store: Store, published: Published) -> None:
    """Where a source tells no time, it is that of the ingestion."""
    await first(store, brought("c", said("q", created_at_us=NOON)))
    published.clear()
    (result,) = await bring(store, brought("c", said("q", created_at_us=NOON + 1)))
    assert counts(result) == ("unchanged", 0, 0, 1, 0)
    assert published == []


async def test_what_was_written_here_is_never_touched(store: Store, ann: Person) -> None:
    made = await first(store, brought("c", "q", said("a", role="assistant"), title="theirs", pinned=True))
    question, answer = await ann.ask(made, "mine", "ours")
    await ann.change(made, title="my title", pinned=False)
    (result,) = await bring(
        store, brought("c", "q", said("a", role="assistant"), "theirs too", title="new title")
    )
    assert counts(result) == ("updated", 1, 0, 2, 0)
    kept = await ann.look(made)
    assert (kept.title, kept.pinned, kept.head) == ("my title", False, answer.id)
    assert await ann.read(question) == question
    assert await ann.shown(made) == ["q", "a", "mine", "ours"]


async def test_an_untitled_one_takes_the_title(store: Store, ann: Person) -> None:
    made = await first(store, brought("c", "q"))
    (result,) = await bring(store, brought("c", "q", title="at last"))
    assert (result.outcome, result.unchanged) == ("updated", 1)
    assert (await ann.look(made)).title == "at last"


async def test_the_head_moves_while_it_stands_on_what_was_ingested(store: Store, ann: Person) -> None:
    made = await first(store, brought("c", "q", "a"))
    branch = brought("c", "q", "a", said("b", parent=0))
    await bring(store, branch)
    assert await ann.shown(made) == ["q", "b"]
    await ann.move(made, None, exact=True)
    await bring(store, replace(branch, digest=b"1" * 16))
    assert await ann.shown(made) == ["q", "b"]
    mine = await ann.post(made, "mine")
    await bring(store, replace(branch, digest=b"2" * 16, head=1))
    assert (await ann.look(made)).head == mine.id


async def test_an_answer_that_is_being_written_is_left_alone(store: Store, ann: Person) -> None:
    made = await first(store, brought("c", "q", said("a", role="assistant")))
    sent = await ann.send(made, "more")
    await ann.say(sent.answer, "so ", "far")
    (result,) = await bring(store, brought("c", "q", said("a", "A", role="assistant"), said("b", parent=0)))
    assert counts(result) == ("updated", 1, 1, 1, 0)
    assert (await ann.look(made)).running
    await ann.say(sent.answer)
    await ann.end(sent.answer, "so far")
    assert await ann.shown(made) == ["q", "A", "more", "so far"]
    found = await changes(ann, made)
    assert len({event.seq for event in found}) == len(found)


@pytest.mark.parametrize("mine", ["like", "dislike", None])
async def test_a_vote_is_set_only_where_there_is_none(store: Store, ann: Person, mine: Rating | None) -> None:
    made = await first(store, brought("c", said("q"), said("a", role="assistant")))
    answer = (await ann.page(made)).messages[1]
    await ann.rate(answer, "like" if mine is None else "dislike")
    await ann.rate(answer, "dislike" if mine == "dislike" else "like" if mine else None)
    voted = brought("c", said("q", rating="like"), said("a", role="assistant", rating="dislike"))
    (result,) = await bring(store, voted)
    assert counts(result) == ("updated", 0, 0, 2, 1)  # that on the question
    votes = {vote.message_id: vote.feedback.rating for vote in (await ann.page(made)).feedback}
    assert votes == {(await ann.page(made)).messages[0].id: "like"} | ({answer.id: mine} if mine else {})
    (again,) = await bring(store, replace(voted, digest=b"1" * 16))
    assert counts(again) == ("unchanged", 0, 0, 2, 0)


async def test_a_file_that_came_before_is_not_lost_to_its_name(store: Store, ann: Person) -> None:
    kept = await ann.file("one")
    made = await first(store, brought("c", said("q", "look", MissingFile(name=kept.name, pointer="p"))))
    (with_file,) = await bring(store, brought("c", said("q", "look", File(kept))))
    assert counts(with_file) == ("updated", 0, 1, 0, 0)
    assert (await store.attachments(after=0, limit=10))[0] == [kept]
    (named,) = await bring(store, brought("c", said("q", "see", MissingFile(name=kept.name, pointer="p"))))
    assert counts(named) == ("updated", 0, 1, 0, 0)
    assert File(kept) in (await ann.page(made)).messages[0].parts
    (gone,) = await bring(store, brought("c", said("q", "see")))
    assert counts(gone) == ("updated", 0, 1, 0, 0)
    assert (await store.attachments(after=0, limit=10))[0] == []


async def test_the_list_follows_the_source_and_never_steps_back(store: Store, ann: Person) -> None:
    made = await first(store, brought("c", "q", title="c", updated_at_us=NOON))
    await first(store, brought("d", "q", title="d", updated_at_us=NOON + HOUR))
    await bring(store, brought("c", "q", "a", title="c", updated_at_us=NOON + 2 * HOUR))
    assert await ann.titles() == ["c", "d"]
    kept = await ann.look(made)
    await bring(store, brought("c", "q", "a", "b", title="c", updated_at_us=NOON))
    assert (await ann.look(made)).activity == kept.activity


async def test_readers_are_told_of_all_that_changes(store: Store, ann: Person, published: Published) -> None:
    """What was held before, with the events of the update, is what is held now; and so are the rows."""
    made = await first(store, brought("c", "q", said("a", "was"), said("b", parent=0), head=1))
    held = Fold()
    for event in await changes(ann, made):
        held.apply(event)
    published.clear()
    newer = brought(
        "c", said("q", rating="like"), said("a", "is"), said("b", parent=0), said("x", parent=2), title="t"
    )
    await bring(store, newer)
    kinds = [type(event) for event in published]
    assert kinds == [MessageChanged, MessageChanged, FeedbackChanged, ConversationChanged, ListChanged]
    for told in published:
        if not isinstance(told, ListChanged):
            held.apply(told)
    rows = Fold()
    for event in await changes(ann, made):
        rows.apply(event)
    for fold in (held, rows):
        assert fold.conversation == await ann.look(made)
        assert fold.path() == list((await ann.page(made)).messages)
        assert {message.id for message in fold.messages.values()} == {
            node.message.id for node in (await tree_of(store, made.id)).nodes
        }
        assert list(fold.feedback.values()) == [Feedback(rating="like")]


# Slices


def long(name: str = "long", *, suffix: str = "", count: int = 9) -> IngestConversation:
    """One with branches, votes, and a head that is not its last message."""
    messages = [
        said(
            f"{number}",
            f"{number}{suffix}",
            parent=number - (1 if number % 3 else 3 if number else 1),
            rating="like" if number % 4 == 0 else None,
        )
        for number in range(count)
    ]
    return brought(name, *messages, head=count - 2, title=name, updated_at_us=NOON)


async def test_slices_make_the_same_as_the_whole(store: Store, published: Published) -> None:
    (whole,) = await bring(store, long("whole"))
    results = [(await bring(store, one))[0] for one in sliced(long("sliced"), 2, 3, 4)]
    assert {one.conversation_id for one in results} == {results[0].conversation_id}
    assert [one.outcome for one in results] == ["imported"] * 3
    assert sum(one.imported for one in results) == whole.imported == 9
    assert sum(one.votes for one in results) == whole.votes == 3
    one, other = [await tree_of(store, made.conversation_id) for made in (whole, results[0])]
    assert [node.message.depth for node in one.nodes] == [node.message.depth for node in other.nodes]
    assert texts([node.message for node in one.nodes]) == texts([node.message for node in other.nodes])
    assert [len(node.feedback) for node in one.nodes] == [len(node.feedback) for node in other.nodes]
    for tree in (one, other):
        heads = [node.message for node in tree.nodes if node.message.id == tree.conversation.head]
        assert texts(heads) == ["7"]
        assert (tree.conversation.activity, tree.conversation.deleted) == (NOON, False)
    assert not any(isinstance(event, MessageChanged | FeedbackChanged) for event in published)
    (again,) = await bring(store, long("sliced"))
    assert again.outcome == "unchanged"


async def test_an_unfinished_one_is_nowhere_to_be_seen(
    store: Store, ann: Person, published: Published
) -> None:
    (result, *_) = await bring(store, sliced(long(), 5, 4)[0])
    name = result.conversation_id
    assert published == []
    assert await ann.titles() == []
    assert (await store.trees("ann", conversation_ids=None, after=None, messages=9)).trees == ()
    seen = await ann.new("seen")
    ghost = replace(seen, id=name)
    published.clear()
    for attempt in (
        ann.look(ghost),
        ann.undelete(ghost),
        ann.delete(ghost),
        ann.page(ghost),
        ann.post(ghost, "x"),
        ann.change(ghost, title="x"),
        tree_of(store, name),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert published == []
    listed = (await store.list_changes("ann", after=0, limit=9)).events
    assert {event.conversation_id: event.conversation.deleted for event in listed} == {
        name: True,
        seen.id: False,
    }


@pytest.mark.parametrize("stored", [1, 2])
@pytest.mark.parametrize("suffix", ["", "!"])
async def test_the_same_again_goes_on_with_an_unfinished_one(
    store: Store, ann: Person, stored: int, suffix: str
) -> None:
    """The process died between two slices; then the same comes again, or a newer version in other slices."""
    begun, *_ = [(await bring(store, one))[0] for one in sliced(long(), 2, 3, 4)[:stored]]
    results = [(await bring(store, one))[0] for one in sliced(long(suffix=suffix), 4, 4, 1)]
    assert {one.conversation_id for one in results} == {begun.conversation_id}
    assert [one.outcome for one in results] == ["imported"] * 3
    there = {1: 2, 2: 5}[stored]
    assert sum(one.imported for one in results) == 9 - there
    assert sum(one.updated if suffix else one.unchanged for one in results) == there
    tree = await tree_of(store, begun.conversation_id)
    assert sorted(texts([node.message for node in tree.nodes])) == [
        f"{number}{suffix}" for number in range(9)
    ]
    assert sum(len(node.feedback) for node in tree.nodes) == 3
    assert await ann.titles() == ["long"]
    assert (await bring(store, long(suffix=suffix)))[0].outcome == "unchanged"


async def test_a_whole_one_that_grows_by_slices_is_seen_all_the_time(store: Store, ann: Person) -> None:
    made = await first(store, long(count=4))
    first_slice, second = sliced(long(), 6, 3)
    (begun,) = await bring(store, first_slice)
    assert counts(begun) == ("updated", 2, 0, 4, 1)
    assert (await ann.look(made)).head == made.head
    # cut off here, it begins anew
    results = [(await bring(store, one))[0] for one in (first_slice, second)]
    assert [counts(one)[:4] for one in results] == [("unchanged", 0, 0, 6), ("updated", 3, 0, 0)]
    assert len((await tree_of(store, made.id)).nodes) == 9
    assert (await bring(store, long()))[0].outcome == "unchanged"


async def test_slices_of_two_conversations_in_turn(store: Store) -> None:
    one, other = sliced(long("one"), 3, 3, 3), sliced(long("other"), 4, 4, 1)
    for pair in zip(one, other, strict=True):
        for each in pair:
            assert (await bring(store, each))[0].outcome == "imported"
            await bring(store, brought(each.digest.hex(), "x"), user="bob")
    trees = (await store.trees("ann", conversation_ids=None, after=None, messages=99)).trees
    assert [len(tree.nodes) for tree in trees] == [9, 9]


async def test_a_slice_whose_beginning_was_purged_begins_anew(store: Store) -> None:
    begin, end = sliced(long(), 5, 4)
    (result,) = await bring(store, begin)
    await store.write(Purge())
    with pytest.raises(NotFound):
        await bring(store, end)
    results = [(await bring(store, one))[0] for one in (begin, end)]
    assert results[0].conversation_id == results[1].conversation_id != result.conversation_id


async def test_a_refused_slice_leaves_what_was_there(store: Store) -> None:
    begin, end = sliced(long(), 5, 4)
    (result,) = await bring(store, begin)
    for bad in (replace(end, earlier={}), replace(end, head=99)):
        with pytest.raises(InvalidInput):
            await bring(store, bad)
    with pytest.raises(ChatcoreError):  # the second of the command; the first is taken back with it
        await bring(store, end, brought("x", "y", head=9))
    (last,) = await bring(store, end)
    assert last.outcome == "imported"
    assert len((await tree_of(store, result.conversation_id)).nodes) == 9
