"""Questions and answers of the benchmarks of FastChat (MT-Bench) and arena-hard.

- ``question.jsonl``: ``{question_id, category, turns: [str, …], reference?}``; arena-hard: ``{uid, category,
  cluster, prompt}``. A conversation of questions only.
- ``model_answer/MODEL.jsonl``: ``{question_id, answer_id, model_id, choices: [{index, turns}], tstamp}``.
  Each choice is a branch of answers. Where the archive that it comes from has the ``question.jsonl`` of the
  folder above, the questions stand between them.

arena-hard's answers have ``messages`` and are read as OpenAI's.
Source: lm-sys/FastChat, ``fastchat/llm_judge``; lmarena/arena-hard-auto, ``data``.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import PurePosixPath

from chatcore.formats.datasets.branches import Branch, grown
from chatcore.formats.datasets.dataset import DatasetFormat, Reading, Untaken
from chatcore.formats.format import Record
from chatcore.formats.neighbours import member_of
from chatcore.formats.values import fields, json_text
from chatcore.incoming import Incoming, IncomingMessage
from chatcore.messages import Role, Text

__all__ = ["ARENA"]

QUESTIONS = "question.jsonl"
ANSWER_KNOWN = frozenset({"choices", "model_id"})


def _is_arena(value: Mapping[str, object]) -> bool:
    return _is_answer(value) or _questions(value) is not None


def _is_answer(value: Mapping[str, object]) -> bool:
    choices = value.get("choices")
    return isinstance(choices, list) and any(_turns(choice) is not None for choice in choices)


def _questions(value: Mapping[str, object]) -> Sequence[object] | None:
    turns = value.get("turns")
    if isinstance(turns, list) and "question_id" in value:
        return turns
    prompt = value.get("prompt")
    return [prompt] if isinstance(prompt, str) and "uid" in value and "category" in value else None


def _turns(choice: object) -> Sequence[object] | None:
    turns = choice.get("turns") if isinstance(choice, dict) else None
    return turns if isinstance(turns, list) else None


def _conversation(value: Mapping[str, object], record: Record, reading: Reading) -> Incoming:
    if _is_answer(value):
        return _answer(value, record, reading)
    questions = _questions(value)
    if questions is None:
        raise Untaken
    known = {"turns"} if "turns" in value else {"prompt"}
    return reading.conversation(record, [_said("user", question) for question in questions], known)


def _answer(value: Mapping[str, object], record: Record, reading: Reading) -> Incoming:
    choices = value["choices"]
    assert isinstance(choices, list)
    model = value.get("model_id")
    by = model if isinstance(model, str) and model else None
    asked = _questions_of(value.get("question_id"), record, reading)
    branches, odd = [], []
    for number, choice in enumerate(choices):
        turns = _turns(choice)
        if turns is None:
            odd.append(choice)
            continue
        told: list[IncomingMessage] = []
        for question, turn in zip_longest(asked, turns):
            told += [] if question is None else [_said("user", question)]
            told += [] if turn is None else [_said("assistant", turn, by)]
        branches.append(Branch(f"choice{number}", told))
    first = branches[0].messages[:1] if asked else []
    below = [Branch(one.name, one.messages[len(first) :]) for one in branches]
    known = ANSWER_KNOWN if by is not None else ANSWER_KNOWN - {"model_id"}
    raw = {"choices": odd} if odd else {}
    return reading.conversation(record, grown(first, below), known, head=below[0].end, raw=raw)


def _questions_of(question_id: object, record: Record, reading: Reading) -> Sequence[object]:
    """The turns that a model was asked, from the archive's ``question.jsonl``; empty: they are not there."""
    if record.archive is None:
        return ()
    name = str(PurePosixPath(member_of(record)).parent.parent / QUESTIONS)
    if name not in reading.beside:
        reading.beside[name] = _by_id(record.archive.read(name) or b"")
    found = fields(reading.beside[name]).get(str(question_id))
    return found if isinstance(found, list) else ()


def _by_id(body: bytes) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for line in body.splitlines():
        try:
            value = fields(json.loads(line))
        except (ValueError, RecursionError):
            continue
        found[str(value.get("question_id"))] = value.get("turns")
    return found


def _said(role: Role, words: object, model: str | None = None) -> IncomingMessage:
    text = "" if words is None else json_text(words)
    return IncomingMessage(role=role, parts=(Text(text),) if text else (), model=model)


ARENA = DatasetFormat("arena", "MT-Bench and arena-hard", 280, _is_arena, _conversation)
