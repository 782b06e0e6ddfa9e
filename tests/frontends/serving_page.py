"""A server with the page, in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chatcore import Engine, Limits, open_engine
from chatcore.testing import ScriptedResponder
from frontends import gradio_web, http_api
from frontends.server import build_app
from frontends.site import Site
from tests.frontends.serving import running, user_of


@asynccontextmanager
async def serving_page(
    folder: Path, limits: Limits | None = None
) -> AsyncIterator[tuple[str, Engine, ScriptedResponder]]:
    """Address, engine and script of a server with the page."""
    script = ScriptedResponder()
    async with open_engine(f"sqlite:{folder / 'data'}", responder=script, limits=limits) as engine:
        site = Site(engine, title="Tests", model="a script", user_of=user_of)
        app = build_app(site, {"http_api": http_api.mount, "gradio_web": gradio_web.frontend})
        async with running(app, site, None) as (address, _):
            yield address.url, engine, script
