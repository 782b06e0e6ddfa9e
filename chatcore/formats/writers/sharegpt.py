"""ShareGPT: a path as turns of ``human`` and ``gpt`` that strictly alternate, as FastChat wants them.

Source: lm-sys/FastChat, ``fastchat/train/train.py`` (it asserts the sides) and hiyouga/LLaMA-Factory's
``data/README.md`` (``function_call`` and ``observation`` in the places of ``gpt`` and ``human``).
"""

import json
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from chatcore.formats.format import WriteOptions
from chatcore.formats.identity import identity_of
from chatcore.formats.paths import Paths, raw_of
from chatcore.formats.turns import Turn, turns_of, words_of
from chatcore.messages import ToolCall
from chatcore.views import Tree

__all__ = ["SHAREGPT", "ShareGpt"]


class _Said(Struct, frozen=True):
    """What one side says in one breath: words, calls of tools, or (on the human's side) what those gave."""

    side: str
    kind: str
    words: str
    calls: tuple[ToolCall, ...] = ()


class ShareGpt:
    """One line for a path.

    Neighbours of one side are one turn. Where calls stand beside words, or a tool's result beside a question,
    the calls and the question stay. What the assistant says before anybody has asked is left out.
    """

    name = "sharegpt"
    title = "ShareGPT"
    suffix = ".jsonl"
    apart = False

    def write(self, tree: Tree, options: WriteOptions) -> Iterator[Mapping[str, object]]:
        """The shown path, or all; of one on which nothing was said, none."""
        beside = {key: value for key, value in raw_of(tree.raw).items() if key == "tools"}
        for number, path in enumerate(Paths(tree).wanted(all_paths=options.all_paths)):
            turns = turns_of(tree, path, options)
            system = "\n\n".join(words_of(turn) for turn in turns if turn.role == "system")
            said = [_written(one) for one in _alternating(_all_said(turns, options))]
            if said:
                name = identity_of(tree) if number == 0 else f"{identity_of(tree)}-path-{number}"
                yield {
                    "id": name,
                    "conversations": said,
                    **({"system": system} if system else {}),
                    **beside,
                }


def _all_said(turns: Iterable[Turn], options: WriteOptions) -> Iterator[_Said]:
    for turn in turns:
        words = words_of(turn, options)
        if turn.role == "tool":
            yield _Said("human", "observation", words)
        elif turn.role == "user":
            yield _Said("human", "human", words)
        elif turn.role == "assistant":
            if words:
                yield _Said("gpt", "gpt", words)
            if turn.calls:
                yield _Said("gpt", "function_call", "", turn.calls)


_STAYS = ("function_call", "human")
"""Of two kinds on one side."""


def _alternating(given: Iterable[_Said]) -> list[_Said]:
    found: list[_Said] = []
    for one in given:
        before = found[-1] if found else None
        if before is None:
            if one.kind == "human":
                found.append(one)
        elif before.side != one.side:
            found.append(one)
        elif before.kind == one.kind:
            words = "\n\n".join(filter(None, (before.words, one.words)))
            found[-1] = replace(before, words=words, calls=before.calls + one.calls)
        elif one.kind in _STAYS:
            found[-1] = one
    return found


def _written(one: _Said) -> Mapping[str, str]:
    if not one.calls:
        return {"from": one.kind, "value": one.words}
    calls = [{"name": call.name, "arguments": _parsed(call.arguments)} for call in one.calls]
    return {
        "from": one.kind,
        "value": json.dumps(calls[0] if len(calls) == 1 else calls, ensure_ascii=False),
    }


def _parsed(arguments: str) -> object:
    """An object where it is one: as a model writes it, it is text and may be anything."""
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments


SHAREGPT = ShareGpt()
