"""`list` and `show`: what is stored, for people and (`--json`) for programs."""

import argparse
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from msgspec import Struct

from chatcore.messages import Conversation, Feedback, Message
from chatcore.pages import Page
from frontends.chat import Chat
from frontends.cli.access import open_data
from frontends.cli.exits import DONE
from frontends.cli.settings import CommandSettings
from frontends.terminal.harmless import harmless_json
from frontends.terminal.wording import asked, ending_of, message_text, title_of

__all__ = ["list_", "show"]

PAGE = 200


class ConversationLine(Struct, frozen=True, tag_field="type", tag="conversation"):
    """A conversation as `--json` prints it."""

    conversation: Conversation


class MessageLine(Struct, frozen=True, tag_field="type", tag="message"):
    """A message as `--json` prints it.

    Attributes:
        feedback: What this user thinks of it.
        siblings: Ids of all messages at its place, its own among them; empty where it is alone.
    """

    message: Message
    feedback: Feedback | None
    siblings: tuple[str, ...]


async def list_(arguments: argparse.Namespace, settings: CommandSettings) -> int:
    """Print the list, newest first, page by page."""
    async with (
        open_data(settings, reading=True) as chat,
        aclosing(_conversations(chat, arguments.archived, arguments.limit)) as found,
    ):
        async for conversation, words in found:
            if arguments.json:
                _print_json(ConversationLine(conversation))
            else:
                print(_entry(conversation, words))
    return DONE


async def _conversations(
    chat: Chat, archived: bool, limit: int | None
) -> AsyncGenerator[tuple[Conversation, str | None], None]:
    left = limit
    after: str | None = None
    while left is None or left > 0:
        wanted = PAGE if left is None else min(PAGE, left)
        page = await chat.conversations(archived=archived, after=after, limit=wanted)
        for conversation in page.conversations:
            yield conversation, page.first_words.get(conversation.id)
        if page.next is None:
            return
        after = page.next
        left = None if left is None else left - len(page.conversations)


def _entry(conversation: Conversation, words: str | None) -> str:
    marks = [
        word
        for word, holds in (("pinned", conversation.pinned), ("being answered", conversation.running))
        if holds
    ]
    title = title_of(conversation, words)
    shown = f"{title} ({', '.join(marks)})" if marks else title
    return f"{conversation.id}  {conversation.updated_at.astimezone():%Y-%m-%d %H:%M}  {shown}"


async def show(arguments: argparse.Namespace, settings: CommandSettings) -> int:
    """Print the visible path of a conversation, oldest first, whatever its length in bounded memory."""
    async with open_data(settings, reading=True) as chat:
        newest = await chat.page(arguments.conversation, limit=PAGE)
        older = await _older_pages(chat, newest)
        print_page = _print_page_json if arguments.json else _print_page
        if arguments.json:
            _print_json(ConversationLine(newest.conversation))
        else:
            title = title_of(newest.conversation, newest.first_words)
            print(f"── {title} ── {newest.conversation.id}")
        for before in reversed(older):
            print_page(await chat.page(arguments.conversation, before=before, limit=PAGE))
        print_page(newest)
    return DONE


async def _older_pages(chat: Chat, newest: Page) -> list[str]:
    """The first message of each page that has one above it: reading before these, in turn, gives it all.

    What is above a message never changes, so the second reading gives the same as this one.
    """
    firsts: list[str] = []
    page = newest
    while page.has_older and page.messages:
        firsts.append(page.messages[0].id)
        page = await chat.page(newest.conversation.id, before=firsts[-1], limit=PAGE)
    return firsts


def _print_page(page: Page) -> None:
    ratings = {held.message_id: held.feedback.rating for held in page.feedback}
    for message in page.messages:
        print()
        if message.role == "assistant":
            print(message_text(message))
        else:
            print("".join(piece.text for piece in asked(message)), end="")
        notes = [note for note in (ending_of(message), _voted(ratings.get(message.id))) if note]
        if notes:
            print(f"({'; '.join(notes)})")


def _voted(rating: str | None) -> str | None:
    return f"{rating}d" if rating else None


def _print_page_json(page: Page) -> None:
    feedback = {held.message_id: held.feedback for held in page.feedback}
    for message in page.messages:
        _print_json(MessageLine(message, feedback.get(message.id), tuple(page.siblings.get(message.id, ()))))


def _print_json(line: ConversationLine | MessageLine) -> None:
    print(harmless_json(msgspec.json.encode(line).decode()))
