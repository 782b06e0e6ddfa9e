"""The named endpoints, for `gradio_client`, curl and Gradio's own page about them.

``/chat`` asks and follows the answer; closing the client does not stop it. What the others give is what
`frontends.http_api` gives (but see `_message`).
"""

from collections.abc import AsyncIterator
from pathlib import Path

import gradio as gr
import msgspec
from gradio.events import api
from msgspec import Struct

from chatcore.engine import Engine
from chatcore.errors import EngineClosed
from chatcore.events import Cursor
from chatcore.fold import Fold
from chatcore.messages import ENDINGS, File, Message, Rating, text_of
from frontends.gradio_web.binding import shown_errors, user_of
from frontends.gradio_web.received import received_files
from frontends.site import Site

__all__ = ["add_endpoints"]

WINDOW_SECONDS = 0.03
"""How long text is gathered before it is yielded: Gradio spends a millisecond on each yield."""

Json = dict[str, object]


class _File(Struct):
    """Gradio's name for a file that was uploaded."""

    path: str
    orig_name: str | None = None


class _Message(Struct):
    text: str = ""
    files: list[_File] = []


def add_endpoints(site: Site, uploads: Path) -> None:
    """Add them to the `gr.Blocks` that is being built."""

    async def chat(
        message: str | Json, request: gr.Request, conversation: str | None = None
    ) -> AsyncIterator[tuple[str, str]]:
        with shown_errors():
            engine, user = site.engine, user_of(site, request)
            conversation = msgspec.convert(conversation, str | None)
            asked = _Message(message) if isinstance(message, str) else msgspec.convert(message, _Message)
            names = [file.orig_name or Path(file.path).name for file in asked.files]
            files = received_files([file.path for file in asked.files], names, uploads)
            conversation = conversation or (await engine.create(user=user)).id
            sent = await engine.send(conversation, asked.text, files, policy="queue", user=user)
            answer = sent.answer
            async for answer in _followed(engine, sent.answer, user):
                yield text_of(answer.parts), conversation
            if answer.status in ("failed", "interrupted"):
                raise gr.Error(answer.reason or "The answer failed.", print_exception=False)

    async def conversations(request: gr.Request, after: str | None = None, limit: int = 50) -> Json:
        with shown_errors():
            # Gradio passes on whatever came
            after, limit = msgspec.convert(after, str | None), msgspec.convert(limit, int)
            page = await site.engine.conversations(after=after, limit=limit, user=user_of(site, request))
            return _json(page)

    async def messages(
        conversation: str, request: gr.Request, before: str | None = None, limit: int = 100
    ) -> Json:
        with shown_errors():
            user = user_of(site, request)
            conversation, limit = msgspec.convert(conversation, str), msgspec.convert(limit, int)
            before = msgspec.convert(before, str | None)
            page = await site.engine.page(conversation, before=before, limit=limit, user=user)
            files = f"{_root(request)}/api/messages"
            return _json(page) | {"messages": [_message(message, files) for message in page.messages]}

    async def feedback(
        message: str, rating: str | None, request: gr.Request, comment: str | None = None
    ) -> Json | None:
        with shown_errors():
            user = user_of(site, request)
            vote = msgspec.convert(rating, Rating | None)
            message, comment = msgspec.convert(message, str), msgspec.convert(comment, str | None)
            given = await site.engine.rate(message, vote, comment=comment, user=user)
            return None if given is None else _json(given)

    # Gradio takes the number of outputs from this; it looks through no generator's annotation.
    chat.__annotations__["return"] = tuple[str, str]
    for function, description in (
        (chat, CHAT),
        (conversations, CONVERSATIONS),
        (messages, MESSAGES),
        (feedback, FEEDBACK),
    ):
        api(function, api_name=function.__name__, api_description=description, concurrency_limit=None)


CHAT = """Ask and follow the answer: gives the text so far and the conversation's id, again and again.
`message` is a text or {"text": …, "files": […]}; without `conversation` a new one is begun. Closing the
client does not stop the answer."""

CONVERSATIONS = (
    """A page of the conversations, newest first; `next` of one page is `after` of the following."""
)

MESSAGES = (
    """The newest messages of a conversation, oldest first; `before` is the id of the oldest one known."""
)

FEEDBACK = """Rate an answer "like" or "dislike", perhaps with a comment; null takes the vote back."""


async def _followed(engine: Engine, message: Message, user: str) -> AsyncIterator[Message]:
    """The message whenever there is more of it, the last time with its ending."""
    fold = Fold()
    before_it = str(Cursor(engine.epoch, message.seq - 1))
    async with engine.subscribe(
        message.conversation_id, after=before_it, window_seconds=WINDOW_SECONDS, user=user
    ) as events:
        async for event in events:
            fold.apply(event)
            held = fold.messages.get(message.id)
            if held is None or held is message:
                continue
            message = held
            yield message
            if message.status in ENDINGS:
                return
    raise EngineClosed("The answer can't be followed any more.")


def _root(request: gr.Request) -> str:
    """The path below which the page and the JSON routes are."""
    return str(request.request.scope.get("root_path", "")) if request.request is not None else ""


def _message(message: Message, address: str) -> Json:
    """As `frontends.http_api` gives it, but files have a url below `address` in place of a path.

    `gradio_client` takes whatever has a path for a file of Gradio's, and tries to fetch it.
    """
    parts: list[Json] = []
    for index, part in enumerate(message.parts):
        fields = _json(part)
        if isinstance(part, File):
            url = f"{address}/{message.id}/files/{index}"
            attachment = {name: value for name, value in _json(part.attachment).items() if name != "path"}
            fields["attachment"] = attachment | {"url": url}
        parts.append(fields)
    return _json(message) | {"parts": parts}


def _json(value: object) -> Json:
    made: Json = msgspec.to_builtins(value)
    return made
