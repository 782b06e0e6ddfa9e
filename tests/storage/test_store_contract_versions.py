"""Votes of several users, older versions, and exports of ours that come back to where they were made."""

import pytest
from msgspec.structs import replace

from chatcore.arrivals import IngestConversation, Ingested, IngestMessage, id_origin
from chatcore.commands import Purge
from chatcore.errors import InvalidInput
from chatcore.events import FeedbackChanged
from chatcore.messages import Conversation, Rating, Text
from chatcore.ports import Store
from tests.storage.acting import Person, texts
from tests.storage.bringing import HOUR, NOON, bring, brought, said, sliced, tree_of
from tests.storage.conftest import Published


def counts(result: Ingested) -> tuple[str, int, int, int, int]:
    return result.outcome, result.imported, result.updated, result.unchanged, result.votes


async def votes_of(store: Store, conversation_id: str, user: str = "ann") -> list[dict[str, Rating]]:
    """For each message who votes how."""
    tree = await tree_of(store, conversation_id, user)
    return [{held.user: held.feedback.rating for held in node.feedback} for node in tree.nodes]


# --- votes of others


async def test_votes_of_several_users_are_set(store: Store, published: Published) -> None:
    given = brought(
        "c",
        "q",
        said("a", rating="like"),
        votes={0: {"cid": "like"}, 1: {"bob": "dislike", "cid": "dislike"}},
    )
    (result,) = await bring(store, given)
    assert counts(result) == ("imported", 2, 0, 0, 4)
    wanted = [{"cid": "like"}, {"ann": "like", "bob": "dislike", "cid": "dislike"}]
    assert await votes_of(store, result.conversation_id) == wanted
    found = await store.changes("ann", result.conversation_id, after=0, limit=100)
    seqs = [event.seq for event in found.events]
    assert len({*seqs}) == len(seqs)
    assert sum(isinstance(event, FeedbackChanged) for event in found.events) == 4
    # they voted, and nothing of it is theirs
    for user in ("bob", "cid"):
        page = await store.conversations(user, archived=False, pinned=None, after=None, limit=10)
        assert page.conversations == ()
    assert (await bring(store, given))[0].outcome == "unchanged"


async def test_who_takes_it_in_has_one_vote(store: Store) -> None:
    """The vote that came as theirs counts, and else the one under their name."""
    given = brought("c", said("q", rating="like"), "a", votes={0: {"ann": "dislike"}, 1: {"ann": "dislike"}})
    (result,) = await bring(store, given)
    assert counts(result) == ("imported", 2, 0, 0, 2)
    assert await votes_of(store, result.conversation_id) == [{"ann": "like"}, {"ann": "dislike"}]


async def test_a_newer_version_brings_votes_where_a_user_has_none(store: Store, ann: Person) -> None:
    (made,) = await bring(store, brought("c", "q", "a", votes={1: {"bob": "like"}}))
    _, answer = [node.message for node in (await tree_of(store, made.conversation_id)).nodes]
    await ann.rate(answer, "like")
    await ann.rate(answer, None)  # taken back: that is a decision too
    given = {"ann": "like", "bob": "dislike", "cid": "like"}
    newer = brought("c", "q", "a", "more", votes={1: given, 2: {"bob": "like"}})  # type: ignore[dict-item]
    (result,) = await bring(store, newer)
    assert counts(result) == ("updated", 1, 0, 2, 2)
    assert await votes_of(store, made.conversation_id) == [
        {},
        {"bob": "like", "cid": "like"},
        {"bob": "like"},
    ]
    assert counts((await bring(store, replace(newer, digest=b"1" * 16)))[0]) == ("unchanged", 0, 0, 3, 0)


async def test_slices_bring_their_own_votes(store: Store) -> None:
    whole = brought("c", "0", "1", "2", "3", votes={0: {"bob": "like"}, 3: {"bob": "dislike", "cid": "like"}})
    results = [(await bring(store, one))[0] for one in sliced(whole, 2, 2)]
    assert [one.votes for one in results] == [1, 2]
    assert await votes_of(store, results[0].conversation_id) == [
        {"bob": "like"},
        {},
        {},
        {"bob": "dislike", "cid": "like"},
    ]


@pytest.mark.parametrize("place", [-1, 2])
async def test_a_vote_on_nothing_is_refused(store: Store, ann: Person, place: int) -> None:
    await bring(store, brought("c", "q"))
    for name in ("c", "d"):
        with pytest.raises(InvalidInput):
            await bring(store, brought(name, "q", "a", votes={place: {"bob": "like"}}))
    assert len(await ann.titles()) == 1


# --- versions that are older


