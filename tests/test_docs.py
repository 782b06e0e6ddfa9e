"""The documentation is true: its script runs, its links lead somewhere, what it lists is what there is."""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from frontends.cli.arguments import COMMAND_NAMES, parse_arguments
from frontends.cli.settings import SETTINGS
from tests.source_tree import ROOT, code_modules

README = ROOT / "README.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
GLOSSARY = ROOT / "docs" / "glossary.md"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
DOCUMENTS = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

RUN_SECONDS = 30


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", document.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def rows(document: Path) -> Iterator[list[str]]:
    """The cells of all lines of tables, heads and rules left out."""
    lines = document.read_text("utf-8").splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("|") and not line.startswith("|--") and not following.startswith("|--"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def run(*arguments: str, folder: Path, given: str = "") -> str:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("CHATCORE_", "OPENAI_"))
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environment, "XDG_CONFIG_HOME": str(folder), "PYTHONPATH": str(ROOT)},
        input=given,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The README's script, under the name that it says."""
    path = tmp_path / "shout.py"
    path.write_text(blocks(README, "python")[0], "utf-8")
    return path


# --- the README


def test_the_script_does_what_is_said(script: Path) -> None:
    (said,) = blocks(README, "text")
    assert run(script.name, folder=script.parent).split() == said.split()
    assert (script.parent / "shouts" / "chat.db").is_file()


def test_the_script_is_about_ten_lines() -> None:
    lines = [line for line in blocks(README, "python")[0].splitlines() if line.strip()]
    assert len(lines) <= 14, "with imports and the line that starts it"


def test_the_page_of_ones_own_is_whole(script: Path) -> None:
    """All but the last line, which serves it until Ctrl-C: that is shown by `examples/06_own_page.py`."""
    page, launch = blocks(README, "py")[0].split("\nchat.launch(demo)")
    assert launch.startswith("  # ")
    (script.parent / "page.py").write_text(f"{page}\nprint(demo.title, chat)\n", "utf-8")
    assert "Chat object" in run("page.py", folder=script.parent)


def test_the_scripts_function_answers_the_command_too(script: Path) -> None:
    target = re.search(r"--responder (shout\S+)", README.read_text("utf-8"))
    assert target is not None
    command = ("-m", "frontends.cli", "chat", "--data", "shouts", "--responder", target[1])
    assert run(*command, folder=script.parent, given="hello out there\n").strip() == "HELLO OUT THERE"


def test_the_second_piece_runs_in_the_first(script: Path) -> None:
    """Where the script waits, it may watch as well."""
    piece = blocks(README, "python")[1]
    watching = piece.replace("print(event)", "print(event)\n        break")
    indented = "".join(f"        {line}\n" for line in watching.splitlines())
    whole = script.read_text("utf-8")
    waiting = re.search(r".*wait_ended.*\n", whole)
    assert waiting is not None
    script.write_text(whole.replace(waiting[0], waiting[0] + indented), "utf-8")
    assert re.match(r"(Conversation|Message)Changed\(", run(script.name, folder=script.parent))


def test_the_scripts_are_there() -> None:
    named = set(re.findall(r"scripts/(\w+)", "".join(path.read_text("utf-8") for path in DOCUMENTS)))
    assert {"serve", "test"} <= named
    assert [name for name in sorted(named) if not os.access(ROOT / "scripts" / name, os.X_OK)] == []


def test_the_table_of_commands_is_whole() -> None:
    listed = [row[0].strip("`").split()[1] for row in rows(README) if row[0].startswith("`chatcore ")]
    assert listed == list(COMMAND_NAMES)


def test_every_command_line_is_understood(tmp_path: Path) -> None:
    """Those of the README, by the command's own parser."""
    text = README.read_text("utf-8")
    lines = re.findall(r"`(?:[A-Z_]+=\S+ )?(?:scripts/(serve)|chatcore ([a-z].*?))((?: [^`\n]*)?)`", text)
    lines += [
        (name, "", given) for name, given in re.findall(r"^scripts/(serve)([^#\n]*)", text, re.MULTILINE)
    ]
    assert len(lines) > len(COMMAND_NAMES)
    for serve, other, given in lines:
        found = parse_arguments([*(serve or other).split(), *given.split()])
        assert isinstance(found, argparse.Namespace)


