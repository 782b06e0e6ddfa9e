"""Logs of the command line tool ``llm``: ``llm logs --json`` (simonw/llm, ``docs/logging.md``,
``llm/cli.py``).

A row is a prompt and its response; rows of one ``conversation_id`` are a conversation, wherever they stand.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from chatcore.formats.format import Kind, ReadOptions, Record
from chatcore.formats.pieces import span_us, unread
from chatcore.formats.spool import grouped
from chatcore.formats.values import (
    fields,
    first_ident,
    ident,
    integer,
    json_text,
    keys_seen,
    listed,
    rest,
    time_us,
    title_in,
)
from chatcore.incoming import Incoming, IncomingFile, IncomingMessage, IncomingPart, Unread
from chatcore.messages import Reasoning, Settings, Text, ToolCall, ToolResult, Usage

__all__ = ["FORMAT"]

KNOWN = frozenset(
    {"id", "model", "prompt", "system", "response", "reasoning", "conversation_id", "conversation_name"}
    | {"datetime_utc", "attachments", "tool_calls", "tool_results", "input_tokens", "output_tokens"}
)


class Llm:
    """The format."""

    name = "llm"
    title = "llm logs"
    kind: Kind = "json"
    members: str | None = None
    order = 210

    def recognises(self, record: Record) -> bool:
        """Whether it is a row."""
        value = fields(record.value)
        return {"model", "prompt", "response", "datetime_utc"} <= value.keys()

    def read(self, records: Iterable[Record], options: ReadOptions) -> Iterator[Incoming | Unread]:
        """One conversation for the rows of each."""
        source = options.source or self.name
        for known, group in grouped(records, _conversation_id):
            rows = []
            for record in group:
                value = fields(record.value)
                if "response" in value or "prompt" in value:
                    rows.append((record, value))
                else:
                    yield unread(
                        record, "failed", f"This is no row of llm's log but {keys_seen(record.value)}."
                    )
            if rows:
                # the log is written in the order of time, and shown in either
                rows.sort(key=lambda row: time_us(row[1].get("datetime_utc")) or 0)
                yield _conversation(known, rows, source)


def _conversation_id(record: Record) -> str:
    return first_ident(fields(record.value), "conversation_id", "id") or f"{record.file} {record.place}"


def _conversation(known: str, rows: Sequence[tuple[Record, Mapping[str, object]]], source: str) -> Incoming:
    messages: list[IncomingMessage] = []
    first, row = rows[0]
    system = prompt = _words(row.get("system"))
    for _, value in rows:
        if (other := _words(value.get("system"))) and other != system:
            system = other
            messages.append(IncomingMessage(role="system", parts=(Text(other),), id=_id(value, "system")))
        messages.extend(_exchange(value))
    created, updated = span_us(messages, None, None)
    has_id = first_ident(row, "conversation_id", "id") is not None
    return Incoming(
        source=source,
        id=known if has_id else None,
        messages=messages,
        title=title_in(row.get("conversation_name")),
        linear=True,
        created_at_us=created,
        updated_at_us=updated,
        settings=Settings(system_prompt=prompt or None),
        file=first.file,
        place=first.place,
    )


def _exchange(row: Mapping[str, object]) -> Iterator[IncomingMessage]:
    """A prompt and its response; results of tools are part of the prompt that brings them to the model."""
    began = time_us(row.get("datetime_utc"))
    took = integer(row.get("duration_ms"))
    results = tuple(_results(row))
    if results:
        yield IncomingMessage(role="tool", parts=results, id=_id(row, "tools"), created_at_us=began)
    question: tuple[IncomingPart, ...] = (*_files(row), *_said(row.get("prompt")))
    if question or not results:
        yield IncomingMessage(role="user", parts=question, id=_id(row, "prompt"), created_at_us=began)
    thought = _words(row.get("reasoning"))
    answer = (*((Reasoning(thought),) if thought else ()), *_said(row.get("response")), *_calls(row))
    usage = Usage(
        prompt_tokens=integer(row.get("input_tokens")), completion_tokens=integer(row.get("output_tokens"))
    )
    yield IncomingMessage(
        role="assistant",
        parts=answer,
        id=_id(row, "response"),
        created_at_us=began if began is None or took is None else began + took * 1000,
        model=ident(row.get("model")),
        usage=None if usage == Usage() else usage,
        raw=rest(row, KNOWN) or None,
    )


def _id(row: Mapping[str, object], what: str) -> str | None:
    known = ident(row.get("id"))
    return None if known is None else f"{known}:{what}"


def _words(value: object) -> str:
    return "" if value is None else json_text(value)


def _said(value: object) -> tuple[IncomingPart, ...]:
    words = _words(value)
    return (Text(words),) if words else ()


def _files(row: Mapping[str, object]) -> Iterator[IncomingPart]:
    for item in map(fields, listed(row.get("attachments"))):
        pointer = first_ident(item, "path", "url", "id")
        media_type = item.get("type")
        yield IncomingFile(
            name=PurePosixPath(pointer or "").name or "attachment",
            media_type=media_type if isinstance(media_type, str) and media_type else None,
            size_bytes=integer(item.get("content_length")),
            pointer=pointer,
        )


def _calls(row: Mapping[str, object]) -> Iterator[IncomingPart]:
    for item in map(fields, listed(row.get("tool_calls"))):
        yield ToolCall(
            call_id=first_ident(item, "tool_call_id", "id") or "",
            name=ident(item.get("name")) or "",
            arguments=_words(item.get("arguments")) or "{}",
        )


def _results(row: Mapping[str, object]) -> Iterator[IncomingPart]:
    for item in map(fields, listed(row.get("tool_results"))):
        yield ToolResult(
            call_id=first_ident(item, "tool_call_id", "id") or "",
            output=_words(item.get("output")),
            is_error=bool(item.get("exception")),
        )


FORMAT = Llm()
