"""Conversations and their list: made, changed, listed, deleted, brought back, removed."""

import pytest
from msgspec import UNSET

from chatcore.commands import Purge
from chatcore.errors import Busy, InvalidInput, NotFound
from chatcore.events import ConversationChanged, ConversationDeleted, ListChanged
from chatcore.messages import Conversation, Settings
from chatcore.ports import Store
from tests.storage.acting import Person, ending
from tests.storage.conftest import Published


async def listed(person: Person, *, after: int = 0, limit: int = 100) -> list[Conversation]:
    changes = await person.store.list_changes(person.name, after=after, limit=limit)
    return [event.conversation for event in changes.events]


async def list_seq(person: Person) -> int:
    return (await person.store.list_changes(person.name, after=0, limit=1)).seq


async def test_a_new_conversation_is_empty_and_as_asked_for(ann: Person, published: Published) -> None:
    settings = Settings(
        responder="echo", system_prompt="Be brief.", parameters={"temperature": 0.5, "n": None}
    )
    made = await ann.new("Täst 🙂", settings=settings)

    assert (made.owner, made.title, made.head, made.settings) == ("ann", "Täst 🙂", None, settings)
    assert [made.pinned, made.archived, made.deleted, made.running] == [False] * 4
    assert made.created_at == made.updated_at
    assert made.created_at.utcoffset() is not None
    assert len(made.id) == 32
    assert made == await ann.look(made)
    assert [type(event) for event in published] == [ConversationChanged, ListChanged]
    page = await ann.page(made)
    assert (page.messages, page.has_older, page.has_newer, page.seq) == ((), False, False, made.seq)


async def test_ids_rise_with_creation(ann: Person) -> None:
    made = [(await ann.new()).id for _ in range(50)]
    assert made == sorted(set(made))


async def test_changes_only_what_is_given(ann: Person) -> None:
    made = await ann.new("a", settings=Settings(responder="echo"))
    renamed = await ann.change(made, title="b")
    assert (renamed.title, renamed.settings, renamed.pinned) == ("b", made.settings, False)
    assert renamed.seq > made.seq
    assert renamed.list_seq > made.list_seq
    assert (renamed.activity, renamed.updated_at) == (made.activity, made.updated_at)
    untitled = await ann.change(renamed, title=None)
    assert untitled.title is None
    assert await ann.look(made) == untitled


async def test_the_same_value_again_changes_nothing(ann: Person, published: Published) -> None:
    made = await ann.new("a")
    published.clear()
    assert await ann.change(made, title="a", pinned=False, archived=False, settings=made.settings) == made
    assert published == []
    pinned = await ann.change(made, pinned=True)
    published.clear()
    assert await ann.change(made, pinned=True) == pinned
    assert published == []
    assert pinned == Conversation(
        **{name: getattr(made, name) for name in made.__struct_fields__}
        | {"pinned": True, "seq": pinned.seq, "list_seq": pinned.list_seq}
    )


async def test_settings_are_no_matter_of_the_list(ann: Person, published: Published) -> None:
    made = await ann.new("a")
    published.clear()
    changed = await ann.change(made, settings=Settings(system_prompt="new"))
    assert changed.list_seq == made.list_seq
    assert [type(event) for event in published] == [ConversationChanged]


async def test_only_untitled_leaves_a_title_alone(ann: Person) -> None:
    made = await ann.new()
    assert (await ann.change(made, title="made up", only_untitled=True)).title == "made up"
    assert (await ann.change(made, title="another", only_untitled=True)).title == "made up"
    both = await ann.change(made, title="another", pinned=True, only_untitled=True)
    assert (both.title, both.pinned) == ("made up", True)


async def test_the_list_is_ordered_by_the_newest_message(ann: Person, bob: Person) -> None:
    first, second, third = [await ann.new(title) for title in "abc"]
    await bob.new("bob's")
    assert await ann.titles() == ["c", "b", "a"]
    await ann.post(first, "hello")
    assert await ann.titles() == ["a", "c", "b"]
    await ann.change(second, title="B", pinned=True)  # no message: stays in its place
    assert await ann.titles() == ["a", "c", "B"]
    await ann.ask(third, "q", "a")
    assert await ann.titles() == ["c", "a", "B"]
    assert await bob.titles() == ["bob's"]


