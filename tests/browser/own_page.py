"""Pages of somebody's own in an app of their own: ``python -m tests.browser.own_page STORE PORT``.

At ``/chat`` the chat's pieces stand singly among other components; at ``/read`` nothing can be written.
Served by uvicorn, which knows nothing of the chat; only that it is up is told, by printing its address.
"""

import socket
import sys
from collections.abc import AsyncIterator

import anyio
import gradio as gr
import uvicorn
from fastapi import FastAPI

from chatcore import Limits
from chatcore.asked import Asked
from frontends import gradio_web


async def count(asked: Asked) -> AsyncIterator[str]:
    """“Count to 3” and the like, or for ever from there: “Count on from 3”."""
    for number in range(1, int(asked.text.split()[-1]) + 1):
        yield f"{number} "
    if "from" in asked.text:
        await anyio.sleep_forever()


def note(before: str, event: gr.EventData) -> str:
    given = event._data
    return f"{before}{given['conversation_id'][:0]}{given.get('rating', '')}{given.get('text', '.')};"


def pieces(store: str) -> tuple[gr.Blocks, gradio_web.Chat]:
    with gr.Blocks(title="Their page") as demo:
        gr.Markdown("# Their page")
        limits = Limits(media_types=("image/*", "application/pdf"))
        chat = gradio_web.Chat(store, responder=count, limits=limits, place=False)
        with gr.Row():
            with gr.Column(scale=2):
                chat.composer()
                chat.history(height=420)
            with gr.Column(scale=1):
                chat.sidebar(height=260)
        events = {"sent": chat.sent, "answered": chat.answered, "rated": chat.rated, "opened": chat.opened}
        for name, listen in events.items():
            happened = gr.Textbox(label=f"Was {name}")
            listen(note, happened, happened)
    return demo, chat


def reading(store: str) -> tuple[gr.Blocks, gradio_web.Chat]:
    with gr.Blocks() as demo:
        chat = gradio_web.Chat(store, responder=count, place=False)
        chat.history()
    return demo, chat


class Telling(uvicorn.Server):
    """As it is, but for a line when connections are answered."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"http://{self.config.host}:{self.config.port}", flush=True)


def main(store: str, port: int) -> None:
    app = FastAPI()

    for path, (demo, chat) in {"/chat": pieces(store), "/read": reading("memory:")}.items():
        gradio_web.mount(app, demo, chat, path=path)
    Telling(uvicorn.Config(app, port=port, log_level="warning")).run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
