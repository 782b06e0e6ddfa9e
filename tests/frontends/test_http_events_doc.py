"""docs/events.md says what the events are."""

import re
from pathlib import Path
from typing import get_args

import msgspec

from chatcore.events import ConversationEvent, ListEvent

TEXT = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
COMMON = {"conversation_id", "seq", "at"}


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def table(title: str) -> dict[str, set[str]]:
    """The fields of each event that a table lists."""
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", section(title), re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", fields)) for name, fields in rows}


def declared(union: object) -> dict[str, set[str]]:
    return {
        str(kind.__struct_config__.tag): {field.name for field in msgspec.structs.fields(kind)}
        for kind in get_args(union)
    }


def test_every_conversation_event_is_there_with_its_fields() -> None:
    found = {name: fields | COMMON for name, fields in table("Conversation events").items()}
    assert found == declared(ConversationEvent)
    for field in COMMON:
        assert f"`{field}`" in section("Conversation events").split("| event |")[0]


def test_every_list_event_is_there_with_its_fields() -> None:
    assert table("List events") == declared(ListEvent)


def test_the_fold_speaks_of_every_conversation_event() -> None:
    assert set(declared(ConversationEvent)) <= set(re.findall(r"`(\w+)`", section("The fold")))
