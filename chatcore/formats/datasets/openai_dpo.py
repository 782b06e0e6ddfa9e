"""OpenAI's preference fine-tuning: two answers to the same messages, as siblings.

``{"input": {"messages", "tools", "parallel_tool_calls"}, "preferred_output": [message],
"non_preferred_output": [message]}``. Source: OpenAI, “Direct preference optimization”.
"""

from collections.abc import Mapping

from chatcore.formats.datasets.branches import Branch, grown
from chatcore.formats.datasets.dataset import DatasetFormat, Reading, Untaken
from chatcore.formats.datasets.preference import answered
from chatcore.formats.datasets.turns import read_turns
from chatcore.formats.format import Record
from chatcore.formats.values import rest
from chatcore.incoming import Incoming

__all__ = ["OPENAI_DPO"]

KNOWN = frozenset({"input", "preferred_output", "non_preferred_output"})


def _is_openai_dpo(value: Mapping[str, object]) -> bool:
    asked = value.get("input")
    return isinstance(asked, dict) and isinstance(asked.get("messages"), list) and "preferred_output" in value


def _conversation(value: Mapping[str, object], record: Record, reading: Reading) -> Incoming:
    asked = value.get("input")
    turns = asked.get("messages") if isinstance(asked, dict) else None
    if not isinstance(asked, dict) or not isinstance(turns, list):
        raise Untaken
    find = reading.finder(record)
    prompt = read_turns(turns, find=find)
    preferred = answered(value.get("preferred_output"), find)
    other = answered(value.get("non_preferred_output"), find)
    best = Branch("preferred", preferred.messages, "like")
    tree = grown(prompt.messages, [best, Branch("non_preferred", other.messages, "dislike")])
    beside = rest(asked, {"messages"})
    odd = {"input": beside} if beside else {}
    unread = [*prompt.unread, *preferred.unread, *other.unread]
    return reading.conversation(record, tree, KNOWN, head=best.end, unread=unread, raw=odd)


OPENAI_DPO = DatasetFormat("openai_dpo", "OpenAI preference pairs", 210, _is_openai_dpo, _conversation)
