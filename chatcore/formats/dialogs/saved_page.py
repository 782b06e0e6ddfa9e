"""What browser extensions save of a page of ChatGPT, Claude or others: ``{metadata: {title, user, dates,
link, powered_by}, messages: [{role: Prompt | Response, say, time}]}``.

Not the vendors' own form. Seen in ChatGPT Exporter and its sisters, and in anima-research/animachat
(``human``). Of the account its name is kept, not its address.
"""

from collections.abc import Mapping

from chatcore.formats.datasets.dataset import DatasetFormat, Reading, Untaken
from chatcore.formats.format import Record
from chatcore.formats.pieces import role_of
from chatcore.formats.values import fields, ident, json_text, listed, rest, time_us
from chatcore.incoming import Incoming, IncomingMessage
from chatcore.messages import Role, Text

__all__ = ["FORMAT"]

SIDES: Mapping[str, Role] = {"prompt": "user", "you": "user", "response": "assistant"}
KNOWN = frozenset({"messages"})
SAID = frozenset({"role", "say"})


def _is_saved_page(value: Mapping[str, object]) -> bool:
    first = fields(next(iter(listed(value.get("messages"))), None))
    return isinstance(value.get("metadata"), dict) and "say" in first and "role" in first


def _conversation(value: Mapping[str, object], record: Record, reading: Reading) -> Incoming:
    if not isinstance(value.get("messages"), list):
        raise Untaken
    about = fields(value.get("metadata"))
    messages = [_message(fields(one)) for one in listed(value["messages"])]
    return reading.conversation(record, messages, KNOWN, title=about.get("title"))


def _message(one: Mapping[str, object]) -> IncomingMessage:
    name = ident(one.get("role")) or ""
    role = SIDES.get(name.lower()) or role_of(name)
    moment = time_us(one.get("time"))
    raw = rest(one, SAID if moment is None else {*SAID, "time"})
    if role is None:  # the page calls its model by name
        role = "assistant"
        raw["role"] = name
    words = "" if one.get("say") is None else json_text(one["say"])
    return IncomingMessage(
        role=role, parts=(Text(words),) if words else (), created_at_us=moment, raw=raw or None
    )


FORMAT = DatasetFormat("saved-page", "Saved page of a chat", 240, _is_saved_page, _conversation)
