"""Ingests a file, read in a process of its own however small it is; says when the first batch is stored.

usage: python apart_main.py DIRECTORY FILE
"""

import sys

import anyio

from chatcore import IngestProgress, open_engine
from chatcore.ingestion import apart


async def main(directory: str, file: str) -> None:
    apart.LARGE_BYTES = 0

    def tell(at: IngestProgress) -> None:
        print(at.messages, flush=True)

    async with open_engine(f"sqlite:{directory}") as engine:
        await engine.ingest(file, progress=tell)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2])
