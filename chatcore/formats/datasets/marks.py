"""Files that stand in columns of their own, with marks in the texts: ``<image>`` and ``images: […]``.

LLaMA-Factory, ``data/README.md``: each mark in the turns, in order, stands for the next file of the column.
"""

import re
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from chatcore.formats.datasets.contents import Find, file_of
from chatcore.incoming import IncomingFile, IncomingMessage, IncomingPart
from chatcore.messages import Text

__all__ = ["COLUMNS", "with_columns"]

COLUMNS: Mapping[str, str] = {"images": "image", "videos": "video", "audios": "audio"}
"""Names of columns, and what they hold."""

MARK = re.compile("<(image|video|audio)>")


def with_columns(
    value: Mapping[str, object],
    messages: Sequence[IncomingMessage],
    find: Find | None,
    odd: dict[str, object],
) -> list[IncomingMessage]:
    """`messages` with the files of the columns in `value`.

    A mark without a file stays in the text. Files without a mark stand before the first message of a user. A
    column that holds something else goes to `odd` as well.
    """
    if COLUMNS.keys().isdisjoint(value):
        return [*messages]
    files = {kind: _files(value, column, find, odd) for column, kind in COLUMNS.items()}
    if not any(files.values()):
        return [*messages]
    placed = [
        replace(message, parts=tuple(part for given in message.parts for part in _placed(given, files)))
        for message in messages
    ]
    left = [file for kind in files.values() for file in kind]
    if left and placed:
        first = next((place for place, message in enumerate(placed) if message.role == "user"), 0)
        placed[first] = replace(placed[first], parts=(*left, *placed[first].parts))
    return placed


def _files(
    value: Mapping[str, object], column: str, find: Find | None, odd: dict[str, object]
) -> list[IncomingFile]:
    given = value.get(column)
    items = given if isinstance(given, list) else [] if given is None else [given]
    files = [found for item in items if (found := file_of(item, COLUMNS[column], find)) is not None]
    if len(files) < len(items):
        odd[column] = given
    return files


def _placed(part: IncomingPart, files: Mapping[str, list[IncomingFile]]) -> list[IncomingPart]:
    if not isinstance(part, Text) or MARK.search(part.text) is None:
        return [part]
    said: list[IncomingPart] = []
    words = ""
    for piece, kind in zip(*[iter([*MARK.split(part.text), ""])] * 2, strict=True):
        words += piece
        if kind and files[kind]:
            said += [Text(words)] if words else []
            said.append(files[kind].pop(0))
            words = ""
        elif kind:
            words += f"<{kind}>"
    return [*said, Text(words)] if words else said
