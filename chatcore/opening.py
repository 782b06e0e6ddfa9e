"""Opening an engine: a store by its URL, and what answers."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import entry_points
from typing import cast

import anyio

from chatcore.asked import Asked
from chatcore.engine import Engine
from chatcore.errors import InvalidInput
from chatcore.formats.format import ReadOptions
from chatcore.hub import Hub
from chatcore.ingestion.sink import FileReading, IngestFile
from chatcore.limits import Limits
from chatcore.ports import OpenStore, Output, Responder
from chatcore.responders.function import function_responder
from chatcore.ungrouping import Ungrouped

__all__ = ["Answering", "find_store", "open_engine", "open_reading"]

Answering = Responder | Callable[[Asked], AsyncIterator[Output]]
"""A responder, or any async generator function of what is asked."""


@asynccontextmanager
async def open_engine(
    url: str,
    *,
    responder: Answering | None = None,
    responders: Sequence[Answering] = (),
    limits: Limits | None = None,
) -> AsyncIterator[Engine]:
    """An engine on the store at `url`, open until the block ends.

    At the end running answers become `interrupted` with what was said, and all subscriptions end.

    Args:
        url: ``sqlite:DIR`` or ``memory:``; the part before the colon names an entry point of group
            ``chatcore.stores``.
        responder: What answers by default; None: the first of `responders`, or nothing.
        responders: Further ones, which conversations may choose by name.

    Raises:
        InvalidInput: The URL names no store, or two responders have one name.
        DataDirectoryInUse, SchemaTooNew, StorageCorrupt, StorageError
    """
    open_store, location = find_store(url)
    given = [_responder(one) for one in ((responder, *responders) if responder is not None else responders)]
    by_name = {one.name: one for one in given}
    if len(by_name) < len(given):
        raise InvalidInput("Two responders have the same name.")
    hub = Hub()
    async with open_store(location, publish=hub.publish) as store:
        with Ungrouped():
            async with anyio.create_task_group() as tasks:
                engine = Engine(
                    store,
                    hub,
                    tasks,
                    responders=by_name,
                    default_responder=given[0].name if given else None,
                    limits=limits or Limits(),
                    open_reading=open_reading,
                )
                await engine.start()
                try:
                    yield engine
                finally:
                    with anyio.CancelScope(shield=True):
                        await engine.close()
                    tasks.cancel_scope.cancel()


def open_reading(source: IngestFile, known: str | None, options: ReadOptions) -> FileReading:
    """Reading of a file in the format `known` (None: by its first records).

    Formats are loaded when the first file is read.

    Raises:
        InvalidInput: There is no such format.
    """
    from chatcore.formats.reading import read_source

    return read_source(source, format=known, options=options)


def find_store(url: str) -> tuple[OpenStore, str]:
    """The store that a URL names, and its location.

    Raises:
        InvalidInput: There is no such store.
    """
    name, colon, location = url.partition(":")
    stores = {entry.name: entry for entry in entry_points(group="chatcore.stores")}
    if not colon or name not in stores:
        known = ", ".join(sorted(stores)) or "none installed"
        raise InvalidInput(f"“{url}” names no store: it begins with one of these and a colon: {known}.")
    open_store: OpenStore = stores[name].load()
    return open_store, location


def _responder(given: Answering) -> Responder:
    if hasattr(given, "respond") and not isinstance(given, type):
        return cast(Responder, given)
    return function_responder(cast(Callable[[Asked], AsyncIterator[Output]], given))
