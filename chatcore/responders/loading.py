"""Finding a responder function by what a person writes: ``module:function`` or ``file.py:function``."""

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

from chatcore.errors import InvalidInput, ResponderError
from chatcore.responders.function import ResponderFunction

__all__ = ["load_function"]


def load_function(target: str) -> ResponderFunction:
    """The object that `target` names; whether it is a fit function is `function_responder`'s to say.

    Modules are also looked for in the working folder, and what a file imports in the file's own folder: both
    come last, so that no file there takes the place of an installed package.

    Raises:
        InvalidInput: `target` has another form.
        ResponderError: There is no such file, module or function, or importing it failed (the cause is
            chained).
    """
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise InvalidInput(
            f"“{target}” names no function: write module:function or file.py:function.", given=target
        )
    is_file = place.endswith(".py") or os.sep in place
    found: object = _import_file(Path(place)) if is_file else _import_module(place)
    for step in name.split("."):
        if not hasattr(found, step):
            raise ResponderError(f"{place} has no “{name}”.", given=target)
        found = getattr(found, step)
    if not callable(found):
        raise ResponderError(f"“{name}” in {place} is not a function.", given=target)
    return found


def _import_module(name: str) -> ModuleType:
    _also_look_in(Path.cwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise ResponderError(f"There is no module “{name}”.", given=name) from error
        raise _failed(name, error) from error
    except (Exception, SystemExit) as error:  # a stranger's code runs here: it may raise anything
        raise _failed(name, error) from error


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ResponderError(f"There is no file {path}.", given=str(path))
    name = f"chatcore_responder_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ResponderError(f"{path} is not a Python file.", given=str(path))
    _also_look_in(path.resolve().parent)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look a class's module up there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a stranger's code runs here: it may raise anything
        del sys.modules[name]
        raise _failed(str(path), error) from error
    return module


def _also_look_in(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _failed(place: str, error: BaseException) -> ResponderError:
    return ResponderError(f"{place} can't be imported: {type(error).__name__}: {error}", given=place)
