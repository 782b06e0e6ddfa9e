"""Training sets as trainers read them: one row for an answer, or for a pair of answers to the same prompt.

Rows are those of TRL (huggingface/trl ``docs/source/dataset_formats.md``: conversational prompt-completion,
preference with explicit prompt, unpaired preference) and of OpenAI's preference tuning. All messages of all
rows have the same two keys, since Arrow wants one schema: words alone, files by their names, tools left out.
"""

from collections.abc import Iterator, Mapping, Sequence

from chatcore.filters import verdict_of
from chatcore.formats.format import WriteOptions
from chatcore.formats.judged import Pair, answers, pairs
from chatcore.formats.paths import Paths
from chatcore.formats.turns import merged, turns_of, words_of
from chatcore.views import Node, Tree

__all__ = ["DPO", "KTO", "OPENAI_DPO", "SFT", "Dpo", "Kto", "OpenaiDpo", "Sft"]

Said = Mapping[str, str]
Row = Mapping[str, object]


class Sft:
    """Each answer with what stands above it; disliked ones only where they are asked for."""

    name = "sft"
    title = "Fine-tuning (TRL: prompt, completion)"
    suffix = ".jsonl"
    apart = False

    def write(self, tree: Tree, options: WriteOptions) -> Iterator[Row]:
        """A row for each answer of the shown path, or of all."""
        paths = Paths(tree)
        for node in answers(tree.nodes if options.all_paths else paths.shown()):
            disliked = verdict_of(node) == "dislike" and options.only.rating != "dislike"
            if not disliked and options.only.accepts(node) and (prompt := _prompt(paths, node, options)):
                yield {"prompt": prompt, "completion": [_answer(tree, node, options)]}


class Kto:
    """Each answer that somebody voted on."""

    name = "kto"
    title = "Votes (TRL KTO: prompt, completion, label)"
    suffix = ".jsonl"
    apart = False

    def write(self, tree: Tree, options: WriteOptions) -> Iterator[Row]:
        """A row for each vote; of answers on which voters are divided none."""
        paths = Paths(tree)
        for node in answers(tree.nodes):
            verdict = verdict_of(node)
            if verdict and options.only.accepts(node) and (prompt := _prompt(paths, node, options)):
                completion = [_answer(tree, node, options)]
                yield {"prompt": prompt, "completion": completion, "label": verdict == "like"}


class Dpo:
    """Each pair of answers."""

    name = "dpo"
    title = "Preferences (TRL DPO: prompt, chosen, rejected)"
    suffix = ".jsonl"
    apart = False

    def write(self, tree: Tree, options: WriteOptions) -> Iterator[Row]:
        """A row for each pair."""
        for prompt, chosen, rejected in _compared(tree, options):
            yield {"prompt": prompt, "chosen": chosen, "rejected": rejected}


class OpenaiDpo:
    """Each pair of answers, in the names of OpenAI's preference tuning."""

    name = "openai_dpo"
    title = "Preferences (OpenAI: input, preferred_output, non_preferred_output)"
    suffix = ".jsonl"
    apart = False

    def write(self, tree: Tree, options: WriteOptions) -> Iterator[Row]:
        """A row for each pair."""
        for prompt, chosen, rejected in _compared(tree, options):
            yield {
                "input": {"messages": prompt},
                "preferred_output": chosen,
                "non_preferred_output": rejected,
            }


def _compared(
    tree: Tree, options: WriteOptions
) -> Iterator[tuple[Sequence[Said], Sequence[Said], Sequence[Said]]]:
    paths = Paths(tree)
    above, prompt = "", list[Said]()
    for pair in pairs(paths):
        options.step()
        if not _is_wanted(pair, options):
            continue
        if pair.chosen.message.parent != above:  # those of the same prompt come one after the other
            above, prompt = pair.chosen.message.parent or "", _prompt(paths, pair.chosen, options)
        if prompt:
            yield prompt, [_answer(tree, pair.chosen, options)], [_answer(tree, pair.rejected, options)]


def _is_wanted(pair: Pair, options: WriteOptions) -> bool:
    return options.only.accepts(pair.chosen) or options.only.accepts(pair.rejected)


def _prompt(paths: Paths, answer: Node, options: WriteOptions) -> list[Said]:
    """What stands above the answer; empty where nobody has said anything there.

    (A prompt that ends with words of the assistant asks nobody for anything: nothing answers it.)
    """
    options.step()
    above = turns_of(paths.tree, paths.down_to(answer.message.parent), options)
    while above and (above[-1].role == "tool" or above[-1].calls):
        above.pop()  # steps of this very answer
    turns = merged(above)
    if not turns or turns[-1].role != "user":
        return []
    return [{"role": turn.role, "content": words_of(turn, options)} for turn in turns]


def _answer(tree: Tree, node: Node, options: WriteOptions) -> Said:
    (turn,) = merged(turn for turn in turns_of(tree, [node], options) if turn.node is node)
    return {"role": "assistant", "content": words_of(turn, options)}


SFT = Sft()
KTO = Kto()
DPO = Dpo()
OPENAI_DPO = OpenaiDpo()
