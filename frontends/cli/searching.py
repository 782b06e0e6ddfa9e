"""`search`: what is found, for people and (`--json`) for programs."""

import argparse
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from msgspec import Struct

from chatcore.views import Found, SearchPage
from frontends.chat import Chat
from frontends.cli.access import open_data
from frontends.cli.exits import DONE, complain
from frontends.cli.settings import CommandSettings
from frontends.terminal.harmless import harmless, harmless_json, harmless_line
from frontends.terminal.wording import title_of

__all__ = ["search"]

_PAGE = 100


class FoundLine(Struct, frozen=True, tag_field="type", tag="found"):
    """A message or a title as `--json` prints it."""

    found: Found


async def search(arguments: argparse.Namespace, settings: CommandSettings) -> int:
    """Print what is found, page by page."""
    bold = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    left, unindexed = arguments.limit, 0
    async with open_data(settings, reading=True) as chat, aclosing(_pages(chat, arguments)) as pages:
        async for page in pages:
            unindexed = page.unindexed
            for found in page.found[:left]:
                if arguments.json:
                    print(harmless_json(msgspec.json.encode(FoundLine(found)).decode()))
                else:
                    print(_entry(found, page.first_words.get(found.conversation.id), bold=bold))
            left -= len(page.found)
            if left <= 0:
                break
    if left == arguments.limit and not arguments.json:
        print("Nothing was found.")
    if unindexed:
        complain(f"About {unindexed:,} messages can't be found yet: chatcore reindex.")
    return DONE


async def _pages(chat: Chat, arguments: argparse.Namespace) -> AsyncGenerator[SearchPage, None]:
    """A page may be short, or empty, without being the last: what one call looks at is bounded."""
    after: str | None = None
    while True:
        page = await chat.search(
            " ".join(arguments.query) + " ",  # typed to its end
            role=arguments.role,
            rating=arguments.rating,
            model=arguments.of_model,
            since=arguments.since,
            until=arguments.until,
            conversation_id=arguments.conversation,
            order=arguments.order,
            after=after,
            limit=min(arguments.limit, _PAGE),
        )
        yield page
        if page.next is None:
            return
        after = page.next


def _entry(found: Found, first_words: str | None, *, bold: bool) -> str:
    """Two lines: which conversation, and the words; of a title one."""
    conversation = found.conversation
    title = title_of(conversation, first_words)
    words = _words(found, bold=bold)
    head = f"{conversation.id}  {found.created_at.astimezone():%Y-%m-%d %H:%M}"
    if found.message_id is None:
        return f"{head}  {words}"
    who = found.role if found.model is None else f"{found.role} ({harmless_line(found.model)})"
    return f"{head}  {title}\n    {who}: {words}"


def _words(found: Found, *, bold: bool) -> str:
    """The text in one line, with what was looked for in bold."""
    pieces, at = [], 0
    begin, end = ("\x1b[1m", "\x1b[0m") if bold else ("", "")
    for first, last in found.marks:
        pieces += [_plain(found.text[at:first]), begin, _plain(found.text[first:last]), end]
        at = last
    return "".join([*pieces, _plain(found.text[at:])])


def _plain(text: str) -> str:
    return harmless(text).replace("\n", " ").replace("\t", " ")