OLD = brought("c", said("q", "q then"), said("a", "a then", rating="like"), dated=True, updated_at_us=NOON)
NEW = brought(
    "c",
    said("q", "q now"),
    said("a", "a now"),
    said("b", parent=0),
    head=2,
    dated=True,
    updated_at_us=NOON + HOUR,
)


@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD), (NEW, OLD, NEW), (OLD, NEW, OLD)])
async def test_the_order_in_which_versions_come_does_not_matter(
    store: Store, ann: Person, order: tuple[IngestConversation, ...]
) -> None:
    results = [(await bring(store, one))[0] for one in order]
    made = await store.conversation("ann", results[0].conversation_id)
    tree = await tree_of(store, made.id)
    assert texts([node.message for node in tree.nodes]) == ["q now", "a now", "b"]
    assert await ann.shown(made) == ["q now", "b"]
    assert await votes_of(store, made.id) == [{}, {"ann": "like"}, {}]
    assert (made.activity, results[-1].updated) == (NOON + HOUR, 2 if order == (OLD, NEW) else 0)


async def test_an_older_version_adds_what_is_not_known(store: Store, ann: Person) -> None:
    (made,) = await bring(store, NEW)
    older = brought("c", said("q", "q then"), said("b"), said("gone"), dated=True, title="then", raw="1")
    (result,) = await bring(store, older)
    assert counts(result) == ("updated", 1, 0, 2, 0)
    tree = await tree_of(store, made.conversation_id)
    assert texts([node.message for node in tree.nodes]) == ["q now", "a now", "b", "gone"]
    assert (tree.conversation.title, tree.raw) == ("then", None)  # it had no title
    assert await ann.shown(tree.conversation) == ["q now", "b"]
    assert (await bring(store, NEW))[0].outcome == "unchanged"  # known by its digest alone


async def test_without_times_the_last_one_counts(store: Store) -> None:
    (made,) = await bring(store, NEW)
    for one in (replace(OLD, dated=False), replace(NEW, digest=b"2" * 16), replace(OLD, digest=b"3" * 16)):
        await bring(store, one)
    tree = await tree_of(store, made.conversation_id)
    assert texts([node.message for node in tree.nodes]) == ["q now", "a now", "b"]
    (back,) = await bring(store, replace(OLD, dated=False, digest=b"4" * 16))
    assert back.updated == 2


async def test_an_older_version_ends_what_a_newer_one_began(store: Store, ann: Person) -> None:
    (begun, _) = sliced(NEW, 1, 2)
    (made,) = await bring(store, begun)
    (result,) = await bring(store, OLD)
    assert counts(result) == ("imported", 1, 0, 1, 1)
    there = await store.conversation("ann", made.conversation_id)
    assert await ann.shown(there) == ["q now", "a then"]
    (again,) = await bring(store, NEW)
    assert counts(again) == ("updated", 1, 1, 1, 0)
    assert await ann.shown(there) == ["q now", "b"]


# --- exports of ours


async def export_of(store: Store, made: Conversation, **changes: object) -> IngestConversation:
    """The conversation as an export of ours brings it."""
    tree = await tree_of(store, made.id, made.owner)
    places = {node.message.id: place for place, node in enumerate(tree.nodes)}
    messages = [
        replace(
            said(node.message.id, *node.message.parts, parent=places.get(node.message.parent or "", -1)),
            role=node.message.role,
            raw='{"chatcore":1}',
            feedback=next((held.feedback for held in node.feedback if held.user == made.owner), None),
        )
        for node in tree.nodes
    ]
    assert [one.origin for one in messages] == [id_origin(node.message.id) for node in tree.nodes]
    whole = brought(
        f"chatcore {made.id}",
        *messages,
        head=places.get(tree.conversation.head or "", len(messages) - 1),
        title=tree.conversation.title,
        updated_at_us=tree.conversation.activity,
        dated=True,
        own_id=made.id,
    )
    return replace(whole, **changes)


async def grown(store: Store, ann: Person) -> Conversation:
    """One that was written here, but for its beginning, which came from elsewhere."""
    (made,) = await bring(
        store, brought("elsewhere", "q", said("a", role="assistant", rating="like"), raw="1")
    )
    there = await store.conversation("ann", made.conversation_id)
    await ann.ask(there, "mine", "ours")
    return there


async def test_an_export_comes_back_and_nothing_changes(
    store: Store, ann: Person, published: Published
) -> None:
    for there in (await grown(store, ann), await ann.new("written here")):
        await ann.post(there, "last")
        given = await export_of(store, there)
        before = await tree_of(store, there.id)
        published.clear()
        for one in (given, *sliced(given, 1, *(1 for _ in given.messages[1:]))):
            (result,) = await bring(store, one)
            assert (result.outcome, result.conversation_id) == ("unchanged", there.id)
        assert await tree_of(store, there.id) == before
        assert published == []
    assert len(await ann.titles()) == 2


