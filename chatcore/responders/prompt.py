"""History and question as the messages of a chat completion."""

from collections.abc import Sequence

import anyio.to_thread
from openai.types.chat import (
    ChatCompletionAssistantMessageParam,
    ChatCompletionContentPartImageParam,
    ChatCompletionContentPartTextParam,
    ChatCompletionMessageParam,
    ChatCompletionSystemMessageParam,
    ChatCompletionUserMessageParam,
)

from chatcore.asked import Asked
from chatcore.errors import NotFound
from chatcore.messages import File, Message, MissingFile, Text
from chatcore.responders.contents import data_url, inlined_text, kind_of

__all__ = ["chat_messages"]

_Content = ChatCompletionContentPartTextParam | ChatCompletionContentPartImageParam


async def chat_messages(
    asked: Asked, history: Sequence[Message], *, sees: bool
) -> list[ChatCompletionMessageParam]:
    """The system prompt, then `history` (its last message is the question), then the beginning if any.

    Reasoning and tool steps are left out: a server that was not told of the tools refuses them. Neighbours
    of one role (an answer that failed left none between) become one message, since the templates of some
    models insist on turns. A file that the model can't see is named in its place.
    """
    turns: list[tuple[str, list[_Content]]] = []
    if asked.settings.system_prompt:
        turns.append(("system", [_text(asked.settings.system_prompt)]))
    for message in history:
        contents = await _contents(asked, message, sees=sees)
        if message.role == "tool" or not contents:
            continue
        if turns and turns[-1][0] == message.role:
            turns[-1][1].extend(contents)
        else:
            turns.append((message.role, contents))
    messages = [_turn(role, contents) for role, contents in turns]
    if asked.beginning:
        messages.append(ChatCompletionAssistantMessageParam(role="assistant", content=asked.beginning))
    return messages


async def _contents(asked: Asked, message: Message, *, sees: bool) -> list[_Content]:
    contents: list[_Content] = []
    for part in message.parts:
        if isinstance(part, Text) and part.text:
            contents.append(_text(part.text))
        elif isinstance(part, File):
            try:
                contents.append(await _file(asked, part, sees=sees))
            except NotFound:
                if message.id == asked.question.id:
                    raise
                contents.append(_absent(part.attachment.name))
        elif isinstance(part, MissingFile):
            contents.append(_absent(part.name))
    return contents


async def _file(asked: Asked, part: File, *, sees: bool) -> _Content:
    kind = kind_of(part.attachment.media_type)
    if kind == "text":
        return _text(await anyio.to_thread.run_sync(lambda: inlined_text(asked.file(part))))
    if kind == "image" and sees:
        url = await anyio.to_thread.run_sync(lambda: data_url(asked.file(part)))
        return ChatCompletionContentPartImageParam(type="image_url", image_url={"url": url})
    return _absent(part.attachment.name)


def _absent(name: str) -> _Content:
    return _text(f"[The file {name} was given here; its content is not available.]")


def _text(text: str) -> _Content:
    return ChatCompletionContentPartTextParam(type="text", text=text)


def _turn(role: str, contents: list[_Content]) -> ChatCompletionMessageParam:
    texts = [content["text"] for content in contents if content["type"] == "text"]
    # Many servers take a list of parts only where there are images: text goes as a plain string.
    joined = "\n\n".join(texts)
    if role == "system":
        return ChatCompletionSystemMessageParam(role="system", content=joined)
    if role == "assistant":
        return ChatCompletionAssistantMessageParam(role="assistant", content=joined)
    if len(texts) == len(contents):
        return ChatCompletionUserMessageParam(role="user", content=joined)
    return ChatCompletionUserMessageParam(role="user", content=contents)
