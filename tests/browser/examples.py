"""All examples, each in a process of its own: ``python -m tests.browser.examples FOLDER PORT...``.

The processes are forked from one that has imported Gradio, which takes longer than everything else. Each
runs its file as ``python FILE`` does, in a folder of its own below `FOLDER`.
"""

import os
import runpy
import sys
from pathlib import Path

from frontends import gradio_web
from tests.source_tree import ROOT

__all__ = ["EXAMPLES"]

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def run(example: Path, folder: Path, port: int) -> None:
    folder.mkdir()
    os.chdir(folder)
    os.environ["GRADIO_SERVER_PORT"] = str(port)
    runpy.run_path(str(example), run_name="__main__")


def main(folder: Path, ports: list[int]) -> None:
    assert gradio_web.Chat is not None  # imported before the fork
    for example, port in zip(EXAMPLES, ports, strict=True):
        if os.fork() == 0:
            try:
                run(example, folder / example.stem, port)
            finally:
                os._exit(0)  # what is to be done at the end is the first process's
    for _ in EXAMPLES:
        os.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(port) for port in sys.argv[2:]])
