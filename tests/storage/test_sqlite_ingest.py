"""Ingestion in SQLite: few statements, whatever comes; and how an older database takes part in it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from chatcore.arrivals import Ingest
from chatcore.messages import Feedback
from storage.sqlite.check import damage
from storage.sqlite.jumps import jump_length
from storage.sqlite.many import ROWS_AT_ONCE, batches, widened
from storage.sqlite.migrations import MIGRATIONS, migrate
from tests.storage.bringing import brought, said, sliced
from tests.storage.sqlite_parts import Bench, bench


def _statements(made: Bench, command: Ingest) -> list[str]:
    """Those of a group with this command, without what the search index does by itself."""
    found: list[str] = []
    made.connection.set_trace_callback(found.append)
    made.do(command)
    made.connection.set_trace_callback(None)
    return [statement for statement in found if not statement.startswith("--")]


@pytest.mark.parametrize("rated", [False, True])
def test_the_number_of_statements_is_that_of_the_tables(tmp_path: Path, rated: bool) -> None:
    """Each gives up Python's lock, and takes it back when another thread lets it."""
    feedback = Feedback(rating="like") if rated else None

    def ingest(first: int, conversations: int, messages: int) -> Ingest:
        new = [
            brought(
                str(first + number),
                *(replace(said(str(place)), feedback=feedback) for place in range(messages)),
            )
            for number in range(conversations)
        ]
        return Ingest(user="ann", conversations=tuple(new))

    with bench(tmp_path / "chat.db") as made:
        made.do(ingest(0, 1, 1))
        few = _statements(made, ingest(10, 1, 2))
        many = _statements(made, ingest(100, 40, 12))
        assert [statement.split()[0] for statement in few] == [statement.split()[0] for statement in many]
        assert len(few) <= 9 + rated
        again = _statements(made, ingest(100, 40, 12))
        assert [statement.split()[0] for statement in again] == [
            "BEGIN",
            "SAVEPOINT",
            "SELECT",
            "RELEASE",
            "COMMIT",
        ]


@pytest.mark.parametrize("count", [0, 1, 2, 5, 7, 100, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 2 * ROWS_AT_ONCE + 77])
def test_any_number_of_rows_is_put_in_and_looked_for(count: int) -> None:
    rows = [(number, f"{number}", None) for number in range(1, count + 1)]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b, c)")
        for sql, parameters in batches("INSERT INTO t (a, b, c) VALUES (?, ?, ?)", rows):
            connection.execute(sql, parameters)
        assert connection.execute("SELECT * FROM t ORDER BY a").fetchall() == rows
        found = []
        for sql, parameters in widened("SELECT a FROM t WHERE a IN (?)", [*range(1, count + 1), -1]):
            found += connection.execute(sql, parameters).fetchall()
        assert sorted(found) == [(number,) for number in range(1, count + 1)]


def test_slices_do_not_look_through_what_came_before_them(tmp_path: Path) -> None:
    """The first one that finds the conversation does, the others know."""
    whole = brought("long", *map(str, range(3_000)))
    with bench(tmp_path / "chat.db") as made:
        scans = 0

        def count(statement: str) -> None:
            nonlocal scans
            scans += statement.startswith("SELECT origin, id, depth")

        made.connection.set_trace_callback(count)
        for one in sliced(whole, *[300] * 10):
            made.do(Ingest(user="ann", conversations=(one,)))
        made.connection.set_trace_callback(None)
        assert scans == 1
        assert damage(made.connection) == []
        assert made.rows("SELECT count(*), max(depth) FROM message") == [(3_000, 2_999)]


def test_jumps_are_those_of_the_rule(tmp_path: Path) -> None:
    """Of new ones, of slices, and of what is added later; `check` finds only those that lead astray."""
    trunk = [said(f"t{number}", parent=number - 1) for number in range(300)]
    twigs = [said(f"b{number}", parent=number * 7) for number in range(40)]
    with bench(tmp_path / "chat.db") as made:
        whole = brought("sliced", *trunk, *twigs)
        for one in (
            brought("new", *trunk, *twigs),
            brought("grown", *trunk[:60]),
            *sliced(whole, 100, 239, 1),
        ):
            made.do(Ingest(user="ann", conversations=(one,)))
        made.do(Ingest(user="ann", conversations=(brought("grown", *trunk, *twigs),)))
        assert made.rows("SELECT count(*) FROM message") == [(3 * 340,)]
        wrong = [
            (depth, to)
            for depth, to in made.rows(
                "SELECT m.depth, j.depth FROM message AS m JOIN message AS j ON j.id = m.jump"
            )
            if to != depth - jump_length(depth)
        ]
        assert wrong == []
        assert damage(made.connection) == []


