"""Rewarded answers of Taskmaster-4: ``{conversation_id, context, generation, reward}``.

`context` and `generation` are texts: JSON that a model was given, and JSON that it wrote. They stay the
question and the answer as they were given; ``reward``, a number, is no vote and is kept. Source:
google-research-datasets/Taskmaster, ``TM-4-2024``.
"""

from collections.abc import Mapping

from chatcore.formats.datasets.dataset import DatasetFormat, Reading, Untaken
from chatcore.formats.format import Record
from chatcore.formats.values import json_text
from chatcore.incoming import Incoming, IncomingMessage
from chatcore.messages import Text

__all__ = ["REWARD"]

FIELDS = ("context", "generation")
KNOWN = frozenset(FIELDS)


def _is_reward(value: Mapping[str, object]) -> bool:
    return "reward" in value and all(name in value for name in FIELDS)


def _conversation(value: Mapping[str, object], record: Record, reading: Reading) -> Incoming:
    if not _is_reward(value):
        raise Untaken
    context, generation = ("" if value[name] is None else json_text(value[name]) for name in FIELDS)
    if not context and not generation:
        raise Untaken("Neither its context nor its generation says anything.", "skipped")
    messages = [
        IncomingMessage(role="user", parts=(Text(context),) if context else ()),
        IncomingMessage(role="assistant", parts=(Text(generation),) if generation else ()),
    ]
    return reading.conversation(record, messages, KNOWN)


REWARD = DatasetFormat("reward", "Taskmaster rewards", 290, _is_reward, _conversation)
