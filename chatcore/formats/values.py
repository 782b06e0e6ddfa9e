"""What stands in other people's JSON, read without ever raising: ids, texts, times, and what is left over."""

import json
import math
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta

__all__ = [
    "fields",
    "first_ident",
    "ident",
    "integer",
    "json_text",
    "keys_seen",
    "listed",
    "rest",
    "text_in",
    "time_us",
    "title_in",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LATEST_US = 253_402_300_800_000_000  # the year 10,000: what no datetime can hold

_UNITS = ((10**11, 1_000_000), (10**14, 1_000), (10**17, 1))
"""Below which number a time counts what, as the microseconds in one: seconds, milliseconds, microseconds."""

_NANOSECONDS_END = 10**20

_EMPTY: tuple[object, ...] = (None, "", [], {})

PRIVATE: Set[str] = frozenset(
    {
        *("ip", "ip_address", "ipaddress", "client_ip", "user_ip", "remote_ip", "remote_addr"),
        *("email", "e_mail", "email_address", "emailaddress", "user_email"),
        *("phone", "phone_number", "phonenumber", "verified_phone_number", "mobile_number"),
    }
)
"""Keys, in lower case, of which nothing is ever kept: they say where a person lives on the net."""

_DEEPEST = 64  # what is nested deeper, beside something private, is not kept


def fields(value: object) -> Mapping[str, object]:
    """`value` if it is an object, else one without fields."""
    return value if isinstance(value, dict) else {}


def listed(value: object) -> Sequence[object]:
    """`value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else ()


def ident(value: object) -> str | None:
    """An id as given: a string that is not empty, or a number's digits."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return _digits(value)
    return None


def first_ident(record: Mapping[str, object], *names: str) -> str | None:
    """The first of these fields that holds an id."""
    for name in names:
        if (found := ident(record.get(name))) is not None:
            return found
    return None


def integer(value: object) -> int | None:
    """A count or a size: a whole number of at least 0 that fits 63 bits, perhaps written as text or float."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and 0 <= value < 2**63 else None


def title_in(value: object) -> str | None:
    """A title: text that shows something."""
    return value if isinstance(value, str) and value.strip() else None


def text_in(value: object) -> str:
    """The words of what should be text: of parts, each below the other; of anything else, its JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n".join(text for item in value if (text := _words(item)))
    return _words(value)


def _words(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        for name in ("text", "content", "value", "summary"):
            if isinstance(text := value.get(name), str):
                return text
    return "" if value in _EMPTY else json_text(value)


def json_text(value: object) -> str:
    """A string as it is; anything else as JSON text."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except (RecursionError, TypeError, ValueError):
        return "…"


def _digits(value: int) -> str | None:
    return str(value) if -(2**63) <= value < 2**63 else None


def keys_seen(value: object) -> str:
    """For people: what a value is, and the names of an object's fields, the first dozen of them."""
    if not isinstance(value, dict):
        return {list: "a list", str: "a text", type(None): "null"}.get(type(value), "a number")
    names = [str(name)[:40] for name in list(value)[:12]]
    more = ", …" if len(value) > 12 else ""
    return f"an object with the keys {', '.join(names)}{more}" if names else "an empty object"


def time_us(value: object) -> int | None:
    """Microseconds since 1970 of a time in any of the forms that exports have; None where it says none.

    Numbers (perhaps as text) count seconds, from 1e11 on milliseconds, from 1e14 microseconds, from 1e17
    nanoseconds. Texts are ISO 8601, as UTC where they name no zone. MongoDB's ``{"$date": …}`` wraps one of
    these. What is not after 1970 and before the year 10,000 is no time.
    """
    for _ in range(3):  # {"$date": {"$numberLong": "…"}}
        if isinstance(value, dict) and len(value) == 1:
            (value,) = value.values()
    if isinstance(value, str):
        return _time_in_text(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _time_in_number(value)
    return None


def _time_in_number(number: float) -> int | None:
    if not 0 < number < _NANOSECONDS_END:  # NaN as well
        return None
    for end, factor in _UNITS:
        if number < end:
            found = number * factor
            break
    else:
        found = number // 1000
    found_us = round(found)
    return found_us if 0 < found_us < _LATEST_US else None


def _time_in_text(text: str) -> int | None:
    text = text.strip()
    if not text or len(text) > 40:
        return None
    if text.endswith(" UTC"):
        text = text.removesuffix(" UTC") + "+00:00"
    try:
        if text.replace(".", "", 1).isdigit():
            number = float(text)
            return _time_in_number(number) if math.isfinite(number) else None
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    found = (moment - _EPOCH) // _MICROSECOND
    return found if 0 < found < _LATEST_US else None


def rest(
    record: Mapping[str, object], known: Set[str], usual: Mapping[str, object] | None = None
) -> dict[str, object]:
    """The fields of a record that are not mapped to anything: to be kept as `raw`.

    Left out are the `known` ones, those that hold nothing (null, an empty text, list or object), those that
    are as `usual`, and, at any depth, what is `PRIVATE`.
    """
    left: dict[str, object] = {}
    for name, value in record.items():
        if name in known or value in _EMPTY or name.lower() in PRIVATE:
            continue
        if usual is not None and name in usual and usual[name] == value:
            continue
        left[name] = _without_private(value)
    return left


def _without_private(value: object) -> object:
    if not isinstance(value, dict | list):
        return value
    stack: list[object] = [value]
    while stack:
        found = stack.pop()
        if isinstance(found, dict):
            if any(isinstance(name, str) and name.lower() in PRIVATE for name in found):
                return _cleaned(value, _DEEPEST)
            stack.extend(found.values())
        elif isinstance(found, list):
            stack.extend(found)
    return value  # the usual case: nothing is copied


def _cleaned(value: object, deepest: int) -> object:
    if not isinstance(value, dict | list):
        return value
    if deepest == 0:
        return None
    if isinstance(value, list):
        return [_cleaned(item, deepest - 1) for item in value]
    return {
        name: _cleaned(item, deepest - 1)
        for name, item in value.items()
        if not (isinstance(name, str) and name.lower() in PRIVATE)
    }
