"""The schema's history: numbered files, applied in order, each in one transaction."""

import sqlite3
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from chatcore.errors import SchemaTooNew, StorageError
from storage.sqlite.backup import copy_database

__all__ = ["MIGRATIONS", "check_version", "migrate"]

MIGRATIONS: tuple[str, ...] = tuple(
    file.read_text(encoding="utf-8")
    for file in sorted((files(__package__) / "schema").iterdir(), key=lambda file: file.name)
    if file.name[:4].isdigit()
)
"""Number n of the schema is made by the n-th of these from the one before."""


def check_version(connection: sqlite3.Connection, migrations: Sequence[str] = MIGRATIONS) -> int:
    """The number of the database's schema, 0 when it is empty. Nothing is written.

    Raises:
        SchemaTooNew: A newer chatcore wrote it.
        StorageError: Another program wrote it.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(migrations):
        raise SchemaTooNew(
            f"A newer chatcore wrote this data (schema {version}, this one knows {len(migrations)}). "
            "Nothing was changed.",
            schema=version,
            known=len(migrations),
        )
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if version == 0 and tables:
        raise StorageError("This database was not made by chatcore. Nothing was changed.")
    return int(version)


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Bring the database at `path` to the newest schema.

    A copy of one that was in use is kept beside it: ``chat.before-schema-2.db``.
    """
    version = check_version(connection, migrations)
    if 0 < version < len(migrations):
        _keep_copy(connection, path.with_name(f"{path.stem}.before-schema-{version + 1}.db"))
    for number, script in enumerate(migrations[version:], version + 1):
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _keep_copy(connection: sqlite3.Connection, target: Path) -> None:
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)  # of a try that was cut off
    copy_database(connection, part)
    part.replace(target)
