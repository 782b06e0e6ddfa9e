"""Votes that Gradio's ChatInterface has logged: ``log.csv`` in its flagging directory.

Each click on a vote is a row with the whole conversation so far and no id of it. Rows of which one's
messages begin with all of the other's, some days apart at most, are one conversation; of the clicks on one
message the last counts. See ``gradio/chat_interface.py`` and ``gradio/flagging.py`` (5.10 to 6.31).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import groupby

from msgspec import Struct, structs

from chatcore.formats.format import Kind, ReadOptions, Record
from chatcore.formats.logs.gradio_contents import parts_in, words_in
from chatcore.formats.logs.gradio_rows import HEADER, Row, Said, read_row
from chatcore.formats.pieces import role_of, unread
from chatcore.formats.spool import grouped
from chatcore.formats.values import fields, listed, rest
from chatcore.incoming import Incoming, IncomingMessage, IncomingPart, Unread
from chatcore.messages import Feedback, Rating, Reasoning

__all__ = ["FORMAT"]

NEAR_US = 7 * 86_400 * 1_000_000
"""How far apart two votes on one conversation may be: one reads on for days, and others ask the same."""

RATINGS: Mapping[str, Rating] = {"Like": "like", "Dislike": "dislike"}


class Gradio:
    """The format."""

    name = "gradio"
    title = "Gradio chat log"
    kind: Kind = "csv"
    members: str | None = r"log.*\.csv"
    order = 200

    def recognises(self, record: Record) -> bool:
        """Whether it is the header, or a row."""
        cells = listed(record.value)
        return tuple(cells) == HEADER or not isinstance(read_row(cells), str)

    def read(self, records: Iterable[Record], options: ReadOptions) -> Iterator[Incoming | Unread]:
        """One conversation for the rows that tell of it."""
        source = options.source or self.name
        rows = (record for record in records if tuple(listed(record.value)) != HEADER)
        for _, group in grouped(rows, _beginning):
            chains: list[_Chain] = []
            for record in group:
                row = read_row(record.value)
                if isinstance(row, str):
                    yield unread(record, "failed", row)
                elif not row.said:
                    yield unread(record, "skipped", "It has no messages.")
                else:
                    _add(row, record, chains)
            for chain in chains:
                yield _conversation(chain, source)


def _beginning(record: Record) -> str:
    """What rows of one conversation have in common: the first message."""
    row = read_row(record.value)
    return record.place if isinstance(row, str) or not row.said else row.said[0].mark.hex()


class _Chain(Struct):
    """The rows of one conversation so far.

    Attributes:
        said: The longest of their conversations.
        last_us: When the newest was written.
    """

    record: Record
    said: Sequence[Said]
    rows: list[Row]
    last_us: int | None

    def fits(self, row: Row) -> bool:
        at_us = row.at_us
        if at_us is not None and self.last_us is not None and abs(at_us - self.last_us) > NEAR_US:
            return False
        return all(one.mark == other.mark for one, other in zip(self.said, row.said, strict=False))


def _add(row: Row, record: Record, chains: list[_Chain]) -> None:
    """Put a row into the chain that was used last of those that it fits into, or let it begin one."""
    for number in range(len(chains) - 1, -1, -1):
        chain = chains[number]
        if chain.fits(row):
            chain.rows.append(row)
            chain.said = max(chain.said, row.said, key=len)
            chain.last_us = row.at_us if row.at_us is not None else chain.last_us
            chains.append(chains.pop(number))
            return
    chains.append(
        _Chain(record=structs.replace(record, value=None), said=row.said, rows=[row], last_us=row.at_us)
    )


def _conversation(chain: _Chain, source: str) -> Incoming:
    messages, targets = _messages(chain.said)
    flags: dict[int, list[dict[str, object]]] = {}
    astray: list[dict[str, object]] = []
    for row in chain.rows:
        told = astray if row.target is None else flags.setdefault(targets[row.target], [])
        told.append({"value": row.option, "time": row.time})
    for number, given in flags.items():
        messages[number] = _voted(messages[number], given)
    first = chain.rows[0]
    times = [row.at_us for row in chain.rows if row.at_us is not None]
    # the log only ever grows, so what it says first of a conversation stays the first
    named = f"{first.time}\0{first.target}\0{[said.mark.hex() for said in first.said]}"
    return Incoming(
        source=source,
        id=blake2b(named.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest(),
        messages=messages,
        linear=True,
        created_at_us=min(times, default=None),
        updated_at_us=max(times, default=None),
        repaired={"a vote on a message that is not there": len(astray)} if astray else {},
        file=chain.record.file,
        place=chain.record.place,
        raw={"flags": astray} if astray else None,
    )


def _voted(message: IncomingMessage, flags: list[dict[str, object]]) -> IncomingMessage:
    """The message with its vote: the last that was given, if it was not taken back. All are kept."""
    rating = RATINGS.get(str(flags[-1]["value"])) if message.role == "assistant" else None
    return structs.replace(
        message,
        feedback=None if rating is None else Feedback(rating=rating),
        raw={**(message.raw or {}), "flags": flags},
    )


def _messages(said: Sequence[Said]) -> tuple[list[IncomingMessage], dict[int, int]]:
    """The messages, and by the place of what was voted on which of them is meant.

    Messages of one role in a row are shown as one, and a vote on them has the place of the first. Meant is
    the last answer among them. Thoughts are no messages of their own but stand before the answer that they
    led to.
    """
    messages: list[IncomingMessage] = []
    targets: dict[int, int] = {}
    for _, group in groupby(enumerate(said), key=lambda entry: entry[1].role):
        members = list(group)
        thoughts: list[tuple[int, Said]] = []
        begin = len(messages)
        for place, one in members:
            if one.is_thought:
                thoughts.append((place, one))
                continue
            targets.update(dict.fromkeys([place, *(number for number, _ in thoughts)], len(messages)))
            messages.append(_message(one, [thought for _, thought in thoughts]))
            thoughts = []
        if thoughts:
            targets.update(dict.fromkeys((number for number, _ in thoughts), max(begin, len(messages) - 1)))
            before = messages.pop() if len(messages) > begin else None
            messages.append(_with_thoughts(before, [thought for _, thought in thoughts]))
        targets[members[0][0]] = len(messages) - 1
    return messages, targets


def _message(one: Said, thoughts: Sequence[Said]) -> IncomingMessage:
    role = role_of(one.role)
    raw = rest(one.about, {"metadata"})
    raw.update(rest(fields(one.about.get("metadata")), {"title"}))
    if role is None:
        raw["role"] = one.role
    message = IncomingMessage(
        role=role or "system", parts=parts_in(one.content), hidden=role is None, raw=raw or None
    )
    return _with_thoughts(message, thoughts, before=True) if thoughts else message


def _with_thoughts(
    message: IncomingMessage | None, thoughts: Sequence[Said], *, before: bool = False
) -> IncomingMessage:
    """An answer with what was thought before or after it; None: there is no answer."""
    told: tuple[IncomingPart, ...] = tuple(Reasoning(_thought(thought)) for thought in thoughts)
    about = [left for thought in thoughts if (left := rest(fields(thought.about.get("metadata")), {"title"}))]
    if message is None:
        message = IncomingMessage(role="assistant", parts=())
    raw = {**(message.raw or {}), **({"thoughts": about} if about else {})}
    parts = (*told, *message.parts) if before else (*message.parts, *told)
    return structs.replace(message, parts=parts, raw=raw or None)


def _thought(thought: Said) -> str:
    title = str(fields(thought.about.get("metadata")).get("title"))
    return "\n".join(filter(None, (title, words_in(thought.content))))


FORMAT = Gradio()
