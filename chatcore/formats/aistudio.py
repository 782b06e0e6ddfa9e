"""A prompt of Google AI Studio, as it lies in Google Drive: one object, its turns as `chunks`.

Seen in yetanotherchris/openwebui-importer, ``examples``. A prompt has no id; its title is its file's name.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePath

from chatcore.formats.format import ReadFormat, ReadOptions, Record
from chatcore.formats.pieces import RecordFormat, inline_file, role_of, span_us, unread
from chatcore.formats.values import (
    fields,
    first_ident,
    ident,
    integer,
    json_text,
    keys_seen,
    listed,
    rest,
    text_in,
    time_us,
)
from chatcore.incoming import Incoming, IncomingFile, IncomingMessage, IncomingPart, Unread
from chatcore.messages import Reasoning, Role, Settings, Status, Text, ToolCall, ToolResult, Usage

__all__ = ["FORMAT"]

FILES = {"driveDocument", "driveImage", "driveAudio", "driveVideo", "driveFile", "youtubeVideo", "fileData"}
_DATA = ("inlineData", "inlineFile", "inlineImage", "inlineAudio", "inlineVideo")
_TOOLS = {"executableCode", "codeExecutionResult", "functionCall", "functionResponse"}
_KNOWN = frozenset(
    {"role", "text", "parts", "isThought", "thought", "tokenCount", "createTime", "errorMessage"}
    | {*FILES, *_DATA, *_TOOLS}
)
_STOPS: Mapping[str, str] = {
    "MAX_TOKENS": "The limit of tokens was reached.",
    "SAFETY": "Its content was blocked.",
}


def _signature(value: Mapping[str, object]) -> bool:
    return "chunks" in fields(value.get("chunkedPrompt"))


def _conversations(
    value: Mapping[str, object], record: Record, options: ReadOptions
) -> Iterator[Incoming | Unread]:
    prompt = fields(value.get("chunkedPrompt"))
    chunks = [found for item in listed(prompt.get("chunks")) if (found := fields(item))]
    if not chunks:
        known = "chunkedPrompt" in value
        reason = "This prompt has no turns." if known else f"This is {keys_seen(value)}, no AI Studio prompt."
        yield unread(record, "skipped" if known else "failed", reason)
        return
    settings = fields(value.get("runSettings"))
    messages = [_message(chunk, ident(settings.get("model"))) for chunk in chunks]
    created_us, updated_us = span_us(messages, None, None)
    raw = rest(value, frozenset({"chunkedPrompt", "systemInstruction", "pendingInputs"}))
    if more := rest(prompt, frozenset({"chunks", "pendingInputs"})):
        raw["chunkedPrompt"] = more
    drafts = (*listed(value.get("pendingInputs")), *listed(prompt.get("pendingInputs")))
    if drafts := tuple(draft for draft in drafts if rest(fields(draft), frozenset({"role"}))):
        raw["pendingInputs"] = list(drafts)  # typed, and not sent
    name = PurePath(record.file.rpartition(":")[2]).name
    instruction = fields(value.get("systemInstruction"))
    system = text_in(instruction.get("text")) or text_in(instruction.get("parts"))
    yield Incoming(
        source=options.source or "aistudio",
        title=name if name and "." not in name and name != "-" else None,
        messages=messages,
        linear=True,
        created_at_us=created_us,
        updated_at_us=updated_us,
        settings=Settings(system_prompt=system if system.strip() else None),
        file=record.file,
        place=record.place,
        raw=raw or None,
    )


def _message(chunk: Mapping[str, object], model: str | None) -> IncomingMessage:
    role: Role | None = role_of(chunk.get("role"))
    raw = rest(chunk, _KNOWN)
    if role is None:
        raw["role"] = chunk.get("role")
        role = "assistant" if model is not None and "finishReason" in chunk else "user"
    is_answer = role == "assistant"
    count = integer(chunk.get("tokenCount"))
    status, reason = _ending(chunk) if is_answer else ("complete", None)
    if count is not None and not is_answer:
        raw["tokenCount"] = count
    return IncomingMessage(
        role=role,
        parts=tuple(_parts(chunk, raw)),
        created_at_us=time_us(chunk.get("createTime")),
        model=model if is_answer else None,
        status=status,
        reason=reason,
        usage=Usage(completion_tokens=count) if is_answer and count is not None else None,
        raw=raw or None,
    )


def _ending(chunk: Mapping[str, object]) -> tuple[Status, str | None]:
    if error := text_in(chunk.get("errorMessage")):
        return "failed", error
    finish = chunk.get("finishReason")
    if isinstance(finish, str) and finish in _STOPS:
        return "stopped", _STOPS[finish]
    return "complete", None


def _parts(chunk: Mapping[str, object], raw: dict[str, object]) -> Iterator[IncomingPart]:
    """The chunk's own text; its parts are pieces of that, and count only where it has none."""
    text = text_in(chunk.get("text"))
    if text:
        yield _words(text, chunk)
    yield from _others(chunk)
    left = []
    for item in listed(chunk.get("parts")):
        part = fields(item)
        words = text_in(part.get("text")) or (item if isinstance(item, str) else "")
        if words and not text:
            yield _words(words, part if "thought" in part else chunk)
        yield from _others(part)
        if more := rest(part, _KNOWN):
            left.append(more)
    if left:
        raw["parts"] = left


def _words(text: str, place: Mapping[str, object]) -> IncomingPart:
    is_thought = place.get("isThought") is True or place.get("thought") is True
    return Reasoning(text) if is_thought else Text(text)


def _others(place: Mapping[str, object]) -> Iterator[IncomingPart]:
    """What stands beside text in a chunk or a part: files, tools."""
    for name in sorted(FILES & place.keys()):
        file = fields(place[name])
        pointer = first_ident(file, "id", "fileUri", "uri") or ident(place[name])
        kind = ident(file.get("mimeType"))
        yield IncomingFile(name=first_ident(file, "name") or name, media_type=kind, pointer=pointer)
    for name in _DATA:
        if data := fields(place.get(name)):
            kind = ident(data.get("mimeType")) or "application/octet-stream"
            url = f"data:{kind};base64,{text_in(data.get('data'))}"
            yield inline_file(url, name) or IncomingFile(name=name, media_type=kind)
    if code := fields(place.get("executableCode")):
        yield ToolCall("code", "code_execution", text_in(code.get("code")))
    if result := fields(place.get("codeExecutionResult")):
        outcome = result.get("outcome")
        failed = isinstance(outcome, str) and outcome not in {"OUTCOME_OK", "OUTCOME_UNSPECIFIED"}
        yield ToolResult("code", text_in(result.get("output")), failed)
    if call := fields(place.get("functionCall")):
        name = text_in(call.get("name")) or "tool"
        yield ToolCall(first_ident(call, "id") or name, name, json_text(call.get("args") or {}))
    if answer := fields(place.get("functionResponse")):
        call_id = first_ident(answer, "id", "name") or "tool"
        yield ToolResult(call_id, json_text(answer.get("response")))


FORMAT: ReadFormat = RecordFormat(
    name="aistudio",
    title="Google AI Studio prompt",
    order=160,
    members=r"[^.]+",  # as they lie in Google Drive, called by their titles
    signature=_signature,
    conversations=_conversations,
)
