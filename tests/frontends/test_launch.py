"""`Chat.launch` in a program of its own: how it begins and how it ends."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import anyio
import httpx
import pytest

from chatcore import Message, open_engine, text_of
from tests.frontends.commands import read_until
from tests.frontends.serving import free_port
from tests.source_tree import ROOT

STAYING = """
import socket
import traceback
import urllib.request
import httpx
import gradio as gr
from chatcore.errors import ResponderError
from chatcore.responders import ResponderOptions
from chatcore.responders.openai_compatible import open_responder
from frontends import gradio_web

def upload(url):
    httpx.post(url + "/gradio_api/upload", files={"files": ("a.txt", b"x")}).raise_for_status()

with gr.Blocks() as demo:
    chat = gradio_web.Chat("sqlite:data")
with gr.Blocks() as keyless:
    lacking = gradio_web.Chat("sqlite:data", responder=open_responder(ResponderOptions(model="some")))
try:
    lacking.launch(keyless, server_port=0)
except ResponderError as error:
    told = traceback.format_exception(error)
    print(len(told), told[-1], end="")
with socket.create_server(("127.0.0.1", 0)) as taken:
    for beside in (True, False):
        try:
            chat.launch(demo, server_port=taken.getsockname()[1], prevent_thread_lock=beside)
        except Exception as error:
            told = traceback.format_exception(error)
            print(len(told), told[-1], end="")
for _ in range(2):
    running = chat.launch(demo, prevent_thread_lock=True, server_port=0, quiet=True)
    with urllib.request.urlopen(running.url + "/api/health") as answer:
        print(answer.status)
    upload(running.url)
    running.close()
    running.close()
chat.launch(demo, prevent_thread_lock=True, server_port=0)
print("The program ends, the server has not been closed.")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_a_signal_and_keeps_what_was_said(tmp_path: Path, number: signal.Signals) -> None:
    """An example, as it is run by itself."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, ROOT / "examples" / "04_stop_and_regenerate.py"],
        cwd=tmp_path,
        env={**os.environ, "GRADIO_SERVER_PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process, httpx.Client(base_url=f"http://127.0.0.1:{port}/api", timeout=10) as http:
        try:
            said = read_until(process, b"Ctrl-C stops.\n", seconds=30.0)
            made = http.post("/conversations", json={}).json()["id"]
            sent = http.post(f"/conversations/{made}/messages", json={"text": "Count!"}).json()
            with http.stream("GET", f"/events?conversation={made}") as events:
                next(line for line in events.iter_lines() if "text_delta" in line)
                began = time.monotonic()
                process.send_signal(number)
                process.wait(timeout=10)
            assert time.monotonic() - began < 2.5
        finally:
            process.kill()
        more, complaints = process.communicate()
    assert process.returncode == 0
    assert said == f"Chat at http://127.0.0.1:{port}\nCtrl-C stops.\n"
    assert (more, complaints) == (b"", b"")
    answer = anyio.run(stored, f"sqlite:{tmp_path / 'chats'}", sent["answer"]["id"])
    assert answer.status == "interrupted"
    assert text_of(answer.parts)


async def stored(url: str, message_id: str) -> Message:
    async with open_engine(url) as engine:
        return await engine.message(message_id)


def test_it_can_run_beside_the_program(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    (temporary / "chatcore-uploads-left.held" / "some").mkdir(parents=True)  # by one that was killed
    environment = {**os.environ, "TMPDIR": str(temporary)}
    environment.pop("GRADIO_TEMP_DIR", None)  # this process's own, where another test has imported Gradio
    environment.pop("OPENAI_API_KEY", None)
    done = subprocess.run(
        [sys.executable, "-c", STAYING],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    keyless, *refused, first, second, _, _, last = done.stdout.splitlines()
    assert keyless.startswith("4 chatcore.errors.ResponderError: There is no key: ")
    for sentence in refused:  # beneath a heading, the program's line and that of `launch`
        assert re.fullmatch(r"4 frontends\.listeners\.AddressTaken: Port \d+ of 127\.0\.0\.1 is .*", sentence)
    assert len(refused) == 2
    assert (first, second) == ("200", "200")
    assert last == "The program ends, the server has not been closed."
    assert (tmp_path / "data" / "clean").exists()  # it was, in the end
    assert list(temporary.iterdir()) == [], "what was uploaded is removed, and what Gradio makes by itself"
