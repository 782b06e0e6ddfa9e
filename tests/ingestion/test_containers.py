"""Files in all containers: the same records in each, bombs and broken ones refused with a sentence."""

import gzip
import io
import json
import os
import struct
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from chatcore.errors import InvalidInput, Unrecognised
from chatcore.formats.json_stream import split
from chatcore.formats.reading import read_source
from chatcore.formats.streams import Damaged, Stream
from tests.ingestion.making import ARRAY, CONTAINERS, LINES, RECORDS, read, record, said, unread, zipped

QUESTIONS = [f"question {number}" for number in range(5)]


@pytest.mark.parametrize("name", CONTAINERS)
def test_each_container_has_the_same_records(name: str) -> None:
    items = read(CONTAINERS[name])
    assert said(items) == QUESTIONS
    assert unread(items) == []


@pytest.mark.parametrize("name", CONTAINERS)
def test_each_comes_through_a_pipe(name: str) -> None:
    ours, theirs = os.pipe()

    def write() -> None:
        with os.fdopen(theirs, "wb") as file:
            file.write(CONTAINERS[name])

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(ours, "rb") as file:
        assert said(list(read_source(file))) == QUESTIONS
    writer.join(5)


def test_a_reading_that_waits_for_a_pipe_can_be_stopped() -> None:
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb") as file, os.fdopen(theirs, "wb") as held:
        reading = read_source(file)
        ended: list[BaseException] = []

        def wait() -> None:
            try:
                next(reading)
            except (Damaged, Unrecognised, StopIteration) as error:
                ended.append(error)

        reader = threading.Thread(target=wait)
        reader.start()
        reading.stop()
        reader.join(5)
        assert not reader.is_alive()
        assert ended
        reading.close()
        assert not held.closed


def test_a_folder_is_each_file_by_itself(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.json").write_bytes(ARRAY)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(LINES))
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "notes.json").write_bytes(b'{"nothing": "of ours"}')
    items = read(tmp_path)
    assert sorted(said(items)) == sorted(2 * QUESTIONS)
    notes, picture = unread(items)
    assert (notes.kind, picture.kind) == ("skipped", "skipped")
    assert "nothing" in notes.reason
    assert "neither text" in picture.reason


def test_places_are_told() -> None:
    assert [item.place for item in read(LINES)] == [f"line {n}" for n in range(1, 6)]
    assert [item.place for item in read(ARRAY)] == [f"item {n}" for n in range(1, 6)]
    assert read(zipped({"any.json": ARRAY}))[0].file == "input:any.json"


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_what_is_cut_short_is_read_so_far(pack: Callable[[bytes], bytes]) -> None:
    packed = pack(
        b"".join(json.dumps({**record(n), "x": os.urandom(400).hex()}).encode() + b"\n" for n in range(500))
    )
    items = read(packed[:-5])
    (broken,) = unread(items)
    assert "cut short" in broken.reason
    assert len(said(items)) > 400


def test_a_damaged_gzip_is_told() -> None:
    packed = bytearray(gzip.compress(os.urandom(300_000).hex().encode()))
    packed[5000] ^= 0xFF
    with pytest.raises(Unrecognised):
        read(bytes(packed))


def test_a_line_that_is_too_long_costs_itself_only() -> None:
    content = LINES + b'{"messages": "' + b"x" * 5000 + b'"}\n' + LINES
    found = list(split(Stream(iter([content[:3000], content[3000:]])), max_bytes=2000))
    assert [piece.place for piece in found if piece.problem] == ["line 6"]
    assert len(found) == 11


# --- archives


def test_members_that_lead_out_are_refused() -> None:
    items = read(
        zipped({"../../evil.json": ARRAY, "/root.json": ARRAY, "C:/x.json": ARRAY, "ok.json": ARRAY})
    )
    assert said(items) == QUESTIONS
    assert len([item for item in unread(items) if "leads out" in item.reason]) == 3


