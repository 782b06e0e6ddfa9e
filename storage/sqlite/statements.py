"""Named SQL: the statements of `sql/*.sql`, each under its ``-- name:``."""

import re
from collections.abc import Mapping
from importlib.resources import files

__all__ = ["load"]

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)


def load(name: str) -> Mapping[str, str]:
    """The statements of ``sql/<name>.sql``, with the shared columns put in."""
    shared = _blocks("columns")
    shared["message_row"] = shared["message_row"].format_map(shared)
    return {key: sql.format_map(shared) for key, sql in _blocks(name).items()}


def _blocks(name: str) -> dict[str, str]:
    text = (files(__package__) / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    _, *pieces = _NAME.split(text)
    return {key: _COMMENT.sub("", body).strip() for key, body in zip(pieces[::2], pieces[1::2], strict=True)}
