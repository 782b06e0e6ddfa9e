"""What running answers say, bit by bit, and the parts that it makes."""

from collections.abc import Iterable

from msgspec.structs import replace

from chatcore.commands import AppendDeltas, PartOpened
from chatcore.events import PartAdded, TextDelta
from chatcore.messages import Part, Reasoning, Text
from storage.rows import Rows, Said

__all__ = ["append_deltas", "parts_of"]


def append_deltas(rows: Rows, command: AppendDeltas) -> frozenset[str]:
    """Append what is said by answers that still run; gives those that do not."""
    owner, now, emit = command.owner, rows.now, rows.emit
    entries: list[tuple[int, int, Said]] = []
    ended: set[str] = set()
    for said in command.deltas:
        live = rows.live(said.message_id, owner)
        if live is None:
            ended.add(said.message_id)
            continue
        seq = live.seq = live.seq + 1
        entries.append((live.message, seq, said))
        if isinstance(said, PartOpened):
            emit(
                PartAdded(
                    conversation_id=live.conversation_id,
                    seq=seq,
                    at=now,
                    message_id=said.message_id,
                    index=said.index,
                    part=said.part,
                )
            )
        else:
            emit(
                TextDelta(
                    conversation_id=live.conversation_id,
                    seq=seq,
                    at=now,
                    message_id=said.message_id,
                    index=said.index,
                    start=said.start,
                    text=said.text,
                )
            )
    rows.append_said(entries)
    return frozenset(ended)


def parts_of(entries: Iterable[Said]) -> tuple[Part, ...]:
    """The parts that these entries of one answer make, in order; words whose part's opening is lost too."""
    parts: dict[int, Part] = {}
    texts: dict[int, list[str]] = {}
    for said in entries:
        if isinstance(said, PartOpened):
            parts[said.index] = said.part
        else:
            texts.setdefault(said.index, []).append(said.text)
    for index, added in texts.items():
        part = parts.get(index, Text(""))
        if isinstance(part, Text | Reasoning):
            parts[index] = replace(part, text=part.text + "".join(added))
    return tuple(parts[index] for index in sorted(parts))
