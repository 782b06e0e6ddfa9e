"""Gradio inside of our server: what must be set, and when, so that it is safe, quick and quiet."""

import atexit
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import anyio
import gradio as gr
from fastapi import FastAPI
from gradio.routes import App
from starlette.applications import Starlette
from starlette.routing import Mount

from frontends.gradio_web.assets import Assets
from frontends.gradio_web.headers import PageHeaders
from frontends.gradio_web.page import build_page
from frontends.site import Site

__all__ = ["mount_page"]

RUNNING_EVENTS = 1000
"""Events that may run at once, of all tabs and clients together (Gradio's own bound is 40)."""

SESSIONS_KEPT = 200
"""Page loads whose state Gradio keeps (its own number is 10,000, half a megabyte each)."""

FONT = ("-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
FONT_MONO = ("ui-monospace", "Menlo", "Consolas", "Liberation Mono", "monospace")
"""What people's machines have: the fonts that come with Gradio lack most letters of their bold cuts."""


def mount_page(app: Starlette, site: Site) -> None:
    """Put the page, its files and its endpoints into the app, and what they need into its lifespan."""
    uploads = Path(tempfile.mkdtemp(prefix="chatcore-uploads-"))  # readable by its owner only
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    _extend_lifespan(app, uploads)
    assets = Assets()
    app.mount(assets.address, assets)
    demo = build_page(site, assets, uploads)
    _widen(demo)
    gr.mount_gradio_app(
        cast("FastAPI", app),  # it uses nothing that a Starlette has not
        demo,
        "/",
        theme=gr.themes.Default(
            primary_hue="neutral", neutral_hue="neutral", radius_size="lg", font=FONT, font_mono=FONT_MONO
        ),
        head=assets.head,
        footer_links=[],
        run_history=False,  # it would keep what is said in the browser's storage, unencrypted
        max_file_size=site.engine.limits.file_bytes,
        enable_monitoring=False,
        show_error=True,
        ssr_mode=False,
        pwa=False,
        favicon_path=str(assets.folder / "favicon.png"),
    )
    # Without this Gradio checks no path: any client could read any file of this machine. Only `launch()`,
    # which is not used here, sets it. tests/frontends/test_gradio_files.py holds it in place.
    demo.has_launched = True
    _finish(app, site, demo)


def _widen(demo: gr.Blocks) -> None:
    demo.max_threads = RUNNING_EVENTS  # read by queue()
    demo.state_session_capacity = SESSIONS_KEPT
    demo.queue(default_concurrency_limit=None)
    queue = demo._queue
    queue.sleep_when_free = 0.02  # it polls every millisecond otherwise: 7 % of a core for nothing
    queue.progress_update_sleep_when_free = 0.25
    queue.ANAYLTICS_CACHE_FREQUENCY = (
        sys.maxsize
    )  # its own spelling; else pandas sums up all events at each one
    queue.ANALYTICS_MAX_EVENTS = 1


def _finish(app: Starlette, site: Site, demo: gr.Blocks) -> None:
    route = cast("Mount", app.routes[-1])
    gradio_app = cast("App", route.app)
    gradio_app.startup_events_triggered = True  # else the first page load starts a second queue
    route.app = PageHeaders(gradio_app)

    def close() -> None:
        gradio_app.stop_event.set()
        demo._queue.close()  # type: ignore[no-untyped-call]

    site.on_closing(close)


def _extend_lifespan(app: Starlette, uploads: Path) -> None:
    """Keep what stands out of the garbage collector's sight while the server runs; remove `uploads` after."""
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[Mapping[str, object] | None]:
        try:
            async with inner(app) as state:
                # Gradio, pandas and numpy are 150,000 objects that stay: looking through them again and again
                # costs half of what an event does.
                gc.collect()
                gc.freeze()
                try:
                    yield state
                finally:
                    gc.unfreeze()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(lambda: shutil.rmtree(uploads, ignore_errors=True))

    app.router.lifespan_context = lifespan  # type: ignore[assignment]  # a union of two kinds; ours is either
    atexit.register(gc.freeze)  # and half a second when the process ends
