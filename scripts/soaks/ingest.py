"""Kill an ingestion with SIGKILL at 50 random moments; the stores must end as one that ran through.

usage: scripts/soak ingest [KILLS [SEED]]
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.kills.ingestion import IngestionRig

if __name__ == "__main__":
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        rig = IngestionRig(Path(directory), seed)
        rig.kill_rounds(kills)
    for sentence in rig.wrong:
        print(sentence)
    print(
        f"{kills} kills, {rig.in_the_middle} of them in the middle, {len(rig.wrong)} differences, "
        f"{time.monotonic() - begun:.0f} s"
    )
    sys.exit(1 if rig.wrong else 0)
