"""Ingest 100,000 files that are almost right: nothing may crash, hang, be half stored or go uncounted.

usage: scripts/soak fuzz [FILES [SEED]]
"""

import sys
import time

from tests.ingestion.fuzzing import Fuzz

EACH = 1_000

if __name__ == "__main__":
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    begun = time.monotonic()
    wrong: list[str] = []
    taken = left = 0
    for number in range(0, files, EACH):
        fuzz = Fuzz(seed + number // EACH)
        fuzz.run(min(EACH, files - number))
        wrong += fuzz.wrong
        taken, left = taken + fuzz.taken, left + fuzz.left
        for sentence in fuzz.wrong:
            print(f"seed {seed + number // EACH}: {sentence}", flush=True)
    print(
        f"{files:,} files, {taken:,} conversations, {left:,} records left out, {len(wrong)} wrong, "
        f"{time.monotonic() - begun:.0f} s"
    )
    sys.exit(1 if wrong else 0)
