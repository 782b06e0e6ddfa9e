"""`serve`: opens what answers and the engine, mounts the frontends, and serves until it is told to stop."""

import argparse
import functools
import ipaddress
import webbrowser
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

import anyio
from anyio import to_thread
from anyio.abc import TaskGroup

from chatcore.errors import DataDirectoryInUse
from chatcore.opening import open_engine
from chatcore.ports import Responder
from frontends import server
from frontends.cli.access import is_served
from frontends.cli.answering import open_answering
from frontends.cli.collector import tune_collector
from frontends.cli.exits import DONE
from frontends.cli.settings import CommandSettings, SettingsError
from frontends.cli.signals import end_at_once_from_now_on, interruptible
from frontends.listeners import open_tcp
from frontends.owning import server_url, socket_path, url_file
from frontends.site import Mount, Site

__all__ = ["serve"]

_ALWAYS = "http_api"
"""The page listens to its event stream, and commands speak it over the owner's socket."""


async def serve(arguments: argparse.Namespace, settings: CommandSettings) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    _refuse_strangers(settings)
    await _refuse_second(settings.data)
    async with open_tcp(settings.host, settings.port):
        pass  # whether the port is taken is told before a model is loaded
    with interruptible():
        mounts = _mounts(settings.frontends)
    async with (
        open_answering(settings) as responder,
        open_engine(f"sqlite:{settings.data}", responder=responder, limits=settings.limits) as engine,
        anyio.create_task_group() as tasks,
    ):
        tune_collector()
        site = Site(engine, model=responder.model or responder.name)
        with url_file(settings.data) as write_url:

            def started(address: server.Address) -> None:
                write_url(address.url)
                _tell(address.url, responder, settings)
                if arguments.open:
                    _open_page(tasks, address.url)

            await server.serve(
                server.build_app(site, mounts),
                site=site,
                host=settings.host,
                port=settings.port,
                socket_path=socket_path(settings.data),
                names=settings.names,
                started=started,
            )
        end_at_once_from_now_on()
        tasks.cancel_scope.cancel()
    return DONE


def _refuse_strangers(settings: CommandSettings) -> None:
    """Raises SettingsError when others than this machine could reach the server, unless that is meant."""
    if settings.insecure or settings.host == "localhost":
        return
    try:
        if ipaddress.ip_address(settings.host).is_loopback:
            return
    except ValueError:
        pass  # a name, which may mean any address
    raise SettingsError(
        f"On {settings.host} others could reach this server, and nobody has to log in: they would read and "
        "write everything. Add --insecure if you want that."
    )


async def _refuse_second(data: Path) -> None:
    if await is_served(data):
        where = await to_thread.run_sync(server_url, data)
        raise DataDirectoryInUse(
            f"A server runs on the data directory {data} already{f', at {where}' if where else ''}."
        )


def _mounts(names: tuple[str, ...]) -> Mapping[str, Mount]:
    known = {entry.name: entry for entry in entry_points(group="chatcore.frontends")}
    mounts: dict[str, Mount] = {}
    # the API first: the page takes every path that is left
    for name in dict.fromkeys((_ALWAYS, *names)):
        if name not in known:
            raise SettingsError(f"There is no frontend “{name}” (there are: {', '.join(sorted(known))}).")
        mounts[name] = known[name].load()
    return mounts


def _tell(url: str, responder: Responder, settings: CommandSettings) -> None:
    model = f"{responder.model} ({responder.name})" if responder.model else responder.name
    print(
        f"Chat at {url}", f"Model: {model}", f"Data: {settings.data}", "Ctrl-C stops.", sep="\n", flush=True
    )


def _open_page(tasks: TaskGroup, url: str) -> None:
    # some browsers hold the call up until they are closed
    tasks.start_soon(functools.partial(to_thread.run_sync, webbrowser.open, url, abandon_on_cancel=True))
