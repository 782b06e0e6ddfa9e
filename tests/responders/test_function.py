"""A responder made of a function, and found by what a person writes."""

import functools
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio.to_thread
import pytest

from chatcore.asked import Asked
from chatcore.errors import InvalidInput, ResponderError
from chatcore.messages import Settings, Text
from chatcore.ports import Titling
from chatcore.responders import function_responder, load_function
from tests.responders.asking import said, talk_about


async def echo(asked: Asked) -> AsyncIterator[str]:
    yield "You said: "
    yield asked.text


class Echo:
    async def __call__(self, asked: Asked) -> AsyncIterator[str]:
        yield asked.text

    async def method(self, asked: Asked) -> AsyncIterator[str]:
        yield asked.text


async def with_greeting(greeting: str, asked: Asked) -> AsyncIterator[str]:
    yield greeting + asked.text


async def test_it_answers_with_what_the_function_yields() -> None:
    responder = function_responder(echo)
    outputs = [output async for output in responder.respond(talk_about("Hello").asked())]
    assert said(outputs) == "You said: Hello"
    assert (responder.name, responder.model, responder.context_tokens) == ("echo", None, None)
    assert not responder.can_continue
    assert responder.refusal([Text("x")], Settings()) is None


async def test_what_it_is_called_can_be_said() -> None:
    responder = function_responder(echo, name="e", model="echo-1", context_tokens=9, can_continue=True)
    assert (responder.name, responder.model, responder.context_tokens) == ("e", "echo-1", 9)
    assert responder.can_continue


async def test_a_title_function_goes_with_it() -> None:
    async def shout(asked: Asked, answer: str) -> str:
        return f"{asked.text} {answer}".upper()

    responder: object = function_responder(echo, make_title=shout)
    assert isinstance(responder, Titling)
    assert await responder.make_title(talk_about("Hello").asked(), "hi") == "HELLO HI"
    plain: object = function_responder(echo)
    assert not isinstance(plain, Titling)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (Echo(), "Echo"),
        (Echo().method, "method"),
        (functools.partial(with_greeting, ""), "with_greeting"),
    ],
)
async def test_other_callables_that_yield(function: object, name: str) -> None:
    responder = function_responder(function)  # type: ignore[arg-type]
    assert responder.name == name
    assert [output async for output in responder.respond(talk_about("Hi").asked())] == ["Hi"]


def plain(asked: Asked) -> str:
    return ""


async def coroutine(asked: Asked) -> str:
    return ""


def generator(asked: Asked) -> Iterator[str]:
    yield ""


async def no_parameter() -> AsyncIterator[str]:
    yield ""


async def two_parameters(asked: Asked, other: int) -> AsyncIterator[str]:
    yield ""


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (plain, "plain is a plain function"),
        (coroutine, "coroutine returns once: it has “async def” but no “yield”"),
        (generator, "generator yields, but is not asynchronous: it has “def”"),
        (Echo, "Echo is a class"),
        (no_parameter, "no_parameter can't be called with one argument"),
        (two_parameters, "two_parameters can't be called with one argument"),
        ("echo", "str is a value of type str"),
        (echo(talk_about("x").asked()), "echo is a value of type async_generator"),
    ],
)
def test_what_is_none_is_refused_and_told_what_to_write(given: object, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        function_responder(given)  # type: ignore[arg-type]
    assert caught.value.sentence.startswith(words)
    assert "async def answer(asked): yield" in caught.value.sentence


@pytest.fixture(autouse=True)
def modules_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


SCRIPT = '''
import helper_of_bot

async def answer(asked):
    """Answers."""
    yield helper_of_bot.WORD

class Bots:
    other = answer
number = 5
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bot.py").write_text(SCRIPT)
    (tmp_path / "helper_of_bot.py").write_text("WORD = 'hi'")
    (tmp_path / "broken.py").write_text("1 / 0")
    (tmp_path / "wrong.py").write_text("def def")
    (tmp_path / "exits.py").write_text("import sys\nsys.exit(3)")
    (tmp_path / "needs.py").write_text("import no_such_module_at_all")
    return tmp_path


@pytest.mark.parametrize("name", ["answer", "Bots.other"])
async def test_a_file_s_function(folder: Path, name: str) -> None:
    found = await anyio.to_thread.run_sync(load_function, f"{folder / 'bot.py'}:{name}")
    responder = function_responder(found)
    assert responder.name == "answer"
    assert [output async for output in responder.respond(talk_about("?").asked())] == ["hi"]


def test_a_file_in_the_working_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert load_function("bot.py:answer").__name__ == "answer"


def test_a_module_of_the_working_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert load_function("bot:answer").__name__ == "answer"


def test_an_installed_module() -> None:
    assert load_function("tests.responders.test_function:echo") is not None


def test_no_file_takes_the_place_of_an_installed_package(folder: Path) -> None:
    (folder / "json.py").write_text("raise RuntimeError")
    load_function(f"{folder / 'bot.py'}:answer")
    sys.modules.pop("json", None)
    assert load_function("json:dumps")({"a": 1}) == '{"a": 1}'  # type: ignore[arg-type, comparison-overlap]


@pytest.mark.parametrize("target", ["", "bot", "bot.py", ":answer", "bot:", "/tmp/bot.py"])
def test_other_forms_are_refused(target: str) -> None:
    with pytest.raises(InvalidInput, match=r"module:function or file\.py:function"):
        load_function(target)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("none.py:answer", "There is no file .*none.py"),
        ("bot.py:missing", "has no “missing”"),
        ("bot.py:Bots.missing", "has no “Bots.missing”"),
        ("bot.py:number", "“number” in .* is not a function"),
        ("broken.py:answer", "can't be imported: ZeroDivisionError: division by zero"),
        ("wrong.py:answer", "can't be imported: SyntaxError: .*line 1"),
        ("exits.py:answer", "can't be imported: SystemExit: 3"),
        (
            "needs.py:answer",
            "can't be imported: ModuleNotFoundError: No module named 'no_such_module_at_all'",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said(folder: Path, target: str, words: str) -> None:
    with pytest.raises(ResponderError, match=words):
        load_function(str(folder / target))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("no_such_module_at_all:answer", "There is no module “no_such_module_at_all”"),
        ("json.no_such:answer", "There is no module “json.no_such”"),
        ("json:missing", "json has no “missing”"),
        ("needs:answer", "needs can't be imported: ModuleNotFoundError"),
        ("broken:answer", "broken can't be imported: ZeroDivisionError"),
    ],
)
def test_what_is_wrong_with_a_module_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, target: str, words: str
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(ResponderError, match=words) as caught:
        load_function(target)
    if "imported" in words:
        assert caught.value.__cause__ is not None
