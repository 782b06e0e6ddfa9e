"""The Chit-Chat dataset: ``{id: {prompt, ratings: {witty, int, upbeat}, start, messages: [[{text, timestamp,
sender}]]}}``; what one says at a time is a list.

Source: BYU-PCCL/chitchat-dataset, ``README.md``. Who begins is taken for the user. ``prompt`` was shown to
both, and becomes the title. Ratings (``int`` is also called ``interesting``) are of the dialog as a whole,
numbers or texts: no votes, they are kept as they are.
"""

from collections.abc import Mapping

from chatcore.formats.dialogs.keyed import KeyedFormat
from chatcore.formats.pieces import span_us
from chatcore.formats.values import fields, ident, json_text, listed, rest, time_us, title_in
from chatcore.incoming import Incoming, IncomingMessage
from chatcore.messages import Text

__all__ = ["FORMAT"]

SAID = frozenset({"text", "timestamp"})


def _is_chitchat(value: Mapping[str, object]) -> bool:
    first = next(iter(listed(next(iter(listed(value.get("messages"))), None))), None)
    return isinstance(first, dict) and "sender" in first and "text" in first


def _conversation(value: Mapping[str, object]) -> Incoming:
    messages = []
    beginner: str | None = None
    for turn in listed(value.get("messages")):
        for one in map(fields, listed(turn)):
            sender = ident(one.get("sender")) or ""
            beginner = sender if beginner is None else beginner
            words = "" if one.get("text") is None else json_text(one["text"])
            messages.append(
                IncomingMessage(
                    role="user" if sender == beginner else "assistant",
                    parts=(Text(words),) if words else (),
                    created_at_us=time_us(one.get("timestamp")),
                    raw=rest(one, SAID) or None,
                )
            )
    created, updated = span_us(messages, time_us(value.get("start")), time_us(value.get("end")))
    return Incoming(
        source="",
        messages=messages,
        title=title_in(value.get("prompt")),
        linear=True,
        created_at_us=created,
        updated_at_us=updated,
        raw=rest(value, {"messages"}) or None,
    )


FORMAT = KeyedFormat("chitchat", "Chit-Chat dataset", 233, _is_chitchat, _conversation)
