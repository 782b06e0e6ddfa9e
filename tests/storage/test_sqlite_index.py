"""The search index of the SQLite store: what goes into it, when, and that it agrees with the rows."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import storage.sqlite.searching
from chatcore.arrivals import Ingest, IngestConversation, IngestMessage
from chatcore.commands import (
    ChangeConversation,
    Command,
    CreateConversation,
    DeleteConversation,
    EndRun,
    PostMessage,
    Purge,
    Reindex,
    SendMessage,
)
from chatcore.messages import Conversation, Message, Text
from chatcore.views import SearchFilter, SearchOrder, SearchPage
from storage.search.words import folded, shown, tokens, tokens_of
from storage.sqlite.check import damage
from storage.sqlite.connection import prepare_writer
from storage.sqlite.group import Failed
from storage.sqlite.migrations import MIGRATIONS, migrate
from storage.sqlite.searching import search
from tests.search_index import index_damage
from tests.storage.acting import ending, run_spec
from tests.storage.sqlite_parts import Bench, bench


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path / "chat.db") as made:
        yield made
        assert damage(made.connection) == []
        assert index_damage(made.connection) == []


def find(
    made: Bench,
    query: str,
    *,
    user: str = "ann",
    order: SearchOrder = "newest",
    after: str | None = None,
    limit: int = 100,
    among: SearchFilter = SearchFilter(),
) -> SearchPage:
    return search(made.connection, user, query, among, order, after, limit)


def texts(made: Bench, query: str) -> list[str]:
    return [found.text for found in find(made, query).found]


def post(conversation: Conversation, text: str) -> PostMessage:
    return PostMessage(user="ann", conversation_id=conversation.id, parts=(Text(text),))


def incoming(
    *said: str,
    backwards: bool = False,
    origin: int = 1,
    digest: int = 1,
    index: bool = True,
    hidden: bool = False,
    title: str | None = None,
) -> Ingest:
    messages = tuple(
        IngestMessage(
            origin=place.to_bytes(8, "big"),
            parent=place - 1,
            role="user",
            parts=(Text(text),),
            created_at_us=1000 - place if backwards else place,
            hidden=hidden,
        )
        for place, text in enumerate(said)
    )
    whole = IngestConversation(
        origin=origin.to_bytes(16, "big"),
        digest=digest.to_bytes(16, "big"),
        title=title,
        messages=messages,
        head=len(said) - 1,
        created_at_us=0,
        updated_at_us=0,
    )
    return Ingest(user="ann", conversations=(whole,), index=index)


def ranges(made: Bench) -> list[tuple[str, int, int]]:
    return [(kind, first, last) for kind, first, last in made.rows("SELECT * FROM unindexed ORDER BY 1, 2")]


# --- tokens


@given(st.text(max_size=60))
def test_tokens_are_those_of_the_index(text: str) -> None:
    """As the fold gives them to SQLite, and with their places."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE made USING fts5 (text, tokenize = 'ascii')")
        connection.execute("CREATE VIRTUAL TABLE entries USING fts5vocab (made, 'instance')")
        connection.execute("INSERT INTO made VALUES (?)", (folded(text.replace("\0", " ")),))
        stored = [term for (term,) in connection.execute("SELECT term FROM entries ORDER BY offset")]
    assert tokens_of(text) == stored
    composed = shown(text)
    placed = list(tokens(composed))
    assert [token.text for token in placed] == stored
    assert all(0 <= one.first < one.end <= len(composed) for one in placed)


def test_every_character_is_folded_once_and_for_all() -> None:
    for code in (*range(0x80, 0xD800), *range(0xE000, 0x30000)):
        once = folded(chr(code))
        assert tokens_of(once) == tokens_of(chr(code)), hex(code)
        assert once == once.lower(), hex(code)


# --- what is in it


