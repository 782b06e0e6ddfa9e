"""JSON as people have it: strict first and fast, then whatever else can be made of it."""

import json
from collections.abc import Mapping

import msgspec

__all__ = ["NOT_UTF8", "NotJson", "read_json", "repaired_json"]

NOT_UTF8 = "bytes that are no UTF-8"
"""What is put right where a text has them: each becomes U+FFFD."""

_NOTHING: Mapping[str, int] = {}
_REPLACED = "\ufffd".encode()

_decode = msgspec.json.Decoder().decode


class NotJson(ValueError):
    """No value can be read; the text says why."""


def read_json(body: bytes | bytearray) -> object:
    """The value of a JSON text.

    What the standard does not have is taken too: halves of surrogate pairs, NaN and Infinity, control
    characters in strings, bytes that are not UTF-8 (each becomes U+FFFD). Of keys that come twice the last
    one holds.

    Raises:
        NotJson
    """
    return repaired_json(body)[0]


def repaired_json(body: bytes | bytearray) -> tuple[object, Mapping[str, int]]:
    """The same, and what had to be put right for it, by what it was.

    Raises:
        NotJson
    """
    try:
        return _decode(body), _NOTHING
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        strict = error
    text, wrong = _text(bytes(body))
    try:
        return json.loads(text, strict=False), {NOT_UTF8: wrong} if wrong else _NOTHING
    except RecursionError:
        raise NotJson("it is nested too deep") from None
    except json.JSONDecodeError as error:
        raise NotJson(str(error) or str(strict)) from None
    except ValueError:
        raise NotJson("a number in it has too many digits") from None


def _text(body: bytes) -> tuple[str, int]:
    """The text, and how many bytes of it are no UTF-8."""
    try:
        return body.decode("utf-8", "surrogatepass"), 0
    except UnicodeDecodeError:
        text = body.decode("utf-8", "replace")
        return text, max(1, text.count("\ufffd") - body.count(_REPLACED))
