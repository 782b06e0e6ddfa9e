"""KdConv's dialogs: ``{name, messages: [{message, attrs?}]}``, two speakers who take turns and have no names.

Source: thu-coai/KdConv, ``data/*/*.json``. The first is taken for the user, who asks about ``name``.
"""

from collections.abc import Mapping

from chatcore.formats.datasets.dataset import DatasetFormat, Reading, Untaken
from chatcore.formats.format import Record
from chatcore.formats.values import fields, json_text, listed, rest
from chatcore.incoming import Incoming, IncomingMessage
from chatcore.messages import Text

__all__ = ["FORMAT"]

KNOWN = frozenset({"messages"})
SAID = frozenset({"message"})


def _is_kdconv(value: Mapping[str, object]) -> bool:
    first = next(iter(listed(value.get("messages"))), None)
    return isinstance(first, dict) and isinstance(first.get("message"), str) and "role" not in first


def _conversation(value: Mapping[str, object], record: Record, reading: Reading) -> Incoming:
    if not isinstance(value.get("messages"), list):
        raise Untaken
    messages = []
    for number, one in enumerate(map(fields, listed(value["messages"]))):
        words = "" if one.get("message") is None else json_text(one["message"])
        messages.append(
            IncomingMessage(
                role="assistant" if number % 2 else "user",
                parts=(Text(words),) if words else (),
                raw=rest(one, SAID) or None,
            )
        )
    return reading.conversation(record, messages, KNOWN, title=value.get("name"))


FORMAT = DatasetFormat("kdconv", "KdConv dialogs", 231, _is_kdconv, _conversation)
