"""Kill a server with SIGKILL at random moments in mid-answer, 500 times, while another process follows.

usage: scripts/soak kill [KILLS [SEED]]
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.kills.rig import Rig

if __name__ == "__main__":
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        rig = Rig(Path(directory, "data"), seed)
        rig.kill_rounds(kills)
    for sentence in rig.lost:
        print(sentence)
    print(
        f"{kills} kills, {rig.characters:,} characters seen, {len(rig.lost)} losses, "
        f"{time.monotonic() - begun:.0f} s"
    )
    sys.exit(1 if rig.lost else 0)