async def test_it_is_known_though_people_went_on(store: Store, ann: Person) -> None:
    there = await grown(store, ann)
    given = await export_of(store, there)
    _, answer = await ann.ask(there, "later", "on")
    await ann.change(there, title="renamed")
    await ann.rate(answer, "like")
    undone = await ann.move(there, None, exact=True)
    before = await tree_of(store, there.id)
    assert (await bring(store, given))[0].outcome == "unchanged"
    later = await export_of(store, there, head=3)
    assert (await bring(store, later))[0].outcome == "unchanged"
    assert await tree_of(store, there.id) == before
    assert undone.head is None
    # and its own source still knows it
    (more,) = await bring(store, brought("elsewhere", "q", said("a", role="assistant"), "theirs"))
    assert (more.conversation_id, more.imported) == (there.id, 1)
    assert (await bring(store, await export_of(store, there)))[0].outcome == "unchanged"


async def test_what_went_on_elsewhere_is_added_and_shown(store: Store, ann: Person) -> None:
    there = await grown(store, ann)
    given = await export_of(store, there)
    last = len(given.messages) - 1
    further = [said("b1", "there", parent=last), said("b2", "too", parent=last + 1), said("other", parent=0)]
    went_on = replace(given, messages=(*given.messages, *further), head=last + 2, digest=b"1" * 16, votes={})
    (result,) = await bring(store, went_on)
    assert counts(result) == ("updated", 3, 0, last + 1, 0)
    assert result.conversation_id == there.id
    assert await ann.shown(there) == ["q", "a", "mine", "ours", "there", "too"]
    (again,) = await bring(store, went_on)
    assert counts(again) == ("unchanged", 0, 0, last + 4, 0)
    changed = replace(went_on.messages[last + 1], parts=(Text("there, at last"),))
    longer = replace(
        went_on, messages=(*went_on.messages[: last + 1], changed, *went_on.messages[last + 2 :])
    )
    assert counts((await bring(store, longer))[0]) == ("updated", 0, 1, last + 3, 0)


async def test_one_written_here_is_sound_after_it_was_added_to(store: Store, ann: Person) -> None:
    """It has messages that came from elsewhere then, and did not come from elsewhere itself."""
    there = await ann.new("written here")
    await ann.ask(there, "q", "a")
    given = await export_of(store, there)
    went_on = replace(given, messages=(*given.messages, said("b", "there", parent=1)), head=2)
    (result,) = await bring(store, went_on)
    assert counts(result) == ("updated", 1, 0, 2, 0)
    assert result.conversation_id == there.id
    assert await ann.shown(there) == ["q", "a", "there"]
    assert await store.check() == []


async def test_what_was_deleted_here_is_not_brought_back(store: Store, ann: Person) -> None:
    there = await grown(store, ann)
    given = await export_of(store, there)
    await ann.delete(there)
    assert (await bring(store, given))[0].outcome == "skipped"
    while (await store.write(Purge(max_rows=1))).more:
        pass
    (copy,) = await bring(store, given)  # as with all that is taken in: a purge forgets
    assert (copy.outcome, copy.conversation_id == there.id) == ("imported", False)


async def test_those_of_others_are_not_touched(store: Store, ann: Person) -> None:
    there = await grown(store, ann)
    given = await export_of(store, there)
    before = await tree_of(store, there.id)
    (copy,) = await bring(store, given, user="bob")
    assert (copy.outcome, copy.conversation_id == there.id) == ("imported", False)
    assert await tree_of(store, there.id) == before
    for name in ("no id", there.id.upper(), "0" * 32):
        (other,) = await bring(store, replace(given, own_id=name, origin=id_origin(name) * 2))
        assert other.outcome == "imported"


async def test_what_was_written_in_a_copy_is_known_there(store: Store, ann: Person) -> None:
    """An export of a conversation that was taken in and went on has ids of both places."""
    (made,) = await bring(store, brought("c", "q", "a", own_id="f" * 32))
    there = await store.conversation("ann", made.conversation_id)
    further: list[IngestMessage] = []
    for question in ("mine", "more"):
        posted = await ann.post(there, question)
        tree = await tree_of(store, there.id)
        mine = [node.message for node in tree.nodes[2:]]
        further = [said(one.id, *one.parts) for one in mine]
        back = brought("c", "q", "a", *further, own_id="f" * 32)
        (result,) = await bring(store, back)
        assert counts(result) == ("unchanged", 0, 0, 2 + len(mine), 0)
        assert (await ann.look(there)).head == posted.id
    answered = brought("c", "q", "a", *further, said("a1", "there"), own_id="f" * 32)
    assert counts((await bring(store, answered))[0]) == ("updated", 1, 0, 4, 0)
    assert await ann.shown(there) == ["q", "a", "mine", "more", "there"]