def test_an_answer_goes_in_once_at_its_ending(made: Bench) -> None:
    answer = made.answering(made.new())
    before = made.rows("SELECT count(*) FROM message_text_data")
    for place in range(50):
        made.say(answer, "needle ", start=7 * place)
    assert made.rows("SELECT count(*) FROM message_text_data") == before
    assert texts(made, "needle ") == []
    made.do(ending(answer, "needle " * 50))
    assert len(texts(made, "needle ")) == 1
    made.do(DeleteConversation(user="ann", conversation_id=answer.conversation_id))
    made.do(Purge())
    assert made.rows("SELECT count(*) FROM message") == [(0,)]


def test_a_group_is_one_segment(made: Bench) -> None:
    conversation = made.new()
    made.group(*[post(conversation, f"needle {number}") for number in range(300)])
    assert made.rows("SELECT count(DISTINCT segid) FROM message_text_idx") == [(1,)]
    assert len(find(made, "needle ", limit=1000).found) == 300


def test_a_group_of_batches_is_one_segment(made: Bench) -> None:
    batches = [incoming(*[f"needle {number}"] * 150, origin=number, digest=number) for number in range(1, 6)]
    made.group(*batches)
    assert made.rows("SELECT count(DISTINCT segid) FROM message_text_idx") == [(1,)]
    assert len(find(made, "needle ", limit=1000).found) == 750
    theirs = msgspec.structs.replace(incoming("needle of bob", origin=7, digest=7), user="bob")
    made.group(incoming("needle 6", origin=6, digest=6), theirs, incoming("needle 8", origin=8, digest=8))
    assert len(find(made, "needle ", limit=1000).found) == 752
    assert [found.text for found in find(made, "needle ", user="bob").found] == ["needle of bob"]


def test_all_that_happens_in_one_group_comes_to_its_end(made: Bench) -> None:
    """Said, taken out, refused: in the index is what is there when the group is committed."""
    kept, gone = made.new(), made.new()
    made.do(post(gone, "needle of before"))
    answer = made.answering(kept)
    outcomes = made.group(
        post(kept, "needle one"),
        post(gone, "needle two"),
        ChangeConversation(user="ann", conversation_id=kept.id, title="needle title"),
        ChangeConversation(user="ann", conversation_id=gone.id, title="needle title of gone"),
        EndRun(owner=answer.id, message_id=answer.id, status="complete", parts=(Text("needle refused"),)),
        DeleteConversation(user="ann", conversation_id=gone.id),
        Purge(),
        ending(answer, "needle said"),
        ChangeConversation(user="ann", conversation_id=kept.id, title="a needle title"),
        CreateConversation(user="ann", title="needle of new"),
    )
    assert [type(outcome) is Failed for outcome in outcomes].count(
        True
    ) == 2  # posted beside a run; not its owner
    assert sorted(texts(made, "needle ")) == ["a needle title", "needle of new", "needle said"]


