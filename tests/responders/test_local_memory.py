"""A hundred exchanges with a real model whose memory is far too small; `scripts/soak memory` has more."""

import itertools

import anyio
import pytest

from chatcore.messages import Settings, Usage
from chatcore.responders import ResponderOptions
from chatcore.responders.local import open_responder
from tests.responders.asking import Talk, said
from tests.responders.local_model import needs_weights

EXCHANGES = 100
CONTEXT_TOKENS = 512


@needs_weights
@pytest.mark.measures  # for it takes both processors
async def test_a_hundred_exchanges_go_on_without_an_error() -> None:
    talk = Talk(Settings(parameters={"max_tokens": 1, "ignore_eos": True}))
    begins: list[str | None] = []
    largest = 0
    with anyio.fail_after(55):
        async with open_responder(ResponderOptions(context_tokens=CONTEXT_TOKENS)) as responder:
            assert responder.context_tokens == CONTEXT_TOKENS
            for number in range(EXCHANGES):
                outputs = await talk.ask(responder, f"{number}?")
                assert said(outputs)
                begins.append(talk.memory_from)
                [usage] = [output for output in outputs if isinstance(output, Usage)]
                assert usage.prompt_tokens is not None
                largest = max(largest, usage.prompt_tokens)
    steps = sum(before != after for before, after in itertools.pairwise(begins))
    assert CONTEXT_TOKENS / 2 < largest <= CONTEXT_TOKENS - 2
    assert 3 <= steps <= EXCHANGES / 5
