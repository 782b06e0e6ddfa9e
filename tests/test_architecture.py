"""The dependency rule, by reading every import; and what else holds the code in shape.

The two tables are the rule. docs/architecture.md says it in words.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Set

import pytest

from tests.source_tree import ROOT, Import, Module, code_modules, functions_of, imports_of, last_name

PARTS: Mapping[str, str] = {
    # what crosses the ports
    "chatcore.asked": "contract",
    "chatcore.commands": "contract",
    "chatcore.errors": "contract",
    "chatcore.events": "contract",
    "chatcore.filters": "contract",
    "chatcore.incoming": "contract",
    "chatcore.messages": "contract",
    "chatcore.ports": "contract",
    "chatcore.arrivals": "contract",
    "chatcore.views": "contract",
    # how the engine works, which is nobody else's affair
    "chatcore.draft": "inside",
    "chatcore.hub": "inside",
    "chatcore.runs": "inside",
    "chatcore.titles": "inside",
    # beneath all
    "chatcore.strangers": "ground",
    "chatcore.temporary": "ground",
    "chatcore.ungrouping": "ground",
    "chatcore": "engine",
    "chatcore.__init__": "surface",
    "chatcore.opening": "opening",
    "chatcore.testing": "testing",
    "chatcore.responders": "responders",
    "chatcore.responders.function": "function",
    "chatcore.formats": "formats",
    "chatcore.formats.format": "contract",
    "storage": "storage",
    "storage.arriving": "units",
    "storage.ids": "units",
    "storage.listing": "units",
    "storage.rows": "units",
    "storage.units": "units",
    "storage.files": "files",
    "storage.memory": "memory",
    "storage.sqlite": "sqlite",
    "frontends": "shared",
    "frontends.cli": "cli",
    "frontends.gradio_web": "gradio_web",
    # the chat in somebody's own page: puts things together, as `cli` does
    "frontends.gradio_web.__init__": "embedding",
    "frontends.gradio_web.chat": "embedding",
    "frontends.gradio_web.ending": "embedding",
    "frontends.gradio_web.hosting": "embedding",
    "frontends.gradio_web.options": "embedding",
    "frontends.gradio_web.running": "embedding",
    "frontends.http_api": "http_api",
    "frontends.terminal": "terminal",
}
"""Which part a module belongs to: the longest name here that it begins with."""

ARROWS: Mapping[str, Set[str]] = {
    "ground": {"contract"},
    "contract": {"contract"},
    "inside": {"ground", "contract", "engine", "inside"},
    "engine": {"ground", "contract", "engine", "inside"},
    "opening": {"ground", "contract", "engine", "inside", "function", "formats"},
    "surface": {"contract", "engine", "opening"},
    "testing": {"contract"},
    "responders": {"contract", "function", "responders"},
    "function": {"contract"},
    "formats": {"ground", "contract", "formats"},
    "storage": {"contract", "storage"},
    "units": {"contract", "units"},
    "files": {"contract", "files"},
    "memory": {"contract", "storage", "units", "files", "memory"},
    "sqlite": {"contract", "storage", "units", "files", "sqlite"},
    # no frontend reaches into another, and none of them opens an engine: `cli` does, and `embedding` for a
    # page that is somebody's own; they find stores, responders and web frontends by their entry points
    "shared": {"contract", "engine", "shared"},
    "gradio_web": {"ground", "contract", "engine", "shared", "gradio_web"},
    "embedding": {"contract", "engine", "opening", "function", "shared", "gradio_web", "embedding"},
    "http_api": {"contract", "engine", "formats", "shared", "http_api"},
    "terminal": {"contract", "engine", "shared", "terminal"},
    "cli": {
        "ground",
        "contract",
        "engine",
        "opening",
        "formats",
        "function",
        "responders",
        "shared",
        "http_api",
        "terminal",
        "cli",
    },
}
"""Which parts each part may import."""

LIBRARIES: Mapping[str, Set[str]] = {
    "aiosqlite": {"storage.sqlite.connection"},
    "anyio": {
        "chatcore",
        "storage.directory",
        "storage.files",
        "storage.memory",
        "storage.sqlite",
        "frontends",
    },
    "asyncio": {"storage.sqlite.opening", "storage.sqlite.writer", "frontends.server"},
    "fastapi": {"frontends.gradio_web"},
    "filetype": {"storage.files.media"},
    "gradio": {"frontends.gradio_web"},
    "httpx": {"frontends.http_api"},
    "msgspec": {"chatcore", "storage", "frontends"},
    "openai": {"chatcore.responders"},
    "platformdirs": {"frontends.cli"},
    "python_multipart": {"frontends.http_api"},
    "rich": {"frontends.terminal"},
    "sqlite3": {"storage.sqlite"},
    "starlette": {
        "frontends.guard",
        "frontends.headers",
        "frontends.server",
        "frontends.site",
        "frontends.gradio_web",
        "frontends.http_api",
    },
    "uvicorn": {"frontends.server"},
    "xllamacpp": {"chatcore.responders.model_server"},
    "zstandard": {"chatcore.formats"},
}
"""Who may import what is not ours: all third-party libraries, and of the standard library the two by which a
module would be bound to one driver or to one event loop."""

BROAD: Mapping[tuple[str, str], str] = {
    (
        "chatcore.strangers",
        "strangers_code",
    ): "a responder: what it raises ends its run, or costs a title",
    ("chatcore.strangers", "described"): "the error's own __str__",
    ("chatcore.formats.reading", "Reading._in"): "a format of whichever package: it costs one record",
    ("chatcore.responders.loading", "_import_file"): "a file is executed",
    ("chatcore.responders.loading", "_import_module"): "a module is executed",
    ("storage.sqlite.group", "GroupRunner._unit"): "a fault of ours costs its own command, and not the store",
}
"""Where everything may be caught: where a stranger's code runs, and which; and at the unit's boundary."""

EVERYTHING = {"Exception", "BaseException", "ExceptionGroup", "BaseExceptionGroup"}
MODULE_LINES = 300
FUNCTION_LINES = 60


def part_of(name: str) -> str:
    longest = max((known for known in PARTS if is_in(name, known)), key=len)
    return PARTS[longest]


def is_in(name: str, place: str) -> bool:
    return name == place or name.startswith(f"{place}.")


def wrong_imports(module: Module, known: Set[str]) -> Iterator[str]:
    for found in imports_of(module, known):
        if (problem := problem_with(module.name, found, known)) is not None:
            yield f"{module.name}:{found.line} imports {found.target}: {problem}"


def problem_with(name: str, found: Import, known: Set[str]) -> str | None:
    root = found.target.partition(".")[0]
    if found.target in known or root in {"chatcore", "frontends", "storage", "tests", "scripts"}:
        if root in {"tests", "scripts"}:
            return "what is shipped does not know of it"
        mine, other = part_of(name), part_of(found.target)
        return None if other in ARROWS[mine] else f"{mine} knows nothing of {other}"
    if root not in LIBRARIES:
        return None if root in sys.stdlib_module_names else "a library without a line in LIBRARIES"
    return None if any(is_in(name, place) for place in LIBRARIES[root]) else f"{root} is not for this place"


def test_no_arrow_is_turned_round() -> None:
    known = code_modules().keys()
    assert [wrong for module in code_modules().values() for wrong in wrong_imports(module, known)] == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("chatcore.fold", "import sqlite3"),
        ("chatcore.hub", "import asyncio"),
        ("chatcore.engine", "from storage.sqlite import open_store"),
        ("chatcore.engine", "import storage"),
        ("chatcore.runs", "from chatcore.responders.local import LocalModel"),
        ("chatcore.runs", "from .responders import local"),
        ("chatcore.runs", "def late():\n    from frontends import server"),
        ("chatcore.exchanges", "import importlib\nimportlib.import_module('storage.memory')"),
        ("chatcore.exchanges", "import numpy"),
        ("chatcore.events", "from chatcore.hub import Hub"),
        ("chatcore.core", "import chatcore"),
        ("chatcore.testing", "from tests.source_tree import ROOT"),
        ("chatcore.responders.local", "from chatcore.engine import Engine"),
        ("chatcore.responders.local", "from chatcore import Engine"),
        ("chatcore.responders.openai_compatible", "from storage.files import open_files"),
        ("storage.units.sending", "import sqlite3"),
        ("storage.units.sending", "import anyio"),
        ("storage.units.sending", "from storage.sqlite.rows import SqliteRows"),
        ("storage.rows", "from storage.memory import rows"),
        ("storage.memory.store", "from storage.sqlite.store import SqliteStore"),
        ("storage.files.contents", "from storage.sqlite.store import SqliteStore"),
        ("storage.sqlite.store", "from chatcore.hub import Hub"),
        ("storage.sqlite.store", "import aiosqlite"),
        ("storage.sqlite.store", "from frontends.site import Site"),
        ("frontends.cli.serving", "from storage.sqlite import open_store"),
        ("frontends.cli.serving", "from frontends.gradio_web import frontend"),
        ("frontends.gradio_web.hosting", "from frontends.http_api import frontend"),
        ("frontends.gradio_web.pieces", "from frontends.gradio_web.chat import Chat"),
        ("frontends.server", "from frontends.http_api.routes import make_api"),
        ("frontends.terminal.session", "from frontends.http_api.client import open_client"),
        ("frontends.gradio_web.page", "from frontends.cli import settings"),
        ("frontends.gradio_web.page", "from chatcore import open_engine"),
        ("frontends.http_api.stream", "from chatcore.hub import Hub"),
        (
            "frontends.http_api.stream",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import gradio",
        ),
    ],
)
def test_a_planted_arrow_is_found(name: str, line: str) -> None:
    known = code_modules().keys()
    assert name in known
    assert len(list(wrong_imports(Module.of(name, line), known))) == 1


def test_modules_need_each_other_in_one_direction_only() -> None:
    known = code_modules().keys()
    needs = {
        name: {found.target for found in imports_of(module, known) if not found.for_types} & known - {name}
        for name, module in code_modules().items()
    }
    while ready := {name for name, others in needs.items() if not others & needs.keys()}:
        for name in ready:
            del needs[name]
    assert needs == {}, "these go round in a circle, or need one that does"


def test_libraries_are_those_that_are_declared() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        dependencies = tomllib.load(file)["project"]["dependencies"]
    declared = {re.split(r"[^\w.-]", line)[0].replace("-", "_") for line in dependencies}
    known = code_modules().keys()
    imported = {
        found.target.partition(".")[0]
        for module in code_modules().values()
        for found in imports_of(module, known)
        if found.target not in known
    }
    comes_with_gradio = {"fastapi"}
    imported_by_uvicorn = {"wsproto"}
    known_libraries = imported - set(sys.stdlib_module_names) - comes_with_gradio
    assert known_libraries | imported_by_uvicorn == declared


def test_only_stores_publish() -> None:
    """Shown is stored: nobody but a store, after its commit, hands an event to the hub."""
    callers = {
        name
        for name, module in code_modules().items()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"publish", "_publish"}
    }
    assert callers == {"storage.memory.store", "storage.sqlite.writer"}


def broad_handlers(module: Module) -> Iterator[tuple[str, str]]:
    """Functions that catch everything, or suppress it."""
    for qualified, function in functions_of(module):
        for node in ast.walk(function):
            if (isinstance(node, ast.ExceptHandler) and _catches_all(node.type)) or (
                isinstance(node, ast.Call)
                and last_name(node.func) == "suppress"
                and any(map(_catches_all, node.args))
            ):
                yield module.name, qualified


def _catches_all(kind: ast.expr | None) -> bool:
    if kind is None:
        return True
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(last_name(one) in EVERYTHING for one in kinds)


def test_everything_is_caught_only_where_a_reason_is_written() -> None:
    found = {place for module in code_modules().values() for place in broad_handlers(module)}
    assert found == BROAD.keys()


@pytest.mark.parametrize(
    "body",
    [
        "try:\n    pass\n  except Exception:\n    pass",
        "try:\n    pass\n  except:\n    return",
        "try:\n    pass\n  except (OSError, BaseException) as error:\n    raise ValueError from error",
        "with contextlib.suppress(Exception):\n    pass",
        "try:\n    pass\n  except BaseException:\n    print()\n    raise",
        "try:\n    pass\n  except BaseExceptionGroup as group:\n    raise group.exceptions[0]",
    ],
)
def test_a_planted_broad_handler_is_found(body: str) -> None:
    assert list(broad_handlers(Module.of("m", f"class C:\n def f(self):\n  {body}\n"))) == [("m", "C.f")]


def test_modules_fit_a_few_screens() -> None:
    long = {
        name: lines
        for name, module in code_modules().items()
        if (lines := len(module.source.splitlines())) > MODULE_LINES
    }
    assert long == {}, "there are two nouns in each of these"


def test_functions_fit_one_screen() -> None:
    long = {
        f"{module.name}:{function.lineno} {name}": lines
        for module in code_modules().values()
        for name, function in functions_of(module)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES
    }
    assert long == {}
