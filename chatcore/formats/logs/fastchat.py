"""Logs of a FastChat server, JSON Lines; and battles as lmarena publishes them.

- ``fastchat/serve/gradio_web_server.py``: ``{tstamp, type: chat | upvote | downvote | flag, model,
  gen_params, start, finish, state, ip}``; the conversation is ``state.conv_id``.
- ``fastchat/serve/gradio_block_arena_*.py``: ``{tstamp, type: leftvote | rightvote | tievote |
  bothbad_vote, models, states, ip}``. Both states together are one conversation, called as the left one:
  they begin with the same question, and so two answers to it can be compared.
- ``fastchat/serve/monitor/clean_battle_data.py``: ``{question_id, model_a, model_b, winner, conversation_a,
  conversation_b, …}``.

The address of who wrote is never kept.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from msgspec import Struct, structs

from chatcore.formats.format import Kind, ReadOptions, Record
from chatcore.formats.logs.fastchat_states import Grown
from chatcore.formats.pieces import span_us, unread
from chatcore.formats.spool import grouped
from chatcore.formats.values import fields, first_ident, ident, keys_seen, listed, rest, time_us
from chatcore.incoming import Incoming, Unread
from chatcore.messages import Rating, Settings

__all__ = ["FORMAT"]

VOTES: Mapping[str, tuple[Rating | None, ...]] = {
    "upvote": ("like",),
    "downvote": ("dislike",),
    "leftvote": ("like", "dislike"),
    "rightvote": ("dislike", "like"),
    "model_a": ("like", "dislike"),
    "model_b": ("dislike", "like"),
}
"""What a line says of the last answer of each of its states; of other votes only the word is kept."""

STATE = frozenset({"messages", "conv_id", "system_message", "system", "model_name", "roles", "offset"})
LINE = frozenset({"type", "tstamp", "model", "models", "state", "states", "start", "finish"})
BATTLE = frozenset(
    {"question_id", "model_a", "model_b", "conversation_a", "conversation_b", "winner", "tstamp"}
)

Line = tuple[Record, Mapping[str, object]]


class FastChat:
    """The format."""

    name = "fastchat"
    title = "FastChat log"
    kind: Kind = "json"
    members: str | None = r".*-conv\.json(?:l)?"
    order = 220

    def recognises(self, record: Record) -> bool:
        """Whether it is a line of a log, or a battle."""
        value = fields(record.value)
        is_line = isinstance(value.get("type"), str) and "tstamp" in value
        return (is_line and bool(_states(value))) or ("winner" in value and bool(_sides(value)))

    def read(self, records: Iterable[Record], options: ReadOptions) -> Iterator[Incoming | Unread]:
        """One conversation for the lines of each, and for each battle."""
        source = options.source or self.name
        for known, group in _joined(records):
            lines: list[Line] = []
            for record in group:
                value = fields(record.value)
                if _states(value):
                    lines.append((record, value))
                elif _sides(value):
                    yield _battle(record, value, source)
                else:
                    reason = f"This is no line of FastChat's log but {keys_seen(record.value)}."
                    yield unread(record, "failed", reason)
            if lines:
                yield _conversation(known, lines, source)


def _states(line: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    """The states of a line: none, one, or both of a battle."""
    found = listed(line.get("states")) or [line.get("state")]
    return [fields(state) for state in found if isinstance(fields(state).get("messages"), list)]


def _sides(battle: Mapping[str, object]) -> bool:
    return all(isinstance(battle.get(side), list) for side in ("conversation_a", "conversation_b"))


def _joined(records: Iterable[Record]) -> Iterator[tuple[str, list[Record]]]:
    """The records of each conversation, those of both sides of a battle together.

    Only a vote tells that two conversations are one, and it comes behind what was said in each. So lines
    are first brought to the conversations that they are in; then, where there was such a vote, all of a
    right side to its left one.
    """
    battles = False

    def sided() -> Iterator[Record]:
        nonlocal battles
        for number, record in enumerate(records):
            names = _names(record)
            battles = battles or len(names) > 1
            for side, name in enumerate(names):
                yield structs.replace(record, value=_Sided(name, side, number, record.value))

    groups = grouped(sided(), _name)
    first = next(groups, None)  # now all has been read
    if first is None:
        return
    groups = chain([first], groups)
    if battles:
        groups = grouped((record for _, group in groups for record in _led_left(group)), _name)
    for name, group in groups:
        tags = sorted(((_tag(one), one) for one in group), key=lambda entry: entry[0].number)
        yield name, [structs.replace(one, value=tag.value) for tag, one in tags if tag.side == 0]


class _Sided(Struct, frozen=True):
    """A line as it was brought to a conversation.

    Attributes:
        name: Of the conversation.
        side: Of a battle 0 where that is the left one, 1 where it is the right one; else 0.
        number: Its place in the log.
    """

    name: str
    side: int
    number: int
    value: object


def _tag(record: Record) -> _Sided:
    assert isinstance(record.value, _Sided)
    return record.value


def _name(record: Record) -> str:
    return _tag(record).name


def _names(record: Record) -> Sequence[str]:
    """The conversations that a line is in."""
    names = [ident(state.get("conv_id")) for state in _states(fields(record.value))]
    known = list(dict.fromkeys(name for name in names if name is not None))
    return known or [f"{record.file} {record.place}"]


def _led_left(group: Sequence[Record]) -> Iterator[Record]:
    """All that was brought to a conversation, brought to the one on its left if it has stood on the right."""
    left = next(
        (_names(structs.replace(one, value=_tag(one).value))[0] for one in group if _tag(one).side), None
    )
    for record in group:
        tag = _tag(record)
        yield record if left is None else structs.replace(record, value=structs.replace(tag, name=left))


def _conversation(known: str, lines: Sequence[Line], source: str) -> Incoming:
    grown = Grown()
    about: dict[str, object] = {}
    prompt: str | None = None
    for _, line in lines:
        states = _states(line)
        models = listed(line.get("models")) or [line.get("model")]
        paths = []
        for number, state in enumerate(states):
            model = models[number] if number < len(models) else None
            paths.append(grown.add(state, ident(model) or ident(state.get("model_name"))))
            prompt = first_ident(state, "system_message", "system") or prompt
            about.update(rest(state, STATE))
        about.update(rest(line, LINE))
        _happened(grown, line, paths)
    record, line = lines[0]
    has_id = any(first_ident(state, "conv_id") for state in _states(line))
    return _incoming(grown, record, source, known if has_id else None, about, prompt)


def _happened(grown: Grown, line: Mapping[str, object], paths: Sequence[Sequence[str]]) -> None:
    """Note in the tree what a line tells: an answer with its times, or a vote on the last answers."""
    kind = ident(line.get("type")) or ident(line.get("winner")) or ""
    ratings = VOTES.get(kind, ())
    for number, path in enumerate(paths):
        known = grown.answer(path)
        if known is None:
            continue
        if kind == "chat":
            grown.timed(
                path, known, time_us(line.get("start")), time_us(line.get("finish", line.get("tstamp")))
            )
            continue
        rating = ratings[number] if number < len(ratings) else None
        grown.voted(known, rating, {"type": kind, "tstamp": line.get("tstamp")})
        if rating == "like":
            grown.head = path[-1]


def _battle(record: Record, battle: Mapping[str, object], source: str) -> Incoming:
    grown = Grown()
    paths = []
    for side in ("a", "b"):
        state = {"conv_id": side, "messages": battle[f"conversation_{side}"]}
        paths.append(grown.add(state, ident(battle.get(f"model_{side}"))))
    _happened(grown, battle, paths)
    moment = time_us(battle.get("tstamp"))
    found = _incoming(grown, record, source, ident(battle.get("question_id")), rest(battle, BATTLE), None)
    return structs.replace(found, created_at_us=moment, updated_at_us=moment)


def _incoming(
    grown: Grown,
    record: Record,
    source: str,
    known: str | None,
    about: Mapping[str, object],
    prompt: str | None,
) -> Incoming:
    messages = tuple(grown.messages.values())
    created, updated = span_us(messages, None, None)
    return Incoming(
        source=source,
        id=known,
        messages=messages,
        head=grown.head,
        created_at_us=created,
        updated_at_us=updated,
        settings=Settings(system_prompt=prompt),
        file=record.file,
        place=record.place,
        raw=about or None,
    )


FORMAT = FastChat()
