"""docs/http.md says which routes there are, what they take, and how errors look."""

import re
from pathlib import Path

import msgspec
import pytest

from chatcore import errors
from frontends.http_api import bodies
from frontends.http_api.errors import Forbidden, Malformed, status_of
from frontends.http_api.routes import ROUTES

TEXT = (Path(__file__).parents[2] / "docs" / "http.md").read_text()

BODIES: dict[str, type[msgspec.Struct]] = {
    "POST /conversations": bodies.Create,
    "PATCH /conversations/{id}": bodies.Change,
    "POST /conversations/{id}/head": bodies.Move,
    "POST /conversations/{id}/messages": bodies.Send,
    "POST /conversations/{id}/posts": bodies.Post,
    "POST /messages/{id}/edit": bodies.Edit,
    "POST /messages/{id}/regenerate": bodies.Answer,
    "POST /messages/{id}/continue": bodies.Answer,
    "PUT /messages/{id}/feedback": bodies.Rate,
    "POST /owner/backup": bodies.Backup,
    "POST /owner/purge": bodies.PurgeOlder,
    "POST /owner/collect": bodies.Collect,
    "POST /owner/reindex": bodies.Reindex,
    "POST /owner/trees": bodies.WantedTrees,
    "POST /owner/ingest": bodies.IngestBatch,
}


def rows(head: str) -> list[list[str]]:
    """The cells of the table with that first line."""
    table = TEXT.partition(f"{head}\n")[2].partition("\n\n")[0]
    lines = table.splitlines()
    assert set(lines[0]) == set("|-"), head
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]
    assert {len(row) for row in found} == {head.count("|") - 1}
    return found


def routes() -> dict[str, list[str]]:
    found = rows("| route | body | answer | errors |")
    listed = {cells[0].strip("`").replace(" /api/", " /"): cells for cells in found}
    assert len(listed) == len(found)
    return listed


def field(about: msgspec.structs.FieldInfo) -> str:
    """As the table writes it."""
    if about.required:
        return about.name
    default = about.default if about.default is not msgspec.NODEFAULT else about.default_factory()
    return f"{about.name}?" if default is msgspec.UNSET else f"{about.name}={json_of(default)}"


def json_of(value: object) -> str:
    return msgspec.json.encode(value).decode()


def test_every_route_is_there_in_order() -> None:
    declared = [f"{method} {path}" for method, path, _ in ROUTES]
    assert [route for route in routes() if route != "GET /events"] == declared
    assert "GET /events" in routes()


@pytest.mark.parametrize("route", routes())
def test_a_route_takes_what_is_written(route: str) -> None:
    written = re.findall(r"`([^`]+)`", re.sub(r"\[.*\]$|\(.*\)", "", routes()[route][1]))
    body = BODIES.get(route)
    assert written == ([field(about) for about in msgspec.structs.fields(body)] if body else [])


def test_every_body_is_a_routes() -> None:
    assert set(BODIES) <= set(routes())


def kinds(kind: type[errors.ChatcoreError]) -> list[type[errors.ChatcoreError]]:
    return [kind, *(found for below in kind.__subclasses__() for found in kinds(below))]


def test_errors_have_the_status_that_is_written() -> None:
    written = {cells[0].strip("`"): int(cells[1]) for cells in rows("| code | status | meaning |")}
    assert written.pop("method_not_allowed") == 405
    ours = [kind for kind in kinds(errors.ChatcoreError) if kind.__module__ == errors.__name__]
    ours += [Forbidden, Malformed]
    answered = {kind.code: status_of(kind("")) for kind in ours}
    never = {errors.SchemaTooNew.code, errors.DataDirectoryInUse.code}  # then there is no server
    assert written == {code: status for code, status in answered.items() if code not in never}


def test_errors_of_routes_are_explained() -> None:
    explained = {cells[0].strip("`") for cells in rows("| code | status | meaning |")}
    for cells in routes().values():
        assert set(re.findall(r"`(\w+)`", cells[3])) <= explained
