"""`chat`: the terminal frontend on the data directory."""

import argparse
import logging
import sys

from frontends.chat import Chat
from frontends.cli.access import open_data
from frontends.cli.exits import DONE, FAILED
from frontends.cli.settings import CommandSettings
from frontends.terminal.keyboard import at_terminal
from frontends.terminal.piped import converse_by_lines
from frontends.terminal.session import converse

__all__ = ["chat"]


async def chat(arguments: argparse.Namespace, settings: CommandSettings) -> int:
    """Talk until the input ends."""
    async with open_data(settings, answering=True) as data:
        opened = await _opened(arguments, data)
        if at_terminal():
            if sys.stderr.isatty():
                logging.disable()  # the paper is the conversation's; 2>FILE has the log
            ended_by = await converse(data, opened, keys=sys.stdin.fileno(), paper=sys.stdout.fileno())
            return DONE if ended_by is None else 128 + ended_by
        went_well = await converse_by_lines(data, opened, sys.stdin.fileno())
        return DONE if went_well else FAILED


async def _opened(arguments: argparse.Namespace, data: Chat) -> str | None:
    """The conversation to go on with: the one named, else the newest; None: a new one."""
    if arguments.new:
        return None
    if arguments.conversation is not None:
        return (await data.conversation(arguments.conversation)).id
    page = await data.conversations(limit=1)
    return page.conversations[0].id if page.conversations else None
