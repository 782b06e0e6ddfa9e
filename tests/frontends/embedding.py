"""Pages of somebody's own with the chat in them, served in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import gradio as gr
import uvicorn
from fastapi import FastAPI

from frontends.gradio_web import Chat, mount
from frontends.server import Address
from tests.frontends.serving import free_port

__all__ = ["mounted", "own_page", "served"]


def named(path: str) -> str:
    return path


def own_page(chat: Chat, demo: gr.Blocks) -> None:
    """Components of theirs beside the chat: one takes a file."""
    with demo:
        given = gr.File(label="Theirs")
        gr.Button("Theirs").click(named, given, gr.Textbox())


@asynccontextmanager
async def served(chat: Chat, demo: gr.Blocks) -> AsyncIterator[str]:
    """Our own server with the page; gives its address."""
    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            addresses: list[Address] = []
            started = anyio.Event()

            def tell(address: Address) -> None:
                addresses.append(address)
                started.set()

            async def run() -> None:
                await chat.serve(demo, started=tell, server_port=0, quiet=True)

            tasks.start_soon(run)
            await started.wait()
            yield addresses[0].url
            chat.site.close()


class _Server(uvicorn.Server):
    """As it is, but signals are pytest's."""

    def __init__(self, config: uvicorn.Config, started: anyio.Event) -> None:
        super().__init__(config)
        self._is_up = started

    async def startup(self, sockets: object = None) -> None:
        await super().startup()
        self._is_up.set()


@asynccontextmanager
async def mounted(chat: Chat, demo: gr.Blocks, path: str) -> AsyncIterator[str]:
    """The page below `path` of a FastAPI app, in a server that is not ours; gives the page's address."""
    app = FastAPI()

    @app.get("/hello")
    def hello() -> str:
        return "Their own route."

    mount(app, demo, chat, path=path)
    started = anyio.Event()
    port = free_port()
    server = _Server(uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=1), started)
    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server._serve)
            await started.wait()
            yield f"http://127.0.0.1:{port}{path.rstrip('/')}"
            chat.site.close()
            server.should_exit = True
