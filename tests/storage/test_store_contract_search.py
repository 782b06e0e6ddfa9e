"""Searching: what is found, in which order, and what is shown of it."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatcore.commands import Purge, Reindex
from chatcore.errors import InvalidInput
from chatcore.messages import Conversation, Message
from chatcore.views import Found, SearchFilter, SearchOrder, SearchPage
from tests.storage.acting import Person, ending


async def search(
    person: Person,
    query: str,
    *,
    order: SearchOrder = "newest",
    after: str | None = None,
    limit: int = 100,
    among: SearchFilter = SearchFilter(),
) -> SearchPage:
    return await person.store.search(person.name, query, among=among, order=order, after=after, limit=limit)


async def found(person: Person, query: str, *, among: SearchFilter = SearchFilter()) -> list[str]:
    """What is shown of what is found, the marks in brackets."""
    page = await search(person, query, among=among)
    assert page.next is None
    return [marked(each) for each in page.found]


def marked(each: Found) -> str:
    text, at = "", 0
    for first, end in each.marks:
        assert at <= first < end <= len(each.text)
        text += f"{each.text[at:first]}[{each.text[first:end]}]"
        at = end
    return text + each.text[at:]


# --- what is found


CASES = {
    "all words": ("brown fox ", ["the quick [brown] [fox]"]),
    "in any case": ("QUICK Fox ", ["the [quick] brown [fox]"]),
    "not part of a word": ("quic fox ", []),
    "the last word may go on": ("the qui", ["[the] [quick] brown fox"]),
    "but not from two letters": ("the qu", []),
    "nor after its end": ("qui.", []),
    "a star": ("bro* fox ", ["the quick [brown] [fox]"]),
    "a phrase": ('"quick brown"', ["the [quick brown] fox"]),
    "no such phrase": ('"brown quick"', []),
    "without its end": ('"quick bro', []),
    "typographic quotes": ("“quick brown”", ["the [quick brown] fox"]),
    "without": ("the -lazy", ["[the] quick brown fox"]),
    "without a phrase": ('the -"lazy dog" ', ["[the] quick brown fox"]),
    "only without": ("-lazy", []),
    "not a word of FTS5": ("fox OR dog ", []),
    "nor a column": ("owner:1 ", []),
    "snake case": ("snake_case ", ["call [snake_case]() of camelCase in foo.bar.baz, C++ 3.14"]),
    "part of snake case": ("case ", ["call snake_[case]() of camelCase in foo.bar.baz, C++ 3.14"]),
    "camel case is one word": ("camelcase ", ["call snake_case() of [camelCase] in foo.bar.baz, C++ 3.14"]),
    "a dotted name": ("foo.bar ", ["call snake_case() of camelCase in [foo.bar].baz, C++ 3.14"]),
    "a number": ("3.14 ", ["call snake_case() of camelCase in foo.bar.baz, C++ [3.14]"]),
    "accents": ("deja vu naive ", ["[Déjà] [vu], [naïve] Straße"]),
    "sharp s": ("STRASSE ", ["Déjà vu, naïve [Straße]"]),
    "decomposed": ("de\u0301ja\u0300 ", ["[Déjà] vu, naïve Straße"]),
    "Chinese": ("天气", ["今天[天气]很好，我们去公园"]),
    "Chinese of a sentence": ("天气很好 ", ["今天[天气很好]，我们去公园"]),
    "Chinese that is not there": ("气天", []),
    "Japanese": ("東京タワー", ["[東京タワー]に行きました。"]),
    "Korean": ("학교", ["나는 [학교]에서 공부한다"]),
    "Thai": ("ภาษา", ["เรียน[ภาษา]ไทย"]),
    "Hindi": ("हिन्दी ", ["मैं [हिन्दी] बोलता हूँ"]),
    "Arabic with and without points": ("محمد ", ["كان [مُحَمَّد] هنا"]),
    "Russian": ("елка ", ["Зелёная [ёлка]"]),
    "emoji": ("🎉", ["party [🎉]👍🏽 done"]),
    "emoji of another colour": ("👍 ", ["party 🎉[👍🏽] done"]),
}
TEXTS = (
    "the quick brown fox",
    "the lazy dog",
    "call snake_case() of camelCase in foo.bar.baz, C++ 3.14",
    "Déjà vu, naïve Straße",
    "今天天气很好，我们去公园",
    "東京タワーに行きました。",
    "나는 학교에서 공부한다",
    "เรียนภาษาไทย",
    "मैं हिन्दी बोलता हूँ",
    "كان مُحَمَّد هنا",
    "Зелёная ёлка",
    "party 🎉👍🏽 done",
)


async def test_what_is_found(ann: Person) -> None:
    made = await ann.new()
    for text in TEXTS:
        await ann.post(made, text)
    assert {case: await found(ann, query) for case, (query, _) in CASES.items()} == {
        case: expected for case, (_, expected) in CASES.items()
    }


async def test_the_words_around_are_shown(ann: Person) -> None:
    made = await ann.new()
    await ann.post(made, f"{'before ' * 100}needle\n\n  and   thread{' after' * 100}")
    (shown,) = await found(ann, "needle ")
    assert shown.startswith("…before")
    assert "before [needle] and thread after" in shown
    assert shown.endswith("after…")
    assert len(shown) <= 250


async def test_the_place_with_most_of_the_words_is_shown(ann: Person) -> None:
    made = await ann.new()
    await ann.post(made, f"needle {'x ' * 500} needle and thread {'y ' * 500} thread")
    (shown,) = await found(ann, "thread needle ")
    assert "[needle] and [thread]" in shown


async def test_places_are_counted_in_code_points(ann: Person) -> None:
    await ann.post(await ann.new(), "🎉🎉 e\u0301tude needle")
    (only,) = (await search(ann, "needle ")).found
    ((first, end),) = only.marks
    assert only.text[first:end] == "needle"


async def test_a_title_is_found_whole(ann: Person) -> None:
    made = await ann.new("A very fine title " + "with many words " * 10)
    (only,) = (await search(ann, "fine ")).found
    assert (only.conversation, only.message_id, only.role) == (made, None, None)
    assert (only.text, only.created_at) == (made.title, made.updated_at)
    assert marked(only).startswith("A very [fine] title")


async def test_a_message_is_found_as_it_is(ann: Person) -> None:
    made = await ann.new("Title")
    question, answer = await asked(ann, made, "what is it", "a needle")
    (only,) = (await search(ann, "needle")).found
    assert only.conversation == await ann.look(made)
    assert (only.message_id, only.role, only.model) == (answer.id, "assistant", "echo-1")
    assert only.created_at == answer.created_at
    (only,) = (await search(ann, "what is")).found
    assert (only.message_id, only.role, only.model) == (question.id, "user", None)


async def asked(
    person: Person, conversation: Conversation, question: str, answer: str
) -> tuple[Message, Message]:
    sent = await person.send(conversation, question)
    return sent.question, await person.store.write(ending(sent.answer, answer, status="complete"))


# --- whose, and when


async def test_nobody_finds_what_is_anothers(ann: Person, bob: Person) -> None:
    made = await ann.new("needle")
    await ann.post(made, "needle")
    await bob.post(await bob.new(), "needle of bob")
    assert await found(bob, "needle ") == ["[needle] of bob"]
    nobody = Person(ann.store, "nobody")
    assert await found(nobody, "needle ") == []
    assert await found(bob, "needle ", among=SearchFilter(conversation_id=made.id)) == []


async def test_an_answer_is_found_once_it_has_ended(ann: Person) -> None:
    made = await ann.new()
    sent = await ann.send(made, "question")
    await ann.say(sent.answer, "needle and thread")
    assert await found(ann, "needle ") == []
    await ann.store.write(ending(sent.answer, "needle and thread"))
    assert await found(ann, "needle ") == ["[needle] and thread"]


async def test_a_title_is_found_as_it_is_now(ann: Person) -> None:
    made = await ann.new()
    assert await found(ann, "needle ") == []
    made = await ann.change(made, title="a needle")
    assert await found(ann, "needle ") == ["a [needle]"]
    made = await ann.change(made, title="a thread")
    assert await found(ann, "needle ") == []
    assert await found(ann, "thread ") == ["a [thread]"]
    await ann.change(made, title=None)
    assert await found(ann, "thread ") == []


async def test_what_is_deleted_is_not_found_until_it_is_back(ann: Person) -> None:
    made = await ann.new("needle title")
    await ann.post(made, "needle post")
    await ann.delete(made)
    assert await found(ann, "needle ") == []
    await ann.undelete(made)
    assert sorted(await found(ann, "needle ")) == ["[needle] post", "[needle] title"]
    await ann.delete(made)
    await ann.store.write(Purge())
    assert await found(ann, "needle ") == []


async def test_a_purge_in_pieces_takes_each_out(ann: Person) -> None:
    made = await ann.new("needle title")
    for number in range(5):
        await ann.post(made, f"needle {number}")
    kept = await ann.new("another needle")
    await ann.delete(made)
    while (await ann.store.write(Purge(max_rows=2))).more:
        assert await found(ann, "needle ") == ["another [needle]"]
    assert await found(ann, "needle ") == ["another [needle]"]
    assert (await ann.look(kept)).title == "another needle"


async def test_a_refused_unit_leaves_nothing_to_be_found(ann: Person) -> None:
    made = await ann.new()
    post = await ann.post(made, "first", key="k")
    assert (await ann.post(made, "first", key="k")).id == post.id
    with pytest.raises(Exception, match="key"):
        await ann.post(made, "needle", key="k")
    assert await found(ann, "needle ") == []
    assert await found(ann, "first ") == ["[first]"]


# --- filters


async def test_filters(ann: Person) -> None:
    made = await ann.new("needle title")
    question, answer = await asked(ann, made, "needle question", "needle answer")
    other = await ann.new()
    await ann.post(other, "needle system", role="system")
    await ann.rate(answer, "like")
    await ann.rate(question, "dislike")
    await ann.change(other, archived=True)

    async def with_(**fields: object) -> set[str]:
        among = SearchFilter(**fields)  # type: ignore[arg-type]  # the fields are those of the table below
        return {text.replace("[needle] ", "") for text in await found(ann, "needle ", among=among)}

    everything = {"title", "question", "answer", "system"}
    assert await with_() == everything
    assert await with_(role="user") == {"question"}
    assert await with_(role="system") == {"system"}
    assert await with_(model="echo-1") == {"answer"}
    assert await with_(model="echo-2") == set()
    assert await with_(rating="like") == {"answer"}
    assert await with_(rating="dislike") == {"question"}
    assert await with_(archived=False) == {"title", "question", "answer"}
    assert await with_(conversation_id=made.id) == {"title", "question", "answer"}
    assert await with_(conversation_id="nonsense") == set()
    assert await with_(role="user", rating="like") == set()
    assert await with_(since=answer.created_at, conversation_id=made.id, role="assistant") == {"answer"}
    assert await with_(since=answer.created_at + timedelta(hours=1)) == set()
    assert await with_(until=question.created_at) == set()
    assert await with_(until=answer.created_at + timedelta(hours=1)) == everything
    await ann.rate(answer, None)
    assert await with_(rating="like") == set()


# --- order and pages


async def test_the_newest_comes_first_page_by_page(ann: Person) -> None:
    one, two = await ann.new("needle of one"), await ann.new("needle of two")
    for number in range(25):
        await ann.post(one if number % 3 else two, f"needle {number}")
    whole = await search(ann, "needle ")
    times = [each.created_at for each in whole.found]
    assert times == sorted(times, reverse=True)
    assert len(whole.found) == 27
    for order in ("newest", "rank"):
        everything = (await search(ann, "needle ", order=order)).found
        pieces: list[Found] = []
        after: str | None = None
        while True:
            page = await search(ann, "needle ", order=order, after=after, limit=4)
            pieces += page.found
            after = page.next
            if after is None:
                break
            assert len(page.found) == 4
        assert tuple(pieces) == everything
        assert len(pieces) == 27


async def test_what_is_stored_meanwhile_moves_no_page(ann: Person) -> None:
    made = await ann.new()
    for number in range(10):
        await ann.post(made, f"needle {number}")
    first = await search(ann, "needle ", limit=4)
    await ann.post(made, "needle later")
    rest = await search(ann, "needle ", after=first.next)
    shown = [each.text for each in (*first.found, *rest.found)]
    assert shown == [f"needle {number}" for number in reversed(range(10))]


async def test_the_best_comes_first_by_rank(ann: Person) -> None:
    made = await ann.new()
    await ann.post(made, "needle needle needle in few words")
    await ann.post(made, "a needle " + "among very many other words " * 20)
    await ann.post(made, "one needle among some other words")
    await ann.new("needle")
    page = await search(ann, "needle ", order="rank")
    starts = [each.text.split(" among")[0] for each in page.found]
    assert starts == ["needle", "needle needle needle in few words", "one needle", "a needle"]


@pytest.mark.parametrize("order", ["newest", "rank"])
@pytest.mark.parametrize(
    "after", ["", "x", "1", "n1.2", "r1", "n1.2.3.4.5.x", "r1.2.99999999999999999999", "٣"]
)
async def test_what_is_no_place_is_refused(ann: Person, order: SearchOrder, after: str) -> None:
    with pytest.raises(InvalidInput):
        await search(ann, "needle", order=order, after=after)


async def test_a_place_of_one_order_is_none_of_the_other(ann: Person) -> None:
    for number in range(3):
        await ann.post(await ann.new(), f"needle {number}")
    page = await search(ann, "needle", limit=1)
    with pytest.raises(InvalidInput):
        await search(ann, "needle", order="rank", after=page.next)


# --- any string


async def test_nothing_is_asked_for(ann: Person) -> None:
    await ann.post(await ann.new("words"), "words, words")
    for query in ("", " ", "*", '"', '""', "-", "++", "AND", "NOT", "(", "^", "\0", "\ud800", "。", "{}:"):
        page = await search(ann, query)
        assert (page.found, page.next) == ((), None)


PIECES = st.sampled_from(
    [
        *"\"*-()^+{}',\n “”天é🎉ß\0\ud83d",
        *("AND", "OR", "NOT", "NEAR(", "owner:1", "text:", "needle", "nee"),
    ]
)
QUERIES = st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=30))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES, order=st.sampled_from(["newest", "rank"]))
async def test_any_string_is_a_query(ann: Person, query: str, order: SearchOrder) -> None:
    if not (
        await ann.store.conversations(ann.name, archived=False, pinned=None, after=None, limit=1)
    ).conversations:
        made = await ann.new("needle 天 title")
        for text in ("needle 天天 é 🎉", "not a NEAR owner:1 text", 'x"y'):
            await ann.post(made, text)
    page = await search(ann, query, order=order)
    assert all(marked(each) for each in page.found)
    assert all(each.marks for each in page.found)


async def test_a_long_query_is_cut_short(ann: Person) -> None:
    await ann.post(await ann.new(), "word " * 10)
    for query in ("word " * 100_000, "天" * 100_000, '"' * 100_000, "(" * 100_000, "a* " * 5_000):
        await search(ann, query)
    assert len(await found(ann, "word " * 1_000)) == 1


# --- hidden ones and the index


async def test_reindexing_loses_nothing(ann: Person) -> None:
    made = await ann.new("needle title")
    for number in range(7):
        await ann.post(made, f"needle {number}")
    before = await found(ann, "needle ")
    assert (await ann.store.write(Reindex())).left == 0
    anew = True
    while (await ann.store.write(Reindex(max_messages=3, anew=anew))).left:
        anew = False
    assert await found(ann, "needle ") == before
