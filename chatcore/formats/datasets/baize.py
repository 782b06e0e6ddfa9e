r"""Baize: ``{"topic", "input"}``, where `input` is a whole dialog in one text.

``The conversation between human and AI assistant.\n[|Human|] …\n[|AI|] …\n[|Human|] ``. A tag counts at
the beginning of a line only, since people quote them; texts have many lines. The sentence before the first
tag (some copies have it translated) and the open tag at the end are no messages. Source:
project-baize/baize-chatbot, ``collect.py`` and ``preprocess.py``. Their pickles are not read.
"""

import re
from collections.abc import Mapping

from chatcore.formats.datasets.dataset import DatasetFormat, Reading, Untaken
from chatcore.formats.format import Record
from chatcore.incoming import Incoming, IncomingMessage
from chatcore.messages import Role, Text

__all__ = ["BAIZE"]

TAG = re.compile(r"^\[\|(Human|AI)\|\][ \t]?", re.MULTILINE)
ROLES: Mapping[str, Role] = {"Human": "user", "AI": "assistant"}
USUAL = "The conversation between human and AI assistant."
KNOWN = frozenset({"input", "topic"})


def _is_baize(value: Mapping[str, object]) -> bool:
    dialog = value.get("input")
    return "topic" in value and isinstance(dialog, str) and TAG.search(dialog) is not None


def _conversation(value: Mapping[str, object], record: Record, reading: Reading) -> Incoming:
    dialog = value.get("input")
    if not isinstance(dialog, str):
        raise Untaken
    before, *pieces = TAG.split(dialog.replace("\r\n", "\n"))
    if not pieces:
        raise Untaken("No line of it begins with [|Human|] or [|AI|].")
    said = [*zip(pieces[::2], (text.strip() for text in pieces[1::2]), strict=True)]
    if said and not said[-1][1]:
        said.pop()
    messages = [
        IncomingMessage(role=ROLES[speaker], parts=(Text(text),) if text else ()) for speaker, text in said
    ]
    odd = {"preamble": before.strip()} if before.strip() not in {"", USUAL} else {}
    topic = value.get("topic")
    known = KNOWN if isinstance(topic, str) else KNOWN - {"topic"}
    return reading.conversation(record, messages, known, title=topic, raw=odd)


BAIZE = DatasetFormat("baize", "Baize", 260, _is_baize, _conversation)
