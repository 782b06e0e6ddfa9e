"""JSON as people have it: strict first and fast, then whatever else can be made of it."""

import json

import msgspec

__all__ = ["NotJson", "read_json"]

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
    try:
        return _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        strict = error
    try:
        return json.loads(_text(bytes(body)), strict=False)
    except RecursionError:
        raise NotJson("it is nested too deep") from None
    except ValueError as error:
        raise NotJson(str(error) or str(strict)) from None


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return body.decode("utf-8", "replace")
