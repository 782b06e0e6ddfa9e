"""What conversations without a title are called by: the same words wherever one of them is shown."""

import pytest
from msgspec.structs import replace

from chatcore.errors import InvalidInput
from chatcore.events import ListChanged
from chatcore.messages import Conversation
from chatcore.ports import Store
from chatcore.views import SearchFilter
from tests.storage.acting import Person
from tests.storage.bringing import bring, brought, said, sliced
from tests.storage.conftest import Published

LONG = "How is bread baked " + "again " * 20 + "?"
CUT = "How is bread baked again again again again again again…"


async def shown(store: Store, published: Published, id_: str) -> str | None:
    """What it is called by: in the list, on its page, in the rows that have changed, in the last event."""
    page = await store.conversations("ann", archived=False, pinned=None, after=None, limit=100)
    changes = await store.list_changes("ann", after=0, limit=100)
    by_rows = {event.conversation_id: event.first_words for event in changes.events}
    told = [event for event in published if isinstance(event, ListChanged) and event.conversation_id == id_]
    words = page.first_words.get(id_)
    assert by_rows[id_] == words
    assert (await store.page("ann", id_, before=None, around=None, limit=1)).first_words == words
    assert told == [] or told[-1].first_words == words
    return words


async def test_one_that_is_begun_here(store: Store, ann: Person, published: Published) -> None:
    made = await ann.new()
    assert await shown(store, published, made.id) is None
    sent = await ann.send(made, f"  {LONG}")
    assert await shown(store, published, made.id) == CUT
    await ann.end(sent.answer, "In an oven.")
    assert await shown(store, published, made.id) == CUT
    await ann.ask(made, "And rolls?", "Likewise.")
    assert await shown(store, published, made.id) == CUT
    await ann.ask(made, "How are cakes baked?", "Likewise.", parent=None)  # the same question, edited
    assert await shown(store, published, made.id) == CUT


async def test_one_that_gets_a_title_and_loses_it(store: Store, ann: Person, published: Published) -> None:
    made = await ann.new("Bread")
    await ann.post(made, "How?")
    assert await shown(store, published, made.id) is None
    await ann.change(made, title=None)
    assert await shown(store, published, made.id) == "How?"
    await ann.delete(made)
    changes = await store.list_changes("ann", after=0, limit=100)
    assert [event.first_words for event in (published[-1], *changes.events)] == [None, None]  # type: ignore[union-attr]
    await ann.undelete(made)
    assert await shown(store, published, made.id) == "How?"


async def test_one_that_had_a_title_when_it_was_asked_something(
    store: Store, ann: Person, published: Published
) -> None:
    made = await ann.new()
    await ann.post(made, "Welcome.", role="assistant")
    assert await shown(store, published, made.id) is None
    await ann.change(made, title="Bread")
    await ann.post(made, "How?")
    await ann.change(made, title=None)
    assert await shown(store, published, made.id) == "How?"
    with pytest.raises(InvalidInput):
        await bring(store, brought("c", "Who?"), replace(brought("d", "Why?"), head=9))
    (result,) = await bring(store, brought("c", "When?"))
    assert await shown(store, published, result.conversation_id) == "When?"


async def test_one_whose_first_question_comes_late(store: Store, ann: Person, published: Published) -> None:
    made = await ann.new()
    await ann.post(made, "Welcome.", role="assistant")
    assert await shown(store, published, made.id) is None
    await ann.post(made, "\n")
    await ann.post(made, "Hello?")
    assert await shown(store, published, made.id) is None  # the first one has no words
    await ann.post(made, "Hi?", parent=None)
    assert await shown(store, published, made.id) == "Hi?"


@pytest.mark.parametrize("count", [1, 11])  # told one by one, and as one
async def test_those_that_come_from_elsewhere(store: Store, published: Published, count: int) -> None:
    hidden = said("p", "About me.", hidden=True)
    system = said("s", "Be brief.", role="system")
    answer = said("a", "In an oven.", parent=1, role="assistant")
    question, other = said("q", LONG, parent=1), said("o", "And?", parent=3)
    wholes = [
        brought(f"{number} {name}", *messages, title=title)
        for number in range(count)
        for name, title, messages in (
            ("untitled", None, [hidden, system, answer, question, other]),
            ("titled", "Bread", [said("q", LONG)]),
            ("unasked", None, [said("a", "In an oven.", role="assistant")]),
            ("late", None, [*(said(str(place), "Hm.", role="assistant") for place in range(4)), question]),
            ("empty", None, []),
        )
    ]
    results = await bring(store, *wholes)
    assert bool(published) == (count == 1)
    words = [await shown(store, published, result.conversation_id) for result in results]
    assert words == [CUT, None, None, None, None] * count


async def test_one_that_comes_in_slices(store: Store, published: Published) -> None:
    system, answer = said("s", "Be brief.", role="system"), said("a", "So.", role="assistant")
    whole = brought("c", system, said("q", "How?"), answer, said("r", "Why?"), title=None)
    (result,) = [await bring(store, slice_) for slice_ in sliced(whole, 1, 1, 2)][-1]
    assert await shown(store, published, result.conversation_id) == "How?"


async def test_one_whose_source_says_it_otherwise(store: Store, published: Published) -> None:
    (result,) = await bring(store, brought("c", said("q", "How?")))
    await bring(store, brought("c", said("q", "Why?")))
    assert await shown(store, published, result.conversation_id) == "Why?"
    told = len(published)
    await bring(store, brought("c", said("q", "Why?"), raw='{"seen":true}'))
    assert len(published) == told  # nothing that is shown has changed
    answer = said("a", "So.", role="assistant")
    await bring(store, brought("c", said("q", "Why?"), answer))
    assert [type(event).__name__ for event in published[told:]] == ["MessageChanged", "ConversationChanged"]


@pytest.mark.parametrize("order", ["newest", "rank"])
async def test_those_in_which_something_was_found(store: Store, ann: Person, order: str) -> None:
    async def asked(title: str | None, question: str) -> Conversation:
        made = await ann.new(title)
        await ann.ask(made, question, "A needle.")
        return made

    made = [
        await asked(None, LONG),
        await asked("Sewing", "What?"),
        await asked(None, " "),
        await asked(None, "Who?"),
    ]
    page = await store.search("ann", "needle ", among=SearchFilter(), order=order, after=None, limit=100)  # type: ignore[arg-type]
    assert {one.conversation.id for one in page.found} == {one.id for one in made}
    assert page.first_words == {made[0].id: CUT, made[3].id: "Who?"}
    page = await store.search("ann", "haystack", among=SearchFilter(), order="newest", after=None, limit=100)
    assert page.first_words == {}


async def test_words_that_can_only_be_shown_in_part(store: Store, ann: Person, published: Published) -> None:
    made = await ann.new()
    await ann.post(made, "x" * 70)
    assert await shown(store, published, made.id) == "x" * 59 + "…"
