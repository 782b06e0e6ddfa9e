"""The local model's process: it never holds up the one that started it, and never outlives it."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from chatcore.errors import ResponderError
from chatcore.responders import ResponderOptions, local
from chatcore.responders.local import LocalModel, open_responder
from chatcore.responders.weights import find_weights
from tests.responders.asking import said, talk_about
from tests.responders.local_model import OPTIONS, answer, child_processes, endless, first_word, needs_weights

pytestmark = needs_weights


@pytest.mark.measures
async def test_opening_and_answering_never_hold_up_the_event_loop() -> None:
    gaps: list[float] = []

    async def tick() -> None:
        last = time.perf_counter()
        while True:
            await anyio.sleep(0.002)
            gaps.append(time.perf_counter() - last)
            last += gaps[-1]

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tick)
        async with open_responder(OPTIONS) as responder:
            talk = talk_about("Hello", parameters={"max_tokens": 20})
            assert said([output async for output in responder.respond(talk.asked())])
        tasks.cancel_scope.cancel()
    # 20 ms on an idle machine. Loading takes a second or more: in this process it would be one gap.
    assert sorted(gaps)[len(gaps) * 99 // 100] < 0.05
    assert max(gaps) < 0.5


async def test_it_is_started_again_when_it_has_died() -> None:
    async with open_responder(OPTIONS) as model:
        assert isinstance(model, LocalModel)
        await kill_and_ask(model)


async def kill_and_ask(model: LocalModel) -> None:
    outputs = model.respond(endless().asked())
    await first_word(outputs)
    process = model._process
    assert process is not None
    process.process.kill()
    with pytest.raises(ResponderError, match=r"^The connection to the local model ended in mid-answer\.$"):
        async for _ in outputs:
            pass
    await process.process.wait()
    assert await answer(model, talk_about("Hello", parameters={"max_tokens": 2}))


async def test_it_has_ended_when_the_block_is_left() -> None:
    before = await child_processes()
    async with open_responder(OPTIONS):
        [started] = await child_processes() - before
    assert started not in await child_processes()


async def test_cancelling_while_it_loads_leaves_nothing_behind() -> None:
    before = await child_processes()
    while_it_starts = (0.0, 0.001, 0.002, 0.004, 0.008)
    for seconds in (*while_it_starts, 0.1, 0.3):
        with anyio.move_on_after(seconds) as scope:
            async with open_responder(OPTIONS):
                await anyio.sleep_forever()
        assert scope.cancelled_caught
        assert await child_processes() == before


async def test_weights_that_are_damaged_are_an_error(tmp_path: Path) -> None:
    path = anyio.Path(tmp_path / "short.gguf")
    whole = (await anyio.to_thread.run_sync(find_weights, None)).path
    async with await anyio.open_file(whole, "rb") as file:
        await path.write_bytes(await file.read(3_000_000))
    with pytest.raises(ResponderError, match=r"short\.gguf can't be loaded: .+\.$"):
        async with open_responder(ResponderOptions(model=str(path))):
            pass
    await path.write_bytes(b"GGUF" + b"\xff" * 100)
    with pytest.raises(ResponderError, match=r"short\.gguf can't be loaded: .+\.$"):
        async with open_responder(ResponderOptions(model=str(path))):
            pass


async def test_loading_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "LOAD_SECONDS", 0.05)
    with pytest.raises(ResponderError, match=r"SmolLM2-135M-Instruct was not loaded within 0\.05 seconds\."):
        async with open_responder(OPTIONS):
            pass


PROGRAM = """
import asyncio, sys
from chatcore.responders import ResponderOptions
from chatcore.responders.local import open_responder

async def main():
    async with open_responder(ResponderOptions(context_tokens=512)) as model:
        print(model._process.process.pid, flush=True)
        await asyncio.to_thread(sys.stdin.readline)

asyncio.run(main())
print("end", flush=True)
"""


def start_program() -> tuple[subprocess.Popen[str], int]:
    pipe = subprocess.PIPE
    program = subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM],
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
    )
    assert program.stdout is not None
    return program, int(program.stdout.readline())


def has_ended(pid: int) -> bool:
    """Whether the process ends within three seconds."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return select.select([process], [], [], 3.0)[0] == [process]
    finally:
        os.close(process)


@pytest.mark.measures
def test_python_ends_at_once_and_says_nothing() -> None:
    program, pid = start_program()
    started = time.monotonic()
    output, errors = program.communicate("\n", timeout=10)
    assert (program.returncode, output, errors) == (0, "end\n", "")
    assert time.monotonic() - started < 2
    assert has_ended(pid)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_it_does_not_outlive_the_process_that_started_it(name: str) -> None:
    program, pid = start_program()
    program.send_signal(signal.Signals[name])
    with program:
        if name == "SIGINT":
            program.communicate("\n", timeout=10)
        assert has_ended(pid)
        program.kill()
