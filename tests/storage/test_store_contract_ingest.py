"""Conversations that come from elsewhere, for the first time."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from chatcore.arrivals import Ingested
from chatcore.commands import Purge
from chatcore.errors import InvalidInput, NotFound
from chatcore.events import ListChanged
from chatcore.messages import (
    Attachment,
    Conversation,
    Feedback,
    File,
    MissingFile,
    Part,
    Reasoning,
    Settings,
    Text,
    ToolCall,
    ToolResult,
    Usage,
)
from chatcore.ports import ListMoved, Store
from tests.storage.acting import Person, texts
from tests.storage.bringing import HOUR, NOON, bring, brought, said, sliced, tree_of
from tests.storage.conftest import Published
from tests.storage.test_store_contract_changes import changes


async def look(store: Store, result: Ingested, user: str = "ann") -> Conversation:
    return await store.conversation(user, result.conversation_id)


async def test_all_of_it_is_there(store: Store, ann: Person) -> None:
    parts: tuple[Part, ...] = (
        Reasoning("hm"),
        ToolCall("c", "search", "{}"),
        ToolResult("c", "found"),
        Text("yes"),
        MissingFile(name="plan.pdf", media_type="application/pdf", pointer="file-1"),
    )
    answer = said("a", *parts, role="assistant", model="m-1", rating="like", raw='{"rank":0}')
    usage = Usage(prompt_tokens=3)
    answer = replace(
        answer,
        status="stopped",
        reason="Cut off.",
        usage=usage,
        created_at_us=NOON + 1,
    )
    whole = brought(
        "c",
        said("s", role="system", hidden=True),
        said("q"),
        answer,
        said("other", parent=1, role="assistant"),
        head=2,
        title="Title",
        pinned=True,
        archived=True,
        settings=Settings(system_prompt="be kind"),
        raw='{"x":1}',
        updated_at_us=NOON + HOUR,
    )
    (result,) = await bring(store, whole)
    assert (result.outcome, result.imported, result.votes) == ("imported", 4, 1)

    tree = await tree_of(store, result.conversation_id)
    kept = tree.conversation
    assert (kept.title, kept.pinned, kept.archived, kept.running, kept.deleted) == (
        "Title",
        True,
        True,
        False,
        False,
    )
    assert kept.settings == Settings(system_prompt="be kind")
    assert (kept.created_at.timestamp(), kept.updated_at.timestamp()) == (NOON / 1e6, (NOON + HOUR) / 1e6)
    assert kept.activity == NOON + HOUR
    assert tree.raw == '{"x":1}'
    assert [node.message.role for node in tree.nodes] == ["system", "user", "assistant", "assistant"]
    assert [node.message.depth for node in tree.nodes] == [0, 1, 2, 2]
    assert [node.message.hidden for node in tree.nodes] == [True, False, False, False]
    stored = tree.nodes[2]
    assert stored.message.id == kept.head
    assert stored.message.parts == parts
    assert (stored.message.status, stored.message.reason) == ("stopped", "Cut off.")
    assert (stored.message.model, stored.message.usage) == ("m-1", usage)
    assert stored.message.created_at == datetime.fromtimestamp((NOON + 1) / 1e6, UTC)
    assert stored.raw == '{"rank":0}'
    assert [vote.feedback for vote in stored.feedback] == [Feedback(rating="like")]
    assert stored.feedback[0].user == "ann"
    page = await ann.page(kept)
    assert [message.hidden for message in page.messages] == [True, False, False]
    assert next(iter(page.siblings.values())) == tuple(node.message.id for node in tree.nodes[2:])


async def test_numbers_are_messages_then_votes_then_the_conversation(store: Store, ann: Person) -> None:
    whole = brought("c", said("q", rating="like"), said("a", role="assistant", rating="dislike"))
    (result,) = await bring(store, whole)
    found = await changes(ann, await look(store, result))
    assert [(type(event).__name__, event.seq) for event in found] == [
        ("MessageChanged", 1),
        ("MessageChanged", 2),
        ("FeedbackChanged", 3),
        ("FeedbackChanged", 4),
        ("ConversationChanged", 5),
    ]


async def test_the_same_again_changes_nothing(store: Store, published: Published) -> None:
    several = [brought(name, "q", "a") for name in "abc"]
    first = await bring(store, *several)
    before = [await tree_of(store, one.conversation_id) for one in first]
    published.clear()
    again = await bring(store, *reversed(several))
    assert [one.conversation_id for one in again] == [one.conversation_id for one in reversed(first)]
    assert {one.outcome for one in again} == {"unchanged"}
    assert {one.unchanged for one in again} == {2}
    assert published == []
    assert [await tree_of(store, one.conversation_id) for one in first] == before


async def test_twice_in_one_command_is_one(store: Store, ann: Person) -> None:
    longer = brought("c", "q", "a", "more")
    results = await bring(store, brought("c", "q", "a"), brought("d", "x"), longer, longer)
    assert [one.outcome for one in results] == ["imported", "imported", "updated", "unchanged"]
    assert len({one.conversation_id for one in results}) == 2
    assert await ann.shown(await look(store, results[0])) == ["q", "a", "more"]


async def test_each_owner_has_its_own(store: Store, ann: Person, bob: Person) -> None:
    whole = brought("c", "q")
    (of_ann,) = await bring(store, whole, user="ann")
    (of_bob,) = await bring(store, whole, user="bob")
    assert of_bob.outcome == "imported"
    assert of_ann.conversation_id != of_bob.conversation_id
    with pytest.raises(NotFound):
        await store.conversation("bob", of_ann.conversation_id)
    assert len(await ann.titles()) == len(await bob.titles()) == 1


async def test_all_of_a_command_or_nothing(store: Store, published: Published) -> None:
    good = brought("good", "q", said("a", rating="like"))
    looping = brought("bad", said("x", parent=1), said("y", parent=0))
    headless = brought("bad", "x", head=7)
    late = sliced(brought("bad", "x", "y"), 1, 1)[1]
    for bad, error in ((looping, InvalidInput), (headless, InvalidInput), (late, NotFound)):
        with pytest.raises(error):
            await bring(store, good, bad)
        assert published == []
        assert (await store.list_changes("ann", after=0, limit=10)).events == ()
    (result,) = await bring(store, good)
    assert result.outcome == "imported"


async def test_files_are_referred_to(store: Store, ann: Person) -> None:
    kept, other = await ann.file("one"), await ann.file("two")
    await bring(store, brought("c", said("q", File(kept), File(other)), said("a", "x", File(kept))))
    found, _ = await store.attachments(after=0, limit=10)
    assert sorted(found, key=_name) == [kept, other]
    assert await store.files.collect(store, untouched_seconds=0) == 0


async def test_a_conversation_without_messages(store: Store) -> None:
    (result,) = await bring(store, brought("c", head=-1, title="Empty"))
    kept = await look(store, result)
    assert (kept.head, kept.title) == (None, "Empty")


async def test_a_person_goes_on_with_it(store: Store, ann: Person) -> None:
    (result,) = await bring(store, brought("c", "q", said("a", role="assistant")))
    kept = await look(store, result)
    question, answer = await ann.ask(kept, "and then?", "that")
    assert await ann.shown(kept) == ["q", "a", "and then?", "that"]
    assert (question.depth, answer.depth) == (2, 3)
    first = (await ann.page(kept)).messages[0]
    page = await ann.page(kept, around=first, limit=1)
    assert texts(page.messages) == ["q"]


@pytest.mark.parametrize("length", [70, 700])
async def test_long_paths_and_many_branches_find_their_ancestors(
    store: Store, ann: Person, length: int
) -> None:
    """Ancestors are found by jumps in SQLite: `check` at the end proves them all."""
    trunk = [said(f"t{number}", parent=number - 1) for number in range(length)]
    twigs = [said(f"b{number}", parent=number * 3) for number in range(length // 3)]
    (result,) = await bring(store, brought("c", *trunk, *twigs, head=length - 1))
    kept = await look(store, result)
    tree = await tree_of(store, kept.id)
    middle = next(node.message for node in tree.nodes if texts([node.message]) == [f"t{length // 2}"])
    page = await ann.page(kept, around=middle, limit=3)
    assert texts(page.messages) == [f"t{length // 2 + step}" for step in (-1, 0, 1)]
    assert len(tree.nodes) == len(trunk) + len(twigs)


# The list


async def test_new_entries_of_the_list_are_told(
    store: Store, published: Published, moved: list[ListMoved]
) -> None:
    results = await bring(store, *(brought(str(number), "q", title=str(number)) for number in range(10)))
    entries = [event for event in published if isinstance(event, ListChanged)]
    assert len(entries) == len(published) == 10  # nobody can hold a log of what was not there
    assert [event.conversation.title for event in entries] == [str(number) for number in range(10)]
    for event, result in zip(entries, results, strict=True):
        assert event.conversation == await look(store, result)
    assert moved == []


async def test_very_many_are_told_as_one(store: Store, published: Published, moved: list[ListMoved]) -> None:
    await bring(store, *(brought(str(number), "q") for number in range(11)))
    assert published == []
    rows = await store.list_changes("ann", after=0, limit=100)
    assert moved == [ListMoved(user="ann", seq=rows.seq)]
    assert len(rows.events) == 11


async def test_the_list_is_in_the_order_of_the_sources_times(store: Store, ann: Person) -> None:
    live = await ann.new("live")
    await bring(
        store,
        brought("old", "q", title="old", updated_at_us=NOON),
        brought("older", "q", title="older", updated_at_us=NOON - HOUR),
        brought("future", "q", title="future", updated_at_us=NOON * 9),
        brought("newer", "q", title="newer", updated_at_us=NOON + HOUR),
    )
    assert await ann.titles() == ["future", "live", "newer", "old", "older"]
    future = (
        await store.conversations("ann", archived=False, pinned=None, after=None, limit=1)
    ).conversations[0]
    assert future.updated_at <= datetime.now(UTC)
    await ann.post(live, "again")  # above what came with a time that was not yet
    assert (await ann.titles())[:2] == ["live", "future"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_entries_that_are_equally_new_are_paged_by_their_id(store: Store, limit: int) -> None:
    for kind in (False, True):
        await bring(store, *(brought(f"{kind}{number}", "q", pinned=kind) for number in range(4)))
    await bring(store, brought("newer", "q", updated_at_us=NOON + 1))
    ids: list[str] = []
    after: str | None = None
    while True:
        page = await store.conversations("ann", archived=False, pinned=None, after=after, limit=limit)
        ids += [entry.id for entry in page.conversations]
        after = page.next
        if after is None:
            break
    assert len(ids) == len(set(ids)) == 9
    assert ids[1:] == sorted(ids[1:], reverse=True)
    assert ids[0] == max(ids)


# What is deleted here


async def test_what_was_deleted_here_stays_deleted(store: Store, ann: Person) -> None:
    (result,) = await bring(store, brought("c", "q", "a"))
    kept = await look(store, result)
    await ann.delete(kept)
    for version in (brought("c", "q", "a"), brought("c", "q", "a", "more")):
        (again,) = await bring(store, version)
        assert (again.outcome, again.conversation_id) == ("skipped", kept.id)
        assert (again.imported, again.unchanged) == (0, 0)
    await ann.undelete(kept)
    assert await ann.shown(kept) == ["q", "a"]
    (again,) = await bring(store, brought("c", "q", "a", "more"))
    assert again.outcome == "updated"


async def test_what_was_purged_comes_anew(store: Store, ann: Person) -> None:
    whole = brought("c", "q", "a", raw='"r"')
    (result,) = await bring(store, whole)
    await ann.delete(await look(store, result))
    await store.write(Purge(max_rows=1))  # begun only
    (again,) = await bring(store, whole)
    assert again.outcome == "imported"
    assert again.conversation_id != result.conversation_id
    while (await store.write(Purge())).more:
        pass
    assert await ann.shown(await look(store, again)) == ["q", "a"]


def _name(attachment: Attachment) -> str:
    return attachment.name
