"""The chat as it is served, with a responder that a test tells what to say: ``python -m tests.browser.app``.

A process of its own, so that it can be killed. The routes below ``/script`` are the test's: each names a run
by its question, and waits until there is one.
"""

import argparse
import logging
from collections import defaultdict
from collections.abc import AsyncIterator

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from chatcore import Limits, open_engine
from chatcore.asked import Asked
from chatcore.errors import ResponderError
from chatcore.messages import Reasoning, ToolCall, ToolResult, Usage
from chatcore.ports import Output
from chatcore.testing import ScriptedResponder, ScriptedRun
from frontends import gradio_web, http_api
from frontends.server import build_app, serve
from frontends.site import Site
from tests.frontends.serving import user_of

PARTS = {"reasoning": Reasoning, "tool_call": ToolCall, "tool_result": ToolResult, "usage": Usage}
MEMORY_TOKENS = 100
MOST_BYTES = 1_000_000
"""Of one file: small, so that a test can have one that is too large."""


class Forgetful(ScriptedResponder):
    """Answers a conversation whose responder is ``forgetful`` from a memory of a few short messages.

    Args:
        other: Whose runs it tells of its own.
    """

    def __init__(self, other: ScriptedResponder) -> None:
        super().__init__("forgetful", can_continue=True)
        self._other = other

    async def respond(self, asked: Asked) -> AsyncIterator[Output]:
        await asked.newest(MEMORY_TOKENS)
        async for output in self._other.respond(asked):
            yield output


class Stage:
    """The runs that have begun, by their questions."""

    def __init__(self, responder: ScriptedResponder) -> None:
        self._responder = responder
        self._runs: dict[str, list[ScriptedRun]] = defaultdict(list)
        self._more = anyio.Event()

    async def collect(self) -> None:
        while True:
            run = await self._responder.next_run()
            self._runs[run.asked.text].append(run)
            self._more.set()
            self._more = anyio.Event()

    async def run(self, question: str) -> ScriptedRun:
        """The open run of this question."""
        while True:
            for run in self._runs[question]:
                if not run.closed.is_set():
                    return run
            await self._more.wait()

    def mount(self, app: Starlette, site: Site) -> None:
        app.routes.append(
            Mount(
                "/script",
                routes=[
                    Route("/say", self._say, methods=["POST"]),
                    Route("/part", self._part, methods=["POST"]),
                    Route("/end", self._end, methods=["POST"]),
                    Route("/fail", self._fail, methods=["POST"]),
                    Route("/refuse", self._refuse, methods=["POST"]),
                ],
            )
        )

    async def _say(self, request: Request) -> Response:
        told = await request.json()
        (await self.run(told["question"])).say(*told["texts"])
        return JSONResponse(None)

    async def _part(self, request: Request) -> Response:
        told = await request.json()
        (await self.run(told["question"])).say(PARTS[told["kind"]](**told["fields"]))
        return JSONResponse(None)

    async def _end(self, request: Request) -> Response:
        told = await request.json()
        run = await self.run(told["question"])
        run.end(*told["texts"])
        await run.closed.wait()
        return JSONResponse(None)

    async def _fail(self, request: Request) -> Response:
        told = await request.json()
        run = await self.run(told["question"])
        run.fail(ResponderError(told["reason"]))
        await run.closed.wait()
        return JSONResponse(None)

    async def _refuse(self, request: Request) -> Response:
        self._responder.refuses = (await request.json())["reason"]
        return JSONResponse(None)


async def main(url: str, port: int) -> None:
    responder = ScriptedResponder(can_continue=True)
    stage = Stage(responder)
    opened = open_engine(
        url, responder=responder, responders=[Forgetful(responder)], limits=Limits(file_bytes=MOST_BYTES)
    )
    async with opened as engine, anyio.create_task_group() as tasks:
        site = Site(engine, title="Tests", model="Scripted 1", user_of=user_of)
        frontends = {"http_api": http_api.mount, "script": stage.mount, "gradio_web": gradio_web.frontend}
        tasks.start_soon(stage.collect)
        await serve(
            build_app(site, frontends),
            site=site,
            port=port,
            started=lambda address: print(address.url, flush=True),
        )
        tasks.cancel_scope.cancel()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("port", type=int)
    given = parser.parse_args()
    anyio.run(main, given.url, given.port)
