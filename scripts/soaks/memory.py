"""Many exchanges with the local model, through the engine and the store, until its memory has moved often.

usage: scripts/soak memory [EXCHANGES [CONTEXT_TOKENS]]
"""

import random
import sys
import tempfile
import time
from pathlib import Path

import anyio
from msgspec import Struct, field

from chatcore import Engine, Message, Refused, Settings, open_engine
from chatcore.responders import ResponderOptions
from chatcore.responders.local import open_responder

ANSWER_TOKENS = 60
WORDS = "tell me more about the sea and its ships how they are built why some of them sink and who finds them"


class Tally(Struct):
    """What the exchanges came to."""

    wrong: list[str] = field(default_factory=list)
    steps: int = 0
    prompt_tokens: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


async def main(exchanges: int, context_tokens: int) -> int:
    """Ask that often; 0 when every question was answered."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        options = ResponderOptions(context_tokens=context_tokens)
        async with (
            open_responder(options) as model,
            open_engine(f"sqlite:{Path(name, 'data')}", responder=model) as engine,
        ):
            await converse(engine, exchanges, tally)
            if not await refuses(engine, context_tokens):
                tally.wrong.append("a question that is too long was not refused")
    report(tally, exchanges, context_tokens)
    return 1 if tally.wrong else 0


async def converse(engine: Engine, exchanges: int, tally: Tally) -> None:
    """One conversation of so many exchanges."""
    chance = random.Random(1)
    conversation = await engine.create(settings=Settings(parameters={"max_tokens": ANSWER_TOKENS}))
    before: Message | None = None
    for number in range(exchanges):
        text = (
            f"Question {number}: " + " ".join(chance.choices(WORDS.split(), k=chance.randint(10, 90))) + "?"
        )
        began = time.monotonic()
        with anyio.fail_after(300):
            sent = await engine.send(conversation.id, text)
            answer = await engine.wait_ended(sent.answer.id)
        tally.seconds.append(time.monotonic() - began)
        if answer.status != "complete" or not answer.parts:
            tally.wrong.append(f"exchange {number}: {answer.status}: {answer.reason}")
        if answer.usage is not None and answer.usage.prompt_tokens is not None:
            tally.prompt_tokens.append(answer.usage.prompt_tokens)
        tally.steps += before is not None and before.memory_from != answer.memory_from
        before = answer


async def refuses(engine: Engine, context_tokens: int) -> bool:
    """Whether a question of more than the whole context is refused before it is stored."""
    conversation = await engine.create()
    try:
        await engine.send(conversation.id, "word " * context_tokens)
    except Refused:
        return not (await engine.page(conversation.id)).messages
    return False


def report(tally: Tally, exchanges: int, context_tokens: int) -> None:
    """Say what came of it."""
    for sentence in tally.wrong:
        print(sentence)
    seconds = sorted(tally.seconds)
    print(
        f"{exchanges} exchanges with {context_tokens:,} tokens, {len(tally.wrong)} of them wrong: "
        f"the memory moved {tally.steps} times, the longest prompt had {max(tally.prompt_tokens):,} tokens."
    )
    print(
        f"Seconds for an answer of {ANSWER_TOKENS} tokens: median {seconds[len(seconds) // 2]:.2f}, "
        f"longest {seconds[-1]:.1f}, all together {sum(seconds):.0f}."
    )


if __name__ == "__main__":
    exchanges, context_tokens = [*map(int, sys.argv[1:]), *(200, 8192)[len(sys.argv) - 1 :]]
    sys.exit(anyio.run(main, exchanges, context_tokens))
