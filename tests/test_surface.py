"""What can be imported: modules say it in `__all__`, in order and explained; `chatcore` is their union."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Set
from functools import cache
from importlib import import_module

import pytest

import chatcore
from chatcore import errors
from chatcore.errors import ChatcoreError
from tests.source_tree import Module, code_modules, functions_of, last_name

WHOLE = (
    "errors",
    "events",
    "fold",
    "limits",
    "subscription",
    "uploads",
    "asked",
    "messages",
    "opening",
    "pages",
)
"""Modules whose public names are those of `chatcore`, but for what `KEPT` takes out."""

KEPT: Mapping[str, Set[str]] = {
    "asked": {"part_tokens"},
    "messages": {"ENDINGS"},
    "opening": {"Answering", "find_store", "open_reading"},
    "pages": {"read_page", "with_text_so_far"},
    "subscription": {"follow_conversation", "follow_list"},
    "uploads": {"store_files"},
}
"""Names for other modules of this repository only."""

CHOSEN: Mapping[str, Set[str]] = {
    "commands": {"Purged", "Reindexed", "Sent"},
    "engine": {"LOCAL_USER", "Engine"},
    "filters": {"ExportFilter"},
    "formats.format": {"ReadOptions"},
    "incoming": {"Incoming", "IncomingFile", "IncomingMessage"},
    "ingestion.rehearsal": {"DryRun"},
    "ingestion.report": {
        "Counts",
        "IngestFailure",
        "IngestMissingFile",
        "IngestProgress",
        "IngestReport",
        "IngestStopped",
    },
    "ports": {
        "ConversationPage",
        "DayStatistics",
        "FileStore",
        "Found",
        "MessageFeedback",
        "Node",
        "Output",
        "Responder",
        "SearchOrder",
        "SearchPage",
        "Store",
        "Titling",
        "Tree",
        "Trees",
    },
}
"""Modules of which `chatcore` has these names only."""


def names_in_all(module: Module) -> list[str] | None:
    for node in module.tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                return [str(name) for name in ast.literal_eval(value)]
    return None


def is_program(module: Module) -> bool:
    """Whether it is run and not imported."""
    return module.name.endswith(".__main__") or 'if __name__ == "__main__":' in module.source


def in_order(names: list[str]) -> list[str]:
    """Constants, classes, the rest; each by the alphabet."""
    return sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))


def definitions(module: Module) -> Mapping[str, ast.stmt]:
    """What the module makes or imports at its top, by name."""
    found: dict[str, ast.stmt] = {}
    for node in module.tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found[name] = node
            case ast.Assign(targets=targets):
                found |= {target.id: node for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                found[name] = node
            case ast.ImportFrom(names=names) | ast.Import(names=names):
                found |= {alias.asname or alias.name: node for alias in names}
    return found


def problems_with(module: Module) -> Iterator[str]:
    listed = names_in_all(module)
    if listed is None:
        if module.tree.body and not module.name.endswith(".__init__") and not is_program(module):
            yield "has no __all__"
        return
    if listed != in_order(listed):
        yield f"its __all__ is out of order; it would be {in_order(listed)}"
    made = definitions(module)
    yield from (f"{name} is in __all__, but not in the module" for name in listed if name not in made)
    for name in listed:
        if (node := made.get(name)) is not None:
            yield from (f"{what} has no docstring" for what in without_docstring(node, name))


def without_docstring(node: ast.stmt, name: str) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not ast.get_docstring(
        node
    ):
        yield name


def test_every_module_says_what_is_public() -> None:
    found = [
        f"{name}: {problem}" for name, module in code_modules().items() for problem in problems_with(module)
    ]
    assert found == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [n for n, m in code_modules().items() if m.tree.body and not ast.get_docstring(m.tree)]
    assert silent == []


@pytest.mark.parametrize(
    "source",
    [
        "def f(): 'It is.'\n",
        "__all__ = ['g', 'f']\ndef f(): 'It is.'\ndef g(): 'It is.'\n",
        "__all__ = ['f', 'C']\ndef f(): 'It is.'\nclass C: 'It is.'\n",
        "__all__ = ['f']\n",
        "__all__ = ['f']\ndef f(): pass\n",
    ],
)
def test_a_planted_disorder_is_found(source: str) -> None:
    assert len(list(problems_with(Module.of("chatcore.planted", source)))) == 1


def test_private_names_of_other_modules_are_left_alone() -> None:
    known = code_modules()
    taken = [
        f"{name}:{node.lineno} {alias.name}"
        for name, module in known.items()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom)
        and str(node.module).partition(".")[0] in {"chatcore", "storage", "frontends"}
        for alias in node.names
        if alias.name.startswith("_")
    ]
    assert taken == []


def test_chatcore_is_the_union_of_its_public_modules() -> None:
    intended = set().union(*CHOSEN.values())
    for name in WHOLE:
        public = set(import_module(f"chatcore.{name}").__all__)
        assert KEPT.get(name, set()) <= public, f"chatcore.{name} has lost a name"
        intended |= public - KEPT.get(name, set())
    assert chatcore.__all__ == in_order(sorted(intended))


def test_what_the_engines_calls_take_and_give_can_be_imported_from_chatcore() -> None:
    own = {name for module in contract() for name in names_in_all(module) or ()}
    spoken = {
        node.id
        for name in ("conversations", "engine", "exchanges", "exporting", "intake", "reading", "opening")
        for qualified, function in functions_of(code_modules()[f"chatcore.{name}"])
        if qualified.count(".") < 2 and not qualified.rpartition(".")[2].startswith("_")
        for annotation in annotations(function)
        for node in ast.walk(annotation)
        if isinstance(node, ast.Name)
    }
    # the union of two public kinds; what entry points are; what one process of ours hands to another
    may_stay_inside = {"Answering", "OpenStore", "IngestConversation", "Ingested"}
    assert {"Conversation", "Message", "Sent"} <= spoken
    assert (spoken & own) - set(chatcore.__all__) - may_stay_inside == set()


def contract() -> list[Module]:
    return [module for name, module in code_modules().items() if re.fullmatch(r"chatcore\.[a-z]\w*", name)]


def annotations(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    arguments = function.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if argument.annotation is not None:
            yield argument.annotation
    if function.returns is not None:
        yield function.returns


def test_importing_chatcore_brings_no_driver_and_no_frontend() -> None:
    """Also not by way of something that it imports."""
    code = "import sys, chatcore; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    heavy = {
        "aiosqlite",
        "frontends",
        "gradio",
        "httpx",
        "openai",
        "sqlite3",
        "starlette",
        "storage",
        "xllamacpp",
    }
    assert heavy & set(done.stdout.split()) == set()


def test_the_tree_of_errors_is_as_it_is_drawn() -> None:
    drawn: list[tuple[str, str, str]] = []
    above = {-1: "Exception"}
    for line in str(errors.__doc__).splitlines():
        found = re.match(r"([│├└─ ]*)([A-Z]\w+)(?: +([a-z_]+) +\S.*)?$", line)
        if found and (found[1] or found[2] == "ChatcoreError"):
            depth = len(found[1]) // 4
            above[depth] = found[2]
            drawn.append((found[2], above[depth - 1], found[3] or "error"))
    real = [(kind.__name__, kind.__bases__[0].__name__, kind.code) for kind in family(ChatcoreError)]
    assert drawn == [one for one in real if hasattr(errors, one[0])]


def family(kind: type[ChatcoreError]) -> Iterator[type[ChatcoreError]]:
    """The error and those below it, as the module has them one after the other."""
    yield kind
    for below in kind.__subclasses__():
        yield from family(below)


def test_every_error_is_public() -> None:
    kinds = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert kinds == set(errors.__all__)


def test_codes_of_errors_are_unique() -> None:
    codes: dict[str, list[str]] = {}
    kinds = {"ChatcoreError"}
    for _ in range(4):  # an error may stand in another module than the one it derives from
        kinds |= {node.name for _, node in classes() if set(map(last_name, node.bases)) & kinds}
    for name, node in classes():
        if node.name in kinds:
            own = [
                s.value
                for s in node.body
                if isinstance(s, ast.Assign | ast.AnnAssign) and "code" in ast.unparse(s).split("=")[0]
            ]
            assert len(own) == 1, f"{name}: {node.name} has no code of its own"
            codes.setdefault(str(ast.literal_eval(own[0] or ast.Constant(""))), []).append(
                f"{name}.{node.name}"
            )
    assert {code: names for code, names in codes.items() if len(names) > 1} == {}
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)


@cache
def classes() -> list[tuple[str, ast.ClassDef]]:
    return [
        (name, node)
        for name, module in code_modules().items()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    ]