def test_a_group_that_fails_leaves_nothing(made: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = made.new()
    write_index = made.runner._rows.write_index

    def fail() -> None:
        write_index()
        raise sqlite3.OperationalError("planned")

    monkeypatch.setattr(made.runner._rows, "write_index", fail)
    with pytest.raises(sqlite3.OperationalError, match="planned"):
        made.group(incoming("needle one", index=False), post(conversation, "needle two"))
    monkeypatch.undo()
    assert (texts(made, "needle "), ranges(made)) == ([], [])
    made.do(post(conversation, "needle three"))
    assert texts(made, "needle ") == ["needle three"]


def test_a_refused_unit_leaves_nothing(made: Bench) -> None:
    """One that has written much before it is refused, beside others of its group."""
    answer = made.answering(made.new())
    interrupting = SendMessage(
        user="ann",
        conversation_id=answer.conversation_id,
        parts=(Text("needle question"),),
        run=run_spec(max_open_runs=0),
        policy="interrupt",
        ends=ending(answer, "needle said"),
    )
    outcomes = made.group(post(made.new(), "needle one"), interrupting, post(made.new(), "needle two"))
    assert [type(outcome) is Failed for outcome in outcomes] == [False, True, False]
    assert texts(made, "needle ") == ["needle two", "needle one"]
    made.do(ending(answer, "needle said"))
    assert texts(made, "needle ") == ["needle two", "needle one", "needle said"]


def test_a_queued_answer_goes_in_once(made: Bench) -> None:
    answer = made.answering(made.new())
    send = SendMessage(
        user="ann",
        conversation_id=answer.conversation_id,
        parts=(Text("needle question"),),
        run=run_spec(),
        policy="queue",
    )
    queued = made.do(send).answer
    made.do(ending(answer, "said", status="complete"))
    made.do(ending(queued, "needle answer", status="complete"))
    assert texts(made, "needle ") == ["needle answer", "needle question"]


def test_emptying_takes_out_what_the_group_has_said_before(made: Bench) -> None:
    conversation = made.do(CreateConversation(user="ann", title="needle title"))
    made.group(
        post(conversation, "needle one"), post(conversation, "needle two"), Reindex(anew=True, max_messages=1)
    )
    assert texts(made, "needle ") == ["needle title"]
    assert made.do(Reindex()).left == 0
    assert len(texts(made, "needle ")) == 3


def test_hidden_ones_are_not_in_it(made: Bench) -> None:
    made.do(incoming("needle", hidden=True))
    assert texts(made, "needle ") == []
    made.do(incoming("needle", digest=2))
    assert texts(made, "needle ") == ["needle"]
    made.do(incoming("needle", digest=3, hidden=True))
    assert texts(made, "needle ") == []
    while made.do(Reindex(anew=True, max_messages=10)).left:
        pass
    assert texts(made, "needle ") == []


def test_a_newer_version_takes_the_place_of_the_old(made: Bench) -> None:
    made.do(incoming("needle one", "needle two", title="a needle"))
    made.do(incoming("needle one", "thread two", "needle three", digest=2, title="a needle"))
    assert sorted(texts(made, "needle ")) == ["a needle", "needle one", "needle three"]
    assert texts(made, "thread ") == ["thread two"]


def test_text_of_several_parts_has_a_word_boundary_between_them(made: Bench) -> None:
    parts = (Text("nee"), Text("dle"))
    made.do(PostMessage(user="ann", conversation_id=made.new().id, parts=parts))
    assert texts(made, "needle ") == []
    assert texts(made, "nee ") == ["nee dle"]


# --- what is left out of it


def test_what_is_left_out_is_found_after_reindexing(made: Bench) -> None:
    made.do(incoming("needle of before"))
    made.do(incoming(*["needle one", "needle two", "needle three"], origin=2, index=False, title="a needle"))
    made.do(incoming(*["needle four", "needle five"], origin=3, index=False))
    assert len(ranges(made)) == 1  # one after the other, they are one range
    page = find(made, "needle ")
    assert ([found.text for found in page.found], page.unindexed) == (["a needle", "needle of before"], 5)
    made.do(post(made.new(), "needle of meanwhile"))
    made.do(incoming(*["needle six"], origin=4, index=False))
    assert len(ranges(made)) == 2
    done = made.do(Reindex(max_messages=2))
    assert (done.messages, done.left) == (2, 4)
    assert len(texts(made, "needle ")) == 5
    assert index_damage(made.connection) == []
    while made.do(Reindex(max_messages=2)).left:
        assert index_damage(made.connection) == []
    assert (len(texts(made, "needle ")), ranges(made), find(made, "needle ").unindexed) == (9, [], 0)


def test_of_long_messages_a_unit_takes_few(made: Bench) -> None:
    """However many it may take: others wait for it to end. The longest are taken one by one."""
    long, longer = "needle " + "x" * 30_000, "needle " + "y" * 300_000
    made.do(incoming(*[f"needle {number}" for number in range(300)], index=False))
    made.do(incoming(*[f"{long} {number}" for number in range(8)], longer, "needle z", origin=2, index=False))
    taken = []
    while True:
        done = made.do(Reindex())
        assert index_damage(made.connection) == []
        taken.append(done.messages)
        if not done.left:
            break
    assert taken == [1, 1, 3, 3, 302]
    (found,) = made.connection.execute("SELECT count(*) FROM message_text('needle')").fetchone()
    assert found == 310


def test_what_changes_while_it_is_left_out(made: Bench) -> None:
    """A range may hold what is renewed, purged, or still being said."""
    answer = made.answering(made.new())
    gone = made.new()
    made.posts(gone, 3, "needle of gone")
    made.do(incoming("needle one", "needle two"))
    made.do(Reindex(anew=True, max_messages=1))
    assert ("message", 1, 7) in ranges(made)
    made.group(
        incoming("needle one", "thread", digest=2),
        DeleteConversation(user="ann", conversation_id=gone.id),
        Purge(max_rows=2),
        ending(answer, "needle said"),
    )
    assert index_damage(made.connection) == []
    assert made.do(Reindex()).left == 0
    assert sorted(texts(made, "needle ")) == ["needle one", "needle said"]


def test_reindexing_anew_mends(made: Bench) -> None:
    conversation = made.do(CreateConversation(user="ann", title="needle title"))
    made.posts(conversation, 5, "needle")
    made.connection.execute("INSERT INTO message_text (message_text) VALUES ('delete-all')")
    made.connection.execute("INSERT INTO title_text (rowid, text, owner) VALUES (77, 'needle', 1)")
    sentences = damage(made.connection)
    assert len(sentences) == 6
    assert all("reindex --anew" in sentence for sentence in sentences)
    assert made.do(Reindex(anew=True)).left == 0
    assert len(texts(made, "needle ")) == 6


def test_what_an_older_chatcore_stored_is_found_after_reindexing(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        prepare_writer(connection)
        migrate(connection, path, MIGRATIONS[:1])
        connection.executescript(
            """
            INSERT INTO user VALUES (1, 'ann');
            INSERT INTO conversation (id, public, owner, title, settings, pinned, archived, running,
                created_at_us, updated_at_us, changed_at_us, seq, counter, list_seq, activity)
            VALUES (7, randomblob(16), 1, 'needle title', '{}', 0, 0, 0, 1, 1, 1, 1, 9, 1, 1);
            INSERT INTO message (id, public, conversation, depth, role, status, parts, created_at_us, seq)
            VALUES (5, randomblob(16), 7, 0, 'user', 'complete', '[{"type":"text","text":"Needle é"}]', 1, 2),
                (9, randomblob(16), 7, 0, 'user', 'complete', '[{"type":"text","text":"other"}]', 1, 3);
            """
        )
        migrate(connection, path)
        made = Bench(connection)
        page = find(made, "needle ")
        assert (page.found, page.unindexed) == ((), 5)
        assert made.do(Reindex()).left == 0
        assert sorted(texts(made, "needle ")) == ["Needle é", "needle title"]
        assert (damage(connection), index_damage(connection)) == ([], [])


# --- bounds


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows and bounds so small that a few messages go beyond them."""
    for name, value in {"_WINDOW": 10, "_LOOKED_AT": 30, "_RANKED": 15}.items():
        monkeypatch.setattr(storage.sqlite.searching, name, value)


def whole(page_after: Callable[[str | None], SearchPage]) -> tuple[list[str], int]:
    """All that is found page by page, and how many pages that took."""
    found: list[str] = []
    after: str | None = None
    pages = 0
    while True:
        page = page_after(after)
        pages += 1
        found += [each.text for each in page.found]
        if page.next is None:
            return found, pages
        after = page.next


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("limit", [1, 7, 10, 1000])
def test_windows_lose_nothing_and_give_nothing_twice(made: Bench, limit: int) -> None:
    conversation = made.new()
    for number in range(95):
        made.do(post(conversation, f"needle {number}"))
    for number in range(25):
        made.do(CreateConversation(user="ann", title=f"needle title {number}"))
    expected = [f"needle title {number}" for number in reversed(range(25))]
    expected += [f"needle {number}" for number in reversed(range(95))]
    assert whole(lambda after: find(made, "needle ", after=after, limit=limit))[0] == expected


@pytest.mark.usefixtures("small")
def test_within_a_window_the_time_counts(made: Bench) -> None:
    """What was imported last may be the oldest."""
    conversation = made.new()
    for number in range(5):
        made.do(post(conversation, f"needle {number}"))
    made.do(incoming(*[f"needle of old {number}" for number in range(4)]))
    found, _ = whole(lambda after: find(made, "needle ", after=after, limit=2))
    assert found == [
        *[f"needle {number}" for number in reversed(range(5))],
        *[f"needle of old {number}" for number in reversed(range(4))],
    ]


@pytest.mark.usefixtures("small")
def test_what_comes_meanwhile_moves_no_window(made: Bench) -> None:
    made.do(incoming(*[f"needle {number}" for number in range(15)], backwards=True))
    page = find(made, "needle ", limit=4)
    made.posts(made.new(), 7, "needle of later")
    rest, _ = whole(lambda after: find(made, "needle ", after=after or page.next, limit=4))
    shown = [found.text for found in page.found] + rest
    assert sorted(shown) == sorted(f"needle {number}" for number in range(15))


@pytest.mark.usefixtures("small")
def test_nobody_searches_through_the_hits_of_others(made: Bench) -> None:
    made.do(post(made.new(), "needle of ann"))
    others = made.do(CreateConversation(user="bob"))
    command = PostMessage(user="bob", conversation_id=others.id, parts=(Text("needle of bob"),))
    made.group(*[command] * 100)
    page = find(made, "needle ")
    assert ([found.text for found in page.found], page.next) == (["needle of ann"], None)


@pytest.mark.usefixtures("small")
def test_one_call_looks_at_so_many_hits(made: Bench) -> None:
    """Where the filters let few through, a page is short and says where to go on."""
    conversation = made.new()
    wanted = made.do(post(conversation, "needle wanted"))
    assert isinstance(wanted, Message)
    made.posts(made.new(), 200, "needle")
    among = SearchFilter(until=wanted.created_at.replace(microsecond=wanted.created_at.microsecond + 1))
    page = find(made, "needle ", among=among)
    assert page.found == ()
    assert page.next is not None
    found, pages = whole(lambda after: find(made, "needle ", after=after, among=among))
    assert found == ["needle wanted"]
    assert 5 <= pages <= 10
    only_there = SearchFilter(conversation_id=conversation.id)
    assert len(find(made, "needle ", among=only_there).found) == 1  # goes there at once
    assert len(find(made, "needle ", order="rank").found) == 15


POSTS = ("post", "title", "untitle", "ask", "end")
REMOVALS = ("delete", "purge", "refuse")
HAPPENINGS = (*POSTS, *REMOVALS, "ingest", "leave_out", "renew", "reindex", "reindex_anew")


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(st.sampled_from(HAPPENINGS), min_size=1, max_size=6), max_size=8))
def test_the_index_agrees_after_whatever_groups(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[str]]
) -> None:
    with bench(tmp_path_factory.mktemp("play") / "chat.db") as made:
        conversations = [made.new(), made.new()]
        answers: list[Message] = []
        for number, group in enumerate(groups):
            if "ask" in group:
                conversations.append(made.new())
                answers.append(made.answering(conversations[-1]))
            one = conversations[number % len(conversations)]
            commands: dict[str, list[Command[Any]]] = {
                "post": [post(one, f"needle {number}")],
                "title": [ChangeConversation(user="ann", conversation_id=one.id, title=f"title {number}")],
                "untitle": [ChangeConversation(user="ann", conversation_id=one.id, title=None)],
                "ask": [],
                "end": [ending(answers.pop(), "said")] if answers else [],
                "delete": [DeleteConversation(user="ann", conversation_id=one.id)],
                "purge": [Purge(max_rows=2)],
                "ingest": [incoming("one", "two", origin=number, title="in")],
                "leave_out": [incoming("one", "two", "three", origin=100 + number, index=False, title="out")],
                "renew": [incoming("one", f"new {number}", origin=number % 3, digest=1000 + number)],
                "reindex": [Reindex(max_messages=2)],
                "reindex_anew": [Reindex(max_messages=3, anew=True)],
                "refuse": [EndRun(owner="nobody", message_id="", status="complete", parts=())],
            }
            made.group(*[command for name in group for command in commands[name]])
            assert damage(made.connection) == []
            assert index_damage(made.connection) == []
