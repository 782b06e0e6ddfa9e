"""What the tests of vendors' formats share: records, archives in memory, and what was made of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from chatcore.formats.format import Archive, ReadFormat, ReadOptions, Record
from chatcore.formats.lenient import read_json
from chatcore.incoming import Incoming, IncomingMessage, IncomingPart, Unread

__all__ = ["FIXTURES", "Outcome", "Packed", "by_id", "fixture", "one", "parts", "read"]

FIXTURES = Path(__file__).parent / "fixtures"


class Packed:
    """A ZIP without the ZIP: members by name, unpacked into a folder."""

    def __init__(self, members: Mapping[str, bytes], folder: Path) -> None:
        self.members = members
        self.folder = folder

    def names(self) -> Sequence[str]:
        return list(self.members)

    def read(self, name: str, *, max_bytes: int = 64 * 2**20) -> bytes | None:
        content = self.members.get(name)
        return content if content is not None and len(content) <= max_bytes else None

    def unpack(self, name: str) -> Path | None:
        if name not in self.members:
            return None
        path = self.folder / f"{len(list(self.folder.iterdir()))}.bin"  # a name that says nothing
        path.write_bytes(self.members[name])
        return path


class Outcome(NamedTuple):
    conversations: list[Incoming]
    unread: list[Unread]


def fixture(name: str) -> list[object]:
    """The records of a fixture: the items of an array, or its one object."""
    value = read_json((FIXTURES / name).read_bytes())
    return value if isinstance(value, list) else [value]


def read(
    known: ReadFormat,
    values: Sequence[object],
    *,
    archive: Archive | None = None,
    folder: Path | None = None,
    file: str = "given.json",
    options: ReadOptions = ReadOptions(),
) -> Outcome:
    """What a format makes of these values."""
    records = [
        Record(value=value, body=b"{}", file=file, place=f"item {number}", archive=archive, folder=folder)
        for number, value in enumerate(values, 1)
    ]
    found = list(known.read(records, options))
    return Outcome(
        [item for item in found if isinstance(item, Incoming)],
        [item for item in found if isinstance(item, Unread)],
    )


def one(known: ReadFormat, value: object) -> Incoming:
    """The one conversation that a value is."""
    conversations, unread = read(known, [value])
    assert unread == []
    (conversation,) = conversations
    return conversation


def by_id(conversation: Incoming) -> dict[str | None, IncomingMessage]:
    return {message.id: message for message in conversation.messages}


def parts(conversation: Incoming) -> list[tuple[IncomingPart, ...]]:
    return [message.parts for message in conversation.messages]
