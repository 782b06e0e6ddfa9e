"""What the tests of datasets share: records as a file has them, and conversations told in short."""

import json
from collections.abc import Sequence
from pathlib import Path

from chatcore.formats.format import Archive, ReadFormat, ReadOptions, Record
from chatcore.incoming import Incoming, IncomingFile, IncomingMessage, IncomingPart, Unread
from chatcore.messages import Reasoning, Text, ToolCall, ToolResult

__all__ = ["all_of", "one_of", "parents_of", "records_of", "said", "turns_of", "votes_of"]


def records_of(
    *values: object, archive: Archive | None = None, folder: Path | None = None, file: str = "given.jsonl"
) -> list[Record]:
    """Lines of JSON, read again as they are in a file."""
    lines = [json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") for value in values]
    return [
        Record(
            value=json.loads(line),
            body=line,
            file=file,
            place=f"line {number}",
            archive=archive,
            folder=folder,
        )
        for number, line in enumerate(lines, 1)
    ]


def all_of(
    known: ReadFormat, *values: object, options: ReadOptions = ReadOptions()
) -> list[Incoming | Unread]:
    """All that a format makes of these values."""
    return list(known.read(records_of(*values), options))


def one_of(known: ReadFormat, value: object, *, options: ReadOptions = ReadOptions()) -> Incoming:
    """The one conversation that a value is."""
    (found,) = all_of(known, value, options=options)
    assert isinstance(found, Incoming), found
    return found


def said(message: IncomingMessage) -> str:
    """The parts of a message in short: ``~thought``, ``id:name(arguments)``, ``id=output``, ``[file]``."""
    return " | ".join(_part(part) for part in message.parts)


def _part(part: IncomingPart) -> str:
    match part:
        case Text(text):
            return text
        case Reasoning(text):
            return f"~{text}"
        case ToolCall(call_id, name, arguments):
            return f"{call_id}:{name}({arguments})"
        case ToolResult(call_id, output, is_error):
            return f"{call_id}={output}{' (error)' if is_error else ''}"
        case IncomingFile():
            return f"[{part.name}]"


def turns_of(conversation: Incoming) -> list[str]:
    """Who said what."""
    return [f"{message.role}: {said(message)}" for message in conversation.messages]


def parents_of(conversation: Incoming) -> dict[str | None, str | None]:
    """The tree: parents by ids."""
    return {message.id: message.parent for message in conversation.messages}


def votes_of(messages: Sequence[IncomingMessage]) -> dict[str, str]:
    """Votes, by what was said."""
    return {said(one): one.feedback.rating for one in messages if one.feedback is not None}
