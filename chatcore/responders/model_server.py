"""Run as a program of its own: llama.cpp's server for the local model, until standard input ends.

Loading holds Python's lock for its whole length, and a fault in llama.cpp ends the process it happens in:
so it is not the process that serves people. It reads one line of JSON (what to serve), writes one (the
address, or an error), and ends at once when whoever started it is gone, however that came about.
Imports nothing of chatcore: it is started by its path, and its start should take no longer than it must.
"""

import json
import os
import signal
import sys
from typing import TypedDict

BATCH_TOKENS = 256
"""How much of a prompt is worked off in one go: while it is, no other answer goes on and none is stopped."""

CACHE_MIB = 512
"""For the prompts of conversations that have no slot at the moment (the default is 8 GiB)."""


class Wanted(TypedDict):
    """What is to be served: the line that comes in.

    `path` is where packages are found; `context_tokens` are for each of the `slots`, which answer at a time;
    `threads` read prompts, `answer_threads` write answers.
    """

    path: list[str]
    weights: str
    name: str
    api_key: str
    slots: int
    context_tokens: int
    threads: int
    answer_threads: int


def main() -> None:
    """Serve what standard input says until it ends."""
    # Ctrl-C and `kill` at a whole group of processes are meant for the one that started this.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # llama.cpp must not write between the lines
    line = sys.stdin.buffer.readline()
    if not line:
        return
    wanted: Wanted = json.loads(line)
    sys.path[:] = wanted["path"]
    # Threads that spin while they wait for each other come to a standstill where anything else wants a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        server = open_server(wanted)
    except (ImportError, RuntimeError, ValueError) as error:
        answer.write(json.dumps({"error": str(error)}) + "\n")
        answer.close()
        return
    os.dup2(silence, 2)  # what happened until now tells why it can't be loaded; later nobody reads it
    answer.write(json.dumps({"address": server.listening_address}) + "\n")
    answer.close()
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)  # there is nothing to be saved: an orderly end of llama.cpp takes 0.2 s and more


def open_server(wanted: Wanted):  # type: ignore[no-untyped-def]
    """llama.cpp's server with the weights loaded, listening on a free port of 127.0.0.1."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = wanted["weights"]
    params.model_alias = {wanted["name"]}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [wanted["api_key"]]
    params.cors_origins = ""  # no web page is to speak to it
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = 1  # errors
    params.n_parallel = wanted["slots"]
    params.n_ctx = wanted["slots"] * wanted["context_tokens"]
    params.kv_unified = False
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.cache_ram_mib = CACHE_MIB
    params.cpuparams.n_threads = wanted["answer_threads"]
    params.cpuparams_batch.n_threads = wanted["threads"]
    params.cpuparams.poll = params.cpuparams_batch.poll = 0  # no spinning while waiting for work
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
