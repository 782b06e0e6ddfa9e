"""OpenAI's messages, as they are sent, and as fine-tuning takes them.

``{"messages": [{role, content, name?, weight?, tool_calls?, …}, …], "tools"?, …}``. Also what has the same
turns: LLaMA-Factory v1 (``loss_weight``, parts ``{type, value}``), the columns ``images`` of multimodal sets,
arena-hard's answers (``content: {answer}``), and tau-bench's trajectories, whose messages are called
``traj``. Sources: OpenAI, “Fine-tuning” and “Chat completions”; LLaMA-Factory, ``data/README.md``;
sierra-research/tau-bench.
"""

from collections.abc import Mapping

from chatcore.formats.datasets.dataset import DatasetFormat, Reading
from chatcore.formats.datasets.dialogs import turns_in
from chatcore.formats.datasets.turns import has_turns
from chatcore.formats.format import Record
from chatcore.incoming import Incoming

__all__ = ["OPENAI"]

LISTS = ("messages", "traj")


def _is_openai(value: Mapping[str, object]) -> bool:
    return any(has_turns(value.get(name)) for name in LISTS)


def _conversation(value: Mapping[str, object], record: Record, reading: Reading) -> Incoming:
    return turns_in(value, LISTS, record, reading)


OPENAI = DatasetFormat("openai", "OpenAI messages", 250, _is_openai, _conversation)