def test_every_flag_and_variable_is_there() -> None:
    text = "".join(path.read_text("utf-8") for path in DOCUMENTS)
    flags = {setting.flag for setting in SETTINGS}
    flags |= {
        "--anew",
        "--all",
        "--all-paths",
        "--assistant",
        "--archived",
        "--config",
        "--conversation",
        "--dry-run",
        "--files",
        "--force",
        "--format",
        "--json",
        "--limit",
        "--new",
        "--no-index",
        "--older-than",
        "--open",
        "--out",
        "--owner",
        "--rating",
        "--reasoning",
        "--rejects",
        "--report",
        "--since",
        "--source-name",
        "--split",
        "--until",
        "--verbose",
    }
    variables = {name for setting in SETTINGS for name in (setting.env, setting.fallback)} | {
        "CHATCORE_CONFIG"
    }
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - flags == set()
    assert set(re.findall(r"\b(?:CHATCORE|OPENAI)_[A-Z_]+", text)) - variables == set()


# --- links


def anchors(document: Path) -> set[str]:
    """As the forges make them of headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def local_links(document: Path) -> Iterator[str]:
    text = re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"", text):
        if not (target := link[0] or link[1]).startswith(("http://", "https://")):
            yield target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    broken = []
    for link in local_links(document):
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_are_named_are_there(document: Path) -> None:
    named = re.findall(
        r"`((?:chatcore|docs|frontends|scripts|storage|tests)/[\w./*-]+)(?:::(\w+))?`",
        document.read_text("utf-8"),
    )
    missing = [
        f"{path} {test}"
        for path, test in named
        if not (found := list(ROOT.glob(path)) or list(ROOT.glob(f"{path}.py")))
        or (test and f"def {test}(" not in found[0].read_text("utf-8"))
    ]
    assert missing == []


# --- what is listed


def listed_modules() -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    package = ""
    table = ARCHITECTURE.read_text("utf-8").partition("| package | modules |")[2]
    for line in table.splitlines():
        if line.startswith("| ") and "---" not in line:
            first, modules = line.strip("|").split("|")[:2]
            package = first.strip(" `") or package
            new = re.findall(r"`(\w+)`", modules)
            assert not found.get(package, set()) & set(new), f"listed twice: {package} {new}"
            found.setdefault(package, set()).update(new)
    return found


def test_the_architecture_lists_every_module() -> None:
    there: dict[str, set[str]] = {}
    for name in code_modules():
        package, _, module = name.rpartition(".")
        if module != "__init__":
            there.setdefault(package.replace(".", "/"), set()).add(module)
    assert listed_modules() == there


def test_the_glossary_has_words_that_are_used() -> None:
    text = "".join(module.source for module in code_modules().values()).lower()
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", GLOSSARY.read_text("utf-8"), re.MULTILINE)
    assert len(words) == len(set(words)) > 30
    assert [word for word in words if not re.search(rf"(?:\b|_){re.escape(word)}(?:s|es|\b|_)", text)] == []


def test_one_thing_has_one_word() -> None:
    """The words that the glossary turns down name nothing of ours."""
    names = {name for module in code_modules() for name in module.split(".")}
    assert names & {"chats", "thread", "threads", "session_store", "bots", "channel"} == set()


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_a_page_of_four_parts(decision: Path) -> None:
    text = decision.read_text("utf-8")
    number = re.match(r"(\d{4})-[a-z0-9-]+$", decision.stem)
    assert number is not None
    assert text.startswith(f"# {int(number[1])}. ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "Context",
        "Decision",
        "Evidence",
        "What would change our mind",
    ]
    assert len(text.splitlines()) <= 70


def test_decisions_are_numbered_through() -> None:
    assert [int(path.stem[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