def test_a_clock_that_steps_back_puts_nothing_below(tmp_path: Path) -> None:
    """What was stored when it was ahead stays below what is said later."""
    with bench(tmp_path / "chat.db") as made:
        made.do(Ingest(user="ann", conversations=(brought("c", "x"), brought("pinned", "x", pinned=True))))
        ahead = 4_000_000_000_000_000
        made.rows("UPDATE conversation SET activity = ? WHERE pinned", ahead)
    with bench(tmp_path / "chat.db") as made:
        activities = [made.new().activity for _ in range(3)]
        made.do(Ingest(user="ann", conversations=(brought("d", "x"),)))
        activities.append(made.new().activity)
        assert activities == [ahead + 1, ahead + 2, ahead + 3, ahead + 4]


def test_ids_and_keys_rise_together(tmp_path: Path) -> None:
    with bench(tmp_path / "chat.db") as made:
        conversation = made.new()
        made.posts(conversation, 3)
        made.do(Ingest(user="ann", conversations=(brought("a", "x", "y"), brought("b", "z"))))
        bad = Ingest(user="ann", conversations=(brought("c", "x"), brought("d", "x", head=5)))
        made.group(bad)  # refused: its keys are not used
        made.posts(conversation, 2)
        made.new()
        made.do(Ingest(user="ann", conversations=(brought("e", "x"),)))
        for table in ("message", "conversation"):
            ids = [public for (public,) in made.rows(f"SELECT public FROM {table} ORDER BY id")]
            assert ids == sorted(ids)


def test_an_older_database_keeps_the_order_of_its_list(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, MIGRATIONS[:1])
        connection.execute("INSERT INTO user VALUES (1, 'ann')")
        for key, updated in ((1, 500), (2, 900), (3, 700)):
            connection.execute(
                "INSERT INTO conversation "
                "VALUES (?, ?, 1, NULL, NULL, '{}', 0, 0, 0, 1, ?, 1, NULL, 0, 1, 1, ?, ?, NULL, NULL)",
                (key, bytes([key] * 16), updated, key, key),
            )
        migrate(connection, path)
        found = connection.execute(
            "SELECT id, activity, origin FROM conversation ORDER BY activity"
        ).fetchall()
        assert found == [(1, 500, None), (3, 700, None), (2, 900, None)]
        for number, role in enumerate(("system", "user", "assistant", "tool", "robot")):
            values = (role, bytes([number] * 16), number)
            insert = (
                "INSERT INTO message (role, public, seq, conversation, depth, status, parts, created_at_us) "
                "VALUES (?, ?, ?, 1, 0, 'complete', '[]', 1)"
            )
            if role == "robot":
                with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
                    connection.execute(insert, values)
            else:
                connection.execute(insert, values)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        ("UPDATE message SET seq = 3 WHERE seq = 1", "Two rows"),
        ("UPDATE conversation SET seq = 2", "Two rows"),
    ],
)
def test_the_check_sees_what_ingestion_never_does(tmp_path: Path, harm: str, sentence: str) -> None:
    with bench(tmp_path / "chat.db") as made:
        made.do(Ingest(user="ann", conversations=(brought("c", said("q", rating="like"), "a"),)))
        assert damage(made.connection) == []
        made.rows(harm)
        assert any(sentence in problem for problem in damage(made.connection))


def test_an_unfinished_conversation_can_not_be_seen(tmp_path: Path) -> None:
    with bench(tmp_path / "chat.db") as made:
        made.do(Ingest(user="ann", conversations=(sliced(brought("c", "q", "a"), 1, 1)[0],)))
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
            made.rows("UPDATE conversation SET deleted_at_us = NULL")
