"""What a message of Gradio's chatbot holds, through its versions.

``gradio/components/chatbot.py``: a string; ``{"path": …}`` (5); ``{"component": …, "value": …}`` (5); from
6 on a list of ``{"type": "text" | "file" | "component", …}``; in pairs also ``[path, alt text]``.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from chatcore.formats.values import fields, first_ident, ident, integer, json_text
from chatcore.incoming import IncomingFile, IncomingPart
from chatcore.messages import Text

__all__ = ["parts_in", "words_in"]


def parts_in(content: object) -> tuple[IncomingPart, ...]:
    """The parts of a message; of a component the file that it shows, else its JSON."""
    if isinstance(content, list) and len(content) == 2 and all(isinstance(item, str) for item in content):
        return (_file({"path": content[0], "alt_text": content[1]}),)
    items = content if isinstance(content, list) else [content]
    return tuple(part for item in items for part in _parts(item))


def words_in(content: object) -> str:
    """The words of a message."""
    return "\n".join(part.text for part in parts_in(content) if isinstance(part, Text))


def _parts(item: object) -> Iterator[IncomingPart]:
    if isinstance(item, str):
        yield from (Text(item),) if item else ()
    elif isinstance(item, dict):
        if isinstance(text := item.get("text"), str) and item.get("type", "text") == "text":
            yield Text(text)
            # a message with files, as a multimodal text box gives it
            yield from (_file(fields(file)) for file in item.get("files") or () if isinstance(file, dict))
        elif (file := _shown_file(item)) is not None:
            yield _file(file)
        else:
            yield Text(json_text(item))
    elif item is not None:
        yield Text(json_text(item))


def _shown_file(item: Mapping[str, object]) -> Mapping[str, object] | None:
    """The file that is in a part, in its ``file``, or in the value of its component."""
    for found in (item, fields(item.get("file")), fields(item.get("value"))):
        if isinstance(found.get("path"), str) or isinstance(found.get("url"), str):
            return {"alt_text": item.get("alt_text"), **found}
    return None


def _file(file: Mapping[str, object]) -> IncomingFile:
    path = first_ident(file, "path", "url") or "file"
    media_type = file.get("mime_type")
    return IncomingFile(
        name=first_ident(file, "orig_name", "alt_text") or PurePosixPath(path).name or path,
        media_type=media_type if isinstance(media_type, str) and media_type else None,
        size_bytes=integer(file.get("size")),
        pointer=ident(path),
    )
