"""Power cuts by the thousand: scripts/soak power [CUTS [SEED]]. The suite does the same 300 times."""

import logging
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[2]))  # run by path: the tests are no package that is installed

from tests.faults.power import BREAKAGES, judge
from tests.faults.workload import record

CUTS_EACH = 50
BREAKAGES_EACH = 100
OPEN_EVERY = 5


def main(cuts: int, seed: int) -> int:
    logging.disable(logging.WARNING)  # planned failures of responders
    began = time.perf_counter()
    done = opened = whole = 0
    wrong: list[str] = []
    while done < cuts:
        with TemporaryDirectory() as name:
            directory = Path(name)
            recorder = record(seed, directory / "data")
            verdict = judge(
                recorder, directory, seed=seed, wanted=min(CUTS_EACH, cuts - done), open_every=OPEN_EVERY
            )
        done += verdict.cuts
        opened += verdict.opened
        whole += verdict.whole
        wrong += [f"seed {seed}: {sentence}" for sentence in verdict.wrong]
        seed += 1
    seconds = time.perf_counter() - began
    print(f"{done} power cuts, {opened} of them opened by the engine, in {seconds:.1f} s.")
    print(f"{done - whole} took deltas of running answers (as they may), {len(wrong)} broke a promise.")
    for sentence in wrong:
        print(sentence)
    blind = _blind_to(seed)
    print(f"{len(BREAKAGES) - len(blind)} of {len(BREAKAGES)} planted breakages were found.", *blind)
    return 1 if wrong or blind else 0


def _blind_to(seed: int) -> list[str]:
    """The breakages that are not found, though they were planted."""
    with TemporaryDirectory() as name:
        directory = Path(name)
        recorder = record(seed, directory / "data")
        return [
            name
            for name, breakage in BREAKAGES.items()
            if not judge(
                recorder, directory, seed=seed, wanted=BREAKAGES_EACH, open_every=4, breakage=breakage
            ).wrong
        ]


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*given, *(2_000, 100)[len(given) :]))
