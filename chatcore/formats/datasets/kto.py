"""KTO, unpaired preference: a conversation of which the last answer is found good or bad.

LLaMA-Factory: ``messages`` or ``conversations`` with ``label`` or ``kto_tag``; TRL,
``docs/source/dataset_formats.md``: ``prompt``, ``completion``, ``label``.
"""

from collections.abc import Mapping, Sequence, Set

from msgspec.structs import replace

from chatcore.formats.datasets.contents import Find
from chatcore.formats.datasets.dataset import DatasetFormat, Reading, Untaken
from chatcore.formats.datasets.dialogs import list_in
from chatcore.formats.datasets.marks import COLUMNS, with_columns
from chatcore.formats.datasets.preference import answered, asked
from chatcore.formats.datasets.turns import has_turns, read_turns
from chatcore.formats.format import Record
from chatcore.incoming import Incoming, IncomingMessage
from chatcore.messages import Feedback, Rating

__all__ = ["KTO"]

LISTS = ("messages", "conversations")
LABELS = ("kto_tag", "label")


def _is_kto(value: Mapping[str, object]) -> bool:
    return _label(value) is not None and (
        any(has_turns(value.get(name)) for name in LISTS) or ("completion" in value and "prompt" in value)
    )


def _label(value: Mapping[str, object]) -> tuple[str, Rating] | None:
    """Under which name the record has its label, and what that says."""
    for name in LABELS:
        given = value.get(name)
        if isinstance(given, str):
            given = {"true": True, "false": False}.get(given.lower())
        if isinstance(given, bool | int) and given in {0, 1}:
            return name, "like" if given else "dislike"
    return None


def _conversation(value: Mapping[str, object], record: Record, reading: Reading) -> Incoming:
    label = _label(value)
    if label is None:
        raise Untaken
    name, rating = label
    find = reading.finder(record)
    messages, known, unread = _turns(value, find)
    odd: dict[str, object] = {}
    messages = with_columns(value, messages, find, odd)
    known = {*known, name, "system", *COLUMNS}
    if not _judge(messages, rating):
        odd[name] = value[name]
    return reading.conversation(record, messages, known, unread=unread, raw=odd)


def _turns(
    value: Mapping[str, object], find: Find
) -> tuple[list[IncomingMessage], Set[str], Sequence[object]]:
    """The messages, the fields that they stand in, and what among them is no turn."""
    turns = list_in(value, LISTS)
    if turns is not None:
        given = value[turns]
        assert isinstance(given, list)
        read = read_turns(given, model=value.get("model"), find=find)
        return read.messages, {turns}, read.unread
    if "completion" not in value:
        raise Untaken
    before, answer = asked(value.get("prompt"), find), answered(value["completion"], find)
    return [*before.messages, *answer.messages], {"prompt", "completion"}, [*before.unread, *answer.unread]


def _judge(messages: list[IncomingMessage], rating: Rating) -> bool:
    """Puts the vote on the last answer; False: there is none."""
    for place in range(len(messages) - 1, -1, -1):
        if messages[place].role == "assistant":
            messages[place] = replace(messages[place], feedback=Feedback(rating=rating))
            return True
    return False


KTO = DatasetFormat("kto", "KTO", 230, _is_kto, _conversation)
