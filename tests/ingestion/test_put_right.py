"""What is put right on the way in is counted, what is cut short is told, and what comes twice is said so."""

import gzip
import io
import json
from pathlib import Path

import anyio
import pytest

from chatcore import DryRun, Engine, Incoming, IngestStopped
from chatcore.formats.format import ReadOptions
from chatcore.formats.people.whatsapp import FORMAT as WHATSAPP
from chatcore.formats.reading import read_source
from tests.ingestion.making import ARRAY, LINES, RECORDS, chat, read, record, said, unread, zipped

pytestmark = pytest.mark.anyio

NOT_UTF8 = "bytes that are no UTF-8"


def repaired(items: list[object]) -> list[dict[str, int]]:
    return [dict(item.repaired) for item in items if isinstance(item, Incoming)]


# --- bytes that are no text


@pytest.mark.parametrize("inside", ["lines", "array", "wrapper", "zip", "gzip"])
def test_bytes_that_are_no_utf8_are_counted_where_they_are(inside: str) -> None:
    lines = LINES.replace(b"question 2", b"question 2\xff\xfe \xe2\x82")
    array = ARRAY.replace(b"question 2", b"question 2\xff\xfe \xe2\x82")
    content = {
        "lines": lines,
        "array": array,
        "wrapper": b'{"conversations": ' + array + b"}",
        "zip": zipped({"a.jsonl": lines}),
        "gzip": gzip.compress(lines),
    }[inside]
    items = read(content)
    assert said(items)[2] == "question 2\ufffd\ufffd \ufffd"
    counts = [0, 0, 3, 0, 0]
    if inside == "wrapper":
        counts = [3, 0, 0, 0, 0]  # it is read as a whole: nobody knows whose they are
    assert [one.get(NOT_UTF8, 0) for one in repaired([*items])] == counts


def test_what_was_put_right_in_a_record_that_is_none_is_not_counted() -> None:
    lines = LINES.splitlines(keepends=True)
    items = read(b"".join([*lines[:2], b'{"messages": "\xff"}\n', *lines[2:]]))
    assert len(unread(items)) == 1
    assert repaired([*items]) == [{}] * 5


def test_lines_of_text_in_another_encoding_are_counted() -> None:
    text = "[1/2/24, 9:00:00 AM] Jo: h\xe9\n[1/2/24, 9:01:00 AM] Jo: \xfcber\n[1/2/24, 9:02:00 AM] Al: hi\n"
    reading = read_with_assistant(text.encode("cp1252"))
    assert "hé" in str(reading.messages)
    assert reading.repaired == {"a line that is not UTF-8, read as Windows-1252": 2}


def read_with_assistant(content: bytes) -> Incoming:
    (found,) = read_source(io.BytesIO(content), format=WHATSAPP.name, options=ReadOptions(assistant="Al"))
    assert isinstance(found, Incoming)
    return found


async def test_half_characters_and_nuls_are_counted_in_the_report(engine: Engine) -> None:
    odd = {"messages": [{"role": "user", "content": "a\0"}, {"role": "assistant", "content": "\ud800"}]}
    wide = (json.dumps([record(1)]).encode("utf-16-le"))[:-2] + b"\x00\xd8" + "]".encode("utf-16-le")
    report = await engine.ingest(io.BytesIO(json.dumps([odd, record(0)]).encode()))
    assert (report.imported, list(report.repaired.values())) == (2, [2])
    report = await engine.ingest(io.BytesIO(LINES.replace(b"question 3", b"question \xff")))
    assert (report.imported, report.repaired) == (4, {NOT_UTF8: 1})
    assert report.unchanged == 1
    report = await engine.ingest(io.BytesIO(wide.replace(b"q\0u\0", b"q\0\x00\xd8")))
    assert (report.imported, list(report.repaired.values())) == (1, [1])


# --- cut short


@pytest.mark.parametrize(
    "content", [ARRAY, json.dumps(RECORDS, indent=2).encode(), b'{"n": 1, "chats": ' + ARRAY]
)
def test_a_list_that_ends_between_two_items_is_told(content: bytes) -> None:
    at = content.rindex(b'{"messages"') if b'{"messages"' in content else content.rindex(b'{\n    "messages')
    for cut in (content[:at], content[:at].rstrip(b" ,\n")):
        items = read(cut)
        assert said(items) == [f"question {number}" for number in range(4)]
        (told,) = unread(items)
        assert told.kind == "failed"
        assert "cut short" in told.reason
    items = read(content[: at + 20])
    assert said(items) == [f"question {number}" for number in range(4)]
    assert ["cut short" in one.reason for one in unread(items)] == [True]


async def test_the_report_of_a_list_without_an_end_adds_up(engine: Engine) -> None:
    report = await engine.ingest(io.BytesIO(ARRAY[:-1]))
    assert (report.read, report.imported, report.failed) == (6, 5, 1)
    again = await engine.ingest(io.BytesIO(ARRAY))
    assert (again.read, again.unchanged, again.failed) == (5, 5, 0)


# --- twice


async def test_the_same_record_twice_is_said_to_be_so(engine: Engine) -> None:
    twice = io.BytesIO(LINES + LINES[: LINES.index(b"\n") + 1] * 2)
    dry = await engine.ingest(twice, dry_run=True)
    twice.seek(0)
    report = await engine.ingest(twice)
    for one in (dry, report):
        assert (one.read, one.imported, one.unchanged, one.repeated) == (7, 5, 2, 2)
    twice.seek(0)
    again = await engine.ingest(twice)
    assert (again.unchanged, again.repeated) == (7, 0)  # they were all there before


async def test_what_came_after_one_that_was_not_finished_is_not_said_to_be_twice(engine: Engine) -> None:
    with anyio.CancelScope() as scope:
        await engine.ingest([chat(1, 1_700)], progress=lambda _: scope.cancel())
    assert scope.cancelled_caught
    await engine.ingest([chat(2)])
    report = await engine.ingest([chat(1, 1_700), chat(2)])
    assert 0 < report.messages.imported < 1_700  # it goes on
    assert (report.imported, report.unchanged, report.repeated) == (1, 1, 0)


async def test_dry_runs_remember_across_sources(engine: Engine) -> None:
    run = DryRun()
    for store in (run, False):
        first = await engine.ingest([chat(0), chat(1)], dry_run=store)
        second = await engine.ingest([chat(1, 3), chat(2)], dry_run=store)
        third = await engine.ingest([chat(1, 3)], dry_run=store)
        assert (first.imported, first.messages.imported) == (2, 4)
        assert (second.imported, second.updated, second.messages.imported) == (1, 1, 3)
        assert (third.unchanged, third.messages.unchanged) == (1, 3)


# --- what can't be told


async def test_rejects_that_cannot_be_written_leave_the_report(engine: Engine) -> None:
    lines = LINES * 200 + b'{"messages": 7}\n'
    with pytest.raises(IngestStopped) as stopped:
        await engine.ingest(io.BytesIO(lines), rejects="/dev/full")
    assert "rejects" in stopped.value.sentence
    assert stopped.value.report.imported == 5


async def test_names_of_files_that_are_no_text_are_told(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "a\udcff.json").write_bytes(b"[{")
    (tmp_path / "b\udcff.jsonl").write_bytes(LINES)
    report = await engine.ingest(tmp_path)
    assert (report.imported, report.failed) == (5, 1)
    assert "\ufffd" in report.failures[0].file
    report.failures[0].file.encode()
