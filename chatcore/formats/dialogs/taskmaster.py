"""Taskmaster's dialogs: ``{conversation_id, vertical, scenario, instructions, utterances: [{index, speaker,
text}]}``.

Source: google-research-datasets/Taskmaster (TM-1 to TM-4). The calls of tools that annotate an utterance
say what was done between it and the next, but not by whom: they stay where they are, in `raw`.
"""

from collections.abc import Mapping, Sequence

from chatcore.formats.datasets.dataset import DatasetFormat, Reading, Untaken
from chatcore.formats.format import Record
from chatcore.formats.pieces import role_of
from chatcore.formats.values import fields, ident, json_text, listed, rest
from chatcore.incoming import Incoming, IncomingMessage
from chatcore.messages import Role, Text

__all__ = ["FORMAT"]

SPEAKERS: Mapping[str, Role] = {
    "agent": "assistant",
    "system": "assistant",
    "worker": "assistant",
    "customer": "user",
}
KNOWN = frozenset({"utterances"})
SAID = frozenset({"index", "text", "speaker"})


def _is_taskmaster(value: Mapping[str, object]) -> bool:
    first = next(iter(listed(value.get("utterances"))), None)
    return isinstance(first, dict) and "speaker" in first and "text" in first


def _conversation(value: Mapping[str, object], record: Record, reading: Reading) -> Incoming:
    if not isinstance(value.get("utterances"), list):
        raise Untaken
    said = [fields(one) for one in listed(value["utterances"]) if isinstance(one, dict)]
    return reading.conversation(record, _messages(said), KNOWN, title=value.get("scenario"))


def _messages(said: Sequence[Mapping[str, object]]) -> list[IncomingMessage]:
    found = []
    for number, one in enumerate(said):
        speaker = (ident(one.get("speaker")) or "").lower()
        role = SPEAKERS.get(speaker) or role_of(speaker)
        raw = rest(one, SAID)
        if role is None:
            raw["speaker"] = one.get("speaker")
            role = "user" if number % 2 == 0 else "assistant"
        words = "" if one.get("text") is None else json_text(one["text"])
        found.append(IncomingMessage(role=role, parts=(Text(words),) if words else (), raw=raw or None))
    return found


FORMAT = DatasetFormat("taskmaster", "Taskmaster dialogs", 230, _is_taskmaster, _conversation)
