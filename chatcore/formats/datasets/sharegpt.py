"""ShareGPT: ``{"id", "conversations": [{from, value}, …], "system"?, "tools"?}``.

The original site's form is ``{"items": [{from, value}, …], "title", "avatarUrl", "model"}``, where the values
of the assistant may be HTML: that becomes Markdown, and stays beside it under ``html``. Function calling as
in LLaMA-Factory: `function_call` with ``{"name", "arguments"}`` as JSON text, `observation` with what came
back; axolotl's ``train``, ``train_detail`` and ``weight`` of a turn are kept.

``x_0``, ``x_1``, …, which FastChat's ``split_long_conversation.py`` makes of one long chat, stay
conversations of their own: other sets number unrelated ones the same way. Sources: lm-sys/FastChat,
``docs/training.md`` and ``fastchat/data``; LLaMA-Factory, ``data/README.md``; axolotl, “Dataset formats”.
"""

from collections.abc import Mapping

from chatcore.formats.datasets.dataset import DatasetFormat, Reading
from chatcore.formats.datasets.dialogs import turns_in
from chatcore.formats.datasets.turns import has_turns
from chatcore.formats.format import Record
from chatcore.incoming import Incoming

__all__ = ["SHAREGPT"]

LISTS = ("conversations", "items")


def _is_sharegpt(value: Mapping[str, object]) -> bool:
    return any(has_turns(value.get(name)) for name in LISTS)


def _conversation(value: Mapping[str, object], record: Record, reading: Reading) -> Incoming:
    return turns_in(value, LISTS, record, reading)


SHAREGPT = DatasetFormat("sharegpt", "ShareGPT", 240, _is_sharegpt, _conversation)