def test_encrypted_members_are_refused() -> None:
    packed = bytearray(zipped({"a.json": ARRAY, "b.json": ARRAY}))
    # the flag of encryption, in the first local header and in its entry of the directory (APPNOTE 4.4.4)
    packed[6] |= 1
    entry = packed.index(b"PK\x01\x02")
    packed[entry + 8] |= 1
    items = read(bytes(packed))
    assert said(items) == QUESTIONS
    assert ["encrypted" in item.reason for item in unread(items)] == [True]


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatcore.formats.archive.FREE_BYTES", 100_000)
    monkeypatch.setattr("chatcore.formats.packings._FREE_BYTES", 100_000)
    zeros = b" " * 2_000_000
    items = read(zipped({"bomb.json": zeros, "ok.json": ARRAY}))
    assert said(items) == QUESTIONS
    assert ["bomb" in item.reason for item in unread(items)] == [True]
    for packed in (gzip.compress(zeros + ARRAY), zstandard.compress(zeros + ARRAY)):
        items = read(packed, "openai")
        assert said(items) == []
        assert ["bomb" in item.reason for item in unread(items)] == [True]


def test_members_that_overlap_are_refused() -> None:
    packed = bytearray(zipped({"a.json": ARRAY}))
    entry = packed.index(b"PK\x01\x02")
    struct.pack_into("<I", packed, entry + 20, len(packed) + 1)  # its packed size
    with pytest.raises(InvalidInput, match="overlap"):
        read(bytes(packed))


def test_links_out_of_a_folder_are_refused(tmp_path: Path) -> None:
    outside = tmp_path / "secret.json"
    outside.write_bytes(ARRAY)
    inside = tmp_path / "export"
    inside.mkdir()
    (inside / "a.json").symlink_to(outside)
    (inside / "b.json").write_bytes(LINES)
    items = read(inside)
    assert said(items) == QUESTIONS
    assert ["leads out" in item.reason for item in unread(items)] == [True]


def test_links_in_a_zip_are_refused() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        link = zipfile.ZipInfo("a.json")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("b.json", ARRAY)
    assert ["link" in item.reason for item in unread(read(held.getvalue()))] == [True]


def test_of_members_of_a_zip_with_one_name_the_last_holds() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        link = zipfile.ZipInfo("a.json")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.json", ARRAY)
    items = read(held.getvalue())
    assert said(items) == QUESTIONS
    assert [one.file for one in unread(items)] == ["input:a.json (an earlier one)"]


@pytest.mark.parametrize("given", [b"PK\x03\x04 not a zip", b"PK\x05\x06"])
def test_what_only_begins_as_a_zip_is_told(given: bytes) -> None:
    with pytest.raises(InvalidInput):
        read(given)


def test_the_temporary_files_are_gone_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ours, theirs = os.pipe()
    os.write(theirs, zipped({"a.json": ARRAY}))
    os.close(theirs)
    with os.fdopen(ours, "rb") as file:
        reading = read_source(file)
        assert len(list(reading)) == len(RECORDS)
        assert list(tmp_path.iterdir()) == []  # its copy has no name
        reading.close()


def test_files_that_another_format_claims_by_their_names_are_read_or_told(tmp_path: Path) -> None:
    turns = [{"role": "user", "text": "question 6"}, {"role": "model", "text": "a"}]
    prompt = {"runSettings": {"model": "m"}, "chunkedPrompt": {"chunks": turns}}
    (tmp_path / "A").write_bytes(LINES)
    (tmp_path / "B").write_text('{"weird": 1}')
    (tmp_path / "C").write_text(json.dumps(prompt))
    items = read(tmp_path)
    assert sorted(said(items)) == sorted([*QUESTIONS, "question 6"])
    assert [(one.kind, one.file.partition(":")[2]) for one in unread(items)] == [("skipped", "B")]
