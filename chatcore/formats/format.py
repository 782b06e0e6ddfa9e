"""What a file format is: how its files are recognised, read, and written.

Formats are found by entry points of group ``chatcore.formats``; each names an object
that is a `ReadFormat`, a `WriteFormat` or both. They
read without waiting, on a thread of their own, a record at a time: what they hold is bounded by the largest
conversation.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from chatcore.filters import ExportFilter
from chatcore.incoming import Incoming, Unread
from chatcore.views import Tree

__all__ = ["Archive", "Kind", "ReadFormat", "ReadOptions", "Record", "WriteFormat", "WriteOptions"]

Kind = Literal["json", "csv", "text", "members"]
"""What the records of a format are:

- ``json``: values of a JSON array, lines of JSON, or one JSON value;
- ``csv``: rows, the header among them, as lists of strings;
- ``text``: lines without their ends;
- ``members``: the JSON files of a ZIP or a folder, each whole as one value, in the order of their names.
"""


class Archive(Protocol):
    """A ZIP or a folder, of which a record is a part."""

    def names(self) -> Sequence[str]:
        """The names of all members, with ``/``, in the order of the archive."""
        ...

    def read(self, name: str, *, max_bytes: int = 64 * 2**20) -> bytes | None:
        """A member's content; None: there is none of that name, or it is longer."""
        ...

    def unpack(self, name: str) -> Path | None:
        """A member's content as a file, which stays until the conversation that names it has been stored."""
        ...


class Record(Struct, frozen=True, kw_only=True):
    """One record of a file.

    Attributes:
        value: As `Kind` says.
        body: As it stands in the file (for rejects).
        file: Name of the file, with that of the member behind a colon.
        place: Where in it, for people: ``line 12``, ``item 4``.
        archive: What it is a part of; None: a file by itself.
        folder: Where a file by itself lies, with what lies beside and below it; None: it came through a pipe.
        repaired: What had to be put right to read it, by what it was; whoever reads the file counts it.
    """

    value: object
    body: bytes
    file: str = ""
    place: str = ""
    archive: Archive | None = None
    folder: Path | None = None
    repaired: Mapping[str, int] = {}


class ReadOptions(Struct, frozen=True, kw_only=True):
    """How a person wants a file to be read.

    Attributes:
        source: What ids are unique in; None: the format's name.
        assistant: Name of the one who is the assistant, in chats among people.
        unfinished: Also what its source says is not meant for use (OASST: trees that are not
            ``ready_for_export``, deleted messages, spam).
    """

    source: str | None = None
    assistant: str | None = None
    unfinished: bool = False


def _go_on() -> None:
    """Nobody wants to stop it."""


class WriteOptions(Struct, frozen=True, kw_only=True):
    """How a person wants conversations to be written.

    Attributes:
        reasoning: With what the model thought.
        files: Folder beside the output into which attachments are copied, relative to it; None: they are
            named only.
        only: Which answers, where a form writes answers one by one (of a pair, one of the two).
        system: A system prompt as the first message.
        all_paths: Where a form holds a path: each, and not the shown one alone.
        step: Called by who works for long and need not write anything; what it raises ends the writing.
    """

    reasoning: bool = False
    files: str | None = None
    only: ExportFilter = ExportFilter()
    system: bool = True
    all_paths: bool = False
    step: Callable[[], None] = _go_on


class ReadFormat(Protocol):
    """A file format that can be read.

    Attributes:
        name: Under which it is asked for: ``chatgpt``.
        title: For people: ``ChatGPT export``.
        kind: What its records are.
        members: Which members of a ZIP or folder hold its records: a regular expression for the name without
            folders; None: such a container of it is not known.
        order: Where several recognise a record, the one with the smallest is taken.
    """

    name: str
    title: str
    kind: Kind
    members: str | None
    order: int

    def recognises(self, record: Record) -> bool:
        """Whether a record has this format's signature; never raises."""
        ...

    def read(self, records: Iterable[Record], options: ReadOptions) -> Iterator[Incoming | Unread]:
        """The conversations of the records. What can't be read is given as `Unread`; it does not raise."""
        ...


class WriteFormat(Protocol):
    """A file format that can be written.

    Attributes:
        name: Under which it is asked for; the same as that of the `ReadFormat` of the same files.
        title: For people.
        suffix: Of its files: ``.jsonl``, ``.md``.
        apart: Whether each conversation is a file of its own, where there is a folder for them.
    """

    name: str
    title: str
    suffix: str
    apart: bool

    def write(self, tree: Tree, options: WriteOptions) -> Iterator[Mapping[str, object] | str]:
        """The lines (JSON objects), or the text, that stand for a conversation; perhaps none."""
        ...
