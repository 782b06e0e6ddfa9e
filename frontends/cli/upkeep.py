"""`check`, `backup`, `purge` and `reindex`."""

import argparse
import os
import secrets
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio import to_thread

from chatcore.engine import Engine
from chatcore.errors import StorageCorrupt, StorageError
from chatcore.ungrouping import only_error
from frontends.chat import Chat
from frontends.cli.access import open_data
from frontends.cli.exits import DONE, FAILED
from frontends.cli.settings import CommandSettings
from frontends.terminal.harmless import harmless_line
from frontends.terminal.wording import counted

__all__ = ["backup", "check", "purge", "reindex"]

_SNAPSHOT = "snapshot-"
_DAY_SECONDS = 86_400.0
LONG_SECONDS = 10.0
"""After so long a person is told what is waited for."""


async def check(arguments: argparse.Namespace, settings: CommandSettings) -> int:
    """Print each damage that is found, one a line."""
    try:
        async with open_data(settings) as chat, _progress(chat, "database and files are being checked"):
            found = await chat.check()
    except* StorageCorrupt as group:
        found = [str(only_error(group))]  # so damaged that it can't be opened
    for sentence in found:
        print(harmless_line(sentence))
    if not found:
        print("No damage found.")
    return FAILED if found else DONE


async def backup(arguments: argparse.Namespace, settings: CommandSettings) -> int:
    """Write a whole copy to the new directory OUT, as the command's own user."""
    out = await to_thread.run_sync(_new_directory, arguments.out)
    async with open_data(settings, reading=True) as chat, _progress(chat, "the copy is being written"):
        if isinstance(chat, Engine):
            await chat.backup(out)
        else:
            # The server may run as another user than the command: what it writes stays with the data.
            snapshot = settings.data.resolve() / f"{_SNAPSHOT}{os.getpid()}-{secrets.token_hex(4)}"
            try:
                await chat.backup(snapshot)
                await to_thread.run_sync(_copy, snapshot, out)
            finally:
                with anyio.CancelScope(shield=True):
                    await to_thread.run_sync(lambda: shutil.rmtree(snapshot, ignore_errors=True))
    print(f"Backup written to {harmless_line(str(out))}.")
    return DONE


def _new_directory(given: str) -> Path:
    out = Path(os.path.abspath(os.path.expanduser(given)))
    if os.path.lexists(out):
        raise StorageError(f"{out} is there already; a backup is written to a new directory.")
    if not out.parent.is_dir():
        raise StorageError(f"There is no directory {out.parent}.")
    return out


def _copy(source: Path, out: Path) -> None:
    """A copy on the disk; either whole or not there at all."""
    part = out.with_name(f"{out.name}.part-{os.getpid()}")
    try:
        shutil.copytree(source, part, copy_function=_copy_file)
        for folder, _, _ in os.walk(part):
            _fsync(folder)
        part.rename(out)
        _fsync(out.parent)
    except (OSError, shutil.Error) as error:
        raise StorageError(f"The backup can't be written to {out}: {error}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _copy_file(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    _fsync(target)


def _fsync(path: str | Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def purge(arguments: argparse.Namespace, settings: CommandSettings) -> int:
    """Remove what was deleted at least so long ago, unit by unit, then files that nothing refers to."""
    older_than_seconds = arguments.older_than * _DAY_SECONDS
    conversations = messages = 0
    async with open_data(settings) as chat:
        async with _progress(chat, "what was deleted is being removed") as tell:
            more = True
            while more:
                unit = await chat.purge(older_than_seconds=older_than_seconds)
                conversations, messages = conversations + unit.conversations, messages + unit.messages
                more = unit.more
                tell(f"{messages} messages removed")
            tell("looking for files that nothing refers to")
            files = await chat.collect_files()
        await to_thread.run_sync(_remove_snapshots_of_the_dead, settings.data)
    removed = (conversations, "conversation"), (messages, "message"), (files, "file")
    print(f"Removed: {', '.join(counted(number, what) for number, what in removed)}.")
    return DONE


async def reindex(arguments: argparse.Namespace, settings: CommandSettings) -> int:
    """Put into the search index what it does not have, unit by unit; cut off, it goes on from there later."""
    messages = 0
    async with open_data(settings) as chat, _progress(chat, "the search index is being filled") as tell:
        unit = await chat.reindex(anew=arguments.anew)
        messages = unit.messages
        while unit.left:
            tell(f"{messages:,} messages indexed, about {unit.left:,} left")
            unit = await chat.reindex()
            messages += unit.messages
    print(f"Indexed: {messages} messages.")
    return DONE


@asynccontextmanager
async def _progress(chat: Chat, what: str) -> AsyncIterator[Callable[[str], None]]:
    """Shows how far it is, in one row of standard error, where that is a terminal; `what` if nobody tells."""
    shown = sys.stderr.isatty()
    told = False

    def tell(text: str) -> None:
        nonlocal told
        told = True
        if shown:
            print(f"\r\x1b[K{text} …", end="", file=sys.stderr, flush=True)

    async def tell_late() -> None:
        await anyio.sleep(LONG_SECONDS)
        if not told:
            tell(what if isinstance(chat, Engine) else f"waiting for the server: {what}")

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tell_late)
            yield tell
            tasks.cancel_scope.cancel()
    finally:
        if shown and told:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _remove_snapshots_of_the_dead(data: Path) -> None:
    for left in data.glob(f"{_SNAPSHOT}*-*"):
        pid = left.name.removeprefix(_SNAPSHOT).partition("-")[0]
        if pid.isdecimal() and not _lives(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
