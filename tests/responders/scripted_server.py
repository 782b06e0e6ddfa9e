"""A real HTTP server that speaks chat completions as the test wants, faults included."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

Json = dict[str, object]
Chunk = bytes | Callable[[], Awaitable[object]]
"""Bytes that are sent, or something that is awaited before the next."""


class ScriptedServer:
    """Answers requests with what the test has put in line; the last reply serves all further requests.

    Attributes:
        requests: Bodies of the completions asked for, oldest first.
        keys: The keys they came with.
        gone: Set when a client has left before the end of its stream.
        models: What the list of models says; a status code when it is refused.
    """

    def __init__(self) -> None:
        self.requests: list[Json] = []
        self.keys: list[str] = []
        self.gone = anyio.Event()
        self.models: list[Json] | int = [{"id": "m-1", "object": "model"}]
        self.props: Json | None = None
        self.address = ""
        self._replies: list[Callable[[], Response]] = []

    @property
    def url(self) -> str:
        return f"{self.address}/v1"

    def reply(self, *chunks: Chunk) -> None:
        """A stream of these chunks, then the end of the connection's body."""
        self._replies.append(lambda: StreamingResponse(self._stream(chunks), media_type="text/event-stream"))

    def say(self, *texts: str, finish: str = "stop", usage: tuple[int, int] | None = None) -> None:
        """A whole and orderly answer."""
        counted = [usage_chunk(*usage)] if usage else []
        self.reply(*map(text_chunk, texts), finish_chunk(finish), *counted, DONE)

    def refuse(
        self, status: int, message: str = "", *, headers: dict[str, str] | None = None, **error: object
    ) -> None:
        """An error as OpenAI words it."""
        body = {"error": {"message": message, **error}}
        quick = {"retry-after-ms": "1", **(headers or {})}  # the client's own pause is half a second
        self._replies.append(lambda: JSONResponse(body, status, headers=quick))

    def reply_raw(self, status: int, body: bytes, media_type: str = "text/html") -> None:
        """Something that is no protocol at all."""
        self._replies.append(lambda: Response(body, status, media_type=media_type))

    async def complete(self, request: Request) -> Response:
        self.requests.append(await request.json())
        self.keys.append(request.headers.get("authorization", ""))
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        return reply()

    async def list_models(self, request: Request) -> Response:
        if isinstance(self.models, int):
            return JSONResponse({"error": {"message": "no list"}}, self.models)
        return JSONResponse({"object": "list", "data": self.models})

    async def show_props(self, request: Request) -> Response:
        return JSONResponse(self.props) if self.props is not None else Response(status_code=404)

    async def _stream(self, chunks: tuple[Chunk, ...]) -> AsyncIterator[bytes]:
        whole = False
        try:
            for chunk in chunks:
                if isinstance(chunk, bytes):
                    yield chunk
                else:
                    await chunk()
            whole = True
        finally:
            if not whole:
                self.gone.set()


def event(data: object) -> bytes:
    return b"data: " + (data if isinstance(data, bytes) else json.dumps(data).encode()) + b"\n\n"


def delta_chunk(finish: str | None = None, **delta: object) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event(
        {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    )


def text_chunk(text: str) -> bytes:
    return delta_chunk(content=text)


def finish_chunk(reason: str = "stop") -> bytes:
    return delta_chunk(reason)


def usage_chunk(prompt: int, completion: int) -> bytes:
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return event(
        {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [],
            "usage": usage,
        }
    )


DONE = b"data: [DONE]\n\n"


async def cut() -> None:
    """Awaited between chunks: the connection breaks off."""
    raise ConnectionAbortedError("cut by the test")


@asynccontextmanager
async def open_scripted_server() -> AsyncIterator[ScriptedServer]:
    """The server, listening on a free port."""
    scripted = ScriptedServer()
    app = Starlette(
        routes=[
            Route("/v1/chat/completions", scripted.complete, methods=["POST"]),
            Route("/v1/models", scripted.list_models),
            Route("/props", scripted.show_props),
        ]
    )
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        scripted.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        # Without `serve` and `shutdown`: the one takes the process's signals, the other waits 0.1 seconds.
        await server.startup(sockets=[listener])
        try:
            yield scripted
        finally:
            for each in server.servers:
                each.close()
            for connection in list(server.server_state.connections):
                connection.transport.abort()
            with anyio.fail_after(5, shield=True):
                await asyncio.gather(*map(_end, server.server_state.tasks))


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def free_port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
