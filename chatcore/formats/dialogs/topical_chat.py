"""Topical-Chat: ``{id: {article_url, config, content: [{agent, message, sentiment, knowledge_source,
turn_rating}], conversation_rating}}``, two people of whom either may lead.

Source: alexa/Topical-Chat, ``README.md``. ``agent_1`` is taken for the user. Ratings are words
("Passable"), one for each turn by the partner: no votes, they are kept as they are.
"""

from collections.abc import Mapping

from chatcore.formats.dialogs.keyed import KeyedFormat
from chatcore.formats.values import fields, json_text, listed, rest
from chatcore.incoming import Incoming, IncomingMessage
from chatcore.messages import Text

__all__ = ["FORMAT"]

SAID = frozenset({"message", "agent"})


def _is_topical_chat(value: Mapping[str, object]) -> bool:
    first = next(iter(listed(value.get("content"))), None)
    return isinstance(first, dict) and "agent" in first and "message" in first


def _conversation(value: Mapping[str, object]) -> Incoming:
    messages = []
    for turn in map(fields, listed(value.get("content"))):
        words = "" if turn.get("message") is None else json_text(turn["message"])
        messages.append(
            IncomingMessage(
                role="user" if turn.get("agent") == "agent_1" else "assistant",
                parts=(Text(words),) if words else (),
                raw={"agent": turn.get("agent"), **rest(turn, SAID)},
            )
        )
    return Incoming(source="", messages=messages, linear=True, raw=rest(value, {"content"}) or None)


FORMAT = KeyedFormat("topical-chat", "Topical-Chat", 232, _is_topical_chat, _conversation)