async def test_the_list_by_kind(ann: Person) -> None:
    made = {title: await ann.new(title) for title in "abcd"}
    await ann.change(made["b"], pinned=True)
    await ann.change(made["c"], archived=True)
    await ann.change(made["d"], archived=True, pinned=True)
    assert await ann.titles() == ["b", "a"]
    assert await ann.titles(pinned=True) == ["b"]
    assert await ann.titles(pinned=False) == ["a"]
    assert await ann.titles(archived=True) == ["d", "c"]
    assert await ann.titles(archived=True, pinned=True) == ["d"]
    await ann.change(made["c"], archived=False)
    assert await ann.titles() == ["c", "b", "a"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
async def test_the_list_in_pages(ann: Person, limit: int) -> None:
    for number in range(7):
        await ann.new(str(number))
    found: list[str | None] = []
    after = None
    for _ in range(8):
        page = await ann.store.conversations("ann", archived=False, pinned=None, after=after, limit=limit)
        assert len(page.conversations) <= limit
        assert page.list_seq == await list_seq(ann)
        found += [entry.title for entry in page.conversations]
        after = page.next
        if after is None:
            break
    assert found == list("6543210")


async def test_a_page_of_the_list_goes_on_where_it_was_though_the_list_moves(ann: Person) -> None:
    made = [await ann.new(str(number)) for number in range(6)]
    page = await ann.store.conversations("ann", archived=False, pinned=None, after=None, limit=3)
    await ann.post(made[0], "now the newest")
    await ann.delete(made[2])
    rest = await ann.store.conversations("ann", archived=False, pinned=None, after=page.next, limit=3)
    assert [entry.title for entry in rest.conversations] == ["1"]


async def test_an_unknown_user_has_an_empty_list(store: Store) -> None:
    page = await store.conversations("nobody", archived=False, pinned=None, after=None, limit=5)
    assert (page.conversations, page.next, page.list_seq) == ((), None, 0)
    changes = await store.list_changes("nobody", after=0, limit=5)
    assert (changes.events, changes.seq, changes.more) == ((), 0, False)


@pytest.mark.parametrize("after", ["", "x", "-1", "1.5", "²", "9" * 30])
async def test_a_place_in_the_list_that_is_none(ann: Person, after: str) -> None:
    await ann.new("a")
    try:
        page = await ann.store.conversations("ann", archived=False, pinned=None, after=after, limit=5)
    except InvalidInput:
        return
    assert len(page.conversations) <= 1


async def test_what_counts_in_the_list(ann: Person) -> None:
    made = await ann.new("a")
    other = await ann.new("b")
    counted = await list_seq(ann)

    async def counts() -> bool:
        nonlocal counted
        before, counted = counted, await list_seq(ann)
        assert counted >= before
        return counted > before

    question, answer = await ann.ask(made, "q", "a")
    assert await counts()
    await ann.rate(answer, "like")
    assert not await counts()
    await ann.move(made, question, exact=True)
    assert not await counts()
    await ann.change(made, settings=Settings(responder="echo"))
    assert not await counts()
    sent = await ann.send(made, "again")
    assert await counts()  # it runs
    assert [entry.running for entry in await listed(ann)] == [False, True]
    await ann.say(sent.answer, "so", " far")
    assert not await counts()
    await ann.end(sent.answer, "so far")
    assert await counts()  # it runs no more
    await ann.change(other, archived=True)
    assert await counts()
    await ann.delete(other)
    assert await counts()
    await ann.undelete(other)
    assert await counts()


async def test_changes_of_the_list_in_batches(ann: Person, bob: Person) -> None:
    made = [await ann.new(str(number)) for number in range(5)]
    await bob.new("bob's")
    await ann.change(made[1], title="one")
    await ann.delete(made[3])
    found: list[tuple[str | None, bool]] = []
    after, more = 0, True
    while more:
        changes = await ann.store.list_changes("ann", after=after, limit=2)
        more = changes.more
        seqs = [event.seq for event in changes.events]
        assert seqs == sorted(set(seqs))
        assert all(event.seq == event.conversation.list_seq for event in changes.events)
        found += [(event.conversation.title, event.conversation.deleted) for event in changes.events]
        assert after < seqs[-1] <= changes.seq
        after = seqs[-1]
    assert found == [("0", False), ("2", False), ("4", False), ("one", False), ("3", True)]
    assert await listed(ann, after=after) == []


async def test_a_deleted_conversation_is_gone_from_every_view(ann: Person, published: Published) -> None:
    made = await ann.new("a")
    question, answer = await ann.ask(made, "q", "a")
    published.clear()
    deleted = await ann.delete(made)

    assert deleted.deleted
    assert [type(event) for event in published] == [ConversationDeleted, ListChanged]
    assert await ann.titles() == []
    for reading in (
        ann.look(made),
        ann.read(answer),
        ann.page(made),
        ann.post(made, "x"),
        ann.send(made, "x"),
        ann.again(question),
        ann.rate(answer, "like"),
        ann.move(made, question),
        ann.change(made, title="x"),
    ):
        with pytest.raises(NotFound):
            await reading
    changes = await ann.store.changes("ann", made.id, after=0, limit=100)
    assert [(type(event), event.seq) for event in changes.events] == [(ConversationDeleted, deleted.seq)]
    assert not changes.more
    assert [entry.deleted for entry in await listed(ann)] == [True]


async def test_deleting_twice_is_deleting_once(ann: Person, published: Published) -> None:
    made = await ann.new("a")
    deleted = await ann.delete(made)
    published.clear()
    assert await ann.delete(made) == deleted
    assert published == []


async def test_undoing_a_deletion_brings_everything_back(ann: Person) -> None:
    made = await ann.new("a")
    _, answer = await ann.ask(made, "q", "a")
    await ann.rate(answer, "like")
    before = await ann.page(made)
    deleted = await ann.delete(made)
    back = await ann.undelete(made)

    assert back.seq > deleted.seq
    assert back.list_seq > deleted.list_seq
    assert back.activity == before.conversation.activity
    after = await ann.page(made)
    assert (after.messages, after.feedback) == (before.messages, before.feedback)
    assert await ann.titles() == ["a"]
    assert await ann.undelete(made) == back  # nothing left to undo


async def test_deleting_while_an_answer_runs_needs_its_ending(ann: Person, published: Published) -> None:
    made = await ann.new("a")
    sent = await ann.send(made, "q")
    behind = await ann.send(made, "q2", policy="queue")
    with pytest.raises(Busy):
        await ann.delete(made)
    with pytest.raises(Busy):
        await ann.delete(made, ends=ending(behind.answer))
    await ann.delete(made, ends=ending(sent.answer, "half"))
    await ann.undelete(made)
    assert [message.status for message in (await ann.page(made)).messages] == [
        "complete",
        "stopped",
        "complete",
        "stopped",
    ]
    assert await ann.shown(made) == ["q", "half", "q2", ""]
    assert not (await ann.look(made)).running


async def test_deleting_with_an_ending_that_came_too_late(ann: Person) -> None:
    made = await ann.new("a")
    sent = await ann.send(made, "q")
    await ann.end(sent.answer, "whole")
    await ann.delete(made, ends=ending(sent.answer, "who"))
    await ann.undelete(made)
    assert await ann.shown(made) == ["q", "whole"]


async def test_a_purge_goes_in_small_units_and_leaves_a_tombstone(ann: Person) -> None:
    made = await ann.new("secret", key="k")
    for number in range(6):
        await ann.post(made, f"secret {number}", key=f"k{number}")
    kept = await ann.new("kept")
    await ann.post(kept, "kept")
    deleted = await ann.delete(made)

    units = 0
    messages = conversations = 0
    more = True
    while more:
        purged = await ann.store.write(Purge(max_rows=2))
        assert purged.messages <= 2
        messages += purged.messages
        conversations += purged.conversations
        more = purged.more
        units += 1
        assert units < 10
    assert (messages, conversations) == (6, 1)
    assert units >= 3
    again = await ann.store.write(Purge(max_rows=2))
    assert (again.messages, again.conversations, again.more) == (0, 0, False)

    (_, tombstone) = await listed(ann)
    assert (tombstone.id, tombstone.owner, tombstone.deleted) == (made.id, "ann", True)
    assert (tombstone.title, tombstone.head) == (None, None)
    changes = await ann.store.changes("ann", made.id, after=0, limit=10)
    assert [(type(event), event.seq) for event in changes.events] == [(ConversationDeleted, deleted.seq)]
    assert await ann.shown(kept) == ["kept"]
    with pytest.raises(NotFound):
        await ann.undelete(made)
    with pytest.raises(NotFound):
        await ann.look(made)


async def test_a_purge_spares_what_was_deleted_lately(ann: Person) -> None:
    made = await ann.new("a")
    await ann.post(made, "x")
    await ann.delete(made)
    purged = await ann.store.write(Purge(older_than_seconds=3600))
    assert (purged.messages, purged.conversations, purged.more) == (0, 0, False)
    await ann.undelete(made)
    assert (await ann.store.write(Purge())).messages == 0
    assert await ann.shown(made) == ["x"]


async def test_what_is_half_purged_does_not_come_back(ann: Person) -> None:
    made = await ann.new("a")
    for number in range(4):
        await ann.post(made, str(number))
    await ann.delete(made)
    assert (await ann.store.write(Purge(max_rows=1))).more
    with pytest.raises(NotFound):
        await ann.undelete(made)
    changes = await ann.store.changes("ann", made.id, after=0, limit=10)
    assert [type(event) for event in changes.events] == [ConversationDeleted]


async def test_a_purge_takes_several_conversations(ann: Person, bob: Person) -> None:
    for person in (ann, bob, ann):
        made = await person.new()
        await person.ask(made, "q", "a")
        await person.delete(made)
    purged = await ann.store.write(Purge(max_rows=500))
    assert (purged.conversations, purged.messages, purged.more) == (3, 6, False)


async def test_unset_is_not_none(ann: Person) -> None:
    made = await ann.new("a")
    assert await ann.change(made, title=UNSET) == made
