"""The database file: its settings, its schema, and how one becomes another."""

import re
import sqlite3
from contextlib import AbstractAsyncContextManager, closing
from importlib.resources import files
from pathlib import Path

import pytest

from chatcore.errors import SchemaTooNew, StorageCorrupt, StorageError
from chatcore.ports import Store
from storage.sqlite import open_store
from storage.sqlite.connection import prepare_reader
from storage.sqlite.migrations import MIGRATIONS, check_version, migrate
from storage.sqlite.statements import load
from tests.storage.sqlite_parts import Bench, bench, connected


def _silent(_events: object) -> None:
    pass


def _open(directory: Path) -> AbstractAsyncContextManager[Store]:
    return open_store(str(directory), publish=_silent)


def _pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _schema(connection: sqlite3.Connection) -> set[tuple[str, str, str]]:
    found = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_schema")
    # without the comments: a column that is added later stands behind the one of another
    return {(kind, name, " ".join(re.sub(r"--.*", "", sql).split())) for kind, name, sql in found}


def test_what_holds_for_the_writing_connection(tmp_path: Path) -> None:
    with connected(tmp_path / "chat.db") as connection:
        expected = {
            "journal_mode": "wal",
            "foreign_keys": 1,
            "busy_timeout": 5000,
            "wal_autocheckpoint": 8000,
            "page_size": 8192,
            "mmap_size": 0,
            "user_version": len(MIGRATIONS),
        }
        assert {name: _pragma(connection, name) for name in expected} == expected


def test_every_table_is_strict(tmp_path: Path) -> None:
    with connected(tmp_path / "chat.db") as connection:
        tables = connection.execute("PRAGMA table_list").fetchall()
        assert [name for _, name, kind, _, _, strict in tables if kind == "table" and not strict] == [
            "sqlite_schema",
            "sqlite_temp_schema",
        ]


def test_the_chain_of_migrations_makes_the_schema_that_is_shown(tmp_path: Path) -> None:
    whole = (files("storage.sqlite") / "schema" / "schema.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(":memory:")) as shown, closing(sqlite3.connect(":memory:")) as made:
        shown.executescript(whole)
        migrate(made, tmp_path / "unused.db")
        assert _schema(made) == _schema(shown)
        settings = "SELECT k, v FROM message_text_config"
        assert set(made.execute(settings)) == set(shown.execute(settings)) > {("automerge", 64)}


def test_a_database_in_use_is_copied_before_it_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    chain = ("CREATE TABLE a (x);", "ALTER TABLE a ADD COLUMN y;", "CREATE TABLE b (z);")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, chain[:1])
        assert [found.name for found in tmp_path.iterdir()] == ["chat.db"]  # an empty one is not copied
        connection.execute("INSERT INTO a VALUES (1)")
        migrate(connection, path, chain)
        assert _pragma(connection, "user_version") == 3
    with closing(sqlite3.connect(tmp_path / "chat.before-schema-2.db")) as copy:
        assert copy.execute("SELECT * FROM a").fetchall() == [(1,)]
        assert _pragma(copy, "user_version") == 1


def test_a_migration_that_fails_is_undone_and_the_ones_before_it_stay(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    chain = ("CREATE TABLE a (x);", "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1);")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, path, chain)
        assert not connection.in_transaction
        assert _pragma(connection, "user_version") == 1
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("a",)]


async def test_a_newer_schema_is_refused_and_not_touched(tmp_path: Path) -> None:
    async with _open(tmp_path):
        pass
    path = tmp_path / "chat.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        connection.execute("PRAGMA journal_mode = DELETE")
    before = path.read_bytes()
    with pytest.raises(SchemaTooNew) as refused:
        async with _open(tmp_path):
            pass
    assert refused.value.data == {"schema": len(MIGRATIONS) + 1, "known": len(MIGRATIONS)}
    assert path.read_bytes() == before


async def test_the_database_of_another_program_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    before = path.read_bytes()
    with pytest.raises(StorageError, match="not made by chatcore"):
        async with _open(tmp_path):
            pass
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["beginning", "pages"])
async def test_a_damaged_database_is_refused_and_not_touched(tmp_path: Path, damage: str) -> None:
    async with _open(tmp_path):
        pass
    path = tmp_path / "chat.db"
    data = bytearray(path.read_bytes())
    if damage == "beginning":
        data[:100] = b"\xa5" * 100
    else:
        data[100:4096] = b"\xa5" * 3996  # the schema's own page
    path.write_bytes(data)
    with pytest.raises(StorageCorrupt):
        async with _open(tmp_path):
            pass
    assert path.read_bytes() == bytes(data)


def test_a_second_check_of_the_version_is_the_same(tmp_path: Path) -> None:
    with connected(tmp_path / "chat.db") as connection:
        assert check_version(connection) == len(MIGRATIONS)


@pytest.mark.parametrize("name", ["units", "reads", "check", "index", "search", "statistics"])
def test_every_statement_is_understood(tmp_path: Path, name: str) -> None:
    with connected(tmp_path / "chat.db") as connection:
        for sql in load(name).values():
            places = sql.count("?") if not re.search(r"\?\d", sql) else 20
            for count in range(places + 1):  # the driver wants exactly as many as there are
                try:
                    connection.execute(f"EXPLAIN {sql}", [None] * count)
                    break
                except sqlite3.ProgrammingError:
                    continue
            else:
                pytest.fail(f"no number of parameters fits: {sql}")


# May look at all of a table: it is small (runs, deltas of running answers) or asked for once.
_MAY_SCAN = {
    "ranges",
    "unindexed",
    "said",
    "first_said",
    "counters_in_deltas",
    "orphans",
    "attachments",
    "clear_said",
    "newest_id",
}


@pytest.mark.parametrize("name", ["units", "reads", "index", "search", "statistics"])
def test_every_statement_goes_by_an_index(tmp_path: Path, name: str) -> None:
    with bench(tmp_path / "chat.db") as made:
        for key, sql in load(name).items():
            if key not in _MAY_SCAN:
                for line in _plan(made, sql):
                    allowed = (
                        "SCAN up",
                        "SCAN down",
                        "SCAN asked",
                        "SCAN CONSTANT ROW",
                        "SCAN given",
                        "SCAN newest",
                        "SCAN few",
                        "VIRTUAL TABLE INDEX",
                    )
                    assert "SCAN" not in line or any(word in line for word in allowed), (key, line)


def _plan(made: Bench, sql: str) -> list[str]:
    for count in range(21):
        try:
            return [line for *_, line in made.rows(f"EXPLAIN QUERY PLAN {sql}", *[None] * count)]
        except sqlite3.ProgrammingError:
            continue
    raise AssertionError(sql)


def test_a_reader_can_not_write(tmp_path: Path) -> None:
    with connected(tmp_path / "chat.db"):
        uri = f"{(tmp_path / 'chat.db').as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as reader:
            prepare_reader(reader)
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                reader.execute("UPDATE meta SET clean = 1")
