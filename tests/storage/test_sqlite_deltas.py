"""What running answers say: what it costs, what is left of it, and what a death leaves behind."""

import sqlite3
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from chatcore.commands import (
    AppendDeltas,
    Command,
    InterruptRuns,
    PartOpened,
    PostMessage,
    SendMessage,
    TextAdded,
)
from chatcore.errors import NotFound, RunEnded
from chatcore.events import MessageChanged, PartAdded, TextDelta
from chatcore.messages import Message, Reasoning, Text, ToolCall
from storage.rows import Rows
from storage.sqlite import reads
from storage.units import UNITS
from tests.storage.acting import PROCESS, ending, run_spec
from tests.storage.sqlite_parts import Bench, bench


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path / "chat.db") as opened:
        yield opened


def _kept(made: Bench) -> list[str]:
    return [body for (body,) in made.rows("SELECT body FROM delta WHERE start IS NOT NULL ORDER BY id")]


def test_a_delta_is_one_statement_and_touches_no_other_row(made: Bench) -> None:
    answer = made.answering(made.new())
    made.say(answer, "warm")
    before = (
        made.rows("SELECT * FROM conversation"),
        made.rows("SELECT * FROM message"),
        made.rows("SELECT * FROM run"),
    )
    statements: list[str] = []
    made.connection.set_trace_callback(statements.append)
    made.say(answer, "a", "b", "c", start=4)
    made.connection.set_trace_callback(None)
    kinds = [statement.split()[0] for statement in statements]
    assert kinds == ["BEGIN", "SAVEPOINT", "INSERT", "INSERT", "INSERT", "RELEASE", "COMMIT"]
    after = (
        made.rows("SELECT * FROM conversation"),
        made.rows("SELECT * FROM message"),
        made.rows("SELECT * FROM run"),
    )
    assert before == after


def _ids(made: Bench) -> list[int]:
    return [key for (key,) in made.rows("SELECT id FROM delta ORDER BY id")]


@pytest.mark.parametrize("length", [10, 3000])
def test_bytes_of_a_delta_do_not_grow_with_the_conversation(tmp_path: Path, length: int) -> None:
    path = tmp_path / "chat.db"
    with bench(path) as made:
        conversation = made.new()
        made.posts(conversation, length)
        answer = made.answering(conversation)
        made.connection.execute("PRAGMA wal_autocheckpoint = 0")
        made.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        log = path.with_name("chat.db-wal")
        sizes = []
        for number in range(20):
            made.say(answer, *["token "] * 50, start=number * 300)
            sizes.append(log.stat().st_size)
    # 50 deltas of 6 characters: the page at the end of the one table, sometimes a new one
    assert max(after - before for before, after in pairwise(sizes)) <= 4 * 8300
    assert sizes[-1] / 20 <= 2 * 8300


def test_events_of_deltas_are_numbered_with_all_others(made: Bench) -> None:
    conversation = made.new()
    answer = made.answering(conversation)
    made.events.clear()
    made.say(answer, "a", "b")
    aside = PostMessage(user="ann", conversation_id=conversation.id, parts=(Text("x"),), parent=None)
    made.do(aside)
    made.say(answer, "c", start=2)
    made.do(ending(answer, "abc"))
    own = [event for event in made.events if type(event).__name__ != "ListChanged"]
    seqs = [event.seq for event in own]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert [type(event).__name__ for event in own] == [
        "TextDelta",
        "TextDelta",
        "MessageChanged",
        "ConversationChanged",
        "TextDelta",
        "MessageChanged",
        "ConversationChanged",
    ]


def test_an_answer_that_has_ended_takes_no_more(made: Bench) -> None:
    first, second = made.answering(made.new()), made.answering(made.new())
    # in one group: the ending comes first
    outcomes = made.group(
        ending(first),
        AppendDeltas(
            owner=PROCESS, deltas=(TextAdded(first.id, 0, 0, "late"), TextAdded(second.id, 0, 0, "ok"))
        ),
    )
    assert outcomes[1] == frozenset({first.id})
    assert _kept(made) == ["ok"]
    assert made.say(second, "not mine", owner="another") == frozenset({second.id})
    assert _kept(made) == ["ok"]


def test_an_ending_that_was_undone_lets_the_answer_speak_on(made: Bench) -> None:
    conversation = made.new()
    answer = made.answering(conversation)
    made.say(answer, "a")
    # the interrupt ends the answer, then finds that its parent is not there: all of the unit is undone
    question = SendMessage(
        user="ann",
        conversation_id=conversation.id,
        parts=(Text("q"),),
        run=run_spec(),
        parent="0" * 32,
        policy="interrupt",
        ends=ending(answer, "a"),
    )
    with pytest.raises(NotFound):
        made.do(question)
    assert made.say(answer, "b", start=1) == frozenset()
    assert _kept(made) == ["a", "b"]
    seqs = [seq for (seq,) in made.rows("SELECT seq FROM delta ORDER BY id")]
    assert seqs == sorted(set(seqs))
    made.do(ending(answer, "ab"))
    with pytest.raises(RunEnded):
        made.do(ending(answer, "ab"))


