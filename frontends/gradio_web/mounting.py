"""Gradio inside of our server: what must be set, and when, so that it is safe, quick and quiet."""

import atexit
import gc
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypedDict, cast

import gradio as gr
from fastapi import FastAPI
from gradio.i18n import I18n
from gradio.routes import App
from gradio.themes import Base as Theme
from starlette.applications import Starlette
from starlette.routing import Mount

from frontends.gradio_web.assets import Assets
from frontends.gradio_web.headers import PageHeaders, content_security_policy
from frontends.gradio_web.page import build_page
from frontends.headers import SafeHeaders
from frontends.site import Site

__all__ = ["PageOptions", "mount_blocks", "mount_page"]

RUNNING_EVENTS = 1000
"""Events that may run at once, of all tabs and clients together (Gradio's own bound is 40)."""

SESSIONS_KEPT = 200
"""Page loads whose state Gradio keeps (its own number is 10,000, half a megabyte each)."""

FONT = ("-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
FONT_MONO = ("ui-monospace", "Menlo", "Consolas", "Liberation Mono", "monospace")
"""What people's machines have: the fonts that come with Gradio lack most letters of their bold cuts."""


class PageOptions(TypedDict, total=False):
    """How a page looks and what it may do: as of Gradio's own `launch`, and `allow`.

    Attributes:
        theme: A theme or the name of one; None: the chat's own.
        css: Style, as text.
        css_paths: Style, as files.
        js: A script that is run when the page is loaded.
        head: Elements for the page's head.
        head_paths: Likewise, as files.
        favicon_path: The icon of the tab, where the page is at ``/``.
        footer_links: What stands below the page.
        max_file_size: Of an upload; None: what the chat's limits say.
        allowed_paths: Files and folders of which everybody may read everything.
        blocked_paths: Those of which nobody may.
        show_error: Whether errors of listeners are shown to people.
        i18n: Translations.
        allow: Further origins from which the page may load things and which it may ask, such as
            ``https://cdn.example.org``. Without any, nothing leaves this server.
    """

    theme: Theme | str | None
    css: str | None
    css_paths: str | Path | Sequence[str | Path] | None
    js: str | None
    head: str | None
    head_paths: str | Path | Sequence[str | Path] | None
    favicon_path: str | Path | None
    footer_links: Sequence[str] | None
    max_file_size: str | int | None
    allowed_paths: Sequence[str] | None
    blocked_paths: Sequence[str] | None
    show_error: bool
    i18n: I18n | None
    allow: Sequence[str]


def mount_page(app: Starlette, site: Site) -> None:
    """Put the page, its files and its endpoints into the app, and what they need into its lifespan."""
    assets = Assets()
    options: PageOptions = {"footer_links": [], "max_file_size": site.engine.limits.file_bytes}
    mount_blocks(app, site, build_page(site, assets), assets, options, is_page=True)


def mount_blocks(
    app: Starlette,
    site: Site,
    demo: gr.Blocks,
    assets: Assets,
    options: PageOptions,
    *,
    is_page: bool = False,
) -> None:
    """Put `demo`, in which the chat stands, at ``/`` of the app, and what it needs into its lifespan."""
    app.mount(f"/{assets.address}", SafeHeaders(assets))
    _extend_lifespan(app)
    _widen(demo)
    favicon = options.get("favicon_path") or assets.folder / "favicon.png"
    footer_links = options.get("footer_links")
    gr.mount_gradio_app(
        cast("FastAPI", app),  # it uses nothing that a Starlette has not
        demo,
        "/",
        theme=options.get("theme") or _theme(),
        css=options.get("css"),
        css_paths=options.get("css_paths"),
        js=options.get("js"),
        head=assets.head(is_page=is_page) + (options.get("head") or ""),
        head_paths=options.get("head_paths"),
        footer_links=["api", "gradio", "settings"] if footer_links is None else list(footer_links),
        run_history=False,  # it would keep what is said in the browser's storage, unencrypted
        max_file_size=options.get("max_file_size"),
        allowed_paths=list(options.get("allowed_paths") or ()),
        blocked_paths=list(options.get("blocked_paths") or ()),
        enable_monitoring=False,
        show_error=options.get("show_error", True),
        ssr_mode=False,
        pwa=False,
        i18n=options.get("i18n"),
        favicon_path=str(favicon),
    )
    # Without this Gradio checks no path: any client could read any file of this machine. Only `launch()`,
    # which is not used here, sets it. tests/frontends/test_gradio_files.py holds it in place.
    demo.has_launched = True
    _finish(app, site, demo, content_security_policy(options.get("allow", ())))


def _theme() -> Theme:
    return gr.themes.Default(
        primary_hue="neutral", neutral_hue="neutral", radius_size="lg", font=FONT, font_mono=FONT_MONO
    )


def _widen(demo: gr.Blocks) -> None:
    demo.state_session_capacity = SESSIONS_KEPT
    queue = demo._queue
    queue.max_thread_count = RUNNING_EVENTS
    queue.sleep_when_free = 0.02  # it polls every millisecond otherwise: 7 % of a core for nothing
    queue.progress_update_sleep_when_free = 0.25
    queue.ANAYLTICS_CACHE_FREQUENCY = (
        sys.maxsize
    )  # its own spelling; else pandas sums up all events at each one
    queue.ANALYTICS_MAX_EVENTS = 1


def _finish(app: Starlette, site: Site, demo: gr.Blocks, policy: str) -> None:
    route = cast("Mount", app.routes[-1])
    gradio_app = cast("App", route.app)
    gradio_app.startup_events_triggered = True  # else the first page load starts a second queue
    route.app = PageHeaders(gradio_app, policy)

    def close() -> None:
        gradio_app.stop_event.set()
        demo._queue.close()  # type: ignore[no-untyped-call]

    site.on_closing(close)


def _extend_lifespan(app: Starlette) -> None:
    """Keep what stands out of the garbage collector's sight while the server runs."""
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[Mapping[str, object] | None]:
        async with inner(app) as state:
            # Gradio, pandas and numpy are 150,000 objects that stay: looking through them again and again
            # costs half of what an event does.
            gc.collect()
            gc.freeze()
            try:
                yield state
            finally:
                gc.unfreeze()

    app.router.lifespan_context = lifespan  # type: ignore[assignment]  # a union of two kinds; ours is either
    atexit.register(gc.freeze)  # and half a second when the process ends
