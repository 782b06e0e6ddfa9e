"""Folders, ZIPs and tar archives as people have them: all is looked at, and all that is not read is told."""

import gzip
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import zstandard

from chatcore.errors import InvalidInput, Unrecognised
from chatcore.formats.format import ReadOptions
from chatcore.formats.reading import read_source
from chatcore.formats.sight import sight_of
from tests.ingestion.making import ARRAY, LINES, RECORDS, read, said, unread, zipped

QUESTIONS = [f"question {number}" for number in range(5)]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
CHATGPT: Mapping[str, object] = {
    "title": "t",
    "mapping": {
        "a": {"id": "a", "message": {"author": {"role": "user"}, "content": {"parts": ["question 9"]}}}
    },
}


def tarred(members: Mapping[str, bytes], *odd: tarfile.TarInfo) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in odd:
            archive.addfile(info)
    return held.getvalue()


# --- folders


def test_every_file_of_a_folder_is_looked_at_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "no-ending").write_bytes(LINES)
    (tmp_path / "chat.bak").write_bytes(ARRAY)
    (tmp_path / "packed.old").write_bytes(gzip.compress(LINES))
    (tmp_path / "wide.dat").write_bytes(ARRAY.decode().encode("utf-16"))
    (tmp_path / "picture.json").write_bytes(PNG)
    (tmp_path / "empty.json").write_bytes(b"")
    (tmp_path / "README").write_text("These are my chats.")
    items = read(tmp_path)
    assert sorted(said(items)) == sorted(4 * QUESTIONS)
    left = {one.file.partition(":")[2]: one for one in unread(items)}
    assert {one.kind for one in left.values()} == {"skipped"}
    assert sorted(left) == ["README", "empty.json", "picture.json"]
    assert "no format" in left["README"].reason
    assert "empty" in left["empty.json"].reason
    assert "neither text" in left["picture.json"].reason


def test_archives_in_a_folder_are_read_where_they_lie(tmp_path: Path) -> None:
    export = zipped({"conversations.json": json.dumps([CHATGPT]).encode()})
    (tmp_path / "a.zip").write_bytes(export)
    (tmp_path / "b.tgz").write_bytes(gzip.compress(tarred({"x.jsonl": LINES})))
    (tmp_path / "c.tar").write_bytes(tarred({"x.jsonl": LINES, "inner.zip": export}))
    (tmp_path / "d.zip").write_bytes(export[:40])
    items = read(tmp_path)
    assert sorted(said(items)) == sorted([*2 * QUESTIONS, *2 * ["question 9"]])
    (cut,) = unread(items)
    assert cut.kind == "failed"
    assert "ZIP" in cut.reason


