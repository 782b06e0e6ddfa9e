"""The `chatcore` command."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence

import anyio

from chatcore.errors import ChatcoreError
from chatcore.ungrouping import Ungrouped
from frontends.cli.arguments import parse_arguments
from frontends.cli.exits import DONE, FAILED, USAGE, complain
from frontends.cli.settings import CommandSettings, SettingsError, read_settings
from frontends.cli.signals import Terminated, until_terminated

__all__ = ["main"]

log = logging.getLogger("chatcore.command")

Run = Callable[[argparse.Namespace, CommandSettings], Awaitable[int]]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line (None: this process's); the result is the exit code."""
    arguments = parse_arguments(argv)
    try:
        flags = {name: tuple(v) if isinstance(v, list) else v for name, v in vars(arguments).items()}
        settings = read_settings(flags, os.environ, arguments.config)
    except SettingsError as error:
        complain(error.sentence)
        return USAGE
    _log_to_stderr(settings.log_level)
    try:
        return _run(_command(arguments.command), arguments, settings)
    except KeyboardInterrupt as error:
        return 128 + (signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT)
    except OSError as error:
        _discard_output()
        if isinstance(error, BrokenPipeError):
            # the reader has what it wanted: `chatcore list | head`; but a file that is cut off is no export
            return FAILED if arguments.command in {"ingest", "export"} else DONE
        log.info("failed", exc_info=error, extra={"action": "failed"})
        complain(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}.")
        return FAILED


def _discard_output() -> None:
    """What could not be written is tried once more at Python's end, which would complain again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(run: Run, arguments: argparse.Namespace, settings: CommandSettings) -> int:
    try:
        with Ungrouped():
            code = anyio.run(until_terminated, run, arguments, settings)
        sys.stdout.flush()
    except ChatcoreError as error:
        log.info("failed", exc_info=error, extra={"action": "failed"})
        complain(error.sentence)
        return USAGE if isinstance(error, SettingsError) else FAILED
    return code


def _command(name: str) -> Run:
    """The command's function; what it needs is imported now and not for the others."""
    match name:
        case "serve":
            from frontends.cli.serving import serve as run
        case "chat":
            from frontends.cli.chatting import chat as run
        case "list" | "show":
            from frontends.cli import showing

            run = showing.list_ if name == "list" else showing.show
        case "ingest":
            from frontends.cli.ingesting import ingest as run
        case "search":
            from frontends.cli.searching import search as run
        case "export":
            from frontends.cli.exporting import export as run
        case _:
            from frontends.cli import upkeep

            run = {
                "check": upkeep.check,
                "backup": upkeep.backup,
                "purge": upkeep.purge,
                "reindex": upkeep.reindex,
            }[name]
    return run


# These log each request and statement; those of the database hold what people write.
_QUIETER = {
    "aiosqlite": logging.INFO,
    "httpcore": logging.INFO,
    "httpx": logging.WARNING,
    "openai": logging.INFO,
}


def _log_to_stderr(name: str) -> None:
    level = logging.getLevelNamesMapping()[name.upper()]
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for talkative, least in _QUIETER.items():
        logging.getLogger(talkative).setLevel(max(level, least))
