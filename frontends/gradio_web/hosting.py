"""The chat as an app, and the app in a server: ours (`serve`) or somebody else's (`mount`)."""

import ipaddress
import os
import threading
import webbrowser
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, cast

import gradio as gr
from starlette.applications import Starlette

from chatcore.errors import InvalidInput
from frontends.gradio_web.assets import Assets
from frontends.gradio_web.ending import Ending
from frontends.gradio_web.mounting import PageOptions, mount_blocks
from frontends.gradio_web.options import LaunchOptions, check_launch, check_page
from frontends.gradio_web.owned import mount_api, open_to_owner
from frontends.guard import SameOrigin
from frontends.listeners import AddressTaken, open_tcp
from frontends.server import Address, Started, closed_on_signal, serve
from frontends.site import Site

__all__ = ["Hosted", "host_inside", "host_on_its_own"]

FIRST_PORT, PORTS = 7860, 100
"""Where a free port is looked for, as Gradio does."""


class Hosted(Protocol):
    """What is needed of a `Chat` here.

    Attributes:
        site: What is served.
        assets: Its scripts.
        knows_users: Whether it tells those who ask apart.
    """

    site: Site
    assets: Assets
    knows_users: bool

    def begun(self) -> AbstractAsyncContextManager[None]:
        """The site's engine is open while the block lasts."""
        ...

    def check_is_in(self, demo: gr.Blocks) -> None:
        """Passes when it was placed in these blocks."""
        ...


async def host_on_its_own(
    chat: Hosted, demo: gr.Blocks, options: LaunchOptions, started: Started | None = None
) -> None:
    """Serve it until SIGINT, SIGTERM or the site's end.

    Raises:
        InvalidInput: Of an option, or of what the chat was made of.
        AddressTaken, AddressUnusable, DataDirectoryInUse, StorageError
    """
    check_launch(cast(Mapping[str, object], options))
    host = options.get("server_name") or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"
    if not (chat.knows_users or options.get("insecure") or _is_loopback(host)):
        raise InvalidInput(
            f"On {host} others could reach this server, and it would take them all for one person: give the "
            "Chat user_of=…, or launch it with insecure=True if they may read and write everything."
        )
    port = await _free_port(host, options.get("server_port"))
    app = _build(chat, demo, cast(PageOptions, options))

    async with chat.begun(), open_to_owner(chat.site) as write_url:

        def tell(address: Address) -> None:
            write_url(address.url)
            if not options.get("quiet"):
                print(f"Chat at {address.url}", "Ctrl-C stops.", sep="\n", flush=True)
            if options.get("inbrowser"):  # some browsers hold the call up until they are closed
                threading.Thread(target=webbrowser.open, args=(address.url,), daemon=True).start()
            if started is not None:
                started(address)

        await serve(app, site=chat.site, host=host, port=port, names=options.get("names", ()), started=tell)


def host_inside(app: Starlette, chat: Hosted, demo: gr.Blocks, path: str, options: PageOptions) -> None:
    """Put it below `path` of somebody's app, and its engine into that app's lifespan.

    Raises:
        InvalidInput: Of an option or the path.
    """
    check_page(cast(Mapping[str, object], options))
    if not path.startswith("/"):
        raise InvalidInput(f"“{path}” is no path: one begins with a slash.")
    inner = _build(chat, demo, options)
    app.mount(path.rstrip("/"), SameOrigin(Ending(inner, chat.site)))
    outer = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[Mapping[str, object] | None]:
        async with (
            outer(app) as state,
            chat.begun(),
            open_to_owner(chat.site),
            inner.router.lifespan_context(inner),
        ):
            with closed_on_signal(chat.site):
                try:
                    yield state
                finally:
                    chat.site.close()

    app.router.lifespan_context = lifespan  # type: ignore[assignment]  # a union of two kinds; ours is either


def _build(chat: Hosted, demo: gr.Blocks, options: PageOptions) -> Starlette:
    chat.check_is_in(demo)
    app = Starlette()
    app.router.redirect_slashes = False
    mount_api(app, chat.site)
    mount_blocks(app, chat.site, demo, chat.assets, options)
    return app


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a name, which may mean any address


async def _free_port(host: str, wanted: int | None) -> int:
    if wanted is None and (given := os.environ.get("GRADIO_SERVER_PORT", "")).isdecimal():
        wanted = int(given)
    if wanted is not None:
        async with open_tcp(host, wanted):
            return wanted
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        try:
            async with open_tcp(host, port):
                return port
        except AddressTaken:
            pass
    raise AddressTaken(
        f"All ports from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} are taken; choose a server_port."
    )
