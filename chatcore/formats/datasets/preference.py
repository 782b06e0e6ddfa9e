r"""Preference sets: a prompt, an answer that was chosen and one that was rejected, in all their shapes.

- LLaMA-Factory: ``conversations`` (or ``messages``) with ``chosen`` and ``rejected`` as one turn each; its
  v1: ``chosen_messages`` and ``rejected_messages``, whole lists;
- TRL, ``docs/source/dataset_formats.md``: ``prompt`` with ``chosen`` and ``rejected`` as lists or texts; or
  without ``prompt``, whole lists;
- UltraFeedback: ``prompt`` as text, ``chosen`` and ``rejected`` whole lists, with their scores;
- hh-rlhf: ``chosen`` and ``rejected`` as transcripts ``\n\nHuman: …\n\nAssistant: …``;
- Nectar: ``prompt`` as transcript, ``answers: [{answer, model, rank}]``, rank 1 the best.

What both begin with is the prompt. Below it stand the two answers, liked and disliked; ranked ones keep their
rank (under ``rank``, 0 the best) and have no votes.
"""

import math
from collections.abc import Mapping, Sequence

from chatcore.formats.datasets.branches import (
    Branch,
    common_start,
    grown,
    is_transcript,
    starts_with,
    transcript,
)
from chatcore.formats.datasets.contents import Find, thought_first
from chatcore.formats.datasets.dataset import DatasetFormat, Reading, Untaken
from chatcore.formats.datasets.marks import COLUMNS, with_columns
from chatcore.formats.datasets.turns import Turns, has_turns, read_turns
from chatcore.formats.format import Record
from chatcore.formats.values import json_text, rest, text_in
from chatcore.incoming import Incoming, IncomingMessage
from chatcore.messages import Text

__all__ = ["PREFERENCE", "answered", "asked"]

SIDES = (("chosen_messages", "rejected_messages"), ("chosen", "rejected"))
PROMPTS = ("conversations", "prompt", "messages", "question", "instruction", "input")
KNOWN = frozenset({"system", *COLUMNS})
SPOKEN = (str, list, dict)


def _is_preference(value: Mapping[str, object]) -> bool:
    return _sides(value) is not None or _answers(value) is not None


def _sides(value: Mapping[str, object]) -> tuple[str, str] | None:
    """Under which names the record has its two sides."""
    for names in SIDES:
        if all(isinstance(value.get(name), SPOKEN) for name in names):
            return names
    return None


def _answers(value: Mapping[str, object]) -> Sequence[Mapping[str, object]] | None:
    """The ranked answers of a record of Nectar."""
    given = value.get("answers")
    if "prompt" not in value or not isinstance(given, list):
        return None
    ranked = [item for item in given if isinstance(item, dict) and "answer" in item and "rank" in item]
    return ranked if ranked and len(ranked) == len(given) else None


def _conversation(value: Mapping[str, object], record: Record, reading: Reading) -> Incoming:
    name = next((name for name in PROMPTS if value.get(name)), None)
    used = {name} if name else set()
    given = value[name] if name else None
    if name == "instruction" and isinstance(more := value.get("input"), str) and more:
        given = f"{text_in(given)}\n{more}"
        used.add("input")
    find = reading.finder(record)
    before = asked(given, find)
    prompt: Sequence[IncomingMessage] = before.messages
    unread = [*before.unread]
    odd: dict[str, object] = {}
    if (names := _sides(value)) is not None:
        read = [answered(value[side], find) for side in names]
        unread += [item for side in read for item in side.unread]
        used.update(names)
        chosen, rejected = (side.messages for side in read)
        if (start := _start(chosen, rejected)) is not None:
            if name and not starts_with(chosen, prompt):
                odd[name] = value[name]  # it is another than that of the lists
            prompt, chosen, rejected = chosen[:start], chosen[start:], rejected[start:]
        branches = [Branch("chosen", chosen, "like"), Branch("rejected", rejected, "dislike")]
    elif (answers := _answers(value)) is not None:
        branches = [_ranked(number, answer) for number, answer in enumerate(answers)]
        used.add("answers")
    else:
        raise Untaken
    if not any(branch.messages for branch in branches):
        raise Untaken("None of its answers says anything.", "skipped")
    tree = with_columns(value, grown(prompt, branches), find, odd)
    best = min(branches, key=lambda branch: _place(branch) if branch.messages else math.inf)
    return reading.conversation(record, tree, KNOWN | used, head=best.end, unread=unread, raw=odd)


def asked(given: object, find: Find) -> Turns:
    """The messages of a prompt: turns, one turn, a transcript, or a user's text."""
    if isinstance(given, str) and given and not is_transcript(given):
        return Turns([IncomingMessage(role="user", parts=(Text(given),))])
    return _said("user", given, find)


def answered(given: object, find: Find) -> Turns:
    """The messages of an answer: turns, one turn, a transcript, or an assistant's text."""
    if isinstance(given, str) and given and not is_transcript(given):
        return Turns([IncomingMessage(role="assistant", parts=tuple(thought_first(given)))])
    return _said("assistant", given, find)


def _said(role: str, given: object, find: Find) -> Turns:
    if isinstance(given, str):
        return Turns(transcript(given) if given else [])
    if given is None:
        return Turns([])
    if isinstance(given, list):
        return read_turns(given, find=find)
    turn = given if has_turns([given]) else {"role": role, "content": given}
    return read_turns([turn], find=find)


def _start(one: Sequence[IncomingMessage], other: Sequence[IncomingMessage]) -> int | None:
    """With how many equal messages both begin, where they bring the prompt; None: they are answers only."""
    if not one or not other or one[0].role == "assistant" or other[0].role == "assistant":
        return None
    return common_start(one, other)


def _ranked(number: int, answer: Mapping[str, object]) -> Branch:
    rank, model, given = answer["rank"], answer.get("model"), answer["answer"]
    counted = isinstance(rank, int | float) and not isinstance(rank, bool) and math.isfinite(rank)
    message = IncomingMessage(
        role="assistant",
        parts=tuple(thought_first(json_text(given))) if given is not None else (),
        model=model if isinstance(model, str) and model else None,
    )
    beside = rest(answer, {"answer", "rank", "model"} if isinstance(model, str) else {"answer", "rank"})
    place = int(rank) - 1 if counted else rank  # type: ignore[call-overload]
    return Branch(f"answer{number}", [message], raw={**beside, "rank": place})


def _place(branch: Branch) -> float:
    """How good an answer is among the others, the lower the better."""
    rank = (branch.raw or {}).get("rank", 0)
    return rank if isinstance(rank, int | float) else math.inf


PREFERENCE = DatasetFormat("preference", "Preference pairs", 220, _is_preference, _conversation)
