"""Whatever stands at whatever place of a vendor's record: it is read or told, and nothing raises."""

import json
from collections.abc import Iterator
from copy import deepcopy

import pytest

from chatcore.formats import aistudio, chatbotui, chatgpt, claude, grok, librechat, openwebui
from chatcore.formats.format import ReadFormat, ReadOptions, Record
from chatcore.incoming import Incoming, Unread
from tests.formats.vendors import fixture

ODD: tuple[object, ...] = (
    *(None, True, 0, -1, 2**70, 1e308, "", "\ud800\0", "123", "data:image/png;base64,?"),
    *([], {}, [None], [[]], ["x", 1, {}], {"": None}, {"text": 5}, [{"type": "text", "text": None}]),
)

PLACES = [
    (chatgpt.FORMAT, "chatgpt/conversations.json"),
    (claude.FORMAT, "claude/conversations.json"),
    (claude.FORMAT, "claude/single.json"),
    (openwebui.FORMAT, "openwebui/chats.json"),
    (openwebui.FORMAT, "openwebui/bare.json"),
    (openwebui.FORMAT, "openwebui/feedbacks.json"),
    (librechat.FORMAT, "librechat/flat.json"),
    (librechat.FORMAT, "librechat/nested.json"),
    (chatbotui.FORMAT, "chatbotui/history.json"),
    (grok.FORMAT, "grok/prod-grok-backend.json"),
    (aistudio.FORMAT, "aistudio/Tides and moons"),
]


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths to all values within a value."""
    if isinstance(value, dict):
        inside = [(name, value[name]) for name in value]
    elif isinstance(value, list):
        inside = list(enumerate(value))
    else:
        inside = []
    for name, item in inside:
        yield (*path, name)
        yield from places(item, (*path, name))


def changed(value: object, path: tuple[str | int, ...], odd: object) -> object:
    """`value` with another one in that place; what is not on the way there is shared."""
    if not path:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)  # type: ignore[call-overload]
    copy[path[0]] = changed(copy[path[0]], path[1:], odd)
    return copy


def outcome(known: ReadFormat, value: object) -> list[Incoming | Unread]:
    record = Record(value=value, body=b"", file="f", place="item 1")
    known.recognises(record)
    return list(known.read([record], ReadOptions()))


def records(known: ReadFormat, name: str) -> list[object]:
    values = fixture(name)
    if known is grok.FORMAT:
        (whole,) = values
        assert isinstance(whole, dict)
        return list(whole["conversations"])
    return values


@pytest.mark.parametrize(("known", "name"), PLACES, ids=[name for _, name in PLACES])
def test_anything_may_stand_anywhere(known: ReadFormat, name: str) -> None:
    """And the record stays as it is."""
    count = 0
    for value in records(known, name):
        pristine = deepcopy(value)
        for path in places(value):
            for odd in ODD:
                given = changed(value, path, odd)
                found = outcome(known, given)
                assert given == changed(pristine, path, odd)
                assert found, path  # something is told of every record
                for item in found:
                    if isinstance(item, Unread):
                        assert item.reason.endswith((".", ")."))
                    else:
                        assert item.messages
                        json.dumps(item.raw)
                count += 1
    assert count > 300


def test_no_format_takes_the_records_of_another() -> None:
    formats = {known for known, _ in PLACES}
    for known, name in PLACES:
        for value in records(known, name):
            record = Record(value=value, body=b"")
            assert not any(other.recognises(record) for other in formats - {known})