@pytest.mark.parametrize("within", [zipped, tarred])
def test_archives_in_an_archive_are_read_one_level_deep(
    within: Callable[[Mapping[str, bytes]], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    export = zipped({"conversations.json": json.dumps([CHATGPT]).encode(), "notes.txt": b"words"})
    members = {
        "a/export.zip": export,
        "b.tar": tarred({"x.jsonl": LINES}),
        "c.zip": zipped({"x.jsonl": LINES, "deeper.zip": export}),
        "d.zip": export[:40],
        "e.tgz": gzip.compress(tarred({"x.jsonl": LINES})),
        "f.jsonl.gz": gzip.compress(LINES),
    }
    reading = read_source(io.BytesIO(within(members)))
    items, copies = [], []
    for item in reading:
        items.append(item)
        copies.append(_copies(tmp_path))
        done, total = reading.progress()
        assert total is not None
        assert done <= total
    assert sorted(said(items)) == sorted([*3 * QUESTIONS, "question 9"])
    told = {one.file: one for one in unread(items)}
    assert {file: one.kind for file, one in told.items()} == {
        "input:a/export.zip:notes.txt": "skipped",
        "input:c.zip:deeper.zip": "failed",
        "input:d.zip": "failed",
        "input:e.tgz": "failed",
    }
    for file in ("input:c.zip:deeper.zip", "input:e.tgz"):
        assert "unpack the outer one" in told[file].reason
    assert (max(copies), _copies(tmp_path)) == (1, 0)


def test_a_bomb_through_two_archives_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the two is packed as tight as it may be, together they are tighter."""
    monkeypatch.setattr("chatcore.formats.nesting.FREE_BYTES", 1_000_000)
    inner = zipped({f"{number}.json": b" " * 990_000 for number in range(40)})
    items = read(zipped({"a.zip": inner, "b.jsonl": LINES}))
    assert said(items) == QUESTIONS
    (bomb,) = unread(items)
    assert (bomb.kind, bomb.file) == ("failed", "input:a.zip")
    assert "bomb" in bomb.reason


def test_an_archive_in_a_zip_that_finds_no_room_to_be_copied_has_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inner = zipped({"a.jsonl": LINES * 50})
    monkeypatch.setattr("tempfile.TemporaryFile", lambda: open("/dev/full", "w+b"))  # noqa: SIM115
    items = read(zipped({"a.zip": inner, "b.jsonl": LINES}))
    assert said(items) == QUESTIONS
    assert "No space left" in unread(items)[0].reason


def test_what_no_conversation_takes_of_a_folder_is_told_and_what_one_does_is_not(tmp_path: Path) -> None:
    said_so = "[1/2/24, 9:00:00 AM] Jo: hi\n[1/2/24, 9:01:00 AM] Al: \u200e<attached: 1.png>\n"
    (tmp_path / "talk.txt").write_text(said_so)
    (tmp_path / "1.png").write_bytes(PNG)
    (tmp_path / "2.png").write_bytes(PNG)
    reading = read_source(tmp_path, options=ReadOptions(assistant="Al"))
    items = list(reading)
    assert len(said(items)) == 1
    assert [one.file.partition(":")[2] for one in unread(items)] == ["2.png"]


def test_a_broken_file_among_others_has_failed(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(LINES)
    (tmp_path / "b.json").write_bytes(json.dumps(CHATGPT).encode()[:-30])
    (tmp_path / "c.json.gz").write_bytes(gzip.compress(os.urandom(3000).hex().encode())[:-900])
    for source in (tmp_path, zipped({path.name: path.read_bytes() for path in tmp_path.iterdir()})):
        items = read(source)
        assert said(items) == QUESTIONS
        assert {(one.file.partition(":")[2], one.kind) for one in unread(items)} == {
            ("b.json", "failed"),
            ("c.json.gz", "failed"),
        }
        assert all("cut short" in one.reason for one in unread(items))


def test_a_part_of_an_export_that_is_of_no_format_is_told() -> None:
    other, whole = b'[{"weather": 1}]', json.dumps([CHATGPT]).encode()
    items = read(zipped({"conversations-000.json": other, "conversations-001.json": whole}))
    assert said(items) == ["question 9"]
    assert [(one.kind, one.file) for one in unread(items)] == [("skipped", "input:conversations-000.json")]


def test_a_broken_part_of_an_export_has_failed() -> None:
    whole = json.dumps([CHATGPT]).encode()
    items = read(zipped({"conversations-000.json": whole[:60], "conversations-001.json": whole}))
    assert said(items) == ["question 9"]
    (broken,) = unread(items)
    assert (broken.kind, broken.file) == ("failed", "input:conversations-000.json")


def test_of_a_named_format_the_lists_of_an_export_are_not_read_as_conversations(tmp_path: Path) -> None:
    members = {
        "conversations.json": json.dumps([CHATGPT]).encode(),
        "shared_conversations.json": b'[{"id": "s", "title": "t"}]',
        "user.json": b'{"id": "u"}',
        "more.json": json.dumps([CHATGPT]).encode(),
    }
    for name, content in members.items():
        (tmp_path / name).write_bytes(content)
    for source in (tmp_path, zipped(members)):
        items = read(source, "chatgpt")
        assert said(items) == 2 * ["question 9"]
        assert unread(items) == []


def test_pipes_and_links_in_a_folder_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "loop.json").symlink_to("loop.json")
    (tmp_path / "nothing.json").symlink_to("not-there.json")
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "secret.json").write_bytes(ARRAY)
    (tmp_path / "way-out").symlink_to(outside)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.jsonl").write_bytes(LINES)
    (tmp_path / "again").symlink_to("deep")
    items = read(tmp_path)
    assert said(items) == QUESTIONS
    kinds = {one.file.partition(":")[2]: one.kind for one in unread(items)}
    assert kinds.pop("loop.json") in {"skipped", "failed"}  # which it is, depends on the version of Python
    assert kinds == {"pipe.json": "skipped", "nothing.json": "skipped", "way-out": "failed"}


def test_a_long_text_of_no_format_costs_the_others_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("word " * 30_000)
    (tmp_path / "b.jsonl").write_bytes(LINES)
    items = read(tmp_path)
    assert said(items) == QUESTIONS
    assert [one.kind for one in unread(items)] == ["skipped"]


def test_more_broken_records_than_are_told_end_their_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatcore.formats.records._MOST_FAULTS", 10)
    (tmp_path / "a.jsonl").write_bytes(LINES + b"{oops\n" * 30 + LINES)
    (tmp_path / "b.jsonl").write_bytes(LINES)
    items = read(tmp_path)
    assert said(items) == 2 * QUESTIONS
    assert len(unread(items)) == 11
    assert "in a row" in unread(items)[-1].reason


# --- what a file is


@pytest.mark.parametrize(
    ("head", "sight"),
    [
        (b"", "empty"),
        (b"words", "text"),
        (b'\xef\xbb\xbf[{"a": 1}]', "text"),
        (b'{"a": "\0\1"}', "text"),
        ("[1]".encode("utf-16-le"), "text"),
        ("é".encode("cp1252"), "text"),
        (PNG, "other"),
        (b"\0\0\0\x20ftypisom", "other"),  # a film; as UTF-32 it would begin with a space
        (b"\0\0\1\0\1\0\x10\x10", "other"),
        (gzip.compress(b"x", mtime=0), "packed"),
        (zstandard.compress(b"x"), "packed"),
        (b"PK\x03\x04", "archive"),
        (tarred({"a": b""}), "archive"),
        (bytes(512), "other"),
    ],
)
def test_files_are_told_by_their_first_bytes(head: bytes, sight: str) -> None:
    assert sight_of(head) == sight


# --- encrypted


def encrypted(members: Mapping[str, bytes]) -> bytes:
    """A ZIP of which all members are said to be encrypted (APPNOTE 4.4.4)."""
    packed = bytearray(zipped(members))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = packed.find(mark)
        while at >= 0:
            packed[at + flags] |= 1
            at = packed.find(mark, at + 1)
    return bytes(packed)


def test_an_archive_that_is_encrypted_is_told_as_such() -> None:
    for members in ({"conversations.json": ARRAY}, {"a.json": ARRAY, "b.json": ARRAY}):
        (left,) = read(encrypted(members))
        assert "encrypted" in unread([left])[0].reason
        assert "password" in unread([left])[0].reason
        assert (unread([left])[0].kind, unread([left])[0].file) == ("failed", "input")


def test_of_zips_one_after_the_other_the_first_is_told() -> None:
    items = read(zipped({"a.jsonl": LINES}) + zipped({"b.jsonl": LINES}))
    assert said(items) == QUESTIONS
    (told,) = unread(items)
    assert (told.kind, told.file) == ("failed", "input")
    assert "Another archive" in told.reason


# --- tar


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
@pytest.mark.parametrize("piped", [False, True])
def test_a_tar_archive_is_read_as_one(pack: Callable[[bytes], bytes], piped: bool, tmp_path: Path) -> None:
    packed = pack(tarred({"./conversations.json": json.dumps([CHATGPT]).encode(), "a/b.jsonl": LINES}))
    if not piped:
        items = read(packed)
    else:
        ours, theirs = os.pipe()
        os.write(theirs, packed)
        os.close(theirs)
        with os.fdopen(ours, "rb") as file:
            items = list(read_source(file))
    assert said(items) == ["question 9", *QUESTIONS]
    assert unread(items) == []


def test_members_of_a_tar_archive_that_are_no_files_are_not_opened() -> None:
    odd = []
    for name, kind, target in (
        ("link.json", tarfile.SYMTYPE, "/etc/passwd"),
        ("hard.json", tarfile.LNKTYPE, "ok.json"),
        ("pipe.json", tarfile.FIFOTYPE, ""),
        ("disk.json", tarfile.BLKTYPE, ""),
        ("folder.json", tarfile.DIRTYPE, ""),
    ):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        odd.append(info)
    items = read(tarred({"../evil.json": ARRAY, "/root.json": ARRAY, "ok.json": ARRAY}, *odd))
    assert said(items) == QUESTIONS
    kinds = {one.file.partition(":")[2]: one.kind for one in unread(items)}
    assert kinds == {
        "../evil.json": "failed",
        "/root.json": "failed",
        "link.json": "failed",
        "hard.json": "failed",
        "pipe.json": "skipped",
        "disk.json": "skipped",
    }


def test_of_members_of_a_tar_archive_with_one_name_the_last_holds() -> None:
    link, pipe = tarfile.TarInfo("a.jsonl"), tarfile.TarInfo("a.jsonl")
    link.type, link.linkname, pipe.type = tarfile.SYMTYPE, "/etc/passwd", tarfile.FIFOTYPE
    file, older = _member("a.jsonl", LINES), _member("a.jsonl", ARRAY[:20])
    for parts, told in (
        ([file, link.tobuf()], {"a.jsonl": "failed", "a.jsonl (an earlier one)": "failed"}),
        ([file, pipe.tobuf()], {"a.jsonl": "skipped", "a.jsonl (an earlier one)": "failed"}),
        ([link.tobuf(), pipe.tobuf(), file], {}),
        ([older, file], {"a.jsonl (an earlier one)": "failed"}),
    ):
        archive = b"".join([*parts, _member("z.jsonl", LINES)]) + bytes(1024)
        items = read(archive)
        assert said(items) == (QUESTIONS if "a.jsonl" in told else 2 * QUESTIONS)
        assert {one.file.partition(":")[2]: one.kind for one in unread(items)} == told


def test_a_folder_and_a_file_of_one_name_in_a_tar_archive_lose_nothing() -> None:
    """However they come: what lies in the folder is read too, with what it names."""
    folder = tarfile.TarInfo("a.jsonl")
    folder.type = tarfile.DIRTYPE
    old = tarfile.TarInfo("a.jsonl/")  # how the oldest archives write a folder
    file, inside = _member("a.jsonl", LINES), _member("a.jsonl/b.jsonl", LINES)
    export = _member("a.jsonl/c/conversations.json", json.dumps([CHATGPT]).encode())
    for entry in (folder.tobuf(), old.tobuf()):
        for parts in ([file, entry], [entry, file], [file, entry, file], [entry]):
            once = file in parts
            items = read(b"".join([*parts, inside, export]) + bytes(1024))
            assert sorted(said(items)) == sorted([*QUESTIONS * (1 + once), "question 9"])
            told = {one.file.partition(":")[2] for one in unread(items)}
            assert told == ({"a.jsonl (an earlier one)"} if parts.count(file) > 1 else set())


def _member(name: str, content: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info.tobuf() + content.ljust(-(-len(content) // 512) * 512, b"\0")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("left", [4096 + 512 + 1, 4096 + 200, 4096, 6 * 1024])
def test_a_tar_archive_that_is_cut_short_is_read_so_far(pack: Callable[[bytes], bytes], left: int) -> None:
    """Within a member, within a header, behind a member, before the mark of the end."""
    lines = LINES.ljust(1536, b"\n")
    whole = tarred({f"{number}.jsonl": lines for number in range(3)})
    assert len(whole.rstrip(b"\0")) == 6 * 1024
    items = read(pack(whole[:left]))
    assert len(said(items)) == (15 if left > 4096 + 1024 else 10)
    assert any(one.kind == "failed" and "cut short" in one.reason for one in unread(items))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_tar_archives_one_after_the_other_are_all_read(pack: Callable[[bytes], bytes]) -> None:
    first, second = tarred({"a.jsonl": LINES}), tarred({"b.jsonl": LINES, "a.jsonl": LINES})
    for between in (b"", bytes(512), bytes(70_000 // 512 * 512)):
        items = read(pack(first) + pack(between) + pack(second) + pack(tarred({"c.jsonl": LINES})))
        assert said(items) == 3 * QUESTIONS
        assert [one.file for one in unread(items)] == ["input:a.jsonl (an earlier one)"]


@pytest.mark.parametrize("junk", [b"x", bytes(100) + b"x" * 600, LINES, tarred({"b.jsonl": LINES})[1:]])
def test_what_comes_behind_a_tar_archive_and_is_none_is_told(junk: bytes) -> None:
    items = read(tarred({"a.jsonl": LINES}) + junk)
    assert said(items) == QUESTIONS
    (told,) = unread(items)
    assert (told.kind, told.file) == ("failed", "input")
    assert "Behind the end" in told.reason


def test_a_second_tar_archive_that_is_cut_short_has_failed_there() -> None:
    items = read(tarred({"a.jsonl": LINES}) + tarred({"b.jsonl": LINES, "c.jsonl": LINES})[:2048])
    assert said(items)[:7] == [*QUESTIONS, *QUESTIONS[:2]]
    assert any("cut short" in one.reason for one in unread(items))


def test_a_tar_archive_that_claims_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    good = tarred({"a.jsonl": LINES})[: 512 * (1 + -(-len(LINES) // 512))]
    for size in (-512, -(2**30), 2**40):
        for kind in (tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
            info = tarfile.TarInfo("b.jsonl")
            info.size, info.type = size, kind
            items = read(good + info.tobuf(tarfile.GNU_FORMAT) + bytes(2048))
            assert said(items) == QUESTIONS
            assert any(one.kind == "failed" for one in unread(items))
    name, after = tarfile.TarInfo("././@LongLink"), tarfile.TarInfo("b.jsonl")
    name.size, name.type = 2**21, tarfile.GNUTYPE_LONGNAME
    items = read(good + name.tobuf(tarfile.GNU_FORMAT) + b"x" * 2**21 + after.tobuf() + bytes(1024))
    assert [one.file for one in unread(items)] == ["input"]
    monkeypatch.setattr("chatcore.formats.tar.MOST_MEMBERS", 2)
    with pytest.raises(InvalidInput, match="more than 2 members"):
        read(tarred({f"{number}.json": b"{}" for number in range(4)}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_each_member_that_is_lost_to_a_later_one_is_told() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for _ in range(4):
            archive.writestr("a.jsonl", LINES)
    for source in (held.getvalue(), _member("a.jsonl", LINES) * 4 + bytes(1024)):
        items = read(source)
        assert said(items) == QUESTIONS
        lost = [one.file.partition(":")[2] for one in unread(items)]
        assert lost == [f"a.jsonl (an earlier one{number})" for number in ("", ", number 2", ", number 3")]


def test_a_bomb_in_a_tar_archive_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatcore.formats.packings._FREE_BYTES", 1_000_000)
    packed = gzip.compress(tarred({"a.jsonl": LINES, "bomb.json": b" " * 4_000_000}))
    items = read(packed)
    assert said(items) == QUESTIONS
    assert any("bomb" in one.reason for one in unread(items))


def test_what_unpacks_to_itself_for_ever_is_refused() -> None:
    packed = ARRAY
    for _ in range(5):
        packed = gzip.compress(packed)
    assert said(read(packed)) == QUESTIONS
    with pytest.raises(InvalidInput, match="bomb"):
        read(gzip.compress(packed))


def test_the_copies_of_archives_are_gone_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    inner = tmp_path / "inner"
    inner.mkdir()
    for number in range(3):
        (inner / f"{number}.tgz").write_bytes(gzip.compress(tarred({"a.jsonl": LINES})))
    reading = read_source(inner)
    copies = [_copies(tmp_path) for _ in reading]
    assert copies == [1] * 3 * len(RECORDS)  # one at a time
    assert _copies(tmp_path) == 0
    assert list(tmp_path.iterdir()) == [inner]  # they have no names: also a kill leaves none behind
    reading.close()


def _copies(folder: Path) -> int:
    """How many files are open that nobody can find in the folder."""
    count = 0
    for one in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(one)
        except FileNotFoundError:  # that of the list itself
            continue
        count += target.startswith(f"{folder}/") and target.endswith("(deleted)")
    return count


def test_a_full_disk_is_told_where_an_archive_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.TemporaryFile", lambda: open("/dev/full", "w+b"))  # noqa: SIM115
    with pytest.raises(InvalidInput, match="No space left"):
        read(gzip.compress(tarred({"a.jsonl": LINES})[:2048]))


def test_zips_within_an_office_file_are_no_failure(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(LINES)
    (tmp_path / "letter.docx").write_bytes(zipped({"word/document.xml": b"<w:document/>"}))
    for source in (tmp_path, zipped({path.name: path.read_bytes() for path in tmp_path.iterdir()})):
        items = read(source)
        assert said(items) == QUESTIONS
        assert [one.kind for one in unread(items)] == ["skipped"]


def test_nothing_that_is_known_in_a_folder_is_told_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    with pytest.raises(Unrecognised, match="no format"):
        read(tmp_path)
    (tmp_path / "b.json").write_bytes(b'[{"mapping": {')
    items = read(tmp_path)
    assert sorted(one.kind for one in unread(items)) == ["failed", "skipped"]


def test_exports_in_folders_of_their_own_are_each_read_as_what_they_are(tmp_path: Path) -> None:
    claude = {"uuid": "u", "chat_messages": [{"uuid": "m", "sender": "human", "text": "question 8"}]}
    for name, records in (("chatgpt", [CHATGPT]), ("claude", [claude])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "conversations.json").write_text(json.dumps(records))
        (tmp_path / name / "page.html").write_text("<p>of the export</p>")
    (tmp_path / "lines").write_bytes(LINES)
    (tmp_path / "notes.txt").write_text("words")
    for source in (tmp_path, tarred(_all_files(tmp_path))):
        items = read(source)
        assert sorted(said(items)) == sorted([*QUESTIONS, "question 8", "question 9"])
        assert [(one.kind, one.file.partition(":")[2]) for one in unread(items)] == [("skipped", "notes.txt")]


def test_what_lies_beside_several_exports_is_looked_at(tmp_path: Path) -> None:
    claude = {"uuid": "u", "chat_messages": [{"uuid": "m", "sender": "human", "text": "question 8"}]}
    day = [
        {"type": "message", "user": user, "ts": f"1700000000.00010{place}", "text": "question 7"}
        for place, user in enumerate(["Jo", "Al"])
    ]
    said_so = "[1/2/24, 9:00:00 AM] Jo: hi\n[1/2/24, 9:01:00 AM] Al: ho\n"
    export = json.dumps([CHATGPT]).encode()
    members = {
        "a/conversations.json": export,
        "b/conversations.json": export,
        "logs/chat.txt": said_so.encode(),
        "logs/notes.txt": b"words",
    }
    expected = ["hi", "question 9", "question 9"]
    for name, records, more in (
        ("c/conversations.json", [claude], "question 8"),
        ("d/general/2024-01-01.json", day, "question 7"),
        ("e/general/2024-01-01.json", day, "question 7"),
    ):
        members[name] = json.dumps(records).encode()
        expected.append(more)
        for above in ("", "all/"):
            packed = tarred({f"{above}{name}": content for name, content in members.items()})
            items = list(read_source(io.BytesIO(packed), options=ReadOptions(assistant="Al")))
            left = [(one.kind, one.file.partition(":")[2]) for one in unread(items)]
            assert left == [("skipped", f"{above}logs/notes.txt")]
            assert sorted(said(items)) == sorted(expected)


@pytest.mark.parametrize("known", [None, "chatgpt"])
def test_texts_in_the_folder_of_an_export_are_looked_at_and_told(tmp_path: Path, known: str | None) -> None:
    """But for what is its own: pages, lists, files that a conversation names or that are called so."""
    (tmp_path / "deep").mkdir()
    shown = {"asset_pointer": "file-service://file-1", "content_type": "image_asset_pointer"}
    message = {"author": {"role": "user"}, "content": {"parts": ["question 9", shown]}}
    export = {"title": "t", "mapping": {"a": {"id": "a", "message": message}}}
    for name, content in {
        "conversations.json": json.dumps([export]),
        "shared_conversations.json": "[]",
        "chat.html": "<p>question 9</p>",
        "file-1.txt": "named",
        "file-2.txt": "called so",
        "deep/notes.txt": "words",
        "deep/README": "words",
        "deep/rows.csv": "a,b",
        "deep/chat.txt": "[1/2/24, 9:00:00 AM] Jo: hi\n[1/2/24, 9:01:00 AM] Al: ho\n",
    }.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "deep" / "more.txt.gz").write_bytes(gzip.compress(b"words"))
    for source in (tmp_path, tarred(_all_files(tmp_path))):
        given = io.BytesIO(source) if isinstance(source, bytes) else source
        items = list(read_source(given, format=known, options=ReadOptions(assistant="Al")))
        assert said(items) == (["question 9", "hi"] if known is None else ["question 9"])
        told = {one.file.partition(":")[2].rpartition("/")[2]: one.kind for one in unread(items)}
        also = {} if known is None else {"rows.csv": told["rows.csv"], "chat.txt": "skipped"}
        assert told == dict.fromkeys(["README", "more.txt.gz", "notes.txt", "rows.csv"], "skipped") | also


def test_how_far_it_is_never_passes_the_end_nor_stays_behind(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b'{"a": 1}\n' * 20_000)
    (tmp_path / "2024-01-01.json").write_bytes(b'{"a": 1}\n' * 20_000)
    (tmp_path / "b.tgz").write_bytes(gzip.compress(tarred({"d.jsonl": LINES * 50, "e.jsonl": LINES * 50})))
    (tmp_path / "c.jsonl").write_bytes(LINES * 50)
    reading = read_source(tmp_path)
    for _ in reading:
        done, total = reading.progress()
        assert total is not None
        assert done <= total
    done, total = reading.progress()
    assert total is not None
    assert total * 0.9 < done <= total


def test_how_far_it_is_never_passes_the_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "conversations.json").write_text(json.dumps([CHATGPT]))
    (tmp_path / "b.jsonl").write_bytes(LINES * 50)
    (tmp_path / "c.zip").write_bytes(zipped({"d.jsonl": LINES * 50}))
    reading = read_source(tmp_path)
    for _ in reading:
        done, total = reading.progress()
        assert total is not None
        assert done <= total


def _all_files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_an_archive_that_shrinks_while_it_is_read_has_failed_there(tmp_path: Path) -> None:
    lines = b"".join(json.dumps({**RECORDS[0], "n": number}).encode() + b"\n" for number in range(20_000))
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jsonl", lines)
        archive.writestr("b.jsonl", LINES)
    reading = read_source(path)
    items = [next(reading)]
    os.truncate(path, len(lines) // 2)
    items += reading
    assert 0 < len(said(items)) < 20_000
    first, second = unread(items)
    assert (first.kind, second.kind) == ("failed", "failed")
    assert "it ends too early" in first.reason