def test_an_answer_of_a_group_that_failed_never_was(made: Bench) -> None:
    conversation = made.new()
    made.posts(conversation, 3)
    ((pages,),) = made.rows("PRAGMA page_count")
    made.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    question = SendMessage(user="ann", conversation_id=conversation.id, parts=(Text("q"),), run=run_spec())
    answers: list[str] = []

    class Peek(Command[None], frozen=True):
        pass

    def peek(rows: Rows, _command: Peek) -> None:
        (run,) = rows.runs(made.key_of(conversation))
        answers.append(rows.message_at(run.message).message.id)
        assert rows.live(answers[0], PROCESS) is not None

    large = PostMessage(user="ann", conversation_id=made.new().id, parts=(Text("x" * 99_999),))
    with pytest.MonkeyPatch.context() as patch:
        units: dict[Any, Any] = {**UNITS, Peek: peek}
        patch.setattr("storage.sqlite.group.UNITS", units)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            made.group(question, Peek(), large)
    late = AppendDeltas(owner=PROCESS, deltas=(TextAdded(answers[0], 0, 0, "x"),))
    assert made.do(late) == frozenset(answers)
    assert made.rows("SELECT count(*) FROM delta") == [(0,)]


def test_the_front_is_cut_off_when_the_oldest_ends(made: Bench) -> None:
    first, second, third = (made.answering(made.new()) for _ in range(3))
    for answer in (third, second, first):
        made.say(answer, "x")
    assert _ids(made) == [1, 2, 3, 4, 5, 6]
    made.do(ending(second))
    assert _ids(made) == [1, 2, 3, 4, 5, 6]  # its rows are dead, but behind the front
    made.do(ending(first))
    assert _ids(made) == [3, 4, 5, 6]
    fourth = made.answering(made.new())
    made.do(ending(third))
    assert _ids(made) == [7]
    made.do(ending(fourth))
    assert _ids(made) == []
    made.say(made.answering(made.new()), "x")
    assert len(_ids(made)) == 2


def test_every_delta_is_deleted_once(made: Bench) -> None:
    answers = [made.answering(made.new()) for _ in range(20)]
    for number in range(10):
        for answer in answers:
            made.say(answer, "token ", start=6 * number)
    before = made.connection.total_changes
    for answer in answers:
        made.do(ending(answer))
    # an ending changes a handful of rows, and some of the search index; 220 deltas are deleted
    assert made.connection.total_changes - before <= 220 + 20 * 15


def test_what_was_said_is_kept_after_a_death(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    with bench(path) as dead:
        ended = dead.answering(dead.new(), owner="dead")
        conversation = dead.new()
        answer = dead.answering(conversation, owner="dead")
        dead.say(ended, "ended", owner="dead")
        dead.say(answer, "Once ", "upon", owner="dead")
        call = ToolCall("1", "look")
        more = (
            PartOpened(answer.id, 1, Reasoning("")),
            TextAdded(answer.id, 1, 0, "hm"),
            PartOpened(answer.id, 2, call),
        )
        dead.do(AppendDeltas(owner="dead", deltas=more))
        silent = dead.do(
            SendMessage(
                user="ann",
                conversation_id=conversation.id,
                parts=(Text("q"),),
                run=run_spec(),
                policy="queue",
            )
        ).answer
        dead.do(ending(ended, "ended", owner="dead"))
        dead.say(answer, " a", start=9, owner="dead")
        seqs = [event.seq for event in dead.events if event.conversation_id == conversation.id]
        last = max(event.seq for event in dead.events if isinstance(event, TextDelta | PartAdded))
        assert last == max(seqs)

    with bench(path) as alive:
        assert reads.orphans(alive.connection, PROCESS) == [answer.id]
        orphans = reads.orphans(alive.connection, "a new process")
        assert orphans == [answer.id, silent.id]
        assert alive.do(InterruptRuns(message_ids=(*orphans, ended.id, "0" * 32), reason="It died.")) == 2
        found = reads.message(alive.connection, "ann", answer.id)
        assert found.status == "interrupted"
        assert found.reason == "It died."
        assert found.parts == (Text("Once upon a"), Reasoning("hm"), call)
        assert reads.message(alive.connection, "ann", silent.id).parts == ()
        assert not reads.conversation(alive.connection, "ann", conversation.id).running
        # numbers that deltas had are not used again
        assert min(event.seq for event in alive.events if isinstance(event, MessageChanged)) > last
        assert alive.rows("SELECT count(*) FROM delta") == [(0,)]


def test_a_death_in_the_middle_of_a_group_leaves_nothing_of_it(made: Bench) -> None:
    answer = made.answering(made.new())
    made.say(answer, "a")
    made.connection.execute("BEGIN IMMEDIATE")
    made.connection.execute("DELETE FROM delta")
    # the next group finds an open transaction: what is in it was never acknowledged
    made.say(answer, "b", start=1)
    assert _kept(made) == ["a", "b"]


def test_parts_come_in_their_order_whatever_the_batches(made: Bench) -> None:
    answer = made.answering(made.new())
    made.do(
        AppendDeltas(
            owner=PROCESS,
            deltas=(
                TextAdded(answer.id, 0, 0, "one "),
                PartOpened(answer.id, 1, Reasoning("")),
                TextAdded(answer.id, 1, 0, "think"),
                TextAdded(answer.id, 0, 4, "two"),
            ),
        )
    )
    made.do(InterruptRuns(message_ids=(answer.id,), reason="x"))
    found: Message = reads.message(made.connection, "ann", answer.id)
    assert found.parts == (Text("one two"), Reasoning("think"))
