"""The repository's own source, as the tests that are about it read it: parsed, never imported."""

import ast
from collections.abc import Iterator, Mapping, Set
from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["PACKAGES", "ROOT", "Import", "Module", "code_modules", "functions_of", "imports_of", "last_name"]

ROOT = Path(__file__).parents[1]
PACKAGES = ("chatcore", "storage", "frontends")


class Module(NamedTuple):
    """One file; that of a package is called ``package.__init__``."""

    name: str
    source: str
    tree: ast.Module

    @classmethod
    def of(cls, name: str, source: str) -> "Module":
        """The module that a file of this content would be."""
        return cls(name, source, ast.parse(source))

    @property
    def package(self) -> str:
        """What a relative import begins at."""
        return self.name.rpartition(".")[0]


class Import(NamedTuple):
    """A module that another one imports, and in which line; `for_types`: only when types are checked."""

    target: str
    line: int
    for_types: bool


@cache
def code_modules() -> Mapping[str, Module]:
    """Every module that is shipped, by name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name] = Module.of(name, path.read_text("utf-8"))
    return found


def imports_of(module: Module, known: Set[str]) -> list[Import]:
    """What it imports anywhere in the file. Modules of `known` are named as there, others as written.

    A name that `chatcore` only hands on counts as imported from where it is made.
    """
    for_types = _typing_lines(module.tree)
    return [
        Import(target, line, line in for_types)
        for node in ast.walk(module.tree)
        for target in _targets(node, module, known)
        for line in [getattr(node, "lineno", 0)]
    ]


def functions_of(module: Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function with its qualified name, those inside of others too."""
    yield from _functions(module.tree, "")


def last_name(node: ast.AST) -> str | None:
    """``c`` of ``a.b.c``; None where there is no such name."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        name = prefix
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}.{child.name}".lstrip(".")
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield name, child
        yield from _functions(child, name)


def _targets(node: ast.AST, module: Module, known: Set[str]) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            for alias in names:
                yield _named(alias.name, known)
        case ast.ImportFrom(module=base, names=names, level=level):
            parts = module.package.split(".") if level else []
            start = ".".join([*parts[: len(parts) - level + 1], *([base] if base else [])])
            for alias in names:
                yield _from(start, alias.name, known)
        case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]) if last_name(function) in {
            "import_module",
            "__import__",
        }:
            yield _named(name, known)


def _from(start: str, name: str, known: Set[str]) -> str:
    inner = _named(f"{start}.{name}", known)
    if inner in known:
        return inner
    if start == "chatcore":
        return _handed_on().get(name, "chatcore.__init__")
    return _named(start, known)


def _named(name: str, known: Set[str]) -> str:
    return f"{name}.__init__" if f"{name}.__init__" in known else name


@cache
def _handed_on() -> Mapping[str, str]:
    tree = ast.parse((ROOT / "chatcore" / "__init__.py").read_text("utf-8"))
    return {
        alias.name: str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _typing_lines(tree: ast.Module) -> frozenset[int]:
    return frozenset(
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and last_name(node.test) == "TYPE_CHECKING"
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    )
