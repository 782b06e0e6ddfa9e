"""Grok's export: ``prod-grok-backend.json``, an object with `conversations`, each with its `responses`.

Seen in yetanotherchris/openwebui-importer, ``examples``. Times are ISO 8601 or MongoDB's ``{"$date": …}``;
files are named by ids, under which their bytes lie in the ZIP (``…/<id>/content``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from chatcore.formats.format import Archive, ReadFormat, ReadOptions, Record
from chatcore.formats.pieces import RecordFormat, newest_leaf, role_of, span_us, unread
from chatcore.formats.values import (
    fields,
    first_ident,
    ident,
    integer,
    keys_seen,
    listed,
    rest,
    text_in,
    time_us,
    title_in,
)
from chatcore.incoming import Incoming, IncomingFile, IncomingMessage, IncomingPart, Unread
from chatcore.messages import Reasoning, Status, Text

__all__ = ["FORMAT"]

_KNOWN = frozenset(
    {"response_id", "conversation_id", "message", "sender", "create_time", "parent_response_id"}
    | {"thinking_trace", "error", "partial", "file_attachments", "image_attachments", "generated_image_urls"}
    | {"model", "xai_user_id", "xai_anon_user_id"}
)
_KNOWN_CONVERSATION = frozenset(
    {"conversation_id", "title", "create_time", "modify_time", "leaf_response_id", "starred", "user_id"}
    | {"x_user_id", "anon_user_id"}
)
_USUAL: Mapping[str, object] = {"manual": False, "shared": False, "is_control": False, "temporary": False}


def _signature(value: Mapping[str, object]) -> bool:
    return isinstance(value.get("conversation"), dict) and isinstance(value.get("responses"), list)


def _conversations(
    value: Mapping[str, object], record: Record, options: ReadOptions
) -> Iterator[Incoming | Unread]:
    about = fields(value.get("conversation"))
    conversation_id = first_ident(about, "conversation_id", "id")
    told = []
    for item in listed(value.get("responses")):
        entry = fields(item)
        if response := fields(entry.get("response")) or entry:
            told.append(
                {**response, **rest(entry, frozenset({"response"}))} if "response" in entry else entry
            )
    if not told:
        known = bool(about)
        reason = "This conversation has no responses."
        if not known:
            reason = f"This is {keys_seen(value)}, no Grok conversation."
        yield unread(record, "skipped" if known else "failed", reason, conversation_id)
        return
    asked: dict[str, str] = {}  # the model that a question was for, by the question
    for response in told:
        model = ident(fields(fields(response.get("metadata")).get("requestModelDetails")).get("modelId"))
        if model is not None and (response_id := ident(response.get("response_id"))) is not None:
            asked[response_id] = model
    linear = not any(ident(response.get("parent_response_id")) for response in told)
    messages = [_message(response, asked, record.archive) for response in told]
    created_us, updated_us = span_us(
        messages, time_us(about.get("create_time")), time_us(about.get("modify_time"))
    )
    head = ident(about.get("leaf_response_id"))
    yield Incoming(
        source=options.source or "grok",
        id=conversation_id,
        title=title_in(about.get("title")),
        messages=messages,
        linear=linear,
        head=head if any(head == message.id for message in messages) else newest_leaf(messages),
        created_at_us=created_us,
        updated_at_us=updated_us,
        pinned=about.get("starred") is True,
        file=record.file,
        place=record.place,
        raw={
            **rest(about, _KNOWN_CONVERSATION, _USUAL),
            **rest(value, frozenset({"conversation", "responses"})),
        }
        or None,
    )


def _message(
    value: Mapping[str, object], asked: Mapping[str, str], archive: Archive | None
) -> IncomingMessage:
    raw = rest(value, _KNOWN, _USUAL)
    role = role_of(value.get("sender"))
    if role is None:
        raw["sender"] = value.get("sender")
        role = "assistant"
    parent = ident(value.get("parent_response_id"))
    status, reason = _ending(value) if role == "assistant" else ("complete", None)
    return IncomingMessage(
        role=role,
        parts=tuple(_parts(value, archive)),
        id=ident(value.get("response_id")),
        parent=parent,
        created_at_us=time_us(value.get("create_time")),
        model=(ident(value.get("model")) or asked.get(parent or "")) if role == "assistant" else None,
        status=status,
        reason=reason,
        raw=raw or None,
    )


def _ending(value: Mapping[str, object]) -> tuple[Status, str | None]:
    if error := value.get("error"):
        return "failed", text_in(fields(error).get("message")) or text_in(error)
    if value.get("partial") is True:
        return "interrupted", "It was still being written when it was exported."
    return "complete", None


def _parts(value: Mapping[str, object], archive: Archive | None) -> Iterator[IncomingPart]:
    if thought := text_in(value.get("thinking_trace")):
        yield Reasoning(thought)
    if text := text_in(value.get("message")):
        yield Text(text)
    for name in ("file_attachments", "image_attachments", "generated_image_urls"):
        for item in listed(value.get(name)):
            if item:
                yield _file(item, archive)


def _file(item: object, archive: Archive | None) -> IncomingFile:
    file = fields(item)
    pointer = ident(item) or first_ident(file, "asset_id", "file_id", "id", "file_metadata_id", "url")
    kind = first_ident(file, "mime_type", "file_mime_type")
    at = None
    if archive is not None and pointer is not None and "/" not in pointer:
        member = _members(archive.names).get(pointer)
        at = None if member is None else archive.unpack(member)
    return IncomingFile(
        name=first_ident(file, "file_name", "name") or (pointer or "file").rpartition("/")[2] or "file",
        media_type=kind if kind is not None and "/" in kind else None,
        size_bytes=integer(file.get("size", file.get("file_size"))),
        pointer=None if pointer is None else pointer[:2000],
        at=at,
    )


@lru_cache(maxsize=1)
def _members(names: Callable[[], Sequence[str]]) -> Mapping[str, str]:
    """Members by the id that their file or folder is called."""
    return {name.removesuffix("/content").rpartition("/")[2]: name for name in names()}


FORMAT: ReadFormat = RecordFormat(
    name="grok",
    title="Grok export",
    order=150,
    members=r"prod-grok-backend\.json",
    signature=_signature,
    conversations=_conversations,
)
