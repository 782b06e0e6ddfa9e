"""Chatbot UI's export, version 4: one object with all conversations (`history`).

Messages have neither ids nor times. Its folders are kept with their conversations; its prompts, which are
templates and not conversations, are not read.
"""

from collections.abc import Iterator, Mapping

from chatcore.formats.format import ReadFormat, ReadOptions, Record
from chatcore.formats.pieces import RecordFormat, inline_file, role_of, unread
from chatcore.formats.values import (
    fields,
    first_ident,
    ident,
    keys_seen,
    listed,
    rest,
    text_in,
    time_us,
    title_in,
)
from chatcore.incoming import Incoming, IncomingFile, IncomingMessage, IncomingPart, Unread
from chatcore.messages import Settings, Text

__all__ = ["FORMAT"]

_KNOWN = frozenset({"id", "messages", "name", "prompt"})
_USUAL: Mapping[str, object] = {"type": "text"}


def _is_export(value: Mapping[str, object]) -> bool:
    return isinstance(value.get("history"), list) and ("version" in value or "folders" in value)


def _is_conversation(value: Mapping[str, object]) -> bool:
    """One entry of `history`: a very long file is read entry by entry."""
    return isinstance(value.get("messages"), list) and "folderId" in value and "name" in value


def _signature(value: Mapping[str, object]) -> bool:
    return _is_export(value) or _is_conversation(value)


def _conversations(
    value: Mapping[str, object], record: Record, options: ReadOptions
) -> Iterator[Incoming | Unread]:
    source = options.source or "chatbotui"
    if not isinstance(value.get("history"), list):
        yield _conversation(value, record, record.place, source, {})
        return
    folders = {
        folder_id: folder.get("name")
        for folder in map(fields, listed(value.get("folders")))
        if (folder_id := ident(folder.get("id"))) is not None
    }
    history = listed(value.get("history"))
    if not history:
        yield unread(record, "skipped", "This export has no conversations.")
    for number, entry in enumerate(history, 1):
        place = f"{record.place} history {number}".strip()
        yield _conversation(fields(entry), record, place, source, folders)


def _conversation(
    value: Mapping[str, object], record: Record, place: str, source: str, folders: Mapping[str, object]
) -> Incoming | Unread:
    conversation_id = ident(value.get("id"))
    given = value.get("messages")
    told = [found for item in listed(given) if (found := fields(item))]
    if not told:
        known = "name" in value or isinstance(given, list)
        reason = "This conversation has no messages."
        if not known:
            reason = f"This is {keys_seen(value)}, no Chatbot UI conversation."
        return Unread(
            kind="skipped" if known else "failed",
            reason=reason,
            file=record.file,
            place=place,
            id=conversation_id,
            record=record.body if place == record.place else None,  # else: that of the whole file
        )
    model = fields(value.get("model"))
    name = first_ident(model, "id", "name") or ident(value.get("model"))
    raw = rest(value, _KNOWN)
    folder = folders.get(ident(value.get("folderId")) or "")
    if folder is not None:
        raw["folder"] = folder
    messages = [_message(message, name) for message in told]
    left_out = len(listed(given)) - len(told)
    return Incoming(
        source=source,
        id=conversation_id,
        title=title_in(value.get("name")),
        messages=messages,
        linear=True,
        created_at_us=time_us(value.get("createdAt")),
        settings=Settings(system_prompt=title_in(value.get("prompt"))),
        skipped={"an entry that is no message": left_out} if left_out else {},
        file=record.file,
        place=place,
        raw=raw or None,
    )


def _message(value: Mapping[str, object], model: str | None) -> IncomingMessage:
    role = role_of(value.get("role"))
    raw = rest(value, frozenset({"role", "content"}), _USUAL)
    if role is None:
        raw["role"] = value.get("role")
    return IncomingMessage(
        role=role or "user",
        parts=tuple(_parts(value.get("content"))),
        model=model if role == "assistant" else None,
        raw=raw or None,
    )


def _parts(content: object) -> Iterator[IncomingPart]:
    """A text, or, in forks that show pictures, a list of parts as OpenAI has them."""
    if not isinstance(content, list):
        if text := text_in(content):
            yield Text(text)
        return
    for item in content:
        url = fields(fields(item).get("image_url")).get("url")
        if isinstance(url, str):
            yield inline_file(url, "image") or IncomingFile(name="image", pointer=url[:2000])
        elif text := text_in([item]):
            yield Text(text)


FORMAT: ReadFormat = RecordFormat(
    name="chatbotui",
    title="Chatbot UI export",
    order=140,
    signature=_signature,
    conversations=_conversations,
)
