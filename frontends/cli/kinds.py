"""What values a setting takes: how each kind is read from text or TOML, and what to call it."""

import os
import re
from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

__all__ = [
    "Kind",
    "Value",
    "address",
    "choice",
    "count",
    "flag",
    "folder",
    "media_types",
    "names",
    "port",
    "seconds",
    "secret",
    "text",
]

Value: TypeAlias = str | int | float | bool | tuple[str, ...] | None


class Kind(Struct, frozen=True):
    """A kind of value.

    Attributes:
        meaning: Goes on from "must be …".
        read: Gives the value; raises ValueError for any other.
        is_flag: Its flag stands alone and means true.
        is_list: Its flag may be given again.
        is_secret: It is never shown.
    """

    meaning: str
    read: Callable[[Value], Value]
    is_flag: bool = False
    is_list: bool = False
    is_secret: bool = False


def choice(*words: str) -> Kind:
    """One of these words."""

    def read(given: Value) -> Value:
        if given in words:
            return given
        raise ValueError

    return Kind(f"{', '.join(words[:-1])} or {words[-1]}", read)


def _text(given: Value) -> str:
    if isinstance(given, str) and given.strip() and given.isprintable():
        return given
    raise ValueError


def _number(given: Value, least: int, most: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise ValueError
    # isascii: int() takes any Unicode digit, spaces and underscores; the bound keeps long ones out of it
    if isinstance(given, str) and not (given.isascii() and given.isdigit() and len(given) < 19):
        raise ValueError
    number = int(given)
    if not least <= number <= most:
        raise ValueError
    return number


def _seconds(given: Value) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise ValueError
    number = float(given)
    if not 0 < number < 10_000_000:
        raise ValueError
    return number


_FLAGS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)


def _flag(given: Value) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in _FLAGS:
        return _FLAGS[given.lower()]
    raise ValueError


def _names(given: Value) -> tuple[str, ...]:
    listed = given.split(",") if isinstance(given, str) else given
    if not isinstance(listed, list | tuple):
        raise ValueError
    found = [_text(name).strip() for name in listed]
    return tuple(dict.fromkeys(found))


_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/(\*|[a-z0-9][a-z0-9!#$&^_.+-]*)")


def _media_types(given: Value) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(name.lower() for name in _names(given)))
    if not all(map(_MEDIA_TYPE.fullmatch, found)):
        raise ValueError
    return found


def _folder(given: Value) -> str:
    return os.path.expanduser(_text(given))


text = Kind("some text", _text)
secret = Kind("text without control characters", _text, is_secret=True)
address = Kind("a host name or an address", _text)
folder = Kind("the path of a directory", _folder)
names = Kind("names (in a variable: with commas between)", _names, is_list=True)
media_types = Kind(
    "media types, such as image/* or application/pdf (in a variable: with commas between)",
    _media_types,
    is_list=True,
)
flag = Kind("true or false", _flag, is_flag=True)
port = Kind("a port number, 0 to 65535", lambda given: _number(given, 0, 65_535))
count = Kind("a whole number, 1 or more", lambda given: _number(given, 1, 10**15))
seconds = Kind("a number of seconds greater than 0", _seconds)
