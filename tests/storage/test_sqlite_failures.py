"""The edge to the driver: none of its errors gets past it, and no failure leaves the store stuck."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatcore.commands import ChangeConversation, PostMessage
from chatcore.errors import NotFound, StorageCorrupt, StorageError
from chatcore.messages import Message, Text
from storage.sqlite.failures import SENTENCES, translate, translated
from storage.sqlite.group import Failed
from tests.storage.sqlite_parts import Bench, bench

_EXTENDED = {
    name: code for name, code in vars(sqlite3).items() if name.startswith("SQLITE_") and code is not None
}


_PRIMARY = tuple(
    """
    SQLITE_ABORT SQLITE_AUTH SQLITE_BUSY SQLITE_CANTOPEN SQLITE_CONSTRAINT SQLITE_CORRUPT SQLITE_EMPTY
    SQLITE_ERROR SQLITE_FORMAT SQLITE_FULL SQLITE_INTERNAL SQLITE_INTERRUPT SQLITE_IOERR SQLITE_LOCKED
    SQLITE_MISMATCH SQLITE_MISUSE SQLITE_NOLFS SQLITE_NOMEM SQLITE_NOTADB SQLITE_NOTFOUND SQLITE_PERM
    SQLITE_PROTOCOL SQLITE_RANGE SQLITE_READONLY SQLITE_SCHEMA SQLITE_TOOBIG
    """.split()  # noqa: SIM905
)


def _subclasses(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _subclasses(below)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path / "chat.db") as opened:
        yield opened


@pytest.mark.parametrize("kind", sorted(set(_subclasses(sqlite3.Error)), key=str))
def test_every_class_of_error_is_translated(kind: type[sqlite3.Error]) -> None:
    with pytest.raises(StorageError) as translated_error, translated():
        raise kind("driver's words")
    assert "driver" not in str(translated_error.value)
    assert isinstance(translated_error.value.__cause__, kind)


def test_every_result_code_is_translated() -> None:
    codes = {
        name: code
        for name, code in _EXTENDED.items()
        # the names of extended codes begin with those of primary ones; others are actions, limits, options
        if isinstance(code, int) and name.startswith(_PRIMARY)
    }
    assert len(codes) > 80
    for name, code in codes.items():
        error = sqlite3.DatabaseError("driver's words")
        error.sqlite_errorcode, error.sqlite_errorname = code, name
        told = translate(error)
        damaged = name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))
        assert isinstance(told, StorageCorrupt) == damaged, name
        assert told.data["sqlite"] == name
        assert str(told).endswith(".")


def test_a_full_disk_has_a_sentence_of_its_own() -> None:
    assert list(SENTENCES.values()).count(SENTENCES[sqlite3.SQLITE_FULL]) == 1


def test_no_memory_is_a_storage_error_too() -> None:
    with pytest.raises(StorageError, match="memory"), translated():
        raise MemoryError


def test_a_refused_unit_is_undone_alone(made: Bench) -> None:
    conversation = made.new()
    made.events.clear()
    post = PostMessage(user="ann", conversation_id=conversation.id, parts=(Text("x"),))
    nowhere = PostMessage(user="ann", conversation_id="0" * 32, parts=(Text("x"),))
    outcomes = made.group(post, nowhere, post)
    assert [type(outcome) for outcome in outcomes] == [Message, Failed, Message]
    assert isinstance(outcomes[1], Failed)
    assert isinstance(outcomes[1].error, NotFound)
    assert made.rows("SELECT count(*) FROM message") == [(2,)]
    assert {event.conversation_id for event in made.events} == {conversation.id}


def test_a_unit_that_breaks_a_rule_of_the_tables_is_undone_alone(made: Bench) -> None:
    conversation = made.new()
    made.connection.execute(
        "CREATE TRIGGER planted BEFORE UPDATE OF title ON conversation"
        " BEGIN SELECT raise(ABORT, 'planted'); END"
    )
    made.events.clear()
    post = PostMessage(user="ann", conversation_id=conversation.id, parts=(Text("x"),), key="k")
    rename = ChangeConversation(user="ann", conversation_id=conversation.id, title="t")
    # a post's own update of the conversation is stopped as well, after its message was inserted
    outcomes = made.group(post, rename)
    assert [type(getattr(outcome, "error", None)) for outcome in outcomes] == [StorageError, StorageError]
    assert made.rows("SELECT count(*) FROM message") == [(0,)]
    assert made.events == []
    made.connection.execute("DROP TRIGGER planted")
    assert made.do(post).depth == 0  # the key was not used up


def test_a_unit_with_a_mistake_in_it_is_undone_alone(made: Bench) -> None:
    conversation = made.new()
    post = PostMessage(user="ann", conversation_id=conversation.id, parts=(Text("x"),))
    surrogate = PostMessage(user="ann", conversation_id=conversation.id, parts=(Text("\ud800"),))
    first, failed, last = made.group(post, surrogate, post)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, UnicodeEncodeError)
    assert isinstance(first, Message)
    assert isinstance(last, Message)
    assert last.parent == first.id


def test_a_full_disk_fails_the_whole_group_and_is_got_over(made: Bench) -> None:
    conversation = made.new()
    post = PostMessage(user="ann", conversation_id=conversation.id, parts=(Text("x"),))
    first = made.do(post)
    made.events.clear()
    ((pages,),) = made.rows("PRAGMA page_count")
    made.connection.execute(f"PRAGMA max_page_count = {pages}")
    large = PostMessage(user="ann", conversation_id=conversation.id, parts=(Text("x" * 100_000),))
    with pytest.raises(sqlite3.OperationalError, match="full"):
        made.group(post, large, post)
    assert not made.connection.in_transaction
    assert made.rows("SELECT count(*) FROM message") == [(1,)]

    made.connection.execute("PRAGMA max_page_count = 1000000")
    after = made.do(post)
    assert after.parent == first.id
    assert after.seq > first.seq
    assert {event.conversation_id for event in made.events} == {conversation.id}
    assert len(made.events) == 3


def test_a_rollback_that_fails_is_made_up_for(made: Bench) -> None:
    conversation = made.new()
    post = PostMessage(user="ann", conversation_id=conversation.id, parts=(Text("x"),))
    made.do(post)

    def refuse(action: int, what: str | None, *_: object) -> int:
        ends = action == sqlite3.SQLITE_TRANSACTION and what in {"COMMIT", "ROLLBACK"}
        return sqlite3.SQLITE_DENY if ends else sqlite3.SQLITE_OK

    made.connection.set_authorizer(refuse)
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        made.group(post)
    left = made.connection.in_transaction
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        made.group(post)  # nothing of it joins the transaction that was left
    made.connection.set_authorizer(None)
    made.do(post)
    assert (left, made.connection.in_transaction) == (True, False)
    assert made.rows("SELECT count(*) FROM message") == [(2,)]
